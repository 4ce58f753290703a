#!/bin/sh
# pneu-smtpd and pneu-queued, as their services start them, with clients that nobody here wrote. Nothing takes the
# messages out of queue/new: what a client has sent must lie there, byte for byte.
. "${PNEU_TOP:-.}/tests/lib.sh"

count() { find "$PNEU_HOME/queue/new" -type f ! -name '.*' | wc -l; }

take() { # FILE: the only message of the queue, its Received field taken off; the queue is empty then
	for take_file in "$PNEU_HOME"/queue/new/*; do
		/usr/bin/python3 - "$take_file" "$1" <<'PY'
import re, sys
data = open(sys.argv[1], 'rb').read()
body = data[128:]
while body.startswith(b'Received:'):
    body = re.sub(rb'^[^\n]*\n([ \t][^\n]*\n)*', b'', body, count=1)
open(sys.argv[2], 'wb').write(body)
PY
		rm -f "$take_file"
	done
}

holds() { # FILE WANTED: the queue file goes on with the envelope, so the beginning counts
	cmp -n "$(wc -c <"$2")" "$1" "$2"
}

start() { # SERVICE
	(cd "$PNEU_HOME/service/$1" && exec ./run >>"$PNEU_HOME/log/$1.test" 2>&1 </dev/null) &
	eval "pid_$1=$!"
}

the_log() { cat "$PNEU_HOME/log/in.test"; }

python_clients() {
	/usr/bin/python3 - "$PORT" "$TEST_TMP" <<'PY'
import smtplib, sys
port, tmp = int(sys.argv[1]), sys.argv[2]
message = (b'Subject: from python\r\n\r\n.dot\r\n..two\r\n' + bytes(range(128, 256)) + b'\r\n' +
           b'long ' * 3000 + b'\r\n' + b'no end of line')
open(tmp + '/want', 'wb').write((message + b'\r\n').replace(b'\r\n', b'\n'))

def check(condition, what):
    print(('ok ' if condition else 'not ok ') + what)

with smtplib.SMTP('127.0.0.1', port, 'client.test') as s:
    refused = s.sendmail('a@else.test', ['alice@pneu.test', 'nobody@pneu.test', 'x@far.test'], message,
                         mail_options=['BODY=8BITMIME'])
    check(sorted(refused) == ['nobody@pneu.test', 'x@far.test'] and refused['x@far.test'][0] == 550,
          'smtplib: two of three recipients are refused')
    check(s.esmtp_features.get('size') and s.has_extn('pipelining') and s.has_extn('enhancedstatuscodes'),
          'smtplib: extensions')
    check(s.verify('alice')[0] == 252 and s.noop()[0] == 250 and s.help().startswith(b'2.0.0'), 'smtplib: VRFY, NOOP, HELP')
    try:
        s.sendmail('a@else.test', ['x@far.test'], message)
        check(False, 'smtplib: everything refused')
    except smtplib.SMTPRecipientsRefused:
        check(True, 'smtplib: everything refused')
PY
}

on_a_socketpair() {
	/usr/bin/python3 - "$TEST_TMP" <<'PY'
import smtplib, socket, subprocess, sys
tmp = sys.argv[1]
class Pair(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        ours, theirs = socket.socketpair()
        self.child = subprocess.Popen(['pneu-smtpd'], stdin=theirs, stdout=theirs, stderr=open(tmp + '/pair.log', 'ab'))
        theirs.close()
        return ours
s = Pair('nowhere', 25, 'client.test')
s.sendmail('a@else.test', ['alice@pneu.test'], open(tmp + '/want', 'rb').read().replace(b'\n', b'\r\n'))
s.quit()
sys.exit(s.child.wait())
PY
}

clients() {
	instance_make "$TEST_TMP/pneu" alice@pneu.test
	start queued
	start in
	wait_for 's6-ipcclient "$PNEU_HOME/run/intake" true 2>/dev/null && listening "$PORT"' || bail "$(the_log)"

	# swaks
	printf 'Subject: swaks\n\n.dots\n.\n..\nend\n' >"$TEST_TMP/want"
	ok 'swaks' swaks --server 127.0.0.1 --port "$PORT" --from a@else.test --to alice@pneu.test --helo client.test \
		--data "$(sed 's/$/\\n/' "$TEST_TMP/want" | tr -d '\n')"
	is "$(count)" 1 'its message is in the queue'
	take "$TEST_TMP/got"
	ok 'its dots are there' holds "$TEST_TMP/got" "$TEST_TMP/want"
	ok 'swaks with pipelining' swaks --server 127.0.0.1 --port "$PORT" --pipeline --from a@else.test \
		--to alice@pneu.test,alice@pneu.test --helo client.test
	ok 'swaks with HELO' swaks --server 127.0.0.1 --port "$PORT" --protocol SMTP --from '<>' --to alice@pneu.test
	code 24 'swaks is told of a foreign recipient' swaks --server 127.0.0.1 --port "$PORT" --from a@else.test --to x@far.test
	like "$(cat "$TEST_TMP/.out")" '550 5\.7\.1' 'with 550 5.7.1'
	code 24 'and of an unknown one' swaks --server 127.0.0.1 --port "$PORT" --from a@else.test --to bob@pneu.test
	like "$(cat "$TEST_TMP/.out")" '550 5\.1\.1' 'with 550 5.1.1'
	is "$(count)" 2 'the two others are in the queue'
	take "$TEST_TMP/got"

	# Postfix's smtp-source
	ok 'smtp-source, a connection a message' smtp-source -c -s 5 -m 100 -l 4096 -f a@else.test -t alice@pneu.test \
		"127.0.0.1:$PORT"
	is "$(count)" 100 '100 messages'
	ok 'smtp-source, one connection' smtp-source -d -s 1 -m 50 -l 1000 -f a@else.test -t alice@pneu.test "127.0.0.1:$PORT"
	is "$(count)" 150 '50 more'
	find "$PNEU_HOME/queue/new" -type f -exec rm {} +

	# curl
	printf 'Subject: curl\r\n\r\n.x\r\n\r\n.\r\nlast\r\n' >"$TEST_TMP/mail"
	tr -d '\r' <"$TEST_TMP/mail" >"$TEST_TMP/want"
	ok 'curl' curl -sS --url "smtp://127.0.0.1:$PORT/client.test" --mail-from a@else.test --mail-rcpt alice@pneu.test \
		--upload-file "$TEST_TMP/mail"
	take "$TEST_TMP/got"
	ok 'its message is whole' holds "$TEST_TMP/got" "$TEST_TMP/want"
	head -c 7000000 /dev/urandom | base64 -w 76 | sed 's/$/\r/' >"$TEST_TMP/mail"
	tr -d '\r' <"$TEST_TMP/mail" >"$TEST_TMP/want"
	ok 'curl, 10 MB' curl -sS --url "smtp://127.0.0.1:$PORT/client.test" --mail-from a@else.test \
		--mail-rcpt alice@pneu.test --upload-file "$TEST_TMP/mail"
	take "$TEST_TMP/got"
	ok 'all of it' holds "$TEST_TMP/got" "$TEST_TMP/want"

	# msmtp
	printf 'From: a@else.test\nTo: alice@pneu.test\nSubject: msmtp\n\n.\n..\nK\303\244se\nend\n' >"$TEST_TMP/want"
	ok 'msmtp' sh -c 'msmtp --host=127.0.0.1 --port="$1" --domain=client.test --from=a@else.test -- alice@pneu.test <"$2"' \
		sh "$PORT" "$TEST_TMP/want"
	take "$TEST_TMP/got"
	like "$(sed 1,1d "$TEST_TMP/got" | head -n 20)" 'Käse' 'its 8-bit text'
	code 65 'msmtp is told of an unknown recipient' sh -c \
		'msmtp --host=127.0.0.1 --port="$1" --from=a@else.test -- bob@pneu.test <"$2"' sh "$PORT" "$TEST_TMP/want"

	# python's smtplib, over TCP and over a bare socketpair
	python_clients >"$TEST_TMP/python" 2>&1 || test_result 1 "smtplib: $(tail -n 1 "$TEST_TMP/python")"
	results "$TEST_TMP/python"
	take "$TEST_TMP/got"
	ok 'smtplib: 8-bit bytes, a line of 15,000, dots' holds "$TEST_TMP/got" "$TEST_TMP/want"
	on_a_socketpair >"$TEST_TMP/pair" 2>&1
	is "$?" 0 'smtplib on a socketpair'
	take "$TEST_TMP/got"
	ok 'the same message' holds "$TEST_TMP/got" "$TEST_TMP/want"
	like "$(cat "$TEST_TMP/pair.log")" 'accepted client=unknown ' 'whose client has no address'

	# two pipes and no client at all
	printf '%s\r\n' 'EHLO client.test' 'MAIL FROM:<>' 'RCPT TO:<alice@pneu.test>' DATA 'Subject: hello' '' hello . QUIT >"$TEST_TMP/in"
	ok 'on pipes' sh -c 'cat "$1" | pneu-smtpd 2>/dev/null | grep "^221 "' sh "$TEST_TMP/in"
	is "$(count)" 1 'its message'
	ok 'on files' sh -c 'pneu-smtpd <"$1" 2>/dev/null >"$2" && grep "^221 " "$2"' sh "$TEST_TMP/in" "$TEST_TMP/out"
	is "$(count)" 2 'its message'
	code 100 'an argument is wrong usage' pneu-smtpd x </dev/null

	# a Unix socket
	s6-ipcserver "$TEST_TMP/socket" pneu-smtpd 2>>"$TEST_TMP/ipc.log" &
	pid_ipc=$!
	wait_for 's6-ipcclient "$TEST_TMP/socket" true 2>/dev/null'
	ok 'swaks over a Unix socket' swaks --socket "$TEST_TMP/socket" --from a@else.test --to alice@pneu.test --helo client.test
	kill "$pid_ipc"
	like "$(cat "$TEST_TMP/ipc.log")" 'accepted client=unknown' 'no address there'

	like "$(the_log)" 'accepted client=127\.0\.0\.1 server=in helo=client\.test from=a@else\.test to=alice@pneu\.test recipients=1 size=[0-9]+ id=[0-9a-f]{28}$' \
		'one line of the log a message'
	is "$(the_log | grep -c ' accepted ')" "$(the_log | grep ' accepted ' | sort -u | wc -l)" 'each has its id'
	is "$(the_log | grep -vcE '^(pneu-smtpd: |tcpserver: )')" 0 'nothing else in the log'
	# The intake away and back: the sender is told to come again, and can.
	kill "$pid_queued"
	wait "$pid_queued" 2>/dev/null
	code 25 'without the queue: not now' swaks --server 127.0.0.1 --port "$PORT" --from a@else.test --to alice@pneu.test
	like "$(cat "$TEST_TMP/.out")" '451 4\.3\.0' 'with 451 4.3.0'
	rm -f "$PNEU_HOME/run/intake"
	start queued
	wait_for 's6-ipcclient "$PNEU_HOME/run/intake" true 2>/dev/null'
	ok 'and back' swaks --server 127.0.0.1 --port "$PORT" --from a@else.test --to alice@pneu.test
	kill "$pid_in" "$pid_queued"
}

as_both clients
done_testing
