#!/usr/bin/env python3
"""Is the message whole in the queue, or was its sender told no?

As a module, for crashstates.py: the root is queue/; $CRASH_MESSAGE names the message, $CRASH_RECIPIENTS (2) counts its recipients.
As a command, for inject.py: oracle_queue.py HOME. The sender was told yes if the command printed "yes".

A file that is not whole may have a name where its checksums say so and nobody was told yes, in the models that write a name before
the data that was on its way to the device ("ordered" does not, nor do ext4 and xfs).
"""
import os, re, sys

HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) crc=([0-9a-f]{8},[0-9a-f]{8}) header=[0-9a-f]{8} *\n')
NAME = re.compile(r'[0-9a-f][0-9a-f]{27}$|t[0-9a-f]{27}$')
WANTED = open(os.environ['CRASH_MESSAGE'], 'rb').read()
RECIPIENTS = int(os.environ.get('CRASH_RECIPIENTS', '2'))


def whole(data):
    """None if that is our message as it should lie in the queue, else what is wrong."""
    m = HEADER.match(data[:128])
    if not m or m.end() != 128:
        return 'header'
    message, envelope, recipients = (int(m[i]) for i in (1, 2, 3))
    if data[128:128 + message] != WANTED:
        return 'message'
    records = data[128 + message:128 + message + envelope]
    if records.count(b':to=') != RECIPIENTS or recipients != RECIPIENTS or not records.endswith(b','):
        return 'envelope'
    if data[128 + message + envelope:] != b'T' * RECIPIENTS:
        return 'status'
    return None


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return b'%08x' % (crc ^ 0xffffffff)


def told(data):
    """Does a reader see that it is not whole?"""
    m = HEADER.match(data[:128])
    if not m or m.end() != 128 or len(data) > 65536:
        return not m # the message's checksum is proved where the file is read in one read
    at, envelope, recipients = 128 + int(m[1]), int(m[2]), int(m[3])
    return len(data) < at + envelope + recipients or crc32c(data[128:at]) + b',' + crc32c(data[at:at + envelope]) != m[4]


def look_in(new):
    """The messages of queue/new, and the first that is wrong."""
    found, wrong = 0, None
    for name in os.listdir(new):
        if not NAME.match(name):
            continue
        found += 1
        data = open(f'{new}/{name}', 'rb').read()
        wrong = wrong or whole(data)
        if wrong and told(data):
            wrong = 'told-' + wrong
    return found, wrong


def judge(found, wrong, said, desc):
    if wrong:
        return wrong.startswith('told-') and not said and desc.startswith(('posix', 'fsyncname', 'split')), 'torn-' + wrong
    if said and found != 1:
        return False, 'lost'
    return found < 2, 'twice' if found > 1 else 'whole' if found else 'absent'


def check(queue, said, events, desc):
    return judge(*look_in(queue + '/new'), said, desc)


if __name__ == '__main__':
    told = open(os.environ['FI_STDOUT'], 'rb').read()
    good, word = check(sys.argv[1] + '/queue', b'yes' in told, (), '')
    print(('accepted-' if b'yes' in told else 'refused-') + word)
    sys.exit(not good)
