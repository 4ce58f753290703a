"""A month of mail: soak.py HOME PORT CLOCK SECONDS MESSAGES

The instance HOME runs already, its pneu-send and pneu-queued by the clock in the file CLOCK. In SECONDS up to MESSAGES come
in over four sessions, evenly, or as fast as they go: two fifths to you@pneu.test, two fifths to
good.test, which takes them, a tenth to later.test, which is down for half of the time, a twentieth each to no.test, which refuses
every recipient, and to dead.test, where nobody listens. Their sender is s@pneu.test, and reports come back to it.

Prints NAME NUMBER for each figure, and what a message is that is wrong."""

import asyncio
import itertools
import os
import pathlib
import re
import smtplib
import subprocess
import sys
import threading
import time

from fastclock import FastClock

home, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
clock, seconds, messages = FastClock(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
PARTS = ["you@pneu.test", "x@good.test"] * 8 + ["x@later.test"] * 2 + ["x@no.test", "x@dead.test"]
PATIENCE = 600
DOWN = 4 * 3600 # seconds of every eight hours
DAEMONS = ["send", "queued", "spawn-local", "spawn-remote", "in"]
to, delivered, bounced = {}, {}, {}
numbers = itertools.count()
lock = threading.Lock()
refused = 0


def say(name, number):
    print(name, number, flush=True)


# ---- where mail goes ----

def down():
    return clock.elapsed() % (2 * DOWN) < DOWN


async def serve(reader, writer, name):
    async def answer(text):
        writer.write(text.encode() + b"\r\n")
        await writer.drain()
    try:
        if name == "later" and down():
            return await answer("421 not now")
        await answer("220 sink")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                await answer("354 go")
                text = await reader.readuntil(b"\r\n.\r\n")
                if name == "later" and down():
                    await answer("451 4.3.2 not now")
                    continue
                count(delivered, text)
                await answer("250 2.0.0 taken")
            elif word == b"RCPT" and name == "no":
                await answer("550 5.1.1 no such user")
            elif word == b"QUIT":
                return await answer("221 bye")
            else:
                await answer("250 ok")
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


def subject(text):
    """The number of a message, or of the one that a report is about."""
    found = re.findall(rb"^Subject: n(\d+)\r?$", text, re.M)
    return int(found[-1]) if found else None


def count(where, text):
    n = subject(text)
    with lock:
        where[n] = where.get(n, 0) + 1


def sinks():
    """Starts the hosts; returns their ports."""
    ports, ready = {}, threading.Event()

    async def main():
        for name in ("good", "later", "no"):
            server = await asyncio.start_server(lambda r, w, name=name: serve(r, w, name), "127.0.0.1", 0, limit=1 << 20)
            ports[name] = server.sockets[0].getsockname()[1]
        ready.set()
        await asyncio.Event().wait()
    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    ready.wait()
    return ports


def collect():
    """Takes the mailboxes' mail away, as a reader does."""
    for box, where in (("you", delivered), ("s", bounced)):
        for folder in ("new", "cur"):
            for name in os.listdir(home / "mail/pneu.test" / box / "Maildir" / folder):
                file = home / "mail/pneu.test" / box / "Maildir" / folder / name
                count(where, file.read_bytes())
                file.unlink()


# ---- mail ----

def session(end, each, last):
    """each: seconds between two of a session"""
    global refused
    due = time.monotonic()
    while time.monotonic() < end:
        try:
            with smtplib.SMTP("127.0.0.1", port, "soak.test", timeout=120) as smtp:
                for _ in range(50):
                    time.sleep(max(0, due - time.monotonic()))
                    due += each
                    n = next(numbers)
                    if n >= last or time.monotonic() >= end:
                        return
                    recipient = PARTS[n % len(PARTS)]
                    smtp.sendmail("s@pneu.test", [recipient], "Subject: n%d\r\n\r\n%s\r\n" % (n, "x" * (200 + n % 2000)))
                    with lock:
                        to[n] = recipient
        except (OSError, smtplib.SMTPException) as e:
            refused += 1
            print("n%d: %r" % (n, e), flush=True)


# ---- what the daemons hold ----

def pid(service):
    got = subprocess.run(["s6-svstat", "-o", "pid", home / "service" / service], stdout=subprocess.PIPE, text=True, check=True)
    return int(got.stdout)


def family(p):
    """It and all that it started, without what pneu-spawn keeps for the next job, for five minutes."""
    below = pathlib.Path("/proc/%d/task/%d/children" % (p, p)).read_text().split()
    kept = [b for b in below if pathlib.Path("/proc/%s/comm" % b).read_text() == "pneu-remote\n"]
    return [p] + [c for b in below if b not in kept for c in family(int(b))]


def held():
    """Processes, descriptors, and kilobytes of the daemons themselves."""
    processes = fds = kb = 0
    for p in pids:
        processes += len(family(p))
        fds += len(os.listdir("/proc/%d/fd" % p))
        kb += int(re.search(r"^RssAnon:\s*(\d+)", pathlib.Path("/proc/%d/status" % p).read_text(), re.M)[1])
    return processes, fds, kb


def files(*folders):
    return sum(len(names) for folder in folders for _, _, names in os.walk(home / folder))


def idle():
    """Waits until nothing is queued, and what was started for it has ended. Returns what is held then."""
    limit = time.monotonic() + PATIENCE
    now = (0, 0, 0)
    while time.monotonic() < limit:
        collect()
        try:
            now = held()
        except OSError: # a process that ended meanwhile
            continue
        if not files("queue/new", "queue/wait") and now[0] <= before[0] and now[1] <= before[1]:
            break
        time.sleep(.2)
    collect()
    return now


def load(first, last):
    """Messages of these numbers, in that share of the time."""
    global numbers
    numbers = itertools.count(first)
    share = seconds * (last - first) / messages
    threads = [threading.Thread(target=session, args=(time.monotonic() + share, share * 4 / (last - first), last)) for _ in range(4)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        collect()
        time.sleep(.2)


def wrong(n):
    """What is not as it should be, once for each message."""
    want = (0, 1) if to[n] in ("x@no.test", "x@dead.test") else (1, 0)
    got = (delivered.get(n, 0), bounced.get(n, 0))
    if got == want:
        return False
    print("n%d to %s: delivered %d times, reported %d times" % (n, to[n], *got), flush=True)
    return True


routes = ["%s.test:127.0.0.1:%d" % route for route in sinks().items()] + ["dead.test:127.0.0.1:1"]
subprocess.run(["pneu-control", "set", "smtproutes", *routes], check=True)
subprocess.run(["pneu-control", "set", "rcpthosts", "good.test", "later.test", "no.test", "dead.test"], check=True)
pids = [pid(name) for name in DAEMONS]
before = held()
begin = clock.elapsed()
load(0, messages // 4)
quarter = idle()
load(messages // 4, messages)
after = idle()
say("messages", len(to))
say("days", round((clock.elapsed() - begin) / 86400))
say("failing", sum(r not in ("you@pneu.test", "x@good.test") for r in to.values()))
say("refused", refused)
say("wrong", sum(wrong(n) for n in to))
say("stray", len((delivered.keys() | bounced.keys()) - to.keys()))
say("left", files("queue/new", "queue/wait", "queue/hold", "queue/bad", "badmail", "mail/pneu.test/you/Maildir", "mail/pneu.test/s/Maildir"))
say("processes", after[0] - before[0])
say("descriptors", after[1] - before[1])
say("kilobytes", after[2] - quarter[2])
say("restarted", int(pids != [pid(name) for name in DAEMONS]))
os._exit(0) # the hosts' thread does not end
