"""What smtpd.py, remote.py and filterd.py share: each is the command of inject.py, starts the programs of an instance, plays the
others that they talk to, and judges. The last line of a driver's output is its verdict, "fine CLASS" or "bad CLASS WHY"."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time

HOME = os.environ['PNEU_HOME']
TRACE = shlex.split(os.environ.get('FI_STRACE', ''))
# The programs' own timeouts are 8 seconds here: whoever says nothing for so long has hung, however slow the machine.
SILENCE = 60
FAULT = re.search(r'inject=(\w+):(error|signal)=(\w+):when=(\d+)(\+?)', ' '.join(TRACE))
FAULT_CALL, FAULT_WHAT, FAULT_LASTS = (FAULT[1], FAULT[3], bool(FAULT[5])) if FAULT else ('', '', False)
KILLS = FAULT_WHAT == 'KILL'
HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) ')
log = open(HOME + '/drive.log', 'ab')
started = []


class Silent(Exception):
    pass


def start(argv, **more):
    p = subprocess.Popen(argv, cwd=HOME, stderr=log, **more)
    started.append(p)
    return p


def listener(path=None):
    """A listening socket: that path in the instance, or a port of 127.0.0.1."""
    s = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    if path and os.path.exists(HOME + '/' + path):
        os.unlink(HOME + '/' + path)
    s.bind(HOME + '/' + path if path else ('127.0.0.1', 0))
    s.listen(128)
    return s


def children(pid):
    try:
        return [int(c) for c in open(f'/proc/{pid}/task/{pid}/children').read().split()]
    except OSError:
        return []


def wait_until(condition, what):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise Silent(what)
        time.sleep(0.002)


def state(pid):
    """The letter of its state, and who traces it; nothing if it is gone."""
    try:
        text = open(f'/proc/{pid}/status').read()
    except OSError:
        return '', 0
    return re.search(r'State:\t(\w)', text)[1], int(re.search(r'TracerPid:\t(\d+)', text)[1])


def blocks(pid, sig):
    """Does it keep that signal waiting, as a daemon does once it serves?"""
    try:
        mask = re.search(r'SigBlk:\t(\w+)', open(f'/proc/{pid}/status').read())
    except OSError:
        return True
    return bool(int(mask[1], 16) >> (sig - 1) & 1)


def serves(p):
    """A daemon that sleeps and hears of its children by a descriptor: it waits for connections. Or it is gone."""
    return p.poll() is not None or (state(p.pid)[0] == 'S' and blocks(p.pid, 17))


def tree(pid):
    """A process and all it has started."""
    return [pid] + [d for c in children(pid) for d in tree(c)]


def attach(pid):
    """Traces a process that sleeps, and what it starts from now on. Without a tool that traces: nothing."""
    if not TRACE:
        return
    p = start(TRACE + ['-p', str(pid)])
    # Its tracer is there, has nothing more to do, and neither has the process.
    wait_until(lambda: p.poll() is not None or (state(pid)[1] and state(pid)[0] == 'S' and state(p.pid)[0] == 'S'), 'attach')


def ends(p):
    """Is it dying? Its sockets go before it does."""
    try:
        p.wait(5)
    except subprocess.TimeoutExpired:
        return False
    return True


def end(p):
    """Ends a daemon, traced or not: it gets the signal, not its tracer."""
    if p.poll() is not None:
        return
    traced = children(p.pid) if TRACE and p.args[0] == TRACE[0] else []
    for pid in traced or [p.pid]:
        try:
            os.kill(pid, 15)
        except ProcessLookupError:
            pass
    try:
        p.wait(5)
    except subprocess.TimeoutExpired: # what ends it may be what fails
        for pid in traced + [p.pid]:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        p.wait()


def netstring(b):
    return b'%d:%s,' % (len(b), b)


def netstrings(b):
    found = []
    while b:
        n, _, rest = b.partition(b':')
        found.append(rest[:int(n)])
        if rest[int(n):int(n) + 1] != b',':
            raise ValueError('netstring')
        b = rest[int(n) + 1:]
    return found


def records(frame):
    return [tuple(r.split(b'=', 1)) for r in netstrings(frame)]


def queued():
    """The messages of queue/new: name, message, sender, recipients. One that is torn is None."""
    found = []
    for name in sorted(os.listdir(HOME + '/queue/new')):
        if name.startswith('.'):
            continue
        data = open(f'{HOME}/queue/new/{name}', 'rb').read()
        m = HEADER.match(data[:128])
        try:
            message, envelope, count = (int(x) for x in m.groups())
            r = records(data[128 + message:128 + message + envelope])
            to = [v for k, v in r if k == b'to']
            good = len(to) == count and data[128 + message + envelope:] == b'T' * count
            found.append((name, data[128:128 + message], dict(r)[b'from'], to) if good else None)
        except (AttributeError, ValueError, KeyError):
            found.append(None)
    return found


def verdict(cls, bad, done):
    """Ends everything, says what it was, and exits: 0 if all went as if there was no fault."""
    for p in started:
        if p.poll() is None:
            p.kill()
            p.wait()
    print(('bad ' if bad else 'fine ') + cls, *bad[:3])
    sys.exit(0 if done else 1)
