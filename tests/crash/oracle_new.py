"""oracle_queue.py for a root that is queue/new itself: the fifo beside it stays outside of the model."""
import os, sys

sys.path.insert(0, os.environ['CRASH'])
import oracle_queue


def check(new, said, events, desc):
    found, wrong = oracle_queue.look_in(new)
    return oracle_queue.judge(found, wrong, said, desc)
