#!/usr/bin/env python3
"""How long after its start does pneu-send deliver what waits? restart.py ADDRESS MAILDIR ROUNDS, in a running instance, $PNEU_HOME.

In each round pneu-send is stopped, five messages come in, and it is killed. s6-supervise waits a second and starts it anew, however
long it had run: that second is not measured. Measured is from the fork of the run script, at most 10 ms too early (a tick of the
kernel's), to the change time of the first message in the Maildir. Prints the median and the largest of the rounds, in
milliseconds, and in a second line all of them.
"""
import glob, os, signal, statistics, subprocess, sys, time

HOME, ADDRESS, MAILDIR, ROUNDS = os.environ['PNEU_HOME'], sys.argv[1], sys.argv[2], int(sys.argv[3])
MESSAGES = 5
SERVICE = HOME + '/service/send'


def wait_for(what, condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit('waited in vain for ' + what)
        time.sleep(0.005)


def process():
    """pneu-send's, or 0 while there is none."""
    pid = subprocess.run(['s6-svstat', '-o', 'pid', SERVICE], stdout=subprocess.PIPE, check=True).stdout
    return max(int(pid), 0)


def started(pid):
    """In seconds since 1970."""
    ticks = int(open(f'/proc/{pid}/stat').read().rsplit(') ', 1)[1].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf('SC_CLK_TCK')


def arrived(subject):
    return [f for f in glob.glob(MAILDIR + '/new/*') if open(f).read().find(subject) != -1]


def measure(n):
    subject = f'Subject: restart {n}.\n'
    wait_for('pneu-send', process)
    old = process()
    os.kill(old, signal.SIGSTOP)
    for _ in range(MESSAGES):
        subprocess.run(['pneu-inject', '-f', 's@far.test', ADDRESS], input=subject.encode() + b'\nx\n', check=True)
    os.kill(old, signal.SIGKILL)
    wait_for('the messages', lambda: len(arrived(subject)) == MESSAGES)
    first = min(os.stat(f).st_ctime for f in arrived(subject))
    for f in arrived(subject):
        os.unlink(f)
    return 1000 * (first - started(process()))


times = sorted(measure(n) for n in range(ROUNDS))
print('%.0f %.0f' % (statistics.median(times), times[-1]))
print('each:', ' '.join('%.0f' % t for t in times))
