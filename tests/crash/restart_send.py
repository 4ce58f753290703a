#!/usr/bin/env python3
"""An oracle for crashstates.py --in-place: pneu-send is started on what the power cut left. Who was marked as done gets
nothing more, everybody else is delivered, a report that is owed is made, and the queue is empty then. $PNEU_HOME is the instance.
"""
import glob, os, subprocess, sys

sys.path.insert(0, os.environ['CRASH'])
import oracle_send

HOME = os.environ['PNEU_HOME']
RECIPIENTS = os.environ['CRASH_RECIPIENTS'].split()


def files():
    return glob.glob(HOME + '/queue/new/*') + glob.glob(HOME + '/queue/wait/*/*')


def check(queue, said, events, desc):
    status = None
    for f in files():
        status = oracle_send.statuses(open(f, 'rb').read()) or status
    if not files():
        return True, 'gone'
    if status is None:
        return False, 'torn'
    for f in glob.glob(HOME + '/other/queue/new/*'):
        os.unlink(f)
    open(HOME + '/jobs', 'w').close()
    open(HOME + '/rules', 'w').close()
    for f in glob.glob(HOME + '/queue/wait/*/*'):
        os.utime(f, (1, 1))
    env = {k: v for k, v in os.environ.items() if k not in ('CS_STRACE', 'FI_STRACE', 'CRASH_AGAIN')}
    subprocess.run([os.environ['CRASH'] + '/sender.sh', 'test -z "$(ls queue/new queue/wait/*/ | grep -v :)"'], env=env,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if files():
        return False, 'left'
    jobs = open(HOME + '/jobs').read()
    for r, byte in zip(RECIPIENTS, status):
        sent = ' ' + r + ' ' in jobs
        if sent != (byte not in 'DFBS'):
            return False, ('again-' if sent else 'forgotten-') + byte
    if ('S' in status or 'F' in status) and not glob.glob(HOME + '/other/queue/new/*'):
        return False, 'unreported-' + status
    return True, 'finished-' + status.replace('\0', '0')

