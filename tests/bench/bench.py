#!/usr/bin/python3
"""Speed of pneu beside Postfix and OpenSMTPD, on the same machine, in turns of the same run.

    ./do bench [-n RUNS] [-p PEERS] [WORK ...]

Works: in (SMTP to Maildir), in20 (connections reused), relay (SMTP to smtp-sink), inject (pneu-inject or the sendmail
command, one after another), list (one message to 1,000 recipients of a domain), big (one message of 100 MiB),
cost (system calls and processes a message, by strace). All without a name.

As root each run has a fresh ext4 on a loop device, and CPU is what the server's cgroup used; as an ordinary user only
pneu runs, in the temporary folder, without CPU figures. Figures are medians; a ratio above 1 means pneu is better.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.getuid() == 0
BIN = os.environ['PNEU_BIN']
BOXES = 4 # as many senders of five sessions, each to a Maildir of its own
DOMAIN = 'bench.test'
FAR = 'far.test'
QUIET = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}


def sh(*args, **more):
    return subprocess.run([str(a) for a in args], check=True, **{**QUIET, **more})


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f'waited in vain for {what}')
        time.sleep(.005)


def listening(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


def files_below(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


class Cgroup:
    """A cgroup whose processes' CPU time is counted together; without root, nothing."""

    def __init__(self, work):
        self.dir = None
        if ROOT:
            self.top = work / 'cgroup'
            self.top.mkdir()
            sh('mount', '-t', 'cgroup2', 'none', self.top)
            self.dir = self.top / f'pneu-bench-{os.getpid()}'
            self.dir.mkdir()

    def enter(self):
        if self.dir:
            (self.dir / 'cgroup.procs').write_text(str(os.getpid()))

    def cpu(self):
        return int((self.dir / 'cpu.stat').read_text().split()[1]) / 1e6 if self.dir else 0.

    def end(self):
        if not self.dir:
            return
        for _ in range(500):
            left = (self.dir / 'cgroup.procs').read_text().split()
            if not left:
                break
            for p in left:
                try:
                    os.kill(int(p), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(.02)
        self.dir.rmdir()
        sh('umount', self.top)


class Place:
    """A fresh, empty, journalled file system; without root a folder."""

    def __init__(self, work):
        self.dir, self.image = work / 'place', work / 'image'
        self.dir.mkdir()
        if ROOT:
            with open(self.image, 'wb') as f:
                f.truncate(3 << 30)
            sh('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', self.image)
            sh('mount', '-o', 'loop', self.image, self.dir)
        self.dir.chmod(0o755)

    def end(self):
        if ROOT:
            subprocess.run(['umount', '-l', str(self.dir)], check=False)


class Server:
    """What pneu and its peers have in common: a place, a port, a cgroup that starts and ends with it."""

    def __init__(self, work, sink, prefix=()):
        self.sink, self.prefix, self.process = sink, list(prefix), None
        self.cgroup, self.place = Cgroup(work), Place(work)
        self.dir = self.place.dir
        self.mail = self.dir / 'mail'
        self.port = free_port()
        self.mounts = []
        try:
            self.prepare()
            self.start()
            wait_for(f'{self.name} to listen', lambda: listening(self.port), 30)
        except BaseException:
            self.end()
            raise

    def popen(self, *args, **more):
        self.process = subprocess.Popen([*self.prefix, *map(str, args)], preexec_fn=self.cgroup.enter, **QUIET, **more)

    def bind(self, what, where):
        sh('mount', '--bind', what, where)
        self.mounts.append(str(where))

    def boxes(self):
        return [self.mail / f'u{i}' for i in range(BOXES)]

    def delivered(self):
        return sum(files_below(box / 'new') for box in self.boxes())

    def end(self):
        self.stop()
        self.cgroup.end()
        if self.process:
            self.process.wait(30)
        for m in reversed(self.mounts):
            subprocess.run(['umount', '-l', m], check=False)
        self.place.end()


class Pneu(Server):
    name = 'pneu'

    @staticmethod
    def here():
        return True

    def run(self, *args):
        sh(*args, env=self.env, stdin=subprocess.DEVNULL)

    def prepare(self):
        bin, self.home = self.dir / 'usr/bin', self.dir / 'pneu'
        shutil.copytree(BIN, bin) # where the separate users can reach it
        shutil.copytree(pathlib.Path(os.environ['PNEU_TOP']) / 'package/service', self.dir / 'usr/share/pneu/service')
        self.env = dict(os.environ, PNEU_HOME=str(self.home), PATH=f'{bin}:{os.environ["PATH"]}')
        self.injector = [str(bin / 'pneu-inject')]
        self.run('pneu-instance', self.home)
        for name, value in (('me', 'pneu.bench'), ('rcpthosts', FAR), ('smtproutes', f'{FAR}:127.0.0.1:{self.sink}'),
                            ('concurrencyremote', '50'), ('concurrency', '50'), ('databytes', '0'), ('maxconnperip', '100')):
            self.run('pneu-control', 'set', name, value)
        self.run('pneu-server', 'add', 'in', 'smtp', '127.0.0.1', self.port)
        for i in range(BOXES):
            self.run('pneu-mailbox', 'add', f'u{i}@{DOMAIN}')

    def start(self):
        self.popen('s6-svscan', self.home / 'service', env=self.env)
        for name in ('intake', 'local', 'remote'):
            wait_for(f'run/{name}', (self.home / 'run' / name).exists, 30)

    def boxes(self):
        return [self.home / 'mail' / DOMAIN / f'u{i}' / 'Maildir' for i in range(BOXES)]

    def queued(self):
        return sum(files_below(self.home / 'queue' / d) for d in ('new', 'wait'))

    def stop(self):
        subprocess.run(['s6-svscanctl', '-t', str(self.home / 'service')], check=False, **QUIET)
        if not ROOT:
            self.process.wait(30)


class PneuListening(Pneu):
    """The listener forks, where tcpserver would start a program."""
    name = 'listening'

    def prepare(self):
        super().prepare()
        self.run('pneu-control', 'set', 'forking', '1')


class Postfix(Server):
    name = 'Postfix'
    injector = ['/usr/sbin/sendmail', '-i', '-t']
    env = None

    @staticmethod
    def here():
        return ROOT and shutil.which('postfix') is not None

    def prepare(self):
        etc = self.dir / 'etc'
        shutil.copytree('/etc/postfix', etc, symlinks=True)
        for name in ('spool', 'data', 'mail'):
            (self.dir / name).mkdir()
        shutil.chown(self.dir / 'data', 'postfix')
        os.chown(self.mail, 65534, 65534)
        (etc / 'boxes').write_text(''.join(f'u{i}@{DOMAIN} u{i}/\n' for i in range(BOXES)))
        (etc / 'main.cf').write_text(f'''compatibility_level = 3.6
queue_directory = {self.dir}/spool
data_directory = {self.dir}/data
myhostname = postfix.bench
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = texthash:{etc}/boxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
transport_maps = inline:{{ {FAR}=smtp:[127.0.0.1]:{self.sink} }}
smtp_destination_concurrency_limit = 50
smtpd_client_connection_count_limit = 0
message_size_limit = 209715200
mailbox_size_limit = 0
virtual_mailbox_limit = 0
''')
        master = pathlib.Path('/usr/share/postfix/master.cf.dist').read_text()
        master = re.sub(r'^smtp      inet.*$', f'127.0.0.1:{self.port} inet n - n - - smtpd', master, flags=re.M)
        master = re.sub(r'^(\S+\s+(?:unix|inet|fifo)\s+\S+\s+\S+\s+)y', r'\1n', master, flags=re.M)
        (etc / 'master.cf').write_text(master)
        self.bind(etc, '/etc/postfix')

    def start(self):
        self.popen('postfix', 'start')

    def queued(self):
        return sum(files_below(self.dir / 'spool' / d) for d in ('maildrop', 'incoming', 'active', 'deferred'))

    def stop(self):
        subprocess.run(['postfix', 'stop'], check=False, **QUIET)


class OpenSMTPD(Server):
    """Debian lets it conflict with Postfix: its package is unpacked beside, and mounted where it looks for itself."""
    name = 'OpenSMTPD'
    root = None

    @classmethod
    def here(cls):
        if not ROOT:
            return False
        to = tempfile.mkdtemp(prefix='pneu-peers.')
        os.chmod(to, 0o755)
        got = subprocess.run('apt-get download -qq opensmtpd libevent-2.1-7 && for d in *.deb; do dpkg-deb -x "$d" .; done',
                             shell=True, cwd=to, check=False, **QUIET)
        cls.root = pathlib.Path(to)
        return got.returncode == 0

    def prepare(self):
        etc, spool = self.dir / 'etc', self.dir / 'spool'
        for d in (etc, spool, self.mail, pathlib.Path('/var/spool/smtpd'), pathlib.Path('/var/lib/opensmtpd/empty'),
                  pathlib.Path('/usr/libexec/opensmtpd')):
            d.mkdir(parents=True, exist_ok=True)
        spool.chmod(0o711)
        os.chown(self.mail, 65534, 65534)
        for name, lines in (('passwd', 'opensmtpd:x:64990:64990::/nonexistent:/bin/false\n'
                                       'opensmtpq:x:64991:64991::/nonexistent:/bin/false\n'),
                            ('group', 'opensmtpd:x:64990:\nopensmtpq:x:64991:\n')):
            (etc / name).write_text(open(f'/etc/{name}').read() + lines)
            self.bind(etc / name, f'/etc/{name}')
        (etc / 'resolv.conf').write_text('nameserver 127.0.0.1\n') # nobody there: no waiting for names of clients
        self.bind(etc / 'resolv.conf', '/etc/resolv.conf')
        (etc / 'boxes').write_text(''.join(f'u{i}@{DOMAIN} nobody\n' for i in range(BOXES)))
        (etc / 'smtpd.conf').write_text(f'''smtp max-message-size "200M"
table boxes file:{etc}/boxes
listen on 127.0.0.1 port {self.port} hostname opensmtpd.bench
action "local" maildir "{self.mail}/%{{dest.user}}" virtual <boxes>
action "far" relay host smtp://127.0.0.1:{self.sink}
match from any for domain "{DOMAIN}" action "local"
match from any for domain "{FAR}" action "far"
''')
        (etc / 'smtpd.conf').chmod(0o600)
        self.bind(spool, '/var/spool/smtpd')
        self.bind(self.root / 'usr/libexec/opensmtpd', '/usr/libexec/opensmtpd')
        # A program named sendmail and started by that name: smtpctl plays the part.
        (self.root / 'sendmail').unlink(missing_ok=True)
        (self.root / 'sendmail').symlink_to('usr/sbin/smtpctl')
        self.injector = [str(self.root / 'sendmail'), '-i', '-t']
        libraries = ':'.join(str(p) for p in (self.root / 'usr/lib').glob('*-linux-gnu'))
        self.env = dict(os.environ, LD_LIBRARY_PATH=libraries)

    def start(self):
        self.popen(self.root / 'usr/sbin/smtpd', '-F', '-f', self.dir / 'etc/smtpd.conf', env=self.env)

    def queued(self):
        return sum(files_below(self.dir / 'spool' / d) for d in ('queue', 'incoming', 'offline'))

    def stop(self):
        if self.process:
            self.process.terminate()


class Sink:
    """smtp-sink, counting sessions and messages."""

    def __init__(self):
        self.port = free_port()
        user = ['-u', 'nobody'] if ROOT else []
        self.process = subprocess.Popen(['smtp-sink', '-c', *user, f'127.0.0.1:{self.port}', '1000'],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.sessions = self.messages = 0
        wait_for('smtp-sink', lambda: listening(self.port), 10)

    def count(self):
        seen = re.findall(rb'sess=(\d+) quit=\d+ mesg=(\d+)', self.process.stdout.read() or b'')
        if seen:
            self.sessions, self.messages = map(int, seen[-1])
        return self.messages

    def end(self):
        self.process.kill()
        self.process.wait()


def send(port, to, messages, *more, sessions):
    return subprocess.Popen(['smtp-source', '-s', str(sessions), '-m', str(messages), '-l', '4096', '-f', f'sender@{FAR}',
                             *more, '-t', to, f'127.0.0.1:{port}'], **QUIET)


def all_sent(senders):
    for s in senders:
        if s.wait(300):
            raise RuntimeError('smtp-source failed')


class Work:
    """A load of n messages, and when it is done."""

    def __init__(self, name, title, messages, warm=20):
        self.name, self.title, self.messages, self.warm, self.note = name, title, messages, warm, ''

    def count(self, peer):
        return self.messages

    def once(self, peer):
        """One run. Returns the seconds of the wall and of the CPU."""
        sink = Sink()
        work = pathlib.Path(tempfile.mkdtemp(prefix='pneu-bench.'))
        work.chmod(0o755)
        server = None
        try:
            server = peer(work, sink.port)
            self.load(server, sink, self.warm)
            cpu, wall = server.cgroup.cpu(), time.monotonic()
            self.load(server, sink, self.count(peer))
            return time.monotonic() - wall, server.cgroup.cpu() - cpu
        finally:
            if server:
                server.end()
            sink.end()
            shutil.rmtree(work, ignore_errors=True)


class ToMaildir(Work):
    more = ()

    def load(self, server, sink, n):
        have = server.delivered()
        all_sent([send(server.port, f'u{i}@{DOMAIN}', n // BOXES, *self.more, sessions=5) for i in range(BOXES)])
        wait_for('delivery', lambda: server.delivered() - have >= n)


class ToMaildirReused(ToMaildir):
    more = ('-d',)


class Relay(Work):
    def count(self, peer):
        return 200 if peer is OpenSMTPD else self.messages # it allows itself some 15 a second to one host

    def load(self, server, sink, n):
        have = sink.count()
        all_sent([send(server.port, f'someone@{FAR}', n, sessions=20)])
        wait_for('the sink', lambda: sink.count() - have >= n)


class Inject(Work):
    def load(self, server, sink, n):
        have = server.delivered()
        letter = server.dir / 'letter'
        letter.write_text(f'From: sender@{FAR}\nTo: u1@{DOMAIN}\nSubject: bench\n\n' + ('x' * 63 + '\n') * 62)
        # A shell forks for a hundredth of what this process would, and its share is in both peers' figures.
        loop = 'n=$1 letter=$2; shift 2; while test $n -gt 0; do "$@" <"$letter" || exit; n=$((n - 1)); done'
        sh('sh', '-c', loop, 'sh', n, letter, *server.injector, env=server.env, preexec_fn=server.cgroup.enter)
        wait_for('delivery', lambda: server.delivered() - have >= n)


class List(Work):
    def load(self, server, sink, n):
        sink.count()
        sessions, messages = sink.sessions, sink.messages
        with socket.create_connection(('127.0.0.1', server.port)) as s, s.makefile('rwb') as f:
            def talk(line):
                f.write(line + b'\r\n')
                f.flush()
                reply = f.readline()
                while reply[3:4] == b'-':
                    reply = f.readline()
                if reply[:1] not in b'23':
                    raise RuntimeError(f'{line!r}: {reply!r}')
            f.readline()
            for line in (b'EHLO bench.test', b'MAIL FROM:<sender@far.test>', *(b'RCPT TO:<r%d@far.test>' % i for i in range(n)),
                         b'DATA'):
                talk(line)
            talk(b'Subject: bench\r\n\r\n' + (b'x' * 62 + b'\r\n') * 1024 + b'.')
        wait_for('the queue to empty', lambda: sink.count() > messages and server.queued() == 0)
        self.note = f'{sink.sessions - sessions} connections, {sink.messages - messages} transactions'


class Big(Work):
    def load(self, server, sink, n):
        have = server.delivered()
        all_sent([send(server.port, f'u1@{DOMAIN}', 1, '-l', str(n << 20), sessions=1)])
        wait_for('delivery', lambda: server.delivered() > have)


WORKS = [
    ToMaildir('in', 'SMTP -> Maildir, 4 KiB, 20 sessions, a connection a message', 2000),
    ToMaildirReused('in20', 'SMTP -> Maildir, 4 KiB, 20 sessions, connections reused', 2000),
    Relay('relay', 'SMTP -> smtp-sink, 4 KiB, 20 sessions', 2000),
    Inject('inject', 'pneu-inject or sendmail -> Maildir, 4 KiB, one after another', 300),
    List('list', 'one 64 KiB message to 1,000 recipients of a domain (rate: recipients)', 1000),
    Big('big', 'one message of 100 MiB -> Maildir (rate: MiB/s)', 100, warm=1),
]


def table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print('  '.join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
    print(flush=True)


def measure(work, peers, runs):
    """Runs the peers in turn, so that a slow minute of the machine meets all of them."""
    got, notes = {p: [] for p in peers}, {}
    for run in range(runs):
        for p in peers:
            say(f'{work.name}: run {run + 1} of {runs}, {p.name}')
            try:
                got[p].append(work.once(p))
                notes[p] = work.note
            except (RuntimeError, TimeoutError, subprocess.SubprocessError, OSError) as e:
                say(f'{work.name}: {p.name}: {e}')
    rows = [['', 'rate', '(min..max)', 'CPU s/1000', 'pneu rate x', 'pneu CPU x', '']]
    ours = [statistics.median(x) / work.messages for x in zip(*got.get(Pneu, []))]
    for p in peers:
        if not got[p]:
            rows.append([p.name, 'failed', '', '', '', '', ''])
            continue
        wall, cpu = (statistics.median(x) for x in zip(*got[p]))
        n = work.count(p)
        rates = [n / w for w, _ in got[p]]
        beside = ours and p is not Pneu
        rows.append([p.name, f'{n / wall:.0f}', f'({min(rates):.0f}..{max(rates):.0f})',
                     f'{cpu / n * 1000:.2f}' if ROOT else '',
                     f'{wall / n / ours[0]:.2f}' if beside else '', f'{cpu / n / ours[1]:.2f}' if beside else '', notes[p]])
    print(f'{work.name}: {work.title}; median of {runs}')
    table(rows)


def counted(work, messages):
    """The system calls of a run of pneu with that many messages, by name."""
    sink = Sink()
    dir = pathlib.Path(tempfile.mkdtemp(prefix='pneu-bench.'))
    dir.chmod(0o755)
    strace = ['strace', '-f', '-qq', '-c', '-U', 'calls,name', '-o']
    server, texts = None, []
    try:
        server = Pneu(dir, sink.port, [*strace, str(dir / 'calls')])
        if isinstance(work, Inject):
            server.injector = [*strace, str(dir / 'one'), *server.injector]
        work.load(server, sink, messages)
        wait_for('the queue to empty', lambda: server.queued() == 0)
        if isinstance(work, Inject):
            texts = [(dir / 'one').read_text()] * messages
        server.stop()
        server.process.wait(60)
        texts.append((dir / 'calls').read_text())
    finally:
        if server:
            server.end()
        sink.end()
        shutil.rmtree(dir, ignore_errors=True)
    seen = {}
    for text in texts:
        for calls, name in re.findall(r'^\s*(\d+)\s+(\w+)$', text, re.M):
            seen[name] = seen.get(name, 0) + (int(calls) if name != 'total' else 0)
    return seen


def cost():
    """Two runs, the second with 100 messages more: the difference is theirs."""
    kinds = {'fsync': ('fsync', 'fdatasync'), 'exec': ('execve',), 'fork': ('clone', 'clone3', 'fork', 'vfork'),
             'open': ('open', 'openat'), 'link, rename': ('link', 'linkat', 'rename', 'renameat2'),
             'unlink': ('unlink', 'unlinkat')}
    rows = [['a message', 'all calls', *kinds]]
    for work in WORKS[:4]:
        say(f'cost: {work.name}')
        few, many = counted(work, 40), counted(work, 140)
        each = {name: (many[name] - few.get(name, 0)) / 100 for name in many}
        rows.append([work.name, f'{sum(each.values()):.0f}',
                     *(f'{sum(each.get(c, 0) for c in names):.2f}' for names in kinds.values())])
    print('cost: what one message costs pneu, all its processes, by strace')
    table(rows)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # so that what was started ends, and what was mounted goes
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-n', '--runs', type=int, default=5)
    parser.add_argument('-p', '--peers', default='postfix,opensmtpd', help='by name, beside pneu')
    parser.add_argument('works', nargs='*')
    args = parser.parse_args()
    peers = [p for p in (Pneu, PneuListening, Postfix, OpenSMTPD) if (p is Pneu or p.name.lower() in args.peers.lower()) and p.here()]
    if not ROOT:
        say('not root: only pneu, in the temporary folder, without CPU figures')
    for work in WORKS:
        if not args.works or work.name in args.works:
            measure(work, peers, args.runs)
    if not args.works or 'cost' in args.works:
        cost()
    if OpenSMTPD.root:
        shutil.rmtree(OpenSMTPD.root, ignore_errors=True)


main()
