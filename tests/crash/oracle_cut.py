#!/usr/bin/env python3
"""For realcut.py: oracle_cut.py MOUNT queue|maildir. Is the message whole, or was nobody told it is there ($CS_SAID)?"""
import os, sys

sys.path.insert(0, os.path.dirname(__file__))
said = os.environ['CS_SAID'] == '1'
if sys.argv[2] == 'queue':
    import oracle_queue
    good, word = oracle_queue.check(sys.argv[1] + '/queue', said, (), '')
else:
    import oracle_maildir
    found, torn = oracle_maildir.count(sys.argv[1] + '/mail/example.org/alice')
    good = not torn and found <= 1 and (found == 1 or not said)
    word = 'torn' if torn else 'whole' if found else 'lost' if said else 'absent'
print(word)
sys.exit(not good)
