#!/usr/bin/env python3
"""Was the report made that pneu-bounce says it made, whole, and once?

As a module, for crashstates.py: the root is the queue that reports go to, or badmail/ where $CRASH_BADMAIL names the queue file.
As a command, for inject.py: oracle_bounce.py HOME. After the fault pneu-bounce was started again: then there must be one.
"""
import os, re, sys

HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) crc=([0-9a-f]{8}),([0-9a-f]{8}) header=([0-9a-f]{8}) *\n')
NAME = re.compile(r'[0-9a-f][0-9a-f]{27}$|t[0-9a-f]{27}$')
TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
    TABLE.append(n)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return b'%08x' % (crc ^ 0xffffffff)


def whole(data):
    """None if that is a report on bad@one.test to a@sender.test, as it should lie in the queue, else what is wrong."""
    m = HEADER.match(data[:128])
    if not m or m.end() != 128 or crc32c(data[:98]) != m[6]:
        return 'header'
    message, envelope, recipients = (int(x) for x in m.groups()[:3])
    text, records = data[128:128 + message], data[128 + message:128 + message + envelope]
    if crc32c(text) != m[4] or b'\nFinal-Recipient: rfc822; bad@one.test\n' not in text or not text.endswith(b'--\n'):
        return 'message'
    if crc32c(records) != m[5] or recipients != 1 or b':to=a@sender.test,' not in records:
        return 'envelope'
    if data[128 + message + envelope:] != b'T':
        return 'status'
    return None


def in_queue(new):
    names = [name for name in os.listdir(new) if NAME.match(name)]
    for name in names:
        wrong = whole(open(f'{new}/{name}', 'rb').read())
        if wrong:
            return 0, 'torn-' + wrong
    return len(names), 'twice' if len(names) > 1 else None


def in_badmail(folder):
    original = os.environ['CRASH_BADMAIL']
    path = folder + '/' + os.path.basename(original)
    if not os.path.exists(path):
        return 0, None
    if open(path, 'rb').read() != open(original, 'rb').read():
        return 1, 'torn'
    if not os.path.exists(path + '.why') or not open(path + '.why').read().endswith('\n'):
        return 1, 'no-reason'
    return 1, None


def check(root, said, events, desc):
    found, wrong = in_badmail(root) if 'CRASH_BADMAIL' in os.environ else in_queue(root + '/new')
    if wrong:
        return False, wrong
    if said and not found:
        return False, 'lost'
    return True, 'whole' if found else 'absent'


if __name__ == '__main__':
    said = open(os.environ['FI_STDOUT'], 'rb').read().split()
    home = sys.argv[1]
    good, word = check(home + ('/badmail' if 'CRASH_BADMAIL' in os.environ else '/other/queue'), True, (), '')
    if b'again' not in said:
        good, word = False, 'not-again-' + word
    print(('said-' if b'yes' in said else 'refused-') + word)
    sys.exit(not good)
