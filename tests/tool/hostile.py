#!/usr/bin/python3
"""A deliverer that behaves badly, for tests of pneu-spawn: hostile.py HOW, the job's socket on descriptor 0."""
import os, socket, sys, time

how = sys.argv[1]
sock = socket.socket(fileno=0)


def netstring(b):
    return b"%d:%s," % (len(b), b)


def result(**fields):
    return netstring(b"".join(netstring(k.encode() + b"=" + str(v).encode()) for k, v in fields.items()))


data, fds, _, _ = socket.recv_fds(sock, 65536, 4)
job = int(data.split(b"job=")[1].split(b",")[0])
try:
    if how == "garbage":
        sock.sendall(os.urandom(4096))
    elif how == "other":  # a recipient of somebody else
        sock.sendall(result(job=job, **{"class": "K"}, code="2.0.0", to="9", text="x") + result(job=job, done=1))
    elif how == "number":  # somebody else's job
        sock.sendall(result(job=job + 1, done=1))
    elif how == "range":
        sock.sendall(result(job=job, **{"class": "K"}, code="2.0.0", to="0-4294967295", text="x"))
    elif how == "twice":
        one = result(job=job, **{"class": "K"}, code="2.0.0", to="0", text="x")
        sock.sendall(one + one)
    elif how == "huge":
        sock.sendall(b"999999999:" + b"x" * 200000)
    elif how == "descriptors":
        socket.send_fds(sock, [result(job=job, done=1)], [1, 1, 1])
    elif how == "forever":
        while True:
            sock.sendall(result(job=job, **{"class": "Z"}, code="4.0.0", to="0", text="x"))
    elif how == "half":
        sock.sendall(b"30:5:job=")
        os._exit(0)
    elif how == "mute":
        os._exit(0)
except OSError:
    pass
time.sleep(5)
