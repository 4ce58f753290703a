#!/usr/bin/python3 -SB
"""Both sides of pneu-remote, for inject.py: remote.py FORM SINK. Who gives it jobs, and the host that it speaks to. Two jobs, of four
recipients and of two; then, without faults, a third for whoever was deferred.

FORM   jobs    pneu-remote -j on a socket, traced
       single  pneu-remote HOST SENDER RECIPIENT..., as qmail-rspawn starts it
       spawn   pneu-spawn -R, traced from its start, and what it forks
       fork    pneu-spawn -R, traced from when it listens
SINK   together  takes commands in groups        turn    does not; HELO only
       later     says 4xx to the first message   mute    takes the first message, says nothing and hangs up

Asked: delivered is who is in a message that came whole and was answered 250; failed is who was answered 5xx; everybody else is
deferred; no byte of a message is missing before a dot; nobody gets more than one copy that he was not to get."""

import os
import re
import select
import socket
import sys
import threading
import time

import drive

FORM, SINK = sys.argv[1:3]
BODY = b'Subject: x\n\n.dot\n' + b''.join(b'line %d\n' % i for i in range(int(os.environ.get('CRASH_LINES', '9000')))) + b'.\n'
WIRE = BODY.replace(b'\n.', b'\n..').replace(b'\n', b'\r\n')
REFUSED = b'no@far.test', b'later@far.test'
JOBS = [[b'a@far.test', REFUSED[0], b'b@far.test', REFUSED[1]], [b'c@far.test', b'd@far.test']]


class Sink(threading.Thread):
    """Listens, and answers one connection after another. Keeps what it took, and what it said of it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = drive.listener()
        self.port = self.listener.getsockname()[1]
        self.taken = [] # recipients of each message that was answered 250, or that nobody can know of
        self.maybe = [] # the same where the answer may not have arrived
        self.never = set() # who was answered 5xx
        self.bad = []
        self.first = True
        self.connections = 0
        self.start()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                self.serve(s, s.makefile('rb'))
            except OSError:
                pass # it was killed
            s.close()

    def message(self, f):
        got = []
        while True:
            line = f.readline()
            if not line:
                return None
            if line == b'.\r\n':
                return b''.join(got)
            got.append(line)

    def serve(self, s, f):
        say = lambda text: s.sendall(text + b'\r\n')
        say(b'220 sink')
        to = []
        for line in f:
            if not line.endswith(b'\r\n'):
                return
            verb = line[:4].upper()
            if verb == b'EHLO':
                say(b'502 no' if SINK == 'turn' else b'250-sink\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME')
            elif verb == b'RCPT':
                address = re.search(rb'<(.*)>', line)[1]
                if address == REFUSED[0]:
                    self.never.add(address)
                    say(b'550 5.1.1 no')
                elif address == REFUSED[1]:
                    say(b'450 4.2.1 later')
                else:
                    to.append(address)
                    say(b'250 2.1.5 ok')
            elif verb == b'DATA':
                if not to:
                    say(b'554 5.5.1 nobody')
                    continue
                say(b'354 go on')
                got = self.message(f)
                if got is None:
                    return
                if got != WIRE:
                    self.bad.append('torn: %d bytes of %d' % (len(got), len(WIRE)))
                first, self.first = self.first, False
                if SINK == 'later' and first:
                    say(b'451 4.3.0 not now')
                elif SINK == 'mute' and first:
                    self.maybe.append(to)
                    return
                else:
                    self.taken.append(to)
                    say(b'250 2.0.0 taken')
                to = []
            elif verb == b'QUIT':
                say(b'221 bye')
                return
            else:
                if verb in (b'MAIL', b'RSET'):
                    to = []
                say(b'250 2.0.0 ok')


def frame(number, recipients):
    out = [(b'job', b'%d' % number), (b'transport', b'remote'), (b'key', b'far.test'), (b'id', b'0660d04f07c5323c94550402bfaf'),
           (b'offset', b'0'), (b'length', b'%d' % len(BODY)), (b'from', b's@sender.test')]
    for i, to in enumerate(recipients):
        out += [(b'to', to), (b'index', b'%d' % i)]
    return drive.netstring(b''.join(drive.netstring(k + b'=' + v) for k, v in out))


def ranges(text):
    for part in text.split(b','):
        first, _, last = part.partition(b'-')
        yield from range(int(first), int(last or first) + 1)


class Jobs:
    """A conversation with a deliverer. What it says of whom: results[job][recipient] is a class."""

    def __init__(self, sock, sink):
        self.sock, self.sink, self.results, self.bad, self.have = sock, sink, {}, [], b''

    def give(self, number, recipients):
        self.results[number] = {}
        fd = os.open(drive.HOME + '/message', os.O_RDONLY)
        try:
            socket.send_fds(self.sock, [frame(number, recipients)], [fd])
        except OSError:
            pass
        os.close(fd)

    def result(self, number, recipients, r):
        for i in ranges(r[b'to']):
            to = recipients[i]
            if to in self.results[number]:
                self.bad.append('twice reported: %r' % to)
            self.results[number][to] = r[b'class'].decode()
            drive.log.write(b'%s %s %s\n' % (to, r[b'class'], r.get(b'text')))
            if r[b'class'] == b'K' and not any(to in t for t in self.sink.taken):
                self.bad.append('delivered, says it, but nobody took it: %r' % to)
            if r[b'class'] == b'D' and to not in self.sink.never:
                self.bad.append('failed, says it, but nobody refused it: %r' % to)

    def await_end(self, number, recipients):
        """Reads until the job's end, or the deliverer's. 1, or 0 if that was its end."""
        until = time.monotonic() + drive.SILENCE
        while True:
            m = re.match(rb'(\d+):', self.have)
            if m and len(self.have) > m.end() + int(m[1]):
                one, self.have = self.have[m.end():m.end() + int(m[1])], self.have[m.end() + int(m[1]) + 1:]
                r = dict(drive.records(one))
                if int(r[b'job']) != number:
                    self.bad.append('a result of another job')
                elif b'done' in r:
                    return 1
                else:
                    self.result(number, recipients, r)
                continue
            if not select.select([self.sock], [], [], max(0, until - time.monotonic()))[0]:
                raise drive.Silent('no end of the job')
            try:
                more = self.sock.recv(65536)
            except OSError: # it is gone, or never took the connection
                more = b''
            if not more:
                return 0
            self.have += more


def deliverer(sink, traced):
    """Starts it, and returns the conversation."""
    trace = drive.TRACE if traced else []
    if FORM == 'jobs':
        ours, theirs = socket.socketpair()
        p = drive.start(trace + ['pneu-remote', '-j'], stdin=theirs)
        theirs.close()
        return p, Jobs(ours, sink)
    server = drive.listener('run/remote')
    trace = trace if FORM == 'spawn' else []
    # It does not run as root: its tracer, or we, make it nobody.
    root = os.getuid() == 0
    p = drive.start(trace + (['-u', 'nobody'] if root and trace else []) + ['pneu-spawn', '-R'], stdin=server,
                    **(dict(user='nobody', group='nogroup', extra_groups=[]) if root and not trace else {}))
    server.close()
    return p, None


def spawn_connect(p, sink, traced):
    """To pneu-spawn, as pneu-send does it."""
    ours = socket.socket(socket.AF_UNIX)
    ours.settimeout(drive.SILENCE)
    try:
        ours.connect(drive.HOME + '/run/remote')
    except OSError:
        pass
    return Jobs(ours, sink)


def ready(p, traced):
    """Both halves of pneu-spawn sleep. Traced from the start they need not: who connects is waited for."""
    return (FORM == 'spawn' and traced) or (len(drive.tree(p.pid)) == 2 and all(drive.state(x)[0] == 'S' for x in drive.tree(p.pid)))


def copies(sink, to, sure):
    return sum(to in t for t in sink.taken) + (0 if sure else sum(to in t for t in sink.maybe))


def converse(sink, first, traced):
    """Gives the jobs, waits for the end of each. Returns what became of each recipient, what was wrong, and how it ended."""
    p, j = deliverer(sink, traced)
    if not j:
        drive.wait_until(lambda: p.poll() is not None or ready(p, traced), 'pneu-spawn')
        if FORM == 'fork' and traced:
            for half in drive.tree(p.pid):
                drive.attach(half)
        j = spawn_connect(p, sink, traced)
    how = 'done'
    try:
        for n, to in first:
            j.give(n, to)
            if not j.await_end(n, to):
                how = 'ended'
                break
    except drive.Silent as what:
        how = 'silent'
    j.sock.close()
    if FORM == 'jobs':
        try:
            p.wait(drive.SILENCE)
        except Exception:
            how = 'stays'
    return {to: c for r in j.results.values() for to, c in r.items()}, j.bad, how, p


def single(sink, to, traced):
    """qmail-remote's report: r, h or s for each recipient, then K, Z or D; each ended by NUL. What is missing is temporary."""
    p = drive.start((drive.TRACE if traced else []) + ['pneu-remote', 'far.test', 's@sender.test'] + [t.decode() for t in to],
                    stdin=open(drive.HOME + '/message', 'rb'), stdout=drive.subprocess.PIPE)
    try:
        out, _ = p.communicate(timeout=drive.SILENCE)
    except drive.subprocess.TimeoutExpired:
        return {}, [], 'silent', p
    said = [x[:1].decode() for x in out.split(b'\0')[:-1]]
    bad = []
    if p.returncode or not said or said[-1] not in 'KZD':
        return {}, [], 'ended', p
    if len(said) - 1 not in (0, len(to)):
        bad.append('reports: ' + ''.join(said))
    each = said[:-1] or ['h' if said[-1] == 'D' else 's'] * len(to)
    found = {}
    for t, r in zip(to, each):
        found[t] = {'r': said[-1], 'h': 'D', 's': 'Z'}[r]
        if found[t] == 'K' and not copies(sink, t, True):
            bad.append('delivered, says it, but nobody took it: %r' % t)
        if found[t] == 'D' and t not in sink.never:
            bad.append('failed, says it, but nobody refused it: %r' % t)
    return found, bad, 'done', p


def main():
    os.umask(0o022)
    os.chmod(drive.HOME, 0o755) # for nobody, as whom pneu-spawn runs where we are root
    sink = Sink()
    with open(drive.HOME + '/message', 'wb') as f:
        f.write(BODY)
    with open(drive.HOME + '/control/smtproutes', 'w') as f:
        f.write(':[127.0.0.1]:%d\n' % sink.port)
    jobs = list(enumerate(JOBS, 1)) if FORM != 'single' else [(1, JOBS[0])]
    everybody = [t for _, to in jobs for t in to]
    if FORM == 'single':
        results, bad, how, p = single(sink, JOBS[0], True)
    else:
        results, bad, how, p = converse(sink, jobs, True)
    # A pneu-spawn that can accept nobody hears nobody.
    if how in ('silent', 'stays') and not (drive.FAULT_CALL == 'accept4' and drive.FAULT_LASTS):
        bad.append(how)
    drive.end(p)
    clean = how == 'done' and all(results.get(t) == {REFUSED[0]: 'D', REFUSED[1]: 'Z'}.get(t, 'K') for t in everybody)
    left = [t for t in everybody if results.get(t) not in ('K', 'D')]
    double = sum(copies(sink, t, True) for t in left)
    # Who was deferred, though a message for him was taken: what one connection can leave in doubt is one message.
    if sum(any(t in left for t in m) for m in sink.taken) > sink.connections:
        bad.append('two messages of one connection are in doubt')
    sink.first = False
    if left:
        again, more, end, p = single(sink, left, False) if FORM == 'single' else converse(sink, [(9, left)], False)
        bad += more
        drive.end(p)
        for t in left:
            if again.get(t) != {REFUSED[0]: 'D', REFUSED[1]: 'Z'}.get(t, 'K'):
                bad.append('the second time: %r %r %s' % (t, again.get(t), end))
    for t in everybody:
        if t not in REFUSED and copies(sink, t, True) not in ((1, 2) if t in left else (1,)):
            bad.append('%d copies for %r' % (copies(sink, t, True), t))
    drive.verdict(how + ('-all' if clean else '-twice' if double else '-some' if len(left) < len(everybody) else '-none'),
                  bad + sink.bad, clean)


main()
