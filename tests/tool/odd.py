#!/usr/bin/python3
"""Fifty odd messages over SMTP by smtplib, and back out of a Maildir, byte for byte.

    odd.py send PORT RECIPIENT      sends them, each in a transaction of its own, two connections in all
    odd.py check MAILDIR            compares what arrived; a line a difference, exit 1 if there is one

The wire form of a message ends each line in CR LF; the Maildir has LF. Behind the header lines that delivery puts in
front, everything must be as it was sent; a message whose last line has no end gets one.
"""

import os
import random
import smtplib
import sys


def odd():
    r = random.Random(1)
    some = lambda n, alphabet: bytes(r.choice(alphabet) for _ in range(n))
    all8 = bytes(b for b in range(256) if b not in b'\r\n')
    yield b''
    yield b'\r\n'
    yield b'\r\n\r\n\r\n'
    yield b'no final newline'
    yield b'.'
    yield b'.\r\n'
    yield b'..\r\n'
    yield b'...\r\n.\r\n'
    yield b'\r\n.\r\n\r\n'
    yield b'.leading\r\n..two\r\n . blank first\r\nlast.'
    yield b'\r\n'.join(b'.' * n for n in range(80)) + b'\r\n'
    yield b'From here to there\r\nFrom: x\r\n>From y\r\n'
    yield b'Delivered-To: somebody@else.test\r\nReturn-Path: <x@y>\r\n\r\nx\r\n'
    yield b' begins with a blank\r\n\tand a tab\r\n'
    yield b'blanks at the end   \r\n\t\t\r\n   \r\n'
    yield all8 + b'\r\n'
    yield b'\0' * 100 + b'\r\n'
    yield b'\xff\xfe\r\n' * 50
    yield 'Grüße, 你好, \u2028 \U0001f4ec\r\n'.encode() * 20
    for n in (77, 78, 79, 80, 997, 998, 999, 1000, 1001, 4095, 4096, 4097, 16383, 65534, 65536):
        yield b'x' * n + b'\r\n'
    yield b'\r\n' * 20000
    yield b'.\r\n' * 20000
    yield b'x\r\n' * 30000
    for n in (4096, 65400, 65408, 65536, 131072):
        yield (b'y' * 62 + b'\r\n') * (n // 64)
    for _ in range(8):
        yield b'\r\n'.join(some(r.randrange(200), all8) for _ in range(r.randrange(200))) + b'\r\n'
    yield (some(70, b'0123456789abcdef') + b'\r\n') * 145636 # 10 MB


def send(port, to):
    messages = list(odd())
    print(f'{len(messages)} messages')
    for half in (messages[::2], messages[1::2]):
        with smtplib.SMTP('127.0.0.1', port) as s:
            s.ehlo('odd.test')
            for m in half:
                s.mail('odd@sender.test', ['BODY=8BITMIME'])
                s.rcpt(to)
                s.docmd('DATA')
                stuffed = (b'\r\n' + m).replace(b'\r\n.', b'\r\n..')[2:]
                if not stuffed.endswith(b'\r\n'):
                    stuffed += b'\r\n' if stuffed else b''
                s.sock.sendall(stuffed + b'.\r\n')
                code, text = s.getreply()
                if code != 250:
                    sys.exit(f'{m[:40]!r}: {code} {text}')


def body(path):
    """What lies behind the lines that delivery added: Return-Path, Delivered-To and Received, with what is folded."""
    with open(path, 'rb') as f:
        lines = f.read().split(b'\n')
    at = 0
    for name in (b'Return-Path:', b'Delivered-To:'):
        if not lines[at].startswith(name):
            return b'? ' + name
        at += 1
    while lines[at].startswith(b'Received:') and b'odd.test' in lines[at] or lines[at].startswith(b'Received: from mx.'):
        at += 1
        while lines[at].startswith(b'\t'):
            if b';' in lines[at]:
                at += 2 # the date
                break
            at += 1
    return b'\n'.join(lines[at:])


def check(maildir):
    wanted = sorted(m.replace(b'\r\n', b'\n') + (b'' if not m or m.endswith(b'\r\n') else b'\n') for m in odd())
    got = sorted(body(f'{maildir}/new/{name}') for name in os.listdir(f'{maildir}/new'))
    bad = [m for m in wanted if m not in got]
    for m in bad:
        print(f'changed or missing, {len(m)} bytes: {m[:60]!r}')
    sys.exit(wanted != got)


if sys.argv[1] == 'send':
    send(int(sys.argv[2]), sys.argv[3])
else:
    check(sys.argv[2])
