#!/usr/bin/env python3
"""Is what pneu-send wrote true, and is nobody forgotten?

As a module, for crashstates.py: the root is queue/, with one message. Events: r0, r1 ... recipient 0, 1 was delivered; f0 ... was
refused for good; queued: the report is. $CRASH_TERMINAL names the events after which the message may be gone.
As a command, for inject.py: oracle_send.py HOME RECIPIENT...: after the fault and another start all are delivered, or reported.
"""
import glob, os, re, sys

HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) crc=[0-9a-f]{8},[0-9a-f]{8} header=[0-9a-f]{8} *\n')


def statuses(data):
    m = HEADER.match(data[:128])
    if not m or m.end() != 128:
        return None
    message, envelope, recipients = (int(x) for x in m.groups())
    at = 128 + message + envelope
    return data[at:at + recipients].decode() if len(data) >= at + recipients else None


def untrue(status, events):
    for i, byte in enumerate(status):
        if byte == '\0':  # the models may show zeros; a byte overwritten in its block is the old or the new one
            continue
        if byte == 'D' and f'r{i}' not in events:
            return 'marked-not-delivered'
        if byte == 'F' and f'f{i}' not in events:
            return 'marked-not-refused'
        if byte == 'B' and 'queued' not in events:
            return 'marked-not-reported'
        if byte not in 'FB' and f'f{i}' in events and 'queued' in events:
            return 'reported-not-marked'
    return None


def check(queue, said, events, desc):
    files = [f for f in glob.glob(queue + '/new/*') + glob.glob(queue + '/wait/*/*')]
    if not files:
        done = all(e in events for e in os.environ['CRASH_TERMINAL'].split())
        return done, 'gone' if done else 'lost'
    for f in files:
        status = statuses(open(f, 'rb').read())
        if status is None:
            return False, 'torn'
        wrong = untrue(status, events)
        if wrong:
            return False, wrong
    undone = sum(f'r{i}' in events and byte == 'T' for i, byte in enumerate(status))
    return True, 'again-%d' % undone if undone else 'exact'


def settled(home, recipients):
    jobs = open(home + '/jobs').read()
    reports = len(glob.glob(home + '/other/queue/new/*'))
    for r in recipients:
        if r.startswith('bad'):
            if not reports:
                return False, 'not-reported'
        elif ' ' + r + ' ' not in jobs:
            return False, 'not-delivered'
    left = glob.glob(home + '/queue/new/*') + glob.glob(home + '/queue/wait/*/*') + glob.glob(home + '/queue/bad/*')
    return (not left, 'left-' + left[0].split('/queue/')[1] if left else 'settled')


if __name__ == '__main__':
    good, word = settled(sys.argv[1], sys.argv[2:])
    print(word)
    sys.exit(not good)
