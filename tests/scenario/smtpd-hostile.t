#!/bin/sh
# pneu-smtpd among enemies: clients that go at every point of the dialogue, by hundreds; clients that send a byte now and
# then; clients that send what they like, at length. Nothing may be left behind, no process die by a signal or grow.
. "${PNEU_TOP:-.}/tests/lib.sh"

start() { # SERVICE
	(cd "$PNEU_HOME/service/$1" && exec ./run >>"$PNEU_HOME/log/$1.test" 2>&1 </dev/null) &
	eval "pid_$1=$!"
}

the_log() { cat "$PNEU_HOME/log/in.test"; }
descriptors() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
children() { cat "/proc/$1/task/$1/children" 2>/dev/null | wc -w; }
debris() { find "$PNEU_HOME/queue" "$PNEU_HOME/run" -type f | sort; }

# ---- connections that end at every stage ----

drops() { # CONNECTIONS
	/usr/bin/python3 - "$PORT" "$1" <<'PY'
import socket, struct, sys
port, total = int(sys.argv[1]), int(sys.argv[2])
hello = b'EHLO client.test\r\n'
envelope = hello + b'MAIL FROM:<a@else.test>\r\nRCPT TO:<alice@pneu.test>\r\n'
data = envelope + b'DATA\r\n'
# What is sent, and how many whole replies are awaited before the end.
stages = [
    (b'', 0), (b'', 1), (b'EHL', 1), (b'EHLO client.test\r', 1), (hello, 2), (hello + b'MAIL FROM:<', 2),
    (hello + b'MAIL FROM:<a@else.test>\r\n', 3), (envelope, 4), (envelope + b'RSET\r\n', 5), (data, 5), (data + b'Subject: x', 5),
    (data + b'x\r\n.', 5), (data + b'x\r\n.\r', 5), (data + b'x' * 20000, 5), (envelope + b'BDAT 100\r\nx', 4),
    (envelope + b'BDAT 1\r\nx', 5), (envelope + b'BDAT 1\r\n\r', 5), (envelope + b'BDAT 99999999999\r\nx', 4),
    (b'x' * 3000, 1), (hello + b'QUIT\r\n', 1),
]

def replies(s, wanted):
    got = b''
    while sum(1 for line in got.split(b'\r\n')[:-1] if line[3:4] == b' ') < wanted:
        piece = s.recv(4096)
        if not piece:
            return got
        got += piece
    return got

done = 0
while done < total:
    batch = []
    for i in range(min(40, total - done)):
        s = socket.create_connection(('127.0.0.1', port), timeout=120)
        sent, wanted = stages[(done + i) % len(stages)]
        s.sendall(sent)
        batch.append((s, wanted, (done + i) // len(stages) % 3))
    for s, wanted, how in batch:
        try:
            replies(s, wanted)
        except OSError as e:
            print('not ok a reply within two minutes:', e)
        if how == 1:  # a reset
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        elif how == 2:  # half of it first
            try:
                s.shutdown(socket.SHUT_WR)
            except OSError:  # it was faster
                pass
        s.close()
    done += len(batch)
PY
}

dropping() { # FORKING CONNECTIONS
	many=$2
	test "$PNEU_VARIANT" = static || many=100
	instance_make "$TEST_TMP/pneu$1" alice@pneu.test
	pneu-control set minfree 0
	pneu-control set forking "$1"
	pneu-control set maxconn 1000 # those of the batches before may not be quite gone
	pneu-control set maxconnperip 1000
	start queued
	start in
	wait_for 's6-ipcclient "$PNEU_HOME/run/intake" true 2>/dev/null && listening "$PORT"' || bail "$(the_log)"
	is "$(cat "/proc/$pid_in/comm")" "$(test "$1" = 1 && echo pneu-smtplisten || echo tcpserver)" 'this is the listener'
	drops 40 >"$TEST_TMP/drops" # so that what is made once is there
	wait_for 'test "$(children "$pid_in")" = 0' || note "children: $(children "$pid_in")"
	before=$(descriptors "$pid_in")
	debris >"$TEST_TMP/before"
	drops "$many" >>"$TEST_TMP/drops"
	results "$TEST_TMP/drops"
	ok 'none of their processes is left' wait_for 'test "$(children "$pid_in")" = 0'
	is "$(descriptors "$pid_in")" "$before" 'nor a descriptor in the listener'
	ok 'nothing is left in the queue' wait_for 'debris | cmp -s - "$TEST_TMP/before"'
	is "$(find "$PNEU_HOME/queue/new" -type f | wc -l)" 0 'and no message was accepted'
	is "$(the_log | grep -c 'signal\|status [1-9]' || :)" 0 'the listener tells of no signal and no exit code'
	ok 'the next one is served' swaks --server 127.0.0.1 --port "$PORT" --from a@else.test --to alice@pneu.test \
		--helo client.test
	kill "$pid_in" "$pid_queued"
}

droppings() {
	dropping 1 1000
	dropping 0 200
}

# ---- slow ones, and what a process may weigh ----

alone() {
	PNEU_HOME=$TEST_TMP/alone
	export PNEU_HOME
	rm -rf "$PNEU_HOME"
	mkdir -p "$PNEU_HOME/control/domain/pneu.test" "$PNEU_HOME/users" "$PNEU_HOME/run"
	echo mx.pneu.test >"$PNEU_HOME/control/me"
	echo else.test >"$PNEU_HOME/control/rcpthosts"
	patience=60
	test "$1" != slow || patience=5
	for setting in timeoutsmtpd=$patience mindatarate=1000 maxerrors=0 maxline=0 databytes=0; do
		echo "${setting#*=}" >"$PNEU_HOME/control/${setting%=*}"
	done
	chmod -R a+rX "$PNEU_HOME"
	/usr/bin/python3 - "$PNEU_BIN/pneu-smtpd" "$PNEU_VARIANT" "$1" <<'PY'
import os, random, socket, subprocess, sys, tempfile, threading, time
program, variant, part = sys.argv[1:]
home = os.environ['PNEU_HOME']
limit = 2048  # kB

def queue(path):  # takes every message and forgets it; the protocol is run/intake's
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o777)
    server.listen(50)

    def session(s):
        f = s.makefile('rb')
        def netstring():
            digits = b''
            while True:
                c = f.read(1)
                if not c:
                    raise EOFError
                if c == b':':
                    break
                digits += c
            body = f.read(int(digits) + 1)
            return body[:-1]
        def answer(text):
            s.sendall(b'%d:%s,' % (len(text), text))
        try:
            while True:
                netstring()
                answer(b'K0 2.0.0 go on')
                while netstring():
                    pass
                netstring()
                answer(b'K0 2.0.0 id')
        except (EOFError, OSError, ValueError):
            s.close()

    while True:
        threading.Thread(target=session, args=(server.accept()[0],), daemon=True).start()

class Client:
    def __init__(self):
        self.s, theirs = socket.socketpair()
        self.s.settimeout(120)
        self.log = tempfile.TemporaryFile(dir=home)
        self.p = subprocess.Popen([program], stdin=theirs, stdout=theirs, stderr=self.log)
        theirs.close()
        self.got = b''
    def send(self, data):
        try:
            self.s.sendall(data)
            return True
        except OSError:
            return False
    def until(self, word):
        while word not in self.got:
            piece = self.s.recv(65536)
            if not piece:
                break
            self.got += piece
        found = word in self.got
        self.got = self.got.split(word, 1)[1] if found else b''
        return found
    def memory(self):
        for line in open('/proc/%d/status' % self.p.pid):
            if line.startswith('VmHWM'):
                return int(line.split()[1])
        return 0
    def end(self):
        try:
            self.s.shutdown(socket.SHUT_WR)
            while self.s.recv(65536):
                pass
        except OSError:
            pass
        self.s.close()
        return self.p.wait()
    def reason(self):
        self.log.seek(0)
        return self.log.read()

def check(good, what, note=''):
    print(('ok ' if good else 'not ok ') + what)
    if not good and note:
        print(note)

def drip(c, data, seconds):  # a byte every quarter of a second, until it hangs up
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for byte in data:
            c.s.settimeout(120)
            if not c.send(bytes([byte])):
                return True
            c.s.settimeout(0.25)
            try:
                if not c.s.recv(65536):
                    return True
            except TimeoutError:
                pass
            except OSError:
                return True
    return False

start = b'EHLO c\r\nMAIL FROM:<a@else.test>\r\nRCPT TO:<x@else.test>\r\n'

def slow():
    def dripping(name, before, data, reason):
        c = Client()
        c.until(b'220 ')
        c.send(before)
        if b'DATA' in before:
            c.until(b'354 ')
        cut = drip(c, data, 90)
        results.append((name, reason, cut, c.end(), c.reason()))
    results = []
    threads = [threading.Thread(target=dripping, args=args) for args in (
        ('a command', b'', b'N', b'reason=timeout'),
        ('a line that is too long', b'x' * 3000, b'x', b'reason=timeout'),
        ('a message', start + b'DATA\r\n', b'slowly\r\n', b'reason=slow'),
        ('a chunk', start + b'BDAT 100000\r\n', b'slowly\r\n', b'reason=slow'))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for name, reason, cut, code, told in sorted(results):
        check(cut, 'who drips %s is cut off' % name)
        check(code == 0 and reason in told, 'and that is told', told)

def weight():
    random.seed(1)
    def session(parts):  # how it ended, what it weighed, its log
        c = Client()
        weighed = 0
        for part in parts:
            sender = threading.Thread(target=c.send, args=(part,))
            sender.start()
            c.s.setblocking(False)
            while sender.is_alive():
                weighed = max(weighed, c.memory())
                try:
                    c.s.recv(65536)
                except OSError:
                    sender.join(0.001)
            c.s.settimeout(120)
        weighed = max(weighed, c.memory())
        return c.end(), weighed, c.reason()
    def run(name, *sessions):
        results = [session(parts) for parts in sessions]
        bad = [r for r in results if r[0] != 0]
        check(not bad, '%s: it ends in order' % name, bad)
        if variant != 'asan':
            weighed = max(r[1] for r in results)
            check(0 < weighed < limit, '%s: %d kB are enough' % (name, weighed))
    block = b'y' * 70 + b'\r\n'
    run('a message of 20 MB', [start, b'DATA\r\n'] + [block * 14000] * 20 + [b'.\r\n'])
    run('one line of 20 MB', [start, b'DATA\r\n'] + [b'z' * 1000000] * 20 + [b'\r\n.\r\n'])
    run('a chunk of 20 MB', [start, b'BDAT 20000000 LAST\r\n'] + [b'z' * 1000000] * 20)
    run('a refused chunk of 20 MB', [b'EHLO c\r\nBDAT 20000000 LAST\r\n'] + [b'z' * 1000000] * 20)
    run('200,000 chunks', [start] + [b'BDAT 1\r\nx' * 10000] * 20 + [b'BDAT 0 LAST\r\n'])
    run('a command of 10 MB', [b'x' * 1000000] * 10 + [b'\r\n'])
    run('1000 recipients, long', [b'EHLO c\r\nMAIL FROM:<>\r\n'] +
        [b'RCPT TO:<%s@else.test> ORCPT=rfc822;%s NOTIFY=SUCCESS,FAILURE,DELAY\r\n' % (b'r%04d' % i + b'x' * 200, b'o' * 200)
         for i in range(1000)] + [b'DATA\r\nx\r\n.\r\n'])
    run('100,000 transactions without a message', [b'EHLO c\r\n'] + [b'MAIL FROM:<a@else.test>\r\nRSET\r\n' * 5000] * 20)
    run('200,000 refused commands', [b'nonsense\r\n' * 10000] * 20)
    run('EHLO 20,000 times', [b'EHLO ' + b'h' * 1000 + b'\r\n'] * 100 + [b'EHLO c\r\n' * 2000] * 10)
    run('the header of a loop', [start, b'DATA\r\n', b'Received: x\r\n' * 100000, b'.\r\n'])
    words = [b'EHLO c\r\n', b'MAIL FROM:<>\r\n', b'RCPT TO:<x@else.test>\r\n', b'BDAT 3\r\n', b'BDAT 0 LAST\r\n', b'RSET\r\n',
             b'DATA\r\n', b'.\r\n', b'\r', b'\n', b'\0', b'\xff', b'VRFY x\r\n', b'HELP\r\n', b'LHLO c\r\n', b'a' * 500]
    run('anything', *[[b''.join(random.choice(words) for _ in range(2000)) for _ in range(5)] for _ in range(10)])
    words = words[:8] + words[12:]  # without what ends a session
    run('anything that goes on', *[[b''.join(random.choice(words) for _ in range(2000)) for _ in range(20)] for _ in range(5)])
    run('noise', [random.randbytes(100000) for _ in range(20)])

threading.Thread(target=queue, args=(home + '/run/intake',), daemon=True).start()
{'slow': slow, 'weight': weight}[part]()
PY
}

as_both droppings
for part in slow weight; do
	alone "$part" >"$TEST_TMP/$part" 2>&1 || test_result 1 "$part: $(tail -n 1 "$TEST_TMP/$part")"
	results "$TEST_TMP/$part"
done
done_testing
