#!/bin/sh
# From the command into the mailbox: pneu-inject, sendmail, sendmail -bs, mailq and sendmail -q in a running instance.
# shellcheck disable=SC2016,SC2119,SC2317
. "${PNEU_TOP:-.}/tests/lib.sh"

chain() {
	dir=$TEST_TMP/chain
	mkdir "$dir"
	ln -s "$PNEU_BIN/pneu-sendmail" "$dir/sendmail"
	ln -s "$PNEU_BIN/pneu-sendmail" "$dir/mailq"
	instance_make "$dir/i" alice@pneu.test bob@pneu.test
	instance_start
	printf 'From: Me <me@here.test>\nTo: alice@pneu.test\nDate: x\nMessage-ID: <x@y>\n\n.\nbody\n' >"$dir/m"
	as_user pneu-inject <"$dir/m"
	is "$?" 0 "pneu-inject"
	wait_for 'test "$(mails alice@pneu.test)" = 1'
	mail_of alice@pneu.test | sed '/^\(Return-Path\|Delivered-To\|Received\): /d' >"$dir/got"
	ok "it arrives, its bytes as they were" cmp "$dir/m" "$dir/got"
	as_user "$dir/sendmail" -oi -f me@here.test -- bob@pneu.test alice@pneu.test <"$dir/m"
	is "$?" 0 "sendmail"
	wait_for 'test "$(mails alice@pneu.test) $(mails bob@pneu.test)" = "2 1"'
	is "$(mails alice@pneu.test) $(mails bob@pneu.test)" '2 1' "both have it"
	printf 'EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<bob@pneu.test>\r\nDATA\r\nSubject: x\r\n\r\ny\r\n.\r\nQUIT\r\n' |
		as_user "$dir/sendmail" -bs >"$dir/out" 2>&1
	like "$(cat "$dir/out")" '^250 2.0.0 ok' "sendmail -bs"
	wait_for 'test "$(mails bob@pneu.test)" = 2'
	is "$(mails bob@pneu.test)" 2 "it arrives"
	ok "mailq" "$dir/mailq"
	ok "sendmail -q" "$dir/sendmail" -q
	instance_stop
	rm -rf "$dir"
}

as_both chain
done_testing
