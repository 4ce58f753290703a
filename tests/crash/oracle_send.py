#!/usr/bin/env python3
"""Is what pneu-send wrote true, and is nobody forgotten?

As a module, for crashstates.py: the root is queue/, with one message. Events: r0, r1 ... recipient 0, 1 was delivered; f0 ... was
refused for good; queued: the report is, of failure, success or delay. $CRASH_TERMINAL names the events after which the message
may be gone; $CRASH_ASKED the recipients of whose success the sender wants to hear.
As a command, for inject.py: oracle_send.py HOME RECIPIENT...: after the fault and another start all are delivered, or reported, and
no report is there twice.
"""
import glob, os, re, sys

ASKED = os.environ.get('CRASH_ASKED', '').split()
HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) crc=[0-9a-f]{8},[0-9a-f]{8} header=[0-9a-f]{8} *\n')


def read(data):
    """Status and log, or None."""
    m = HEADER.match(data[:128])
    if not m or m.end() != 128:
        return None
    message, envelope, recipients = (int(x) for x in m.groups())
    at = 128 + message + envelope
    if len(data) < at + recipients:
        return None
    return data[at:at + recipients].decode('latin-1'), data[at + recipients:]


def statuses(data):
    found = read(data)
    return found and found[0]


def untrue(status, events):
    for i, byte in enumerate(status):
        asked = str(i) in ASKED
        if byte == '\0':  # the models may show zeros; a byte overwritten in its block is the old or the new one
            continue
        if byte in 'DS' and f'r{i}' not in events:
            return 'marked-not-delivered'
        if byte == 'S' and not asked:
            return 'nobody-asked'
        if byte == 'D' and asked and 'queued' not in events:
            return 'success-not-reported'
        if byte == 'F' and f'f{i}' not in events:
            return 'marked-not-refused'
        if byte == 'B' and 'queued' not in events:
            return 'marked-not-reported'
        if byte not in 'FB' and f'f{i}' in events and 'queued' in events:
            return 'reported-not-marked'
        if byte not in 'SD' and asked and 'queued' in events:
            return 'success-reported-not-marked'
    return None


def noticed(log):
    """Does a line of the history say that the sender was told of the delay?"""
    return b'The sender was told of the delay' in log


def check(queue, said, events, desc):
    files = [f for f in glob.glob(queue + '/new/*') + glob.glob(queue + '/wait/*/*')]
    if not files:
        done = all(e in events for e in os.environ['CRASH_TERMINAL'].split())
        return done, 'gone' if done else 'lost'
    for f in files:
        found = read(open(f, 'rb').read())
        if found is None:
            return False, 'torn'
        status, log = found
        wrong = untrue(status, events)
        if not wrong and noticed(log) and 'queued' not in events:
            wrong = 'delay-not-reported'
        if wrong:
            return False, wrong
    undone = sum(f'r{i}' in events and byte == 'T' for i, byte in enumerate(status))
    told = '-told' if noticed(log) else ''
    return True, ('again-%d' % undone if undone else 'exact') + told


def settled(home, recipients):
    jobs = open(home + '/jobs').read()
    reports = [open(f, 'rb').read() for f in glob.glob(home + '/other/queue/new/[0-9a-ft]*')]
    failed, succeeded, late = (sum(b'\nAction: ' + action + b'\n' in r for r in reports) for action in (b'failed', b'relayed', b'delayed'))
    if max(failed, succeeded, late) > 1:
        return False, 'reported-twice'
    for i, r in enumerate(recipients):
        if r.startswith('bad'):
            if not failed:
                return False, 'not-reported'
        elif ' ' + r + ' ' not in jobs:
            return False, 'not-delivered'
        elif str(i) in ASKED and not succeeded:
            return False, 'success-not-reported'
    left = glob.glob(home + '/queue/new/*') + glob.glob(home + '/queue/wait/*/*') + glob.glob(home + '/queue/bad/*')
    return (not left, 'left-' + left[0].split('/queue/')[1] if left else 'settled')


if __name__ == '__main__':
    good, word = settled(sys.argv[1], sys.argv[2:])
    print(word)
    sys.exit(not good)
