"""tlshostile.py PORT WHAT [N]: clients that break off, stall or slip something in around STARTTLS.

inject     commands in clear right behind STARTTLS, in one packet and in several; prints what the server said
drop N     N connections closed at each stage of the way into TLS
stall      one connection that stops in the handshake; ends when the server hangs up, prints after how many seconds
idle N     N sessions under TLS that say nothing more, until a line comes on standard input; prints the answers to QUIT
pause      one that pauses within a record, long enough for the server to rest; prints the answers
stuck N    N sessions under TLS whose answers are long and are not read; they stay until a line comes on standard input
half       a client that closes its sending side and still wants the answer
large N    N bytes of nonsense, then a message of N bytes in, under TLS; stays until a line comes on standard input
clear N    the same without TLS
"""

import os
import socket
import ssl
import struct
import sys
import time

port, what = int(sys.argv[1]), sys.argv[2]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 0


def connect():
    s = socket.socket()
    if what == "stuck":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.connect(("127.0.0.1", port))
    return s


def reply(s):
    text = b""
    while True:
        text += s.recv(1) or b"\n(eof) \n"
        if text.endswith(b"\n") and text.split(b"\n")[-2][3:4] in (b" ", b"f"):
            return text


def hello(s):
    reply(s)
    s.sendall(b"EHLO client.test\r\n")
    reply(s)


def starttls(s):
    hello(s)
    s.sendall(b"STARTTLS\r\n")
    return reply(s)


def context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def client_hello():
    """The first bytes a client would send, and the machinery that made them."""
    c, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context().wrap_bio(c, out, server_hostname="mx.pneu.test")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def rest(s):
    said = b""
    try:
        while True:
            more = s.recv(4096)
            if not more:
                return said
            said += more
    except OSError:
        return said


def inject():
    mail = b"MAIL FROM:<evil@else.test>\r\nRCPT TO:<you@pneu.test>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n"
    s = connect()
    hello(s)
    s.sendall(b"STARTTLS\r\n" + mail)
    print("one packet:", rest(s))
    for pause in (0, 0.001, 0.05):
        s = connect()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hello(s)
        s.sendall(b"STARTTLS\r\n")
        time.sleep(pause)
        try:
            s.sendall(mail)
        except OSError:
            pass
        print("pause", pause, ":", rest(s))
    s = connect()
    hello(s)
    s.sendall(b"STARTTLS\r\n")
    reply(s)
    tls = client_hello()
    s.sendall(tls + mail)  # behind a true ClientHello
    print("behind the hello:", len(rest(s)))


def drop():
    hello_bytes = client_hello()
    for i in range(count):
        for stage in range(9):
            s = connect()
            if stage > 0:
                hello(s)
            if stage > 1:
                s.sendall(b"STARTTLS\r\n")
            if stage > 2:
                reply(s)
            if stage == 4:
                s.sendall(hello_bytes[:3])
            if stage == 5:
                s.sendall(hello_bytes)
            if stage == 6:
                s.sendall(hello_bytes)
                s.recv(5)
            if stage > 6:
                s = context().wrap_socket(s, server_hostname="mx.pneu.test")
            if stage > 7:
                s.sendall(b"EHLO client.test\r\nMAIL FROM:<a@else.test>\r\n")
            if i % 2:  # a reset instead of an end
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()


def stall():
    s = connect()
    begun = time.monotonic()
    starttls(s)
    s.sendall(client_hello()[:20])
    rest(s)
    print(int(time.monotonic() - begun))


def idle():
    sessions = []
    for _ in range(count):
        s = connect()
        starttls(s)
        s = context().wrap_socket(s, server_hostname="mx.pneu.test")
        s.sendall(b"EHLO client.test\r\n")
        reply(s)
        sessions.append(s)
    print("ready", flush=True)
    sys.stdin.readline()
    for s in sessions:
        s.sendall(b"QUIT\r\n")
        print(reply(s).decode().strip())


def stuck():
    sessions = []
    for _ in range(count):
        s = connect()
        starttls(s)
        s = context().wrap_socket(s, server_hostname="mx.pneu.test")
        for _ in range(15):  # what is not read of it is buffered; of the answers there are 7 MB
            s.sendall(b"EHLO x\r\n" * 2000)
            time.sleep(0.1)
        sessions.append(s)
    print("ready", flush=True)
    sys.stdin.readline()


def memory_tls(s):
    """TLS by hand, records as bytes: the machinery, what came, what is to go."""
    c, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context().wrap_bio(c, out, server_hostname="mx.pneu.test")
    while True:
        try:
            tls.do_handshake()
            return tls, c, out
        except ssl.SSLWantReadError:
            s.sendall(out.read())
            c.write(s.recv(4096))


def pause():
    s = connect()
    starttls(s)
    tls, c, out = memory_tls(s)
    s.sendall(out.read())
    for line in (b"EHLO client.test", b"NOOP", b"QUIT"):
        tls.write(line + b"\r\n")
        record = out.read()
        for piece in (record[:3], record[3:10], record[10:]):
            time.sleep(1.2)
            s.sendall(piece)
        while True:
            try:
                print(tls.read(4096).decode().strip().splitlines()[-1])
                break
            except ssl.SSLWantReadError:
                c.write(s.recv(4096))


def half():
    s = connect()
    starttls(s)
    tls, c, out = memory_tls(s)
    tls.write(b"EHLO client.test\r\nNOOP\r\nQUIT\r\n")
    s.sendall(out.read())
    s.shutdown(socket.SHUT_WR)
    c.write(rest(s))
    said = b""
    try:
        while True:
            more = tls.read(4096)
            if not more:
                break
            said += more
    except ssl.SSLError:
        pass
    print(said.decode())


def large(tls=True):
    s = connect()
    if tls:
        starttls(s)
        s = context().wrap_socket(s, server_hostname="mx.pneu.test")
    else:
        reply(s)
    nonsense = b"x" * 60000 + b"\r\n"
    for _ in range(count // len(nonsense)):
        s.sendall(nonsense)
        reply(s)
    for line in (b"EHLO client.test", b"MAIL FROM:<a@else.test>", b"RCPT TO:<you@pneu.test>", b"DATA"):
        s.sendall(line + b"\r\n")
        reply(s)
    block = (b"x" * 70 + b"\r\n") * 910
    begun, sent = time.monotonic(), 0
    while sent < count:
        s.sendall(block)
        sent += len(block)
    s.sendall(b".\r\n")
    print(reply(s).decode().strip(), sent, "bytes in", round(time.monotonic() - begun, 2), "s", flush=True)
    sys.stdin.readline()
    s.sendall(b"QUIT\r\n")
    reply(s)


def clear():
    large(tls=False)


globals()[what]()
