#!/bin/sh
# Two instances that mail each other by smtproutes: there and back, a bounce, a double bounce, and a peer that was away.
. "${PNEU_TOP:-.}/tests/lib.sh"

postmaster() { find "$1/alias/Maildir/new" -type f -exec cat {} +; }

body() {
	one=$TEST_TMP/one$(id -u) two=$TEST_TMP/two$(id -u)
	instance_make "$one" you@one.test
	pneu-control set me mx.one.test
	first=$PORT
	instance_make "$two" she@two.test
	pneu-control set me mx.two.test
	pneu-control set smtproutes "one.test:127.0.0.1:$first" "mx.one.test:127.0.0.1:$first"
	instance_use "$one"
	pneu-control set smtproutes "two.test:127.0.0.1:$(cat "$two/port")"
	pneu-control set retryfirst 1
	pneu-control set retrymax 1
	instance_start "$one"
	instance_start "$two"

	instance_use "$one"
	printf 'From: you@one.test\nTo: she@two.test\nSubject: there\n\nHow are you?\n' | pneu-inject -f you@one.test
	instance_use "$two"
	ok "a mail gets there" wait_for 'test "$(mails she@two.test)" = 1'
	mail=$(mail_of she@two.test)
	like "$mail" '^Subject: there$' "it is that"
	like "$mail" '^Return-Path: <you@one.test>$' "from him"
	like "$mail" '^Received: from mx.one.test \(\[127.0.0.1\]\)' "by that host"
	printf 'From: she@two.test\nTo: you@one.test\nSubject: back\n\nFine.\n' | pneu-inject -f she@two.test
	instance_use "$one"
	ok "the answer gets back" wait_for 'test "$(mails you@one.test)" = 1'

	# A bounce: the other side refuses at RCPT, so the report is this side's.
	printf 'From: you@one.test\nTo: none@two.test\nSubject: for nobody\n\nx\n' | pneu-inject -f you@one.test
	ok "what the other refuses is reported" wait_for 'test "$(mails you@one.test)" = 2'
	report=$(cat "$(maildir you@one.test)"/new/* | sed -n '/multipart\/report/,$p')
	like "$report" 'multipart/report' "as RFC 3464 has it"
	like "$(cat "$(maildir you@one.test)"/new/*)" '^Final-Recipient: rfc822; ?none@two.test' "with the recipient"
	like "$report" '550 5\.1\.1' "and what the other said"

	# A double bounce: nobody can be told, so postmaster is.
	printf 'From: x@two.test\nTo: none@two.test\nSubject: from nobody\n\nx\n' | pneu-inject -f nobody@two.test
	ok "a bounce that bounces goes to postmaster" wait_for 'postmaster "$one" | grep -q "^Subject: from nobody"'
	ok "the queue is empty" wait_for queue_empty

	# A peer that is away: the mail waits, and goes when he is back.
	instance_stop "$two"
	printf 'From: you@one.test\nTo: she@two.test\nSubject: later\n\nx\n' | pneu-inject -f you@one.test
	ok "a mail to a peer that is away waits" wait_for 'find "$one/queue/wait" -type f | grep -q .'
	instance_start "$two"
	instance_use "$two"
	ok "and gets there when he is back" wait_for 'test "$(mails she@two.test)" = 2'
	instance_use "$one"
	ok "the queue is empty again" wait_for queue_empty
	is "$(find "$one/queue/bad" "$one/badmail" "$two/queue/bad" "$two/badmail" -type f)" "" "nothing went wrong"
	instance_stop "$one"
	instance_stop "$two"
}

as_both body
done_testing
