"""Sessions without mail: greeting, EHLO, perhaps STARTTLS and EHLO again, QUIT.

    sessions.py PORT COUNT PARALLEL [tls]
"""

import os
import socket
import ssl
import sys
import threading

PORT, COUNT, PARALLEL = map(int, sys.argv[1:4])
TLS = sys.argv[4:] == ['tls']
PROCESSES = 4


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.maximum_version = ssl.TLSVersion.TLSv1_2
    c.set_ciphers('ECDHE-ECDSA-AES128-GCM-SHA256')
    c.options |= ssl.OP_NO_TICKET
    return c


def ask(s, line, code):
    s.sendall(line)
    reply = b''
    while not reply.endswith(b'\r\n') or reply.rsplit(b'\r\n', 2)[-2][3:4] == b'-':
        more = s.recv(4096)
        if not more:
            raise EOFError(line)
        reply += more
    if not reply.startswith(code):
        raise ValueError(reply)


def session(tls):
    s = socket.create_connection(('127.0.0.1', PORT), 60)
    ask(s, b'', b'220')
    ask(s, b'EHLO bench.test\r\n', b'250')
    if tls:
        ask(s, b'STARTTLS\r\n', b'220')
        s = tls.wrap_socket(s) # a session of its own each time: the handshake is whole
        ask(s, b'EHLO bench.test\r\n', b'250')
    ask(s, b'QUIT\r\n', b'221')
    s.close()


def many(n, failed):
    try:
        tls = context() if TLS else None
        for _ in range(n):
            session(tls)
    except (OSError, EOFError, ValueError) as e:
        failed.append(e)


def process():
    failed = []
    threads = [threading.Thread(target=many, args=(COUNT // PARALLEL, failed)) for _ in range(PARALLEL // PROCESSES)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        print(failed[0], file=sys.stderr)
    os._exit(bool(failed))


children = []
for _ in range(PROCESSES):
    pid = os.fork()
    if not pid:
        process()
    children.append(pid)
sys.exit(any([os.waitpid(pid, 0)[1] for pid in children]))
