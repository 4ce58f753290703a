#!/usr/bin/env python3
"""An operator's verb is cut short: the message is whole, once, in one place; and where the operator was told that it is done, it is.

As a module, for crashstates.py: the root is queue/. As a command, for inject.py: oracle_operator.py HOME. $CRASH_VERB is the verb, $CRASH_IDS are the messages, which it got in one call.
"""
import glob, os, re, sys

HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) crc=[0-9a-f]{8},[0-9a-f]{8} header=[0-9a-f]{8} *\n')
WANTED = open(os.environ['CRASH_MESSAGE'], 'rb').read()
VERB = os.environ['CRASH_VERB']
DONE = {'hold': ['hold'], 'release': ['wait'], 'remove': [], 'return': ['wait'], 'redirect': ['wait'], 'fsck': ['bad']}


def read(path):
    """Recipients and status of a whole file, else None."""
    data = open(path, 'rb').read()
    m = HEADER.match(data[:128])
    if not m or m.end() != 128:
        return None
    message, envelope, recipients = (int(x) for x in m.groups())
    at = 128 + message + envelope
    records = data[128 + message:at]
    to = re.findall(rb':to=([^,]*),', records)
    if data[128:128 + message] != WANTED or len(to) != recipients or len(data) < at + recipients:
        return None
    status = ''.join(c if c in 'TDSFB' else 'T' for c in data[at:at + recipients].decode('latin-1'))  # unknown counts as to do
    return list(zip([x.decode() for x in to], status))


def expected(recipients):
    old = [('joe@one.test', 'T'), ('ann@two.test', 'T')]
    failed = [('joe@one.test', 'F'), ('ann@two.test', 'T')]
    redirected = [('joe@one.test', 'D'), ('ann@two.test', 'T'), ('new@three.test', 'T')]
    done = {'return': failed, 'redirect': redirected}.get(VERB, old)
    return 'done' if recipients == done else 'old' if recipients == old else None


def check(queue, said, events, desc):
    told = [check_one(queue, said, i) for i in os.environ['CRASH_IDS'].split()]
    return all(good for good, word in told), ' '.join(word for good, word in told)


def check_one(queue, said, ident):
    names = [p for d in ('new', 'wait/*', 'hold', 'bad') for p in glob.glob(f'{queue}/{d}/{ident}')]
    places = sorted({os.path.relpath(p, queue).split('/')[0] for p in names})
    if any(not os.path.exists(f'{queue}/{x}/{ident}.why') for x in places if (x, VERB) in (('hold', 'hold'), ('bad', 'fsck'))):
        return False, 'without-reason'
    if VERB == 'fsck':
        return len(places) in (1, 2) and (not said or places == DONE[VERB]), '+'.join(places) or 'lost'
    states = [expected(read(p)) for p in names]
    if None in states:
        return False, 'torn'
    if not names:
        return VERB == 'remove', 'gone'
    if said and (places != DONE[VERB] or len(names) != 1 or 'done' not in states):
        return False, 'not-done'
    if len(set(states)) > 1:
        return False, 'two-messages'
    return len(names) <= 2, '+'.join(places) + '-' + states[0]


if __name__ == '__main__':
    told = b' ' in open(os.environ['FI_STDOUT'], 'rb').read() and os.environ.get('FI_RC') == '0'
    good, word = check(sys.argv[1] + '/queue', told, (), '')
    print(('told-' if told else 'untold-') + word)
    sys.exit(not good)
