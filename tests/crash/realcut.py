#!/usr/bin/env python3
"""realcut - the same question as crashstates, put to a real file system (root, loop devices).

  realcut.py --fs ext4|xfs|btrfs [--opts MOUNTOPTS] [--setup CMD] --oracle CMD -- COMMAND [ARG...]

Makes a file system in an image, mounts it, runs COMMAND under strace; at the
n-th call of the chosen set (n = 1, 2, ... then once after the command's end) it
kills the command and cuts the file system off: ext4 and xfs by their shutdown
ioctl without log flush (what xfstests calls godown), btrfs by copying the image
as it is at that moment.  Then it mounts again (log replay) and asks the oracle.
$RC_DIR is the mount point; @DIR@ in arguments is replaced by it; $RC_RC is the
command's exit code, $RC_CUT says where the cut was.  Touches only images it made.
"""
import argparse, collections, fcntl, os, re, shlex, shutil, signal, struct, subprocess, sys, tempfile, time
CALLS = ('write writev pwrite64 openat open creat close fsync fdatasync rename renameat renameat2 link linkat unlink '
         'unlinkat mkdir mkdirat ftruncate fchmod chmod').split()
ap = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
ap.add_argument('--fs', default='ext4'); ap.add_argument('--opts', default=''); ap.add_argument('--mkfs', default='')
ap.add_argument('--size', default='')
ap.add_argument('--setup'); ap.add_argument('--oracle', required=True); ap.add_argument('--stdin')
ap.add_argument('--calls', default=','.join(CALLS)); ap.add_argument('--repeat', type=int, default=1)
ap.add_argument('--end-only', action='store_true', help='cut only after the command has ended')
ap.add_argument('--settle', type=float, default=0, help='seconds between the end and the cut')
ap.add_argument('--timeout', type=float, default=20); ap.add_argument('--show', type=int, default=5)
ap.add_argument('command', nargs=argparse.REMAINDER)
a = ap.parse_args(); cmd = a.command[1:] if a.command[:1] == ['--'] else a.command
size = a.size or {'ext4': '24M', 'xfs': '320M', 'btrfs': '160M'}[a.fs]
work = tempfile.mkdtemp(prefix='rc.', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
mnt, img, gold = work + '/m', work + '/img', work + '/gold'
os.mkdir(mnt)
def sh(*c, ok=False, **k):
    r = subprocess.run(c, capture_output=True, text=True, **k)
    if r.returncode and not ok: raise SystemExit(f'realcut: {shlex.join(c)}: {r.stderr.strip()}')
    return r
def unmount(ok=False):
    for _ in range(250):        # what was killed may still be on its way out
        if not sh('umount', mnt, ok=True).returncode: return
        if ok and not os.path.ismount(mnt): return
        time.sleep(0.02)
    if not ok: raise SystemExit('realcut: cannot unmount')
def mount(i):
    o = ['loop'] + ([a.opts] if a.opts else []) + (['nouuid'] if a.fs == 'xfs' else [])
    sh('mount', '-t', a.fs, '-o', ','.join(o), i, mnt)
def shutdown():
    fd = os.open(mnt, os.O_RDONLY)
    try: fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))      # *_IOC_SHUTDOWN / GOINGDOWN, no log flush
    finally: os.close(fd)
env = dict(os.environ, RC_DIR=mnt)
def prepare():
    shutil.copyfile(gold, img) if not shutil.which('cp') else sh('cp', '--sparse=always', gold, img)
    mount(img)
def run(call, n):
    """one cut; returns (fired, rc, class, ok, note)"""
    prepare(); cut = img
    try:
        argv = [x.replace('@DIR@', mnt) for x in cmd]
        st = ['strace', '-f', '-q', '-o', work + '/trace']
        if call: st += ['-e', 'trace=' + call, '-e', f'inject={call}:signal=KILL:when={n}']
        else: st = []
        with open(a.stdin or os.devnull, 'rb') as i:
            p = subprocess.Popen(st + argv, stdin=i, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, start_new_session=True)
            try: rc = p.wait(a.timeout)
            except subprocess.TimeoutExpired: rc = None
            try: os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError: pass
            if rc is None: rc = p.wait()
            p.stderr.close()
        fired = True if not call else 'killed by SIGKILL' in open(work + '/trace', errors='replace').read()
        if fired:
            if a.settle: time.sleep(a.settle)
            if a.fs == 'btrfs': sh('cp', '--sparse=always', img, img + '.cut'); cut = img + '.cut'
            else: shutdown()
    finally: unmount()
    if not fired: return False, rc, '', True, ''
    mount(cut)
    try:
        e = dict(env, RC_RC=str(rc), RC_CUT=f'{call} #{n}' if call else 'end', CS_SAID='1' if rc == 0 else '0')
        r = subprocess.run(['sh', '-c', a.oracle.replace('@DIR@', mnt)], env=e, capture_output=True, text=True, timeout=60)
        out = r.stdout.split()
        return True, rc, out[0] if out else '-', r.returncode == 0, (r.stdout + r.stderr).strip()[:200]
    finally: unmount()
bad, cls, runs, t0 = [], collections.Counter(), 0, time.time()
try:
    sh('truncate', '-s', size, gold)
    sh(f'mkfs.{a.fs}', '-q', *shlex.split(a.mkfs), *(['-F'] if a.fs == 'ext4' else ['-f']), gold)
    mount(gold)
    if a.setup: sh('sh', '-c', a.setup.replace('@DIR@', mnt), env=env, cwd=mnt)
    os.sync(); unmount()
    def take(r, where):
        global runs
        runs += 1; cls[('said ' if r[1] == 0 else 'not-said ') + r[2]] += 1
        if not r[3]: bad.append((where, r[1], r[4]))
    for _ in range(a.repeat):
        if not a.end_only:
            for c in a.calls.split(','):
                for n in range(1, 1000):
                    r = run(c, n)
                    if not r[0]: break
                    take(r, f'{c} #{n}')
        take(run(None, 0), 'after the end')
    print(f'{a.fs} {a.opts or "default options"}: {runs} cuts, {len(bad)} bad, {time.time() - t0:.1f} s: ' +
          ', '.join(f'{c}={n}' for c, n in sorted(cls.items())))
    for b in bad[:a.show]: print(f'  BAD cut {b[0]}: rc={b[1]}: {b[2]}')
finally:
    unmount(ok=True); shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if bad else 0)
