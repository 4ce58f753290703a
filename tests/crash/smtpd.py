#!/usr/bin/python3 -SB
"""A client of pneu-smtpd, for inject.py: smtpd.py FORM. Messages by DATA and by BDAT, one command at a time and many at once, then a
second session, without faults, for what the first was not told yes about.

FORM   bare    pneu-smtpd on a socket, traced
       listen  pneu-smtplisten, traced from its start
       fork    pneu-smtplisten, traced from when it listens: the child that it forks is met by every fault
       queue   pneu-queued, traced, and pneu-smtpd as it is
       attach  pneu-queued, traced from when it listens

Asked: who was told 250 has the message whole in the queue, once; each answer belongs to its command; what cannot be done now is told
so by a 4xx, soon, and never by 5xx; nothing is torn; and the second session gets everything in."""

import os
import re
import socket
import sys

import drive

FORM = sys.argv[1]
LONG = b''.join(b'..line %d of a longer message\n' % i if i % 9 == 0 else b'line %d of a longer message\n' % i for i in range(4000))
# Where a client can be told nothing: its own connection is what fails, or there is no program yet (mprotect is what libc does first);
# and where the listener died, which a supervisor would start again.
TELLING = {'read', 'write', 'accept4', 'dup2', 'poll', 'mprotect'}


class Cut(Exception):
    pass


class Refused(Exception):
    pass


class Session:
    def __init__(self, sock):
        self.sock, self.have, self.bad, self.told = sock, b'', [], False
        sock.settimeout(drive.SILENCE)

    def send(self, data):
        if self.have:
            self.bad.append('spoke-unasked:%r' % self.have[:80])
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass # what it said before is still to be read
        except TimeoutError:
            raise drive.Silent('reads no more')

    def reply(self):
        lines = []
        while True:
            while b'\r\n' not in self.have:
                try:
                    more = self.sock.recv(65536)
                except TimeoutError:
                    raise drive.Silent('no answer')
                except ConnectionResetError:
                    more = b''
                if not more:
                    raise Cut
                self.have += more
            line, self.have = self.have.split(b'\r\n', 1)
            lines.append(line.decode('latin-1'))
            if not re.match(r'[245]\d\d[- ]|354 ', lines[-1]):
                self.bad.append('no-reply:' + repr(lines[-1]))
                raise Cut
            if lines[-1][3] == ' ':
                return lines[-1]

    def hear(self, wanted, after_refusal=False):
        """The answer must be that, or one that refuses for now. Returns it; None if it refuses."""
        text = self.reply()
        if re.match(wanted, text):
            return text
        if not re.match(r'4\d\d 4\.', text) and not (after_refusal and re.match(r'(503|554) 5\.5\.1', text)):
            self.bad.append('out-of-step:' + repr(text) + ' for ' + wanted)
        self.told = True
        if text.startswith('421'):
            try:
                self.bad.append('spoke-after-421:' + self.reply())
            except Cut:
                raise Refused
        return None


def lines(body):
    """As it goes over the wire by DATA."""
    return body.replace(b'\n.', b'\n..').replace(b'\n', b'\r\n') + b'.\r\n'


SAID = r'250 2\.0\.0 ok [0-9a-f]{28}'


def envelope(s, t):
    """MAIL and RCPT, in turn. Returns the recipients that were taken."""
    s.send(b'MAIL FROM:<%s>\r\n' % t['from'])
    if not s.hear(r'250 2\.1\.0'):
        return []
    taken = []
    for to in t['to']:
        s.send(b'RCPT TO:<%s>\r\n' % to)
        if s.hear(r'250 2\.1\.5'):
            taken.append(to)
    return taken


def data(s, t):
    t['taken'] = envelope(s, t)
    if not t['taken']:
        return None
    s.send(b'DATA\r\n')
    if not s.hear('354 '):
        return None
    s.send(lines(t['body']))
    return s.hear(SAID)


def together(s, t):
    """MAIL, RCPT and DATA in one piece (RFC 2920)."""
    s.send(b'MAIL FROM:<%s>\r\n' % t['from'] + b''.join(b'RCPT TO:<%s>\r\n' % to for to in t['to']) + b'DATA\r\n')
    no = not s.hear(r'250 2\.1\.0')
    t['taken'] = []
    for to in t['to']:
        if s.hear(r'250 2\.1\.5', no):
            t['taken'].append(to)
    if not s.hear('354 ', no or not t['taken']):
        return None
    if no or not t['taken']:
        s.bad.append('354-for-nobody')
    s.send(lines(t['body']))
    return s.hear(SAID)


def chunks(s, t):
    t['taken'] = envelope(s, t)
    if not t['taken']:
        return None
    body = t['body'].replace(b'\n', b'\r\n')
    half = len(body) // 2
    s.send(b'BDAT %d\r\n' % half + body[:half])
    if not s.hear(r'250 2\.0\.0 %d bytes' % half):
        return None
    s.send(b'BDAT %d LAST\r\n' % (len(body) - half) + body[half:])
    return s.hear(SAID)


def chunks_together(s, t):
    body = t['body'].replace(b'\n', b'\r\n')
    half = len(body) // 2
    s.send(b'MAIL FROM:<%s>\r\n' % t['from'] + b''.join(b'RCPT TO:<%s>\r\n' % to for to in t['to']) +
           b'BDAT %d\r\n' % half + body[:half] + b'BDAT %d LAST\r\n' % (len(body) - half) + body[half:])
    no = not s.hear(r'250 2\.1\.0')
    t['taken'] = []
    for to in t['to']:
        if s.hear(r'250 2\.1\.5', no):
            t['taken'].append(to)
    no = no or not t['taken']
    no = not s.hear(r'250 2\.0\.0 %d bytes' % half, no) or no
    yes = s.hear(SAID, no)
    if yes and no:
        s.bad.append('250-for-what-it-refused')
    return yes


def transactions(again):
    ways = [(data, 1), (chunks, 3), (together, 4000), (chunks_together, 2000), (data, 2)]
    for i, (way, size) in enumerate(ways):
        name = b'Subject: t%d%s\n\n' % (i, again)
        yield dict(way=way, name=name, body=name + b''.join(LONG.splitlines(True)[:size]) + b'.\nend\n', taken=[], yes=None,
                   to=[b'alice@box.test', b'far@far.test'][:1 + i % 2], **{'from': b'' if i == 4 else b's@sender.test'})


def run(sock, todo):
    """One session. Returns how it ended, and the session."""
    s = Session(sock)
    try:
        if not s.hear('220 '):
            return 'refused', s
        s.send(b'EHLO client.test\r\n')
        if not s.hear('250 '):
            return 'refused', s
        for t in todo:
            t['begun'] = True
            t['yes'] = t['way'](s, t)
            if not t['yes']:
                s.send(b'RSET\r\n')
                s.hear('250 2')
        s.send(b'QUIT\r\n')
        s.hear('221 ')
        try:
            s.bad.append('spoke-after-221:' + s.reply())
        except Cut:
            pass
        return 'done', s
    except Refused:
        return 'refused', s
    except Cut:
        return 'cut', s
    except drive.Silent as what:
        return 'silent:' + str(what).replace(' ', '-'), s


def smtpd(trace):
    ours, theirs = socket.socketpair()
    drive.start(trace + ['pneu-smtpd'], stdin=theirs, stdout=theirs)
    theirs.close()
    return ours


def smtplisten(trace):
    s = drive.listener()
    p = drive.start(trace + ['pneu-smtplisten'], stdin=s)
    return p, s


def connect(server):
    port = server.getsockname()[1]
    server.close()
    try:
        return socket.create_connection(('127.0.0.1', port), drive.SILENCE)
    except OSError:
        return None


def one_session(todo, traced):
    """Starts what is to be asked, and asks it."""
    trace = drive.TRACE if traced else []
    intake = drive.listener('run/intake')
    queue = drive.start((trace if FORM == 'queue' else []) + ['pneu-queued'], stdin=intake)
    intake.close()
    if FORM == 'attach' and traced:
        drive.wait_until(lambda: drive.serves(queue), 'pneu-queued')
        drive.attach(queue.pid)
    if FORM not in ('listen', 'fork'):
        how, s = run(smtpd(trace if FORM == 'bare' else []), todo)
    else:
        p, server = smtplisten(trace if FORM == 'listen' else [])
        if FORM == 'fork' and traced:
            drive.wait_until(lambda: drive.serves(p), 'pneu-smtplisten')
            drive.attach(p.pid)
        sock = connect(server)
        how, s = run(sock, todo) if sock else ('cut', None)
        if how == 'cut' and not excused() and drive.ends(p):
            how = 'down'
        drive.end(p)
    drive.end(queue)
    return how, s


def judge(first, again):
    """What is wrong with the queue."""
    bad = []
    found = drive.queued()
    if None in found:
        bad.append('torn')
    found = [m for m in found if m]
    for t in first + again:
        mine = [m for m in found if t['name'] in m[1]]
        for name, message, sender, to in mine:
            field, _, rest = message.partition(t['name'])
            # One field of trace before it, and nothing else.
            if not re.fullmatch(rb'Received: [^\n]*\n([ \t][^\n]*\n)*', field) or t['name'] + rest != t['body']:
                bad.append('torn:%s' % name)
            if sender != t['from'] or to != t['taken']:
                bad.append('envelope:%s %r' % (name, to))
        if t['yes'] and [m[0] for m in mine] != [t['yes'].split()[3]]:
            bad.append('told yes, and %d in the queue' % len(mine))
        if len(mine) > 1:
            bad.append('twice')
    return bad


def excused():
    """May a client be left without a word?"""
    return drive.KILLS or drive.FAULT_CALL in TELLING


def main():
    first = list(transactions(b''))
    how, s = one_session(first, True)
    bad = list(s.bad) if s else []
    if how.startswith('silent') and not (drive.FAULT_CALL == 'accept4' and drive.FAULT_LASTS):
        bad.append(how)
    if how == 'cut' and not excused():
        bad.append('hung up without a word')
    again = [t for t in transactions(b' again') if not first[int(t['name'][10:11])]['yes']]
    if again:
        end, s = one_session(again, False)
        bad += s.bad if s else []
        if end != 'done' or not all(t['yes'] for t in again):
            bad.append('the second session: ' + end)
    bad += judge(first, again)
    window = sum(any(t['name'] in m[1] for m in drive.queued() if m) for t in first if not t['yes'])
    if window > 1 and FORM not in ('queue', 'attach'): # there each process of pneu-queued is met, and each answer is lost
        bad.append('%d messages are there though nobody said so' % window)
    done = how == 'done' and not again
    drive.verdict(how + ('-all' if done else '-there' if window else '-some' if len(again) < len(first) else '-none'), bad, done)


main()
