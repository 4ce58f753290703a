"""A file system in an image whose power can be cut: for realcut.py and system.py. Root, loop devices.

ext4 and xfs are cut by their shutdown ioctl at once, under running processes: what nobody has synced is lost, or with "journal"
what the journal holds is written before. btrfs has no such call: the processes are killed, then the image is copied as it is,
without the file system being told, and the copy is what is mounted next. "synced": the processes are killed, and
the power fails when everything they left has been written.
"""
import ctypes, fcntl, os, shutil, signal, struct, subprocess, tempfile, time

SHUTDOWN, FLUSH, NOFLUSH = 0x8004587d, 1, 2
SIZE = {'ext4': '32M', 'xfs': '320M', 'btrfs': '192M'}
SUPERBLOCK = 65536  # of btrfs


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode:
        raise SystemExit(f'{" ".join(command)}: {done.stderr.decode(errors="replace").strip()}')
    return done.stdout.decode()


def adopt():
    """What our children leave behind becomes our child, so that kill_all finds it."""
    if ctypes.CDLL(None).prctl(36, 1, 0, 0, 0):
        raise SystemExit('prctl')


def children():
    return [int(pid) for task in os.listdir('/proc/self/task') for pid in open(f'/proc/self/task/{task}/children').read().split()]


def kill_all():
    """SIGKILL for all that was started from here, however deep."""
    while True:
        pids = children()
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pid in pids:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


class Disk:
    def __init__(self, fs, size=None):
        self.fs = fs
        self.work = tempfile.mkdtemp(prefix='pneu-disk.', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
        os.chmod(self.work, 0o711)
        self.top, self.image, self.gold = self.work + '/m', self.work + '/image', self.work + '/gold'
        os.mkdir(self.top)
        run('truncate', '-s', size or SIZE[fs], self.image)
        run('mkfs.' + fs, '-q', *{'ext4': ['-F', '-m', '0']}.get(fs, ['-f']), self.image)
        self.mount()
        os.chmod(self.top, 0o755)

    def mount(self):
        run('mount', '-t', self.fs, '-o', 'loop,nouuid' if self.fs == 'xfs' else 'loop', self.image, self.top)

    def unmount(self):
        for _ in range(5000):  # what was killed may still be on its way out
            if f' {self.top} ' not in open('/proc/self/mounts').read():  # os.path.ismount() fails where the power was cut
                return
            subprocess.run(['umount', self.top], stderr=subprocess.DEVNULL)
            time.sleep(0.005)
        raise SystemExit('cannot unmount ' + self.top)

    def keep(self):
        """As it is now it can be had again, by fresh()."""
        os.sync()
        self.unmount()
        shutil.copyfile(self.image, self.gold) if not shutil.which('cp') else run('cp', '--sparse=always', self.image, self.gold)

    def fresh(self):
        os.unlink(self.image)  # a loop device may still have the old one
        run('cp', '--sparse=always', self.gold, self.image)
        self.mount()

    def superblock(self):
        with open(self.image, 'rb') as f:
            f.seek(SUPERBLOCK)
            return f.read(4096)

    def kinds(self):
        return ('lost', 'synced') if self.fs == 'btrfs' else ('lost', 'journal', 'synced')

    def off(self, kind='lost'):
        """ext4 and xfs: at once, whoever runs."""
        fd = os.open(self.top, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack('I', FLUSH if kind == 'journal' else NOFLUSH))
        os.close(fd)

    def on(self):
        self.unmount()
        self.mount()

    def cut(self, kind='lost'):
        """Off, every process killed, and on again."""
        if kind == 'synced':
            kill_all()
            os.sync()
        if self.fs == 'btrfs':
            kill_all()
            before = None
            while before != self.superblock():  # it may be writing a transaction of its own
                before = self.superblock()
                run('cp', '--sparse=always', self.image, self.image + '.cut')
            self.unmount()
            os.rename(self.image + '.cut', self.image)
            self.mount()
        else:
            self.off(kind)
            kill_all()
            self.on()

    def remove(self):
        kill_all()
        self.unmount()
        shutil.rmtree(self.work, ignore_errors=True)
