#!/usr/bin/env python3
"""goingdown - a file system shuts itself down under the accept commit, as it does when its journal cannot be written (root).

  goingdown.py --fs ext4|xfs

The file has its name, and the fsync of the folder is still to come: is anybody told yes of a message that is not there afterwards?
Of a small message that is the first fsync, of a large one the second.
"""
import argparse, os, subprocess, sys, time

import disk as device

ap = argparse.ArgumentParser()
ap.add_argument('--fs', default='ext4', choices=['ext4', 'xfs'])
a = ap.parse_args()
device.adopt()
disk = device.Disk(a.fs)
new = disk.top + '/queue/new'


def commit(message, n):
    """What is told, and what is there after the file system went down before the n-th fsync."""
    trace = disk.work + '/trace'
    process = subprocess.Popen(['strace', '-qq', '-o', trace, '-e', 'trace=linkat,fsync', '-e', f'inject=fsync:delay_enter=2000000:when={n}',
                                os.environ['PNEU_TESTS'] + '/tool/commit'], env=dict(os.environ, PNEU_HOME=disk.top),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(message)
    process.stdin.close()
    end = time.monotonic() + 60
    before = set(os.listdir(new))
    while set(os.listdir(new)) == before and time.monotonic() < end:
        time.sleep(0.01)
    disk.off()
    told = b'yes' in process.stdout.read()
    process.wait()
    disk.on()
    return told, len(os.listdir(new)) > len(before), open(trace).read()


try:
    for folder in ('queue', 'queue/new', 'queue/hold', 'queue/wait'):
        os.mkdir(f'{disk.top}/{folder}')
    os.sync()
    cuts = [commit(b'Subject: x\n\nbody\n', 1), commit(b'Subject: x\n\n' + b'body\n' * 100000, 2)]
finally:
    disk.remove()
bad = [trace for told, there, trace in cuts if told and not there]
print(f'{a.fs} goingdown: {len(cuts)} cuts, {len(bad)} bad, ' +
      ', '.join(('told yes' if told else 'told no') + (', there' if there else ', not there') for told, there, _ in cuts))
print(*bad, sep='', end='')
sys.exit(bool(bad))
