#!/usr/bin/python3
"""The jobs' side of pneu-send, for tests of deliverers.

fakesend.py [--all] SOCKET < JOBS    one job a line, words separated by blanks:
    TRANSPORT KEY ID SENDER FILE [name=value ...] ADDRESS[;name=value] ...
FILE is given as queue file: the message is all of it, or offset= length= say. A sender of - is the
null sender. All jobs are sent at once; one line is printed for each recipient's result,
    JOB INDEX CLASS CODE TEXT
in the order of jobs and indices, and "JOB done". Exits 1 if a job got no end, with --all also if a result is not K.
What nobody reads is no error. A SOCKET where nobody listens yet is tried again for a minute.
SOCKET may be "exec:PROGRAM ARGS": that program is started with the socket as descriptor 0.
"""
import os, shlex, socket, subprocess, sys, time


def netstring(b):
    return b"%d:%s," % (len(b), b)


def record(name, value):
    return netstring(name.encode() + b"=" + value)


def job(number, words):
    transport, key, ident, sender, path = words[:5]
    fd = os.open(path, os.O_RDONLY)
    head = {"offset": "0", "length": str(os.fstat(fd).st_size)}
    rest = words[5:]
    while rest and "=" in rest[0] and "@" not in rest[0].split("=")[0]:
        name, value = rest.pop(0).split("=", 1)
        head[name] = value
    out = record("job", b"%d" % number) + record("transport", transport.encode()) + record("key", key.encode())
    out += record("id", ident.encode())
    for name, value in head.items():
        out += record(name, os.fsencode(value))
    out += record("from", b"" if sender == "-" else os.fsencode(sender))
    indices = []
    for index, address in enumerate(rest):
        address, *more = address.split(";")
        extra = dict(m.split("=", 1) for m in more)
        number_of = int(extra.pop("index", index))
        indices.append(number_of)
        out += record("to", os.fsencode(address)) + record("index", b"%d" % number_of)
        for name, value in extra.items():
            out += record(name, os.fsencode(value))
    return netstring(out), fd, indices


def frames(sock):
    have = b""
    while True:
        colon = have.find(b":")
        if colon != -1 and len(have) >= colon + 2 + int(have[:colon]):
            end = colon + 1 + int(have[:colon])
            yield have[colon + 1:end]
            have = have[end + 1:]
            continue
        try:
            more = sock.recv(65536)
        except ConnectionResetError:
            return
        if not more:
            return
        have += more


def records(frame):
    found = {}
    while frame:
        colon = frame.find(b":")
        end = colon + 1 + int(frame[:colon])
        name, value = frame[colon + 1:end].split(b"=", 1)
        found[name.decode()] = value
        frame = frame[end + 1:]
    return found


def ranges(text):
    for part in text.decode().split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def connect(where):
    if where.startswith("exec:"):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        subprocess.Popen(shlex.split(where[5:]), stdin=theirs)
        theirs.close()
        return ours
    end = time.monotonic() + 60
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(where)
            return sock
        except (ConnectionRefusedError, FileNotFoundError):
            sock.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def show(lines):
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has what it wanted; nothing is left for the end of this program to complain about
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main():
    sock = connect(next(a for a in sys.argv[1:] if a != "--all"))
    waiting = {}
    results = {}
    for number, line in enumerate(sys.stdin, 1):
        words = line.split()
        if not words:
            continue
        frame, fd, indices = job(number, words)
        waiting[number] = indices
        try:
            sent = socket.send_fds(sock, [frame], [fd])
            sock.sendall(frame[sent:])
        except (BrokenPipeError, ConnectionResetError):
            break
        os.close(fd)
    pending = set(waiting)
    for frame in frames(sock):
        r = records(frame)
        number = int(r["job"])
        if "class" in r:
            for index in ranges(r["to"]):
                results.setdefault((number, index), []).append(
                    "%s %s %s" % (r["class"].decode(), r.get("code", b"").decode(),
                                  r.get("text", b"").decode("latin-1")))
        if "done" in r:
            pending.discard(number)
        if not pending:
            break
    lines = []
    for number, indices in waiting.items():
        for index in indices:
            lines += ["%d %d %s" % (number, index, text) for text in results.get((number, index), ["? no result"])]
        lines.append("%d %s" % (number, "lost" if number in pending else "done"))
    show(lines)
    good = all(text[0] == "K" for texts in results.values() for text in texts)
    return 1 if pending or ("--all" in sys.argv and not good) else 0


sys.exit(main())
