#!/bin/sh
# pneu-bind and pneu-smtplisten: connections that a forked child serves.
. "${PNEU_TOP:-.}/tests/lib.sh"

is "$(pneu-bind 127.0.0.1 65536 true 2>&1; echo $?)" "pneu-bind: fatal: not an address and a port: 127.0.0.1 65536
100" "a port that is none"
code 100 "an address that is none" pneu-bind localhost 0 true
code 0 "a free port" pneu-bind 127.0.0.1 0 true
code 0 "of IPv6" pneu-bind ::1 0 true
code 100 "no program" pneu-bind 127.0.0.1 0

listen_start() {
	PORT=$(free_port)
	PNEU_SERVER=in pneu-bind 127.0.0.1 "$PORT" pneu-smtplisten </dev/null 2>>"$TEST_TMP/log" &
	LISTEN=$!
	wait_for "listening $PORT" || bail "nobody listens"
}

children() { pgrep -c -P "$LISTEN"; }

instance_make "$TEST_TMP/pneu" alice@pneu.test
cd "$PNEU_HOME" || exit 111
(cd service/queued && exec ./run >>"$TEST_TMP/queued.log" 2>&1 </dev/null) &
QUEUED=$!
wait_for "s6-ipcclient run/intake true 2>/dev/null" || bail "no intake"
echo 3 >control/maxconnperip
listen_start

ok "swaks sends a message" swaks -s "127.0.0.1:$PORT" -f a@else.test -t alice@pneu.test --silent 3
ok "and another" swaks -s "127.0.0.1:$PORT" -f a@else.test -t alice@pneu.test --silent 3
is "$(find queue/new -type f | wc -l)" 2 "both are queued"
like "$(head -c 400 "$(find queue/new -type f | head -n 1)")" "Received: from .*\(\[?127.0.0.1\]?\)" "and know the client"
ok "no child is left" wait_for "test \"\$(children)\" = 0"

cat >"$TEST_TMP/many.py" <<'PY'
import socket, sys, os, signal
port, pid = int(sys.argv[1]), int(sys.argv[2])
def client():
    s = socket.create_connection(('127.0.0.1', port), 30)
    s.settimeout(60)
    return s, s.makefile('rb').readline().decode()
three = [client() for _ in range(3)]
print(sum(greeting.startswith('220') for _, greeting in three), client()[1][:9])
os.kill(pid, getattr(signal, sys.argv[3]))
try:
    while True: # it may take one or two more before it hears of its end
        client()
except OSError:
    pass
three[0][0].sendall(b'QUIT\r\n')
print(three[0][0].makefile('rb').read().decode()[:3])
PY
is "$(/usr/bin/python3 "$TEST_TMP/many.py" "$PORT" "$LISTEN" SIGTERM)" "3 421 4.7.0
221" "the fourth of an address is turned away; TERM lets sessions go on"
wait "$LISTEN"
is $? 0 "and ends the listener"
listen_start
is "$(/usr/bin/python3 "$TEST_TMP/many.py" "$PORT" "$LISTEN" SIGQUIT 2>/dev/null)" "3 421 4.7.0" "QUIT ends them"
wait "$LISTEN"
is $? 0 "with the listener"
like "$(cat "$TEST_TMP/log")" "turned-away client=127.0.0.1 reason=connections" "the log says so"

listen_start
descriptors() { find "/proc/$LISTEN/fd" -type l | wc -l; }
swaks -s "127.0.0.1:$PORT" --quit-after EHLO --silent 3 # so that what is made once is there
wait_for "test \"\$(children)\" = 0"
before=$(descriptors)
/usr/bin/python3 - "$PORT" <<'PY'
import socket, sys
for i in range(300):
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30)
    if i % 3:
        s.sendall(b'EHLO x\r\nMAIL FROM:<>\r\n'[:i % 24])
    s.close()
PY
ok "it goes on" wait_for "swaks -s 127.0.0.1:$PORT --quit-after EHLO --silent 3" # behind them all
ok "of 300 connections that were dropped nothing is left" wait_for "test \"\$(children)\" = 0"
ok "and no descriptor" wait_for "test \"\$(descriptors)\" = $before"
ok "it takes mail" swaks -s "127.0.0.1:$PORT" -f a@else.test -t alice@pneu.test --silent 3

# Twenty sessions, one after another: does one of them need no new process? Each is over before the next begins, and says these lines.
cat >"$TEST_TMP/again.py" <<'PY'
import socket, sys
port, listener, sources, lines = int(sys.argv[1]), sys.argv[2], sys.argv[3].split(), [l.encode() + b'\r\n' for l in sys.argv[4:]]
seen, said = [], set()
for n in range(20):
    s = socket.create_connection(('127.0.0.1', port), 30, (sources[n % len(sources)], 0))
    s.settimeout(60)
    f = s.makefile('rwb')
    heard = [f.readline()]
    seen.append(set(open(f'/proc/{listener}/task/{listener}/children').read().split()))
    for line in lines:
        f.write(line)
        f.flush()
        heard.append(f.readline())
        while heard[-1][3:4] == b'-':
            heard[-1] = f.readline()
    if lines and lines[-1][:4] == b'QUIT':
        heard.append(f.read())
    f.close()
    s.close()
    said.add(b' '.join(h[:3] for h in heard).decode().strip())
print('one' if any(seen[i] <= seen[i - 1] for i in range(1, 20)) else 'each', *sorted(said))
PY
again() { /usr/bin/python3 "$TEST_TMP/again.py" "$PORT" "$LISTEN" "$@"; }
is "$(again 127.0.0.1 'EHLO x' QUIT)" "one 220 250 221" "a process serves polite clients of one address, one after another"
is "$(again "$(seq -f 127.0.0.%g 20)" 'EHLO x' QUIT)" "each 220 250 221" "not those of different addresses"
is "$(again 127.0.0.1 'EHLO x' 'RCPT TO:<a@b>' QUIT)" "each 220 250 503 221" "nor after an error"
is "$(again 127.0.0.1 'EHLO x')" "each 220 250" "nor after one who hung up"
is "$(again 127.0.0.1 'HELO x' 'MAIL FROM:<a@else.test>' 'RCPT TO:<alice@pneu.test>' QUIT)" "one 220 250 250 250 221" "of a session"
is "$(again 127.0.0.1 RSET QUIT)" "one 220 250 221" "the next one"
is "$(again 127.0.0.1 DATA QUIT)" "each 220 503 221" "knows nothing"
echo 1 >control/connperchild
wait_for "again 127.0.0.1 QUIT | grep -q ^each"
is "$(again 127.0.0.1 'EHLO x' QUIT)" "each 220 250 221" "connperchild 1: each has its own"
echo 3 >control/connperchild
ok "3: some share one" wait_for "again 127.0.0.1 QUIT | grep -q ^one"
rm control/connperchild

# A kept way into the queue is not one past a filter that came meanwhile.
cat >"$TEST_TMP/filtered.py" <<'PY'
import os, socket, sys
def message(f):
    for line in (b'MAIL FROM:<a@else.test>', b'RCPT TO:<alice@pneu.test>', b'DATA', b'Subject: x\r\n\r\nx\r\n.'):
        f.write(line + b'\r\n')
        f.flush()
        reply = f.readline().decode()
        if reply[0] > '3':
            f.write(b'RSET\r\n')
            f.flush()
            f.readline()
            break
    return reply[:3]
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30)
s.settimeout(60)
f = s.makefile('rwb')
f.readline()
f.write(b'HELO x\r\n')
f.flush()
f.readline()
before = message(f)
with open('control/filter.tmp', 'w') as c:
    c.write('/bin/false\n')
os.rename('control/filter.tmp', 'control/filter')
during = message(f)
os.unlink('control/filter')
print(before, during, message(f))
PY
is "$(/usr/bin/python3 "$TEST_TMP/filtered.py" "$PORT")" "250 451 250" "a filter counts from the next message on, also of a client that is here already" # nobody serves run/filter
mkdir -p control/access/ip4/0.0.0.0_0
echo not today >control/access/ip4/0.0.0.0_0/deny
ok "rules that came let nobody past them" wait_for "swaks -s 127.0.0.1:$PORT --quit-after EHLO 2>&1 | grep -q '421 4.3.2'" # it looks once a second
wait "$LISTEN"
is $? 0 "and the listener ends, for another that asks them"
listen_start
ok "one that was begun beside rules does not" swaks -s "127.0.0.1:$PORT" -f a@else.test -t alice@pneu.test --silent 3
kill "$LISTEN" "$QUEUED"
wait "$LISTEN" "$QUEUED"
done_testing
