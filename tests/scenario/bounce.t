#!/bin/sh
# Bounces through the real chain: a report to the sender that programs can read, a double bounce, badmail, owed reports.
. "${PNEU_TOP:-.}/tests/lib.sh"

send() { # SENDER RECIPIENT : a message of descriptor 0
	printf 'F%s\0T%s\0\0' "$1" "$2" >"$TEST_TMP/envelope"
	pneu-queue 1<"$TEST_TMP/envelope" 2>"$TEST_TMP/queue.log"
}

body() {
	instance_make "$TEST_TMP/inst$(id -u)" alice@pneu.test
	cd "$PNEU_HOME" || bail "no instance"
	pneu-control set doublebounceto alice
	pneu-control set doublebouncehost pneu.test
	instance_start

	printf 'From: alice@pneu.test\nSubject: for nobody\nMessage-ID: <one@pneu.test>\n\n8-bit: \303\244\n.\nno newline' |
		send alice@pneu.test nobody@pneu.test
	ok "a bounce arrives" wait_for "test \$(mails alice@pneu.test) = 1"
	mail_of alice@pneu.test >"$TEST_TMP/mail"
	/usr/bin/python3 - "$TEST_TMP/mail" >"$TEST_TMP/report" <<'P'
import email, sys
m = email.message_from_file(open(sys.argv[1], encoding='utf-8', errors='surrogateescape'))
print(m.get_content_type(), m.get_param('report-type'), m['Auto-Submitted'], m['In-Reply-To'], m['Return-Path'])
text, status, original = m.get_payload()
print(text.get_content_type(), status.get_content_type(), original.get_content_type(), original['Content-Transfer-Encoding'])
of_message, of_recipient = status.get_payload()
print(of_message['Reporting-MTA'], '/', of_recipient['Final-Recipient'], '/', of_recipient['Action'], of_recipient['Status'])
print(original.get_payload()[0]['Subject'], '/', len(m.defects))
P
	is "$(cat "$TEST_TMP/report")" "multipart/report delivery-status auto-replied <one@pneu.test> <>
text/plain message/delivery-status message/rfc822 8bit
dns; mx.pneu.test / rfc822; nobody@pneu.test / failed 5.1.1
for nobody / 0" "python reads it"
	like "$(cat "$TEST_TMP/mail")" '^<nobody@pneu.test>$' "the text names the recipient"
	ok "nothing is left in the queue" wait_for queue_empty
	rm -f "$(maildir alice@pneu.test)"/new/*

	echo hello | send gone@pneu.test nobody@pneu.test
	ok "a bounce that bounces goes to doublebounceto" wait_for "test \$(mails alice@pneu.test) = 1"
	like "$(mail_of alice@pneu.test)" '^Return-Path: <#@\[\]>$' "from #@[]"
	like "$(mail_of alice@pneu.test)" '^Subject: Undeliverable report' "and says what it is"
	ok "nothing is left in the queue" wait_for queue_empty

	pneu-control set doublebounceto gonetoo
	echo hello | send gone@pneu.test nobody@pneu.test
	ok "what cannot be returned either is in badmail/" wait_for 'why=$(find badmail -name "*.why") && test -s "${why%.why}"'
	like "$(cat "$why")" "report" "with the reason"
	like "$(head -c 5 "${why%.why}")" pneu1 "as a queue file"
	ok "nothing is left in the queue" wait_for queue_empty
	ok "the log tells" wait_for "grep -q 'badmail msg=t[0-9a-f]* ' log/send/current"
	instance_stop
}
as_both body
done_testing
