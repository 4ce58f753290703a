#!/bin/sh
# kill -9 of each daemon of the delivering side, under load, in the real chain: every message is in the mailbox, once.
. "${PNEU_TOP:-.}/tests/lib.sh"

N=400
body() {
	instance_make "$TEST_TMP/inst$(id -u)" alice@pneu.test bob@pneu.test
	cd "$PNEU_HOME" || bail "no instance"
	instance_start
	printf 'Fa@sender.test\0Talice@pneu.test\0Tbob@pneu.test\0\0' >envelope
	(
		n=0
		while test $n -lt $N; do
			n=$((n + 1))
			until printf 'Subject: number %d.\n\nbody\n' $n | pneu-queue 1<envelope 2>>queue.log; do sleep 0.05; done
		done
		: >all
	) &
	round=0
	until test -e all; do
		for daemon in send spawn-local queued; do
			pid=$(service_pid $daemon)
			test -n "$pid" || continue
			kill -KILL "$pid"
			round=$((round + 1))
			wait_for "test -n \"\$(service_pid $daemon)\" && test \"\$(service_pid $daemon)\" != $pid" || break
			wait_for "test -e all || test \$(mails alice@pneu.test) -ge $((round * 8))" 3 2>/dev/null
		done
	done
	wait $!
	# A restart leaves the message of a lost delivery for its next attempt; now is soon enough.
	wait_for "s6-svc -a service/send; sleep 0.2; queue_empty" 180 || note "$(instance_logs; find queue -type f)"
	ok "the queue is empty after $round kills" queue_empty
	for who in alice bob; do
		cat "$(maildir $who@pneu.test)"/new/* | sed -n 's/^Subject: number //p' | sort -n >$who
		is "$(sort -u $who | wc -l)" $N "$who has all of them"
	done
	# A client that heard nothing tries again: that is a second message, not a second delivery.
	is "$(ls "$(maildir alice@pneu.test)/new" | wc -l)" "$(ls "$(maildir bob@pneu.test)/new" | wc -l)" "each delivered once: both have the same"
	is "$(ls "$(maildir alice@pneu.test)/new" | sed 's/[.].*//' | sort | uniq -d | wc -l)" 0 "no message is there twice"
	instance_stop
}
body
done_testing
