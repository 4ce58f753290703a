"""pneu-send under a clock that somebody sets: clock.py HOME RATE BEGIN BY DAYS START

In the instance HOME a host that refuses everything for now answers run/remote. 60 messages come within two days of a clock that runs RATE times faster
and begins at BEGIN; after a day it is set by BY seconds, and DAYS later put right (0: never). START is runs, or anew: then
pneu-send is killed before the clock changes and started after. The lifetime is three days.

Prints a line: messages given up more than an hour before their time (by as much a clock is put right), those not given up in the end, the most attempts of one message,
how late the last was given up, in seconds."""

import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from fastclock import FastClock

home, rate, begin, by, days, start = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:6]), sys.argv[6]
DAY, LIFETIME, MESSAGES, PATIENCE = 86400, 3 * 86400, 60, 300
tool = pathlib.Path(os.environ["PNEU_TESTS"]) / "tool"
clock = FastClock(home / "clock", rate, begin)
env = dict(os.environ, PNEU_HOME=str(home), FASTCLOCK=str(home / "clock"))
came, ended, attempts = {}, {}, {}


def hear(stream):
    """Lines of the log, as they come."""
    for line in stream:
        now = clock.elapsed()
        found = re.search(r" result .*msg=(\w+) class=(\w)", line)
        if found:
            attempts[found[1]] = attempts.get(found[1], 0) + 1
            if found[2] == "D":
                ended.setdefault(found[1], now)
        elif "clockjump" not in line:
            (home / "log").open("a").write(line)


class Send:
    def __init__(self):
        self.process = subprocess.Popen([tool / "fastsend"], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.ear = threading.Thread(target=hear, args=[self.process.stderr])
        self.ear.start()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.ear.join()


def wait_until(second):
    time.sleep(max(0, clock.real(second - clock.elapsed())))


def change(by):
    global send
    if start == "anew":
        send.end()
    clock.jump(by)
    if start == "anew":
        send = Send()


spawn = [subprocess.Popen([tool / "fakespawn", home / "run" / name, home / "rules", "/dev/null"]) for name in ("local", "remote")]
send = Send()
try:
    todo = [(k * 2 * DAY // MESSAGES, None) for k in range(MESSAGES)] + [(DAY, by)] + ([(DAY + days * DAY, -by)] if days else [])
    for second, jump in sorted(todo, key=lambda t: t[0]):
        wait_until(second)
        if jump:
            change(jump)
            continue
        before = clock.elapsed() # what is taken for later than it was cannot seem early
        got = subprocess.run([tool / "mkqueue", "-t", str(clock.now()), "a@sender.test", "b@remote.test", "+notify=NEVER"],
                             env=dict(env, PNEU_HOME=str(home / "made")), input="Subject: x\n\nbody\n", stdout=subprocess.PIPE, text=True,
                             check=True)
        came[got.stdout.strip()] = before
        (home / "made/queue/new" / got.stdout.strip()).rename(home / "queue/new" / got.stdout.strip()) # whole, as pneu-queued does
        with open(home / "queue/lock/trigger", "r+b", buffering=0) as f:
            f.write(got.stdout.encode())
    limit = time.monotonic() + PATIENCE
    while len(ended) < MESSAGES and time.monotonic() < limit:
        time.sleep(.05)
finally:
    send.end()
    for s in spawn:
        s.kill()
early = [m for m in ended if ended[m] - came[m] < LIFETIME - 3600]
late = max((int(ended[m] - came[m]) - LIFETIME for m in ended), default=0)
print(len(early), MESSAGES - len(ended), max(attempts.values(), default=0), late)
