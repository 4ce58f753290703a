"""What is measured: loads, and when each is done."""

import contextlib
import pathlib
import re
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from peers import BOXES, DEAD, DOMAIN, FAR, QUIET, CountingSink, LateSink, OpenSMTPD, Pneu, Sink, free_port, say, sh, wait_for


def send(port, to, messages, *more, sessions):
    return subprocess.Popen(['smtp-source', '-s', str(sessions), '-m', str(messages), '-l', '4096', '-f', f'sender@{FAR}',
                             *more, '-t', to, f'127.0.0.1:{port}'], **QUIET)


def all_done(clients):
    for c in clients:
        if c.wait(600):
            raise RuntimeError(f'{c.args[0]} failed')


class Work:
    """A load of n messages, and when it is done."""
    sink, concurrency, gigabytes, long, tls = Sink, 50, 3, False, False
    cpu_target = rate_target = times_target = None # CPU s/1000, a second, times Postfix: told beside what was reached, which is the machine's too

    def __init__(self, name, title, messages, warm=20, **more):
        self.name, self.title, self.messages, self.warm, self.note = name, title, messages, warm, ''
        self.figures = {}
        self.__dict__.update(more)

    def judge(self, what, number, least, most):
        """A figure that has bounds: the median of all runs must lie within."""
        self.figures.setdefault(what, (least, most, []))[2].append(number)

    def missed(self):
        medians = ((what, statistics.median(numbers), least, most) for what, (least, most, numbers) in self.figures.items())
        return [f'{what}: {n:.2f}, not {least} to {most}' for what, n, least, most in medians if not least <= n <= most]

    def count(self, peer):
        return self.messages

    @contextlib.contextmanager
    def server(self, peer):
        sink = self.sink()
        work = pathlib.Path(tempfile.mkdtemp(prefix='pneu-bench.'))
        work.chmod(0o755)
        server = None
        try:
            server = peer(work, sink.port, concurrency=self.concurrency, gigabytes=self.gigabytes, tls=self.tls)
            yield server, sink
        finally:
            if server:
                server.end()
            sink.end()
            shutil.rmtree(work, ignore_errors=True)

    def once(self, peer):
        """One run. Returns the seconds of the wall and of the CPU."""
        with self.server(peer) as (server, sink):
            self.load(server, sink, self.warm)
            cpu, wall = server.cgroup.cpu(), time.monotonic()
            self.load(server, sink, self.count(peer))
            return time.monotonic() - wall, server.cgroup.cpu() - cpu


class ToMaildir(Work):
    more = ()

    def load(self, server, sink, n):
        have = server.delivered()
        all_done([send(server.port, f'u{i}@{DOMAIN}', n // BOXES, *self.more, sessions=5) for i in range(BOXES)])
        wait_for('delivery', lambda: server.delivered() - have >= n)


class ToMaildirReused(ToMaildir):
    more = ('-d',)


class Relay(Work):
    def count(self, peer):
        return 200 if peer is OpenSMTPD else self.messages # it allows itself some 15 a second to one host

    def load(self, server, sink, n):
        have = sink.count()
        all_done([send(server.port, f'someone@{FAR}', n, sessions=20)])
        wait_for('the sink', lambda: sink.count() - have >= n)


class Inject(Work):
    parallel = 1

    def load(self, server, sink, n):
        have = server.delivered()
        letter = server.dir / 'letter'
        letter.write_text(f'From: sender@{FAR}\nTo: u1@{DOMAIN}\nSubject: bench\n\n' + ('x' * 63 + '\n') * 62)
        # A shell forks for a hundredth of what this process would, and its share is in both peers' figures.
        # Several loops at a time share the messages.
        loop = 'n=$1 letter=$2; shift 2; while test $n -gt 0; do "$@" <"$letter" || exit; n=$((n - 1)); done'
        each = [n // self.parallel + (i < n % self.parallel) for i in range(self.parallel)]
        all_done([subprocess.Popen(['sh', '-c', loop, 'sh', str(k), letter, *server.injector], env=server.env,
                                   group=server.injector_group, preexec_fn=server.cgroup.enter, **QUIET) for k in each])
        wait_for('delivery', lambda: server.delivered() - have >= n)


def letter(port, recipients, text):
    """One message over a connection of its own."""
    with socket.create_connection(('127.0.0.1', port)) as s, s.makefile('rwb') as f:
        def talk(line):
            f.write(line + b'\r\n')
            f.flush()
            reply = f.readline()
            while reply[3:4] == b'-':
                reply = f.readline()
            if reply[:1] not in b'23':
                raise RuntimeError(f'{line!r}: {reply!r}')
        f.readline()
        for line in ('EHLO bench.test', f'MAIL FROM:<sender@{FAR}>', *(f'RCPT TO:<{r}>' for r in recipients), 'DATA'):
            talk(line.encode())
        talk(b'Subject: bench\r\n\r\n' + text + b'.')


class List(Work):
    sink = CountingSink

    def load(self, server, sink, n):
        sink.count()
        sessions, messages, size = sink.sessions, sink.messages, sink.bytes
        letter(server.port, [f'r{i}@{FAR}' for i in range(n)], (b'x' * 62 + b'\r\n') * 1024)
        wait_for('the queue to empty', lambda: sink.count() > messages and server.queued() == 0)
        self.note = f'{sink.sessions - sessions} connections, {sink.messages - messages} transactions, {(sink.bytes - size) / 1000:.0f} kB to the host'


class Peak:
    """The largest resident set of any of a server's processes, looked at again and again."""

    def __init__(self, server):
        self.server, self.kb, self.name, self.ended = server, 0, '', threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.ended.wait(.02):
            for pid in self.server.cgroup.processes():
                try:
                    status = pathlib.Path(f'/proc/{pid}/status').read_text()
                except OSError:
                    continue
                size = re.search(r'^VmHWM:\s*(\d+)', status, re.M)
                if size and int(size[1]) > self.kb:
                    self.kb, self.name = int(size[1]), re.search(r'^Name:\s*(\S+)', status)[1]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Big(Work):
    def load(self, server, sink, n):
        have = server.delivered()
        with Peak(server) as peak:
            all_done([send(server.port, f'u1@{DOMAIN}', 1, '-l', str(n << 20), sessions=1)])
            wait_for('delivery', lambda: server.delivered() > have)
        self.note = f'largest process {peak.kb / 1024:.1f} MB ({peak.name})'


class Sessions(Work):
    more = ()

    def load(self, server, sink, n):
        all_done([subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name('sessions.py'), str(server.port), str(n),
                                    '20', *self.more], **QUIET)])


class SessionsTLS(Sessions):
    more = ('tls',)


CLIENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CLIENT.check_hostname, CLIENT.verify_mode = False, ssl.CERT_NONE
CLIENT.maximum_version = ssl.TLSVersion.TLSv1_2


class Held:
    """Idle sessions, and what the server's processes use for them."""

    def __init__(self, server):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.server, self.sockets = server, []

    def greeted(self):
        s = socket.create_connection(('127.0.0.1', self.server.port), 60)
        s.settimeout(60)
        if not s.recv(1000).startswith(b'220'):
            raise RuntimeError('no greeting')
        return s

    def hold(self, n, session):
        while len(self.sockets) < n:
            self.sockets.append(session(self))

    def end(self):
        for s in self.sockets:
            s.close()


class Idle(Work):
    """Sessions that say nothing. The rate is that at which they are taken; the note says what they weigh."""
    def count(self, peer):
        return self.messages if issubclass(peer, Pneu) else min(self.messages, 90) # what the others take as they are

    def session(self, held):
        return held.greeted()

    def load(self, server, sink, n):
        held = Held(server)
        try:
            before = server.memory(r'Private_\w+')
            held.hold(n, self.session)
            after = server.memory(r'Private_\w+')
            start = time.monotonic()
            held.greeted().close()
            late = time.monotonic() - start
            for s in held.sockets:
                s.sendall(b'NOOP\r\n')
            answered = sum(s.recv(1000).startswith(b'250') for s in held.sockets)
            self.note = f'{(after - before) / n:.0f} kB private a session, {answered} of {n} answer, the next is greeted in {late * 1000:.0f} ms'
        finally:
            held.end()


class IdleTLS(Idle):
    def session(self, held):
        s = held.greeted()
        for line, code in ((b'EHLO bench.test\r\n', b'250'), (b'STARTTLS\r\n', b'220')):
            s.sendall(line)
            if not s.recv(4096).startswith(code):
                raise RuntimeError('no TLS')
        return CLIENT.wrap_socket(s)


class Backlog(ToMaildir):
    """As `in`, with 20,000 messages that wait for a host that is down."""
    long = True

    def once(self, peer):
        with self.server(peer) as (server, sink):
            self.load(server, sink, self.warm)
            start = time.monotonic()
            self.load(server, sink, self.messages)
            without = time.monotonic() - start
            say(f'{self.name}: {self.waiting} messages for {DEAD}')
            all_done([send(server.port, f'x@{DEAD}', self.waiting, '-d', sessions=20)])
            wait_for('all to be deferred', lambda: server.deferred() >= self.waiting, 600)
            cpu, start = server.cgroup.cpu(), time.monotonic()
            self.load(server, sink, self.messages)
            wall, cpu = time.monotonic() - start, server.cgroup.cpu() - cpu
            server.restart()
            have, start = server.delivered(), time.monotonic()
            letter(server.port, [f'u1@{DOMAIN}'], b'x\r\n')
            wait_for('the first mail', lambda: server.delivered() > have)
            first = time.monotonic() - start
            self.note = (f'{without / wall:.2f} of its rate without them; first mail {first:.2f} s after a restart; '
                         f'{server.memory("Pss") / 1024:.1f} MB (PSS of all)')
            if issubclass(peer, Pneu):
                self.judge('of its rate', without / wall, .98, 99)
                self.judge('seconds to the first mail', first, 0, .1)
            return wall, cpu


class Filled(ToMaildir):
    """As `in`, with very many messages that wait for tomorrow. Of pneu alone: nobody else lets them be made so fast."""
    long = True

    def once(self, peer):
        if not issubclass(peer, Pneu):
            raise RuntimeError('of pneu alone')
        with self.server(peer) as (server, sink):
            self.load(server, sink, self.warm)
            start = time.monotonic()
            self.load(server, sink, self.messages)
            without = time.monotonic() - start
            server.halt()
            say(f'{self.name}: making {self.waiting} messages')
            server.fill(self.waiting, f'x@{DEAD}')
            sh('sync')
            pathlib.Path('/proc/sys/vm/drop_caches').write_text('3')
            known = len(server.scans())
            server.begin()
            have, start = server.delivered(), time.monotonic()
            letter(server.port, [f'u1@{DOMAIN}'], b'x\r\n')
            wait_for('the first mail', lambda: server.delivered() > have)
            first = time.monotonic() - start
            wait_for('the scan', lambda: len(server.scans()) > known, 600)
            scan = server.scans()[-1]
            cpu, start = server.cgroup.cpu(), time.monotonic()
            self.load(server, sink, self.messages)
            wall, cpu = time.monotonic() - start, server.cgroup.cpu() - cpu
            for _ in range(10):
                self.load(server, sink, BOXES)
            late = server.latency(10 * BOXES)
            self.note = (f'{without / wall:.2f} of its rate without them; attempt {late:.1f} ms after it is queued; first mail {first:.2f} s after a cold start; scan '
                         f'{scan:.1f} s; pneu-send {server.scheduler("VmRSS") / 1024:.1f} MB')
            self.judge('of its rate', without / wall, .9, 99)
            self.judge('ms from the queue to the attempt', late, -10, 10) # the loggers are not in step
            self.judge('seconds of the scan', scan, 0, 60)
            self.judge('MB of pneu-send', server.scheduler('VmRSS') / 1024, 0, 64)
            return wall, cpu


WORKS = [
    ToMaildir('in', 'SMTP -> Maildir, 4 KiB, 20 sessions, a connection a message', 2000, cpu_target=1.2, times_target=2),
    ToMaildirReused('in20', 'SMTP -> Maildir, 4 KiB, 20 sessions, connections reused', 2000, cpu_target=.5, times_target=2),
    Relay('relay', 'SMTP -> smtp-sink, 4 KiB, 20 sessions, at most 20 connections', 2000, concurrency=20, cpu_target=1.1, times_target=2),
    Relay('relay50', 'SMTP -> smtp-sink, 4 KiB, 20 sessions, at most 50 connections', 2000, cpu_target=1.1, times_target=2),
    Relay('late', 'SMTP -> a host whose replies are 50 ms late, at most 20 connections', 1000, sink=LateSink, concurrency=20, rate_target=190),
    Inject('inject', 'pneu-inject or sendmail -> Maildir, 4 KiB, one after another', 300, cpu_target=1.),
    Inject('inject8', 'pneu-inject or sendmail -> Maildir, 4 KiB, 8 at a time', 600, parallel=8, cpu_target=1.),
    List('list', 'one 64 KiB message to 1,000 recipients of a domain (rate: recipients)', 1000, cpu_target=.05, rate_target=10000),
    Big('big', 'one message of 100 MiB -> Maildir (rate: MiB/s)', 100, warm=1),
    Sessions('sessions', 'sessions without mail: EHLO, QUIT', 2000),
    SessionsTLS('tls', 'new TLS 1.2 sessions, P-256: EHLO, STARTTLS, EHLO, QUIT', 1000, tls=True),
    IdleTLS('idletls', 'idle sessions with TLS', 500, warm=1, tls=True),
    Idle('idle', 'idle sessions', 1000, warm=1),
    Idle('idle10000', '10,000 idle sessions', 10000, warm=1, long=True),
    Backlog('backlog', 'as in, with 20,000 deferred messages', 2000, waiting=20000),
    Filled('million', 'as in, with 1,000,000 waiting messages', 2000, waiting=1000000, gigabytes=12),
]
