#!/bin/sh
# The whole way out: a script's message through queue, pneu-send and pneu-spawn to another host.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/remote.sh"

for word in instance control server mailbox send spawn queued inject bounce; do
	test -x "$PNEU_BIN/pneu-$word" || skip_all "no pneu-$word"
done

chain() {
	instance_make "$TEST_TMP/i" alice@example.org
	sink out -r 400 'rcpt~unknown@=550 5.1.1 no such user'
	route_to_sink
	pneu-control set retryfirst 1 >/dev/null
	pneu-control set timeoutidle 300 >/dev/null
	instance_start

	printf 'From: alice@example.org\nTo: joe@remote.test\nSubject: hello\n\nthe text\n' | pneu-inject -f alice@example.org joe@remote.test
	ok "a message goes out" wait_for "test \"\$(events out ' message ')\" = 1"
	like "$(grep MAIL "$TEST_TMP/sink.out/log")" 'MAIL FROM:<alice@example.org>' "from its sender"
	is "$(tail -n 1 "$TEST_TMP/sink.out/1.1")" "the text" "as it was"
	ok "and leaves the queue" wait_for queue_empty

	for i in 1 2 3 4 5; do
		printf 'Subject: %d\n\nx\n' $i | pneu-inject -f alice@example.org joe@remote.test
		n=$((i + 1))
		wait_for "test \"\$(events out ' message ')\" = $n"
	done
	is "$(events out ' message ')" 6 "five more"
	connections=$(events out connect)
	test "$connections" -lt 6
	test_result $? "they share connections ($connections for 6 messages)" || :

	before=$(events out ' message ')
	seq 1 1000 | sed 's/.*/user&@many.test/' >"$TEST_TMP/1000"
	printf "Subject: many\n\nx\n" >"$TEST_TMP/many"
	xargs -a "$TEST_TMP/1000" sh -c 'pneu-inject -f alice@example.org "$@" <"$0"' "$TEST_TMP/many"
	ok "1,000 recipients at a host that takes 400" wait_for "test \"\$(events out 'RCPT TO:<user1000@many.test')\" -ge 1"
	ok "all gone" wait_for queue_empty
	is "$(events out ' message ')" $((before + 3)) "in three transactions"

	printf 'Subject: no\n\nx\n' | pneu-inject -f alice@example.org unknown@remote.test
	ok "a refusal comes back as a report" wait_for "test \"\$(mails alice@example.org)\" = 1"
	like "$(mail_of alice@example.org)" '550 5.1.1 no such user' "with what the host said"
	ok "the queue is empty again" wait_for queue_empty
	instance_stop
}
as_both chain
done_testing
