#!/usr/bin/env python3
"""Is the message whole in the Maildir, once, or was nobody told so? And after one more attempt: is it there, once?

As a module, for crashstates.py: the root is mail/. As a command, for inject.py: oracle_maildir.py MAIL. It was said to be
delivered if the command printed a result of class K.
"""
import os, subprocess, sys

ID = os.environ['CRASH_ID']
WANTED = (b'Return-Path: <s@example.net>\nDelivered-To: alice@example.org\n' + open(os.environ['CRASH_MESSAGE'], 'rb').read())
TOOL = os.environ['PNEU_TOP'] + '/tests/tool/fakesend.py'


def count(box):
    """Copies in new/ and cur/, and whether one of them is not whole."""
    found, torn = 0, False
    for folder in ('new', 'cur'):
        path = f'{box}/Maildir/{folder}'
        for name in os.listdir(path) if os.path.isdir(path) else ():
            found += 1
            torn = torn or not name.startswith(ID + '.0.0') or open(f'{path}/{name}', 'rb').read() != WANTED
    return found, torn


def retry(box):
    """Delivers once more, as after a restart; what it says."""
    words = ['local', 'alice', ID, 's@example.net', os.environ['CRASH_MESSAGE'], 'again=1',
             f'alice@example.org;user=alice;home={box};dash=;ext=']
    done = subprocess.run(['/usr/bin/python3', TOOL, f'exec:pneu-local -j {box}'], input=' '.join(words).encode() + b'\n',
                          stdout=subprocess.PIPE, timeout=30)
    return b' K ' in done.stdout


def judge(mail, said):
    box = mail + '/example.org/alice'
    found, torn = count(box)
    if torn:
        return False, 'torn'
    if said and found != 1:
        return False, 'lost'
    if found > 1:
        return False, 'twice'
    if all(os.path.isdir(f'{box}/Maildir/{f}') for f in ('tmp', 'new', 'cur')):
        if not retry(box):
            return False, 'retry-failed'
        if count(box) != (1, False):
            return False, 'retry-twice'
    return True, 'whole' if found else 'absent'


def check(mail, said, events, desc):
    return judge(mail, said)


if __name__ == '__main__':
    told = b' K ' in open(os.environ['FI_STDOUT'], 'rb').read()
    good, word = judge(sys.argv[1], told)
    print(('delivered-' if told else 'deferred-') + word)
    sys.exit(not good)
