#!/usr/bin/python3 -SB
"""A client of pneu-filterd, for inject.py: filterd.py FORM. Three messages through a chain of two programs, over one connection of the
intake's protocol; then, without faults, those that were not taken, over another.

FORM   listen   pneu-filterd, traced from its start
       fork     pneu-filterd, traced from when it listens
       session  the process of that connection, traced after its first message
       runner   the process that starts the chains, traced after the first message: every call of a chain's processes is met

Asked: told yes is what lies in the queue, once, whole and with both programs' marks; nothing lies there without them; no answer is for
ever; each comes; and the second connection gets everything in."""

import os
import socket
import sys

import drive

FORM = sys.argv[1]
LINES = b''.join(b'line %d\n' % i for i in range(20000))


def messages(again):
    for i, size in enumerate((20, 150000, 40)):
        name = b'Subject: t%d%s\n\n' % (i, again)
        yield dict(name=name, body=name + LINES[:size], yes=False)


class Connection:
    def __init__(self, bad):
        self.bad, self.have = bad, b''
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(drive.SILENCE)

    def answer(self):
        """Its class; nothing if the connection ended."""
        while b',' not in self.have:
            try:
                more = self.sock.recv(4096)
            except TimeoutError:
                raise drive.Silent('no answer')
            except ConnectionResetError:
                more = b''
            if not more:
                return ''
            self.have += more
        text, self.have = self.have.split(b':', 1)[1].split(b',', 1)
        drive.log.write(text + b'\n')
        if text[:1] == b'D':
            self.bad.append('for ever: %r' % text)
        if self.have:
            self.bad.append('spoke unasked: %r' % self.have)
        return text[:1].decode()

    def send(self, t):
        """1 if it was taken, 0 if it was refused, -1 if the connection ended."""
        record = lambda k, v: drive.netstring(k + b'=' + v)
        opening = record(b'ask', b'1') + record(b'from', b's@sender.test') + record(b'to', b'a@box.test') + record(b'to', b'b@far.test')
        try:
            self.sock.sendall(drive.netstring(opening))
            said = self.answer()
            if said != 'K':
                return 0 if said else -1
            for i in range(0, len(t['body']), 60000):
                self.sock.sendall(drive.netstring(t['body'][i:i + 60000]))
            self.sock.sendall(drive.netstring(b'') + drive.netstring(b''))
        except (BrokenPipeError, ConnectionResetError):
            pass # its answer may be there all the same
        said = self.answer()
        t['yes'] = said == 'K'
        return 1 if t['yes'] else 0 if said else -1


def run(todo, traced, bad):
    intake = drive.listener('run/intake')
    queue = drive.start(['pneu-queued'], stdin=intake)
    server = drive.listener('run/filter')
    p = drive.start((drive.TRACE if FORM == 'listen' and traced else []) + ['pneu-filterd'], stdin=server)
    server.close()
    intake.close()
    if FORM == 'fork' and traced:
        drive.wait_until(lambda: drive.serves(p), 'pneu-filterd')
        drive.attach(p.pid)
    c = Connection(bad)
    how = 'done'
    try:
        c.sock.connect(drive.HOME + '/run/filter')
        for n, t in enumerate(todo):
            how = {1: how, 0: 'refused', -1: 'cut'}[c.send(t)]
            if how == 'cut':
                break
            if n == 0 and traced and FORM in ('session', 'runner'):
                session = drive.children(p.pid)[0]
                drive.attach(session if FORM == 'session' else drive.children(session)[0])
    except drive.Silent as what:
        how = 'silent'
    except (ConnectionResetError, ConnectionRefusedError, BrokenPipeError):
        how = 'cut'
    c.sock.close()
    drive.end(p)
    drive.end(queue)
    return how


def main():
    os.mkdir(drive.HOME + '/tmp')
    os.environ['TMPDIR'] = drive.HOME + '/tmp'
    with open(drive.HOME + '/control/filter', 'w') as f:
        for name in ('one', 'two'):
            f.write('%s/tool/filter\n%s\n' % (os.environ['PNEU_TESTS'], name))
    bad = []
    first = list(messages(b''))
    how = run(first, True, bad)
    if how == 'silent' and not (drive.FAULT_CALL == 'accept4' and drive.FAULT_LASTS):
        bad.append('silent')
    again = [t for t in messages(b' again') if not first[int(t['name'][10:11])]['yes']]
    if again:
        end = run(again, False, bad)
        if not all(t['yes'] for t in again):
            bad.append('the second time: ' + end)
    found = drive.queued()
    if None in found:
        bad.append('torn')
    window = 0
    for t in first + again:
        mine = [m for m in found if m and t['name'] in m[1]]
        if any(m[1:] != (b'X-Filter: two\nX-Filter: one\n' + t['body'], b's@sender.test', [b'a@box.test', b'b@far.test']) for m in mine):
            bad.append('torn, or not filtered: %r' % mine[0][1][:60])
        if len(mine) > 1 or (t['yes'] and not mine):
            bad.append('told %s, and %d in the queue' % ('yes' if t['yes'] else 'no', len(mine)))
        window += len(mine) if not t['yes'] else 0
    if os.listdir(drive.HOME + '/tmp'):
        bad.append('left in tmp: %r' % os.listdir(drive.HOME + '/tmp'))
    if sum(bool(m) for m in found) != window + sum(t['yes'] for t in first + again):
        bad.append('a message that nobody sent')
    clean = how == 'done' and not again
    drive.verdict(how + ('-all' if clean else '-there' if window else '-some' if len(again) < len(first) else '-none'), bad, clean)


main()
