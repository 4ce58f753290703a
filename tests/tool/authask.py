#!/usr/bin/python3
"""Asks pneu-authd (lib/auth.h): authask.py SOCKET MECHANISM LOGIN PASSWORD [key=value...]

Prints the answer: its class, then login, name, rights and reason. The keys: service, client, listener, tls, authzid; and
to do wrong on purpose: nonce, binding, said (the server's first message as it shall be claimed), gs2."""

import base64, hashlib, hmac, os, socket, sys


def netstring(b):
    return b'%d:%s,' % (len(b), b)


def take(b):
    length, rest = b.split(b':', 1)
    n = int(length)
    assert rest[n:n + 1] == b','
    return rest[:n], rest[n + 1:]


def ask(path, mechanism, said, options):
    parts = [mechanism] + [options.get(k, d) for k, d in (('service', b'smtp'), ('client', b'192.0.2.1'), ('listener', b''), ('tls', b''))]
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    got = b''
    try:
        s.sendall(netstring(b''.join(netstring(p) for p in parts + said)))
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except (BrokenPipeError, ConnectionResetError):
        pass
    if not got:
        return [b'nothing', b'', b'', b'', b'', b'']
    inner, rest = take(got)
    assert not rest
    answer = []
    while inner:
        part, inner = take(inner)
        answer.append(part)
    assert len(answer) == 6, answer
    return answer


def scram(path, login, password, options):
    gs2 = options.get('gs2', b'n,,')
    nonce = base64.b64encode(os.urandom(12))
    bare = b'n=' + login.replace(b'=', b'=3D').replace(b',', b'=2C') + b',r=' + nonce
    first = gs2 + bare
    answer = ask(path, b'SCRAM-SHA-256', [first], options)
    if answer[0] != b'C':
        return answer
    server = options.get('said', answer[1])
    fields = dict(f.split(b'=', 1) for f in server.split(b','))
    print('salt', fields[b's'].decode(), 'rounds', fields[b'i'].decode())
    assert fields[b'r'].startswith(nonce) and len(fields[b'r']) > len(nonce) + 16
    final = b'c=' + options.get('binding', base64.b64encode(gs2)) + b',r=' + options.get('nonce', fields[b'r'])
    salted = hashlib.pbkdf2_hmac('sha256', password, base64.b64decode(fields[b's']), int(fields[b'i']))
    key = hmac.new(salted, b'Client Key', 'sha256').digest()
    text = bare + b',' + server + b',' + final
    signature = hmac.new(hashlib.sha256(key).digest(), text, 'sha256').digest()
    proof = bytes(a ^ b for a, b in zip(key, signature))
    answer = ask(path, b'SCRAM-SHA-256', [first, server, final + b',p=' + base64.b64encode(proof)], options)
    if answer[0] == b'K':
        server_key = hmac.new(salted, b'Server Key', 'sha256').digest()
        assert answer[1] == b'v=' + base64.b64encode(hmac.new(server_key, text, 'sha256').digest()), 'the server proves nothing'
    return answer


def cram(path, login, password, options):
    answer = ask(path, b'CRAM-MD5', [], options)
    if answer[0] != b'C':
        return answer
    digest = hmac.new(password, answer[1], 'md5').hexdigest().encode()
    print('challenge', answer[1].decode())
    return ask(path, b'CRAM-MD5', [b'', answer[1], login + b' ' + digest], options)


path, mechanism = sys.argv[1:3]
login, password = (os.fsencode(a) for a in sys.argv[3:5])
options = {k: os.fsencode(v) for k, v in (a.split('=', 1) for a in sys.argv[5:])}
if mechanism == 'PLAIN':
    answer = ask(path, b'PLAIN', [options.get('authzid', b'') + b'\0' + login + b'\0' + password], options)
elif mechanism == 'LOGIN':
    answer = ask(path, b'LOGIN', [login, b'Password:', password], options)
elif mechanism == 'SCRAM':
    answer = scram(path, login, password, options)
elif mechanism == 'CRAM':
    answer = cram(path, login, password, options)
else:
    answer = ask(path, mechanism.encode(), [login], options)
print(' '.join(a.decode(errors='backslashreplace') or '-' for a in [answer[0]] + answer[2:]))
