#!/bin/sh
# run/intake against clients that mean no good, limits, ends in the middle of a message, and a full disk.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"

cat >"$TEST_TMP/client.py" <<'EOF'
"""client.py SOCKET WORD: one client; prints what the server said."""
import os, socket, sys, time

def net(b):
    return b'%d:%s,' % (len(b), b)

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(sys.argv[1])
    return s

def rest(s):
    got = b''
    try:
        while True:
            piece = s.recv(10000)
            if not piece:
                return got + b' END'
            got += piece
    except socket.timeout:
        return got + b' TIMEOUT'
    except ConnectionError:
        return got + b' RESET'

def send(s, b):
    try:
        s.sendall(b)
    except OSError:
        pass
    return s

ENVELOPE = net(net(b'from=a@b') + net(b'to=c@d'))
WHOLE = net(b'') + net(b'Subject: x\n\nbody\n') + net(b'') + ENVELOPE

def say(text):
    print(text.decode('latin-1'))

def bad(b):
    say(rest(send(connect(), b)))

def chunks():
    s = connect()
    for c in WHOLE:
        s.sendall(bytes([c]))
    s.shutdown(socket.SHUT_WR)
    say(rest(s))

def many(n):
    s = send(connect(), WHOLE * n)
    s.shutdown(socket.SHUT_WR)
    say(b'%d' % rest(s).count(b':K0 2.0.0 '))

def token():
    s = connect()
    for t in (b'one', b'one', b'two'):
        s.sendall(net(net(b'token=' + t)) + net(b'Subject: x\n') + net(b'') + ENVELOPE)
        say(s.recv(1000))

def ask(size):
    s = send(connect(), net(net(b'ask=1') + net(b'size=' + size)))
    got = s.recv(1000)
    if got[-1:] == b',' and b'K0 ' in got:
        send(s, net(b'Subject: x\n') + net(b'') + ENVELOPE)
        got += s.recv(1000)
    say(got)

def hold(n):
    """Opens n sessions, says how many were let in, waits for its end."""
    sessions = [connect() for i in range(n)]
    for s in sessions:
        s.setblocking(False)
    time.sleep(0)
    refused = 0
    end = time.time() + 60
    want = int(sys.argv[4])
    while time.time() < end and refused < want:
        refused = 0
        for s in sessions:
            try:
                if b'Z71 ' in s.recv(1000, socket.MSG_PEEK):
                    refused += 1
            except BlockingIOError:
                pass
        time.sleep(0.01)
    say(b'%d refused' % refused)

def half():
    """Half a message; then 'half' and our pid are printed, and the rest follows when a line comes in."""
    s = send(connect(), net(b'') + net(b'Subject: x\n'))
    print('half', os.getpid(), flush=True)
    sys.stdin.readline()
    send(s, net(b'body\n') + net(b'') + ENVELOPE)
    say(rest(s) if len(sys.argv) < 4 else s.recv(1000))

words = {
    'chunks': chunks, 'token': token, 'half': half,
    'many': lambda: many(int(sys.argv[3])), 'ask': lambda: ask(sys.argv[3].encode()), 'hold': lambda: hold(int(sys.argv[3])),
    'garbage': lambda: bad(b'EHLO hello\r\n'),
    'long': lambda: bad(b'99999999999:'),
    'zero': lambda: bad(b'01:x,'),
    'comma': lambda: bad(b'0:;'),
    'chunk': lambda: bad(net(b'') + b'65537:'),
    'envelope': lambda: bad(b'67108865:'),
    'record': lambda: bad(net(b'garbage')),
    'name': lambda: bad(net(net(b'FROM=x'))),
    'newline': lambda: bad(net(net(b'from=x\ny'))),
    'twosenders': lambda: many_records([b'from=a', b'from=b', b'to=c']),
    'nosender': lambda: many_records([b'to=c']),
    'orphan': lambda: many_records([b'from=a', b'notify=NEVER', b'to=c']),
    'toolong': lambda: many_records([b'from=a', b'to=' + b'x' * 1001]),
    'control': lambda: many_records([b'from=a', b'to=\x7f']),
    'latetoken': lambda: many_records([b'from=a', b'token=x', b'to=c']),
    'forged': lambda: many_records([b'from=a', b'login=root', b'client=1.2.3.4', b'uid=0', b'time=1', b'home=/root', b'xyz=kept', b'to=c']),
    'random': lambda: bad(os.urandom(100000)),
}

def many_records(records):
    s = send(connect(), net(b'') + net(b'Subject: x\n') + net(b'') + net(b''.join(net(r) for r in records)))
    s.shutdown(socket.SHUT_WR)
    say(rest(s))

words[sys.argv[2]]()
EOF

client() { as_uid 60009 /usr/bin/python3 "$TEST_TMP/client.py" "$PNEU_HOME/run/intake" "$@"; }

session_of() { # the process of the only session
	tr -d ' ' <"/proc/$INTAKE/task/$INTAKE/children"
}

in_message() { # the session waits for more of it: SIGTERM is blocked then, as it is not between two messages
	grep -q half out && awk '/^State:/ { waits = $2 == "S" } /^SigBlk:/ { blocks = $2 !~ /^0*$/ } END { exit !(waits && blocks) }' \
		"/proc/$(session_of)/status" 2>/dev/null
}

begin_half() { # [x]: a client in the midst of a message; it goes on when a line is written to descriptor 7
	: >out
	client half "$@" <go >out 2>&1 &
	pid=$!
	exec 7>go
	wait_for in_message
}

hostile() {
	bare_instance "$TEST_TMP/home"
	echo 10 >"$PNEU_HOME/control/intakesessions"
	echo 4 >"$PNEU_HOME/control/intakeperuid"
	intake_start
	cd "$TEST_TMP" || exit 111
	for word in garbage long zero comma chunk envelope record name newline random; do
		like "$(client $word)" 'Z91 4\.5\.2 .*, (END|RESET)$' "$word: a temporary answer, then the end"
	done
	for word in twosenders nosender orphan; do
		like "$(client $word)" 'Z91 4\.5\.2 .*, END$' "envelope refused: $word"
	done
	like "$(client toolong)" 'D11 5\.1\.3 ' "an address too long"
	like "$(client control)" 'D31 5\.1\.3 ' "a control character in an address"
	like "$(client latetoken)" 'Z91 4\.5\.2 ' "a token behind the message"
	is "$(queued)" 0 "nothing of that was queued"
	like "$(client forged)" 'K0 2\.0\.0 [0-9a-f]{28},' "records that are not a client's to give are dropped"
	records=$(tr '\0\n' '  ' <"$(newest)")
	like "$records" ',8:xyz=kept,' "unknown ones are kept"
	case $records in
	*time=1,* | *home=*) false ;;
	*) true ;;
	esac
	is "$?" 0 "time and a job's records are not believed"
	if test -n "$TEST_ROOT"; then
		case $records in
		*login=* | *client=* | *uid=0,*) false ;;
		*) true ;;
		esac
		is "$?" 0 "neither are login, client and uid"
	fi
	rm -f "$PNEU_HOME"/queue/new/*
	like "$(client chunks)" 'K0 2\.0\.0 [0-9a-f]{28}, END$' "a byte at a time"
	is "$(client many 50)" 50 "50 messages at once in one session"
	is "$(queued)" 51 "all are there"
	rm -f "$PNEU_HOME"/queue/new/*
	client token >out
	is "$(grep -c 'K0 2.0.0 t' out)" 3 "tokens make IDs that begin with t"
	is "$(queued)" 2 "the same token is one message"
	for place in wait hold; do
		rm -f "$PNEU_HOME"/queue/new/*
		client token >out
		for f in "$PNEU_HOME"/queue/new/*; do
			name=${f##*/}
			to=$PNEU_HOME/queue/hold
			test $place = hold || to=$PNEU_HOME/queue/wait/${name#??????????????????????????}
			mv "$f" "$to/"
		done
		client token >out
		is "$(grep -c 'K0 2.0.0 t' out)" 3 "a token in $place is known"
		is "$(queued)" 0 "and not queued again"
		find "$PNEU_HOME/queue/$place" -type f -exec rm {} +
	done
	like "$(client ask 100)" '^[0-9]+:K0 2\.0\.0 go on,.*K0 2.0.0 [0-9a-f]{28},$' "ask: go on"
	like "$(client ask 60000000)" '^[0-9]+:D31 5\.3\.4 ' "ask: larger than databytes"
	like "$(client ask 18446744073709551615)" '^[0-9]+:D31 5\.3\.4 ' "ask: far larger"
	echo 0 >"$PNEU_HOME/control/databytes"
	wait_for 'case $(client ask 60000000) in *"go on"*) true ;; *) false ;; esac'
	is "$?" 0 "databytes 0 is no limit, without a restart"
	like "$(client ask 18446744073709551615)" '^[0-9]+:Z53 4\.3\.1 ' "ask: larger than the disk"
	rm -f "$PNEU_HOME/control/databytes" "$PNEU_HOME"/queue/new/*

	# limits
	wait_for 'test -z "$(session_of)"'
	if test -n "$TEST_ROOT"; then
		is "$(client hold 6 2)" "2 refused" "intakeperuid"
	else
		is "$(client hold 12 2)" "2 refused" "intakesessions"
	fi
	wait_for 'test -z "$(session_of)"'
	is "$?" 0 "the slots are free again"

	# ends in the middle
	mkfifo go
	begin_half
	kill -9 "$(session_of)"
	echo >&7
	wait $pid
	like "$(cat out)" '(END|RESET)$' "the session's process is killed: no answer"
	is "$(queued)" 0 "nothing is queued"
	wait_for 'grep -q "died uid=.* signal=9" "$PNEU_HOME/log"'
	is "$?" 0 "it is logged"
	exec 7>&-
	begin_half
	kill -9 "$(sed -n 's/^half //p' out)"
	wait $pid 2>/dev/null
	wait_for 'test -z "$(session_of)"'
	is "$(queued)" 0 "the client is killed: nothing is queued"
	exec 7>&-
	begin_half
	kill -TERM "$INTAKE"
	wait_for '! as_uid 60009 sh -c "pneu-queue </dev/null 1</dev/null 2>/dev/null; test \$? != 73"'
	echo >&7
	wait $pid
	like "$(cat out)" 'K0 2\.0\.0 ' "SIGTERM: a session that is in a message finishes it"
	wait "$INTAKE"
	is "$?" 0 "then the daemon ends"
	is "$(queued)" 1 "the message is queued"
	exec 7>&-
	rm -f "$PNEU_HOME"/queue/new/*
	intake_start
	begin_half x
	kill -9 "$INTAKE"
	wait "$INTAKE" 2>/dev/null
	echo >&7
	wait $pid
	like "$(cat out)" 'K0 2\.0\.0 ' "the daemon is killed: its session goes on"
	is "$(queued)" 1 "the message is queued"
	exec 7>&-
	rm -f "$PNEU_HOME"/queue/new/* go
	intake_start
	is "$(client many 3)" 3 "the next start takes messages"
	daemon_stop "$INTAKE"
}

full_disk() { # a disk of 1 MiB
	PNEU_HOME=$TEST_TMP/small
	mkdir -p "$PNEU_HOME/queue"
	mount -t tmpfs -o size=1m,nr_inodes=400 small "$PNEU_HOME/queue" || {
		skip 11 "cannot mount"
		return
	}
	trap 'small_code=$?; umount -l "$TEST_TMP/small/queue" 2>/dev/null; (exit $small_code); test_cleanup' EXIT
	bare_instance "$PNEU_HOME"
	echo 0 >"$PNEU_HOME/control/minfree"
	echo 0 >"$PNEU_HOME/control/minfreeinodes"
	intake_start
	cd "$TEST_TMP" || exit 111
	printf 'Fa@b\0Tc@d\0\0' >e
	head -c 300000 /dev/urandom >m
	accepted=0
	while cat m | as_uid 60001 pneu-queue 1<e 2>err; do accepted=$((accepted + 1)); done
	cat m | as_uid 60001 pneu-queue 1<e 2>err
	is "$?" 53 "exit 53: the disk is full"
	like "$(cat err)" '4\.3\.1 ' "a temporary answer"
	is "$(queued)" "$accepted" "no half message stays"
	as_uid 60001 pneu-queue <m 1<e 2>err
	is "$?" 53 "announced, it is refused before it is sent"
	is "$(pneu-list -c | grep -c ' new .* 0/1 <a@b>')" "$accepted" "those that were accepted are whole"
	rm -f "$PNEU_HOME"/queue/new/*
	as_uid 60001 pneu-queue <m 1<e 2>err
	is "$?" 0 "there is room again: accepted"
	rm -f "$PNEU_HOME"/queue/new/*
	printf x >one
	accepted=0
	while as_uid 60001 pneu-queue <one 1<e 2>err; do accepted=$((accepted + 1)); done
	as_uid 60001 pneu-queue <one 1<e 2>err
	is "$?" 53 "exit 53: no inodes"
	is "$(queued)" "$accepted" "as many files as were accepted"
	echo 600000 >"$PNEU_HOME/control/minfree"
	rm -f "$PNEU_HOME"/queue/new/*
	wait_for '! { rm -f "$PNEU_HOME"/queue/new/*; as_uid 60001 pneu-queue <m 1<e && as_uid 60001 pneu-queue <m 1<e; } 2>err'
	rm -f "$PNEU_HOME"/queue/new/*
	as_uid 60001 pneu-queue <m 1<e
	is "$?" 0 "above minfree: accepted"
	as_uid 60001 pneu-queue <m 1<e 2>err
	is "$?" 53 "minfree keeps the rest free"
	is "$(queued)" 1 "nothing of it stays"
	daemon_stop "$INTAKE"
	umount "$PNEU_HOME/queue"
}

as_both hostile
test -z "$TEST_ROOT" || full_disk
done_testing
