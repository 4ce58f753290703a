#!/bin/sh
# pneu-queue keeps qmail-queue's contract: two descriptors in, an exit code out, and the message byte for byte.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"

contract() {
	bare_instance "$TEST_TMP/home"
	intake_start
	cd "$TEST_TMP" || exit 111
	printf 'Subject: x\n\nbody\n' >m
	printf 'Fa@b\0Tc@d\0Te@f\0\0' >e
	sender=60009
	as_uid $sender pneu-queue <m 1<e
	is "$?" 0 "a message is queued"
	is "$(queued)" 1 "there is one file"
	file=$(newest)
	like "$(basename "$file")" '^[0-9a-f]{28}$' "its name is an ID"
	is "$(stat -c %a "$file")" 600 "nobody else reads it"
	if test -n "$TEST_ROOT"; then
		like "$(message_of "$file" | head -n 1)" "^Received: \(pneu [0-9a-f]{28} invoked by uid $sender\); ..., .* \+0000$" \
			"who brought it stands in the message"
	else
		message_of "$file" | cmp -s - m
		is "$?" 0 "the own uid is trusted: nothing is added"
	fi
	like "$(tr '\0\n' '  ' <"$file")" ',6:to=c@d,6:to=e@f,TT$' "recipients and their status stand in it"
	wait_for 'grep -q "queued id=" "$PNEU_HOME/log"'
	like "$(cat "$PNEU_HOME/log")" "pneu-queued: queued id=$(basename "$file") uid=[0-9]+ bytes=[0-9]+ from=a@b recipients=2" "a log line"

	# bytes
	: >empty
	printf 'x' >one
	printf 'no newline at the end' >nonl
	printf '.\n..\n\r\n\000\377\200 nul and high\n' >odd
	head -c 65535 /dev/urandom >r65535
	head -c 65536 /dev/urandom >r65536
	head -c 65537 /dev/urandom >r65537
	head -c 10000000 /dev/urandom >r10m
	as='as_uid 60001' # pneud: nothing is added
	for f in empty one nonl odd r65535 r65536 r65537 r10m; do
		rm -f "$PNEU_HOME"/queue/new/*
		$as pneu-queue <$f 1<e
		message_of "$(newest)" | cmp -s - $f
		is "$?" 0 "byte for byte from a file: $f"
		rm -f "$PNEU_HOME"/queue/new/*
		cat $f | $as pneu-queue 1<e
		message_of "$(newest)" | cmp -s - $f
		is "$?" 0 "byte for byte from a pipe: $f"
		is "$(pneu-list -c | grep -c ' new .* 0/2 <a@b>')" 1 "its checksums are right: $f"
	done
	rm -f "$PNEU_HOME"/queue/new/*

	# envelopes
	envelope() { # CODE NAME FORMAT
		printf "$3" >e2
		$as pneu-queue <m 1<e2 2>/dev/null
		is "$?" "$1" "exit $1: $2"
	}
	envelope 54 "no final NUL" 'Fa@b\0Tc@d\0'
	envelope 54 "cut in an address" 'Fa@b\0Tc@'
	envelope 54 "empty envelope" ''
	envelope 91 "no sender" 'Ta@b\0\0'
	envelope 91 "garbage behind the sender" 'Fa@b\0Xc@d\0\0'
	envelope 91 "two senders" 'Fa@b\0Fc@d\0\0'
	envelope 31 "a control character" 'Fa@b\0Tc\n@d\0\0'
	long=$(head -c 1003 /dev/zero | tr '\0' x)
	envelope 11 "an address too long" "Fa@b\0T$long\0\0"
	envelope 11 "an address of 1001 bytes" "Fa@b\0T$(head -c 1001 /dev/zero | tr '\0' x)\0\0"
	is "$(queued)" 0 "none of them is queued"
	envelope 0 "the null sender" 'F\0Tc@d\0\0'
	envelope 0 "an address of 1000 bytes" "Fa@b\0T$(head -c 1000 /dev/zero | tr '\0' x)\0\0"
	envelope 0 "8-bit address" 'F\0Tc\303\244@d\0\0'
	is "$(queued)" 3 "these are"
	envelope 0 "nobody to send to" 'Fa@b\0\0'
	is "$(queued)" 3 "which needs no file"
	envelope 0 "what follows the final NUL is not read" 'Fa@b\0Tc@d\0\0garbage'

	# the order of reading
	rm -f "$PNEU_HOME"/queue/new/*
	mkfifo p0 p1
	$as pneu-queue <p0 1<p1 &
	pid=$!
	exec 8>p0 9>p1
	printf 'Fa@b\0Tc@d\0\0' >&9
	exec 9>&-
	printf 'Subject: x\n' >&8
	is "$(queued)" 0 "the envelope is there, the message has no end: not queued"
	printf '\nlast line\n' >&8
	exec 8>&-
	wait $pid
	is "$?" 0 "at the end of the message it is"
	is "$(message_of "$(newest)" | tail -n 1)" "last line" "and whole"

	# descriptors that cannot be read
	$as pneu-queue <&- 1<e 2>/dev/null
	is "$?" 54 "exit 54: no descriptor 0"
	$as pneu-queue <m 1>&- 2>/dev/null
	is "$?" 54 "exit 54: no descriptor 1"
	$as pneu-queue <. 1<e 2>/dev/null
	is "$?" 54 "exit 54: a folder"

	# instance
	PNEU_HOME=/nonexistent $as pneu-queue <m 1<e 2>/dev/null
	is "$?" 61 "exit 61: no instance"
	PNEU_INTAKE=/nonexistent $as pneu-queue <m 1<e 2>/dev/null
	is "$?" 73 "exit 73: no intake"
	echo x >"$PNEU_HOME/control/timeoutintake"
	$as pneu-queue <m 1<e 2>/dev/null
	is "$?" 62 "exit 62: a malformed setting"
	rm "$PNEU_HOME/control/timeoutintake"

	# records
	rm -f "$PNEU_HOME"/queue/new/*
	printf '13:body=8BITMIME,8:ret=HDRS,6:to=e@f,12:notify=NEVER,' >r
	$as env PNEU_ENVELOPE=5 pneu-queue <m 1<e 5<r
	is "$?" 0 "records beside the envelope"
	like "$(tr '\0\n' '  ' <"$(newest)")" '13:body=8BITMIME,8:ret=HDRS,8:from=a@b,.*6:to=c@d,6:to=e@f,12:notify=NEVER,TT$' "merged by address"
	rm -f "$PNEU_HOME"/queue/new/*
	$as env PNEU_ENVELOPE=5 pneu-queue <m 1<e 5<<-EOF
		$(cat r)
	EOF
	is "$?" 91 "exit 91: a record that is none"
	cat r | $as env PNEU_ENVELOPE=5 sh -c 'exec pneu-queue 5<&0 <m 1<e'
	is "$?" 0 "records in a pipe"
	like "$(tr '\0\n' '  ' <"$(newest)")" '13:body=8BITMIME,8:ret=HDRS,.*6:to=c@d,6:to=e@f,12:notify=NEVER,TT$' "merged as well"
	rm -f "$PNEU_HOME"/queue/new/*
	for fd in 3 5 19; do # as after a wrapper that closes what it does not know
		PNEU_ENVELOPE=$fd $as pneu-queue <m 1<e 3<&- 4<&- 5<&-
		is "$?" 0 "descriptor $fd was closed on the way: only its records are lost"
	done
	is "$(queued)" 3 "the messages are not"
	PNEU_ENVELOPE=x $as pneu-queue <m 1<e 2>/dev/null
	is "$?" 91 "exit 91: PNEU_ENVELOPE is no descriptor"

	# limits
	rm -f "$PNEU_HOME"/queue/new/*
	echo 1000 >"$PNEU_HOME/control/databytes"
	wait_for '! as_uid 60009 pneu-queue <r65536 1<e 2>/dev/null'
	as_uid 60009 pneu-queue <r65536 1<e 2>/dev/null
	is "$?" 31 "exit 31: larger than databytes, and it is known before"
	cat r10m | as_uid 60009 pneu-queue 1<e 2>/dev/null
	is "$?" 31 "exit 31: larger than databytes, found on the way"
	rm -f "$PNEU_HOME"/queue/new/* "$PNEU_HOME/control/databytes"
	echo 4000000000 >"$PNEU_HOME/control/minfreeinodes"
	wait_for '! $as pneu-queue <m 1<e 2>/dev/null' && rm -f "$PNEU_HOME"/queue/new/*
	$as pneu-queue <m 1<e 2>/dev/null
	is "$?" 53 "exit 53: the disk keeps its inodes"
	is "$(queued)" 0 "nothing of it is left"
	rm "$PNEU_HOME/control/minfreeinodes"
	wait_for '$as pneu-queue <m 1<e 2>/dev/null'
	is "$?" 0 "and goes on when there are some"
	daemon_stop "$INTAKE"
	is "$?" 0 "SIGTERM ends it"
	$as pneu-queue <m 1<e 2>/dev/null
	is "$?" 73 "exit 73: nobody serves the intake"
}
as_both contract
done_testing
