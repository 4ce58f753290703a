"""pneu and its peers, each as a server on a fresh file system, in a cgroup of its own."""

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
DEAD = 'dead.test' # nobody listens there
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

    def processes(self):
        return (self.dir / 'cgroup.procs').read_text().split() if self.dir else []

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

    def __init__(self, work, gigabytes):
        self.dir, self.image = work / 'place', work / 'image'
        self.dir.mkdir()
        if ROOT:
            with open(self.image, 'wb') as f:
                f.truncate(gigabytes << 30)
            sh('mkfs.ext4', '-q', '-F', '-i', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0', self.image)
            sh('mount', '-o', 'loop', self.image, self.dir)
        self.dir.chmod(0o755)

    def end(self):
        if ROOT:
            subprocess.run(['umount', '-l', str(self.dir)], check=False)


class Server:
    """What pneu and its peers have in common: a place, a port, a cgroup that starts and ends with it."""
    injector_group = None # of who injects; None: as we are

    def __init__(self, work, sink, prefix=(), concurrency=50, gigabytes=3, tls=False):
        self.tls = tls
        self.sink, self.prefix, self.process, self.concurrency = sink, list(prefix), None, concurrency
        self.cgroup, self.place = Cgroup(work), Place(work, gigabytes)
        self.dir = self.place.dir
        self.mail = self.dir / 'mail'
        self.port = free_port()
        self.mounts = []
        try:
            self.prepare()
            self.start()
            self.wait_running()
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

    def wait_running(self):
        wait_for(f'{self.name} to listen', lambda: listening(self.port), 30)

    def halt(self):
        self.stop()
        wait_for(f'{self.name} to end', lambda: not self.cgroup.processes(), 60)
        self.process.wait(30)

    def begin(self):
        self.start()
        self.wait_running()

    def certificate(self, folder):
        """A P-256 key and what it has signed itself; (certificate, key)."""
        names = folder / 'bench.pem', folder / 'bench.key'
        sh('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
           '-subj', '/CN=bench.test', '-out', names[0], '-keyout', names[1])
        return names

    def restart(self):
        self.halt()
        self.begin()

    def memory(self, field):
        """Of all processes together, kB; of one that ended meanwhile, nothing. field: an expression for its name."""
        total = 0
        for pid in self.cgroup.processes():
            try:
                rollup = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
            except OSError:
                continue
            total += sum(int(n) for n in re.findall(rf'^{field}: *(\d+) kB', rollup, re.M))
        return total

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
        for name, value in (('me', 'pneu.bench'), ('rcpthosts', [FAR, DEAD]), ('smtproutes', [f'{FAR}:127.0.0.1:{self.sink}', f'{DEAD}:127.0.0.1:1']),
                            ('concurrencyremote', self.concurrency), ('concurrency', self.concurrency), ('databytes', '0'), ('maxmessages', '0'),
                            ('maxconn', '16000'), ('maxconnperip', '16000'), ('intakesessions', '1000')):
            self.run('pneu-control', 'set', name, *(value if isinstance(value, list) else [value]))
        if self.tls:
            self.run('pneu-cert', '-q', 'new')
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

    def deferred(self):
        return files_below(self.home / 'queue/wait')

    def fill(self, count, to):
        """Messages that wait for tomorrow, made without sending them; the scheduler is stopped meanwhile."""
        mkqueue = pathlib.Path(BIN).parent / 'tests/tool/mkqueue'
        shutil.copy(mkqueue, self.dir / 'usr/bin')
        owner = ['s6-setuidgid', 'pneuq'] if ROOT else []
        sh(*owner, self.dir / 'usr/bin/mkqueue', '-w', '-m', '+86400', '-n', count, f'sender@{FAR}', to, env=self.env,
           stdin=subprocess.DEVNULL, cwd=self.home)

    def scans(self):
        """Seconds each look at a queue with something in it took as pneu-send logged them."""
        log = ''.join(p.read_text(errors='replace') for p in sorted((self.home / 'log/send').glob('[@c]*')))
        return [int(ms) / 1000 for ms in re.findall(r'\bscanned\b.* ms=(\d+)', log)]

    def latency(self, count):
        """Milliseconds from the line of pneu-queued to the first of pneu-send, by the loggers' stamps; median of the last messages."""
        def stamps(service, pattern):
            text = (self.home / 'log' / service / 'current').read_text(errors='replace')
            found = re.findall(rf'^@4([0-9a-f]{{15}})([0-9a-f]{{8}}) \S+ {pattern}(\w+)', text, re.M)
            return {id: int(s, 16) * 1000 + int(ns, 16) / 1e6 for s, ns, id in found}
        queued, begun = stamps('queued', 'queued id='), stamps('send', r'start .*?\bmsg=')
        return statistics.median([begun[id] - queued[id] for id in list(queued)[-count:] if id in begun])

    def scheduler(self, field):
        pid = next(p for p in self.cgroup.processes() if pathlib.Path(f'/proc/{p}/comm').read_text() == 'pneu-send\n')
        return int(re.search(rf'^{field}:\s*(\d+) kB', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)[1])

    def stop(self):
        subprocess.run(['s6-svscanctl', '-t', str(self.home / 'service')], check=False, **QUIET)
        if not ROOT:
            self.process.wait(30)


class PneuTcpserver(Pneu):
    """A program a connection under tcpserver, where the listener itself would fork."""
    name = 'tcpserver'

    def prepare(self):
        super().prepare()
        self.run('pneu-control', 'set', 'forking', '0')


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
transport_maps = inline:{{ {FAR}=smtp:[127.0.0.1]:{self.sink}, {DEAD}=smtp:[127.0.0.1]:1 }}
smtp_destination_concurrency_limit = {self.concurrency}
default_process_limit = 300
smtpd_client_connection_count_limit = 0
message_size_limit = 209715200
mailbox_size_limit = 0
virtual_mailbox_limit = 0
''')
        if self.tls:
            chain, key = self.certificate(etc)
            with open(etc / 'main.cf', 'a') as f:
                f.write(f'smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {chain}\nsmtpd_tls_key_file = {key}\n')
        master = pathlib.Path('/usr/share/postfix/master.cf.dist').read_text()
        master = re.sub(r'^smtp      inet.*$', f'127.0.0.1:{self.port} inet n - n - - smtpd', master, flags=re.M)
        master = re.sub(r'^(\S+\s+(?:unix|inet|fifo)\s+\S+\s+\S+\s+)y', r'\1n', master, flags=re.M)
        (etc / 'master.cf').write_text(master)
        self.bind(etc, '/etc/postfix')

    def start(self):
        self.popen('postfix', 'start')

    def queued(self):
        return sum(files_below(self.dir / 'spool' / d) for d in ('maildrop', 'incoming', 'active', 'deferred'))

    def deferred(self):
        return files_below(self.dir / 'spool/deferred')

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
        pki = words = ''
        if self.tls:
            chain, key = self.certificate(etc)
            pki, words = f'pki bench cert "{chain}"\npki bench key "{key}"\n', 'tls pki bench'
        (etc / 'smtpd.conf').write_text(f'''{pki}smtp max-message-size "200M"
table boxes file:{etc}/boxes
listen on 127.0.0.1 port {self.port} hostname opensmtpd.bench {words}
action "local" maildir "{self.mail}/%{{dest.user}}" virtual <boxes>
action "far" relay host smtp://127.0.0.1:{self.sink}
action "dead" relay host smtp://127.0.0.1:1
match from any for domain "{DOMAIN}" action "local"
match from any for domain "{FAR}" action "far"
match from any for domain "{DEAD}" action "dead"
''')
        (etc / 'smtpd.conf').chmod(0o600)
        self.bind(spool, '/var/spool/smtpd')
        self.bind(self.root / 'usr/libexec/opensmtpd', '/usr/libexec/opensmtpd')
        # A program named sendmail and started by that name: smtpctl plays the part. It is setgid where it is installed; what is setgid
        # would not take its libraries from here, so who starts it is of that group.
        self.injector_group = 64991
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
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.sessions = self.messages = 0
        wait_for('smtp-sink', lambda: listening(self.port), 10)

    def command(self):
        user = ['-u', 'nobody'] if ROOT else []
        return ['smtp-sink', '-c', *user, f'127.0.0.1:{self.port}', '1000']

    def count(self):
        seen = re.findall(rb'sess=(\d+) quit=\d+ mesg=(\d+)', self.process.stdout.read() or b'')
        if seen:
            self.sessions, self.messages = map(int, seen[-1])
        return self.messages

    def end(self):
        self.process.kill()
        self.process.wait()


class LateSink(Sink):
    """A host whose every reply comes 50 ms late."""
    late, bytes, held = 50, 0, b''

    def command(self):
        return [sys.executable, str(pathlib.Path(__file__).with_name('latesink.py')), str(self.port), str(self.late)]

    def count(self):
        whole, _, self.held = (self.held + (self.process.stdout.read() or b'')).rpartition(b'\n')
        if whole:
            self.messages, self.sessions, self.bytes = map(int, whole.split()[-3:])
        return self.messages


class CountingSink(LateSink):
    """A host that counts bytes, too."""
    late = 0
