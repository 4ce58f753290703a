#!/bin/sh
# shellcheck disable=SC2002,SC2016,SC2317
# pneu-inject and pneu-sendmail with the real queue: over run/intake and through pneu-queue comes the same.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"

# Bodies that break careless programs.
bodies() {
	printf 'body\n' >plain
	printf '.\n..\n...\n' >dots
	printf 'From x\n>From y\n' >froms
	printf '\0\001\177\200\377\n' >bytes
	printf '\n\n\n' >newlines
	: >empty
	head -c 65530 /dev/zero | tr '\0' x >line
	echo >>line
	head -c 49140 /dev/urandom | base64 >r65k
	head -c 7500000 /dev/urandom | base64 >r10m
}

record() { # NAME FILE: values of that record in a queue file's envelope
	len=$(head -c 128 "$2" | sed 's/^pneu1 message=0*\([0-9][0-9]*\) .*/\1/')
	tail -c +"$((129 + len))" "$2" | tr ',' '\n' | sed -n "s/^[0-9]*:$1=//p" | tr '\n' ' '
}

queue_programs() { # pneu-queue processes of this test
	for p in $(test_processes); do grep -lx pneu-queue "/proc/$p/comm" 2>/dev/null; done
}

injection() {
	bare_instance "$TEST_TMP/home"
	intake_start
	cd "$TEST_TMP" || exit 111
	mkdir -p b && (cd b && bodies)
	header='Date: x\nMessage-ID: <x@y>\nFrom: a@b.c\nTo: d@e.f, g@h.i\n\n'
	for how in '' pneu-queue; do
		if test -n "$how"; then PNEU_QUEUE=$how; export PNEU_QUEUE; else unset PNEU_QUEUE; fi
		by="by ${how:-run/intake}:"
		for body in b/*; do
			rm -f "$PNEU_HOME"/queue/new/*
			# shellcheck disable=SC2059
			(printf "$header"; cat "$body") >m
			as_uid 60001 pneu-inject -f s@t.u <m 2>err
			is "$? $(message_of "$(newest)" | cmp - m && echo same)" '0 same' "$by byte for byte: $body"
			cat m | as_uid 60001 pneu-sendmail -i -f s@t.u d@e.f g@h.i 2>err
			is "$? $(message_of "$(newest)" | cmp - m && echo same)" '0 same' "$by byte for byte, by sendmail from a pipe: $body"
		done
		rm -f "$PNEU_HOME"/queue/new/*
		printf 'To: ä@b.c, d@e.f\n\nx\n' | as_uid 60009 pneu-sendmail -t -f s@t.u -N delay,failure -R full -V 'x y' -B 8bitmime
		is "$?" 0 "$by DSN"
		f=$(newest)
		is "$(record from "$f")$(record to "$f")$(record notify "$f")$(record ret "$f")$(record envid "$f")$(record body "$f")$(record smtputf8 "$f")" \
			's@t.u ä@b.c d@e.f FAILURE FAILURE FULL x+20y 8BITMIME 1 ' "$by DSN: the records are in the queue"
		test -z "$TEST_ROOT" || is "$(record uid "$f")" '60009 ' "$by the uid too"
		rm -f "$PNEU_HOME"/queue/new/*
		printf 'To: nobody:;\n\nx\n' | as_uid 60009 pneu-inject 2>err
		is "$? $(queued)" '100 0' "$by nobody: nothing is queued"
		# Killed in the middle: the fifo gives more than is read ahead, but no end.
		rm -f fifo pid
		mkfifo fifo
		: >pid
		chmod 666 pid
		as_uid 60009 sh -c 'echo $$ >pid; exec pneu-inject -f s@t.u a@b.c' <fifo 2>err &
		exec 4>fifo
		cat b/r65k b/r65k >&4
		wait_for 'find "/proc/$(cat pid)/fd" -lname "socket:*" -o -lname "pipe:*" 2>/dev/null | grep -q . || test -s err'
		kill -KILL "$(cat pid)"
		exec 4>&-
		wait $! 2>/dev/null
		code=$?
		wait_for 'test -z "$(queue_programs)"'
		is "$code $(queued)" '137 0' "$by killed in the middle: nothing is queued"
	done
	daemon_stop "$INTAKE"
	unset PNEU_QUEUE
	printf 'To: a@b.c\n\nx\n' | as_uid 60009 pneu-inject 2>err
	is "$? $(wc -l <err)" '111 1' "no pneu-queued"
	printf 'To: a@b.c\n\nx\n' | as_uid 60009 pneu-sendmail -t 2>err
	is "$? $(wc -l <err)" '75 1' "no pneu-queued, sendmail"
}

as_both injection
done_testing
