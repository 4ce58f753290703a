#!/usr/bin/env python3
"""goingdown - a file system shuts itself down under the accept commit, as it does when its journal cannot be written (root).

  goingdown.py --fs ext4|xfs

The file has its name, and the fsync of the folder is still to come: is anybody told yes of a message that is not there afterwards?
"""
import argparse, os, subprocess, sys, time

import disk as device

ap = argparse.ArgumentParser()
ap.add_argument('--fs', default='ext4', choices=['ext4', 'xfs'])
a = ap.parse_args()
device.adopt()
disk = device.Disk(a.fs)
try:
    new = disk.top + '/queue/new'
    for folder in ('queue', 'queue/new', 'queue/hold', 'queue/wait'):
        os.mkdir(f'{disk.top}/{folder}')
    os.sync()
    trace = disk.work + '/trace'
    # The second fsync is that of the folder.
    commit = subprocess.Popen(['strace', '-qq', '-o', trace, '-e', 'trace=linkat,fsync', '-e', 'inject=fsync:delay_enter=2000000:when=2',
                               os.environ['PNEU_TESTS'] + '/tool/commit'], env=dict(os.environ, PNEU_HOME=disk.top),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    commit.stdin.write(b'Subject: x\n\nbody\n')
    commit.stdin.close()
    end = time.monotonic() + 60
    while not os.listdir(new) and time.monotonic() < end:
        time.sleep(0.01)
    disk.off()
    told = b'yes' in commit.stdout.read()
    commit.wait()
    disk.on()
    there = bool(os.listdir(new))
    words = open(trace).read()
finally:
    disk.remove()
print(f'{a.fs} goingdown: 1 cuts, {int(told and not there)} bad, ' + ('told yes' if told else 'told no') + (', there' if there else ', not there'))
if told and not there:
    print(words)
sys.exit(told and not there)
