#!/bin/sh
# Users send their mail by a submission listener: real clients log in, the mail is completed on the way and delivered, and nobody
# sends under another's name.
. "${PNEU_TOP:-.}/tests/lib.sh"

password=correct-horse

newest() { # ADDRESS: the mail delivered last
	# shellcheck disable=SC2012
	ls -t "$(maildir "$1")"/new/* | head -n 1 | xargs cat
}

arrives() { # ADDRESS COMMAND...: 0 if the command succeeds and one more mail is there then
	arrives_to=$1
	shift
	before=$(mails "$arrives_to")
	"$@" || return 1
	wait_for "test \$(mails '$arrives_to') -gt $before"
}

by_swaks() { # FROM HEADER-FROM
	swaks --server 127.0.0.1 --port "$SUBPORT" --auth PLAIN --auth-user alice@pneu.test --auth-password "$password" \
		--from "$1" --to bob@pneu.test --data "From: $2\nBcc: hidden@pneu.test\nSubject: swaks\n\nhello\n" </dev/null
}

by_msmtp() { # FROM
	printf 'Subject: msmtp\n\nhello\n' |
		msmtp --file=/dev/null --host=127.0.0.1 --port="$SUBPORT" --auth=plain --user=alice@pneu.test \
			--passwordeval="echo $password" --tls=off --from="$1" bob@pneu.test
}

by_curl() { # FROM
	printf 'Subject: curl\r\n\r\nhello\r\n' >"$TEST_TMP/curl"
	curl -sS --url "smtp://127.0.0.1:$SUBPORT" --user "alice@pneu.test:$password" --mail-from "$1" \
		--mail-rcpt bob@pneu.test --upload-file "$TEST_TMP/curl"
}

everything() {
	instance_make "$TEST_TMP/home" alice@pneu.test bob@pneu.test
	printf '%s\n' "$password" | pneu-mailbox passwd alice@pneu.test >"$TEST_TMP/passwd" 2>&1 ||
		bail "pneu-mailbox passwd: $(cat "$TEST_TMP/passwd")"
	SUBPORT=$(free_port)
	pneu-server add sub submission 127.0.0.1 "$SUBPORT" >"$TEST_TMP/sub" 2>&1 || bail "$(cat "$TEST_TMP/sub")"
	pneu-control -s sub set authneedtls 0
	pneu-control -s sub set servertls no
	instance_start
	wait_for "listening $SUBPORT" || bail "no listener: $(instance_logs)"
	wait_for "s6-ipcclient '$PNEU_HOME/run/auth' true 2>/dev/null" || bail "no run/auth: $(instance_logs)"

	ok 'swaks' arrives bob@pneu.test by_swaks alice@pneu.test 'Alice <alice@pneu.test>'
	newest bob@pneu.test >"$TEST_TMP/mail"
	like "$(cat "$TEST_TMP/mail")" '^Date: ' 'a Date is added'
	like "$(cat "$TEST_TMP/mail")" '^Message-ID: <[0-9a-z]+@mx\.pneu\.test>$' 'and a Message-ID'
	code 1 'no Bcc is left' grep -qi '^bcc\|hidden' "$TEST_TMP/mail"
	like "$(cat "$TEST_TMP/mail")" 'with ESMTPA' 'the trace field says that there was a login'
	code 0 'and where it came from' grep -q '127\.0\.0\.1' "$TEST_TMP/mail"

	by_swaks alice@pneu.test 'Boss <boss@pneu.test>' >"$TEST_TMP/swaks"
	like "$(cat "$TEST_TMP/swaks")" '550 5\.7\.1 the From field is not yours' 'not with the From of somebody else'
	by_swaks bob@pneu.test 'Alice <alice@pneu.test>' >"$TEST_TMP/swaks"
	like "$(cat "$TEST_TMP/swaks")" '553 5\.7\.1 that sender is not yours' 'not as somebody else'

	ok 'msmtp, without a From' arrives bob@pneu.test by_msmtp alice@pneu.test
	like "$(newest bob@pneu.test)" '^From: .*alice@pneu\.test' 'there is one in what arrives'
	pneu-control -s sub set hideclient 1
	ok 'no mail comes to an extension that nobody made' test "$(by_curl alice-list@pneu.test 2>/dev/null && echo sent)" = ''
	echo ./Maildir/ >"$PNEU_HOME/mail/pneu.test/alice/.qmail-list"
	pneu-users >"$TEST_TMP/users" 2>&1 || bail "pneu-users: $(cat "$TEST_TMP/users")"
	ok 'curl, from an address with an extension' arrives bob@pneu.test by_curl alice-list@pneu.test
	newest bob@pneu.test >"$TEST_TMP/mail"
	like "$(cat "$TEST_TMP/mail")" '^From: alice-list@pneu\.test$' 'a From is added'
	code 1 'hideclient: not where it came from' grep -q '127\.0\.0\.1' "$TEST_TMP/mail"
	echo 'echo "X-Login: $PNEU_LOGIN $PNEU_MECHANISM $PNEU_PROTOCOL" >&3' >"$PNEU_HOME/control/servers/sub/mailcheck"
	wait_for "s6-ipcclient '$PNEU_HOME/run/hook' true 2>/dev/null" || bail "no run/hook: $(instance_logs)"
	ok 'a check hears of the login' arrives bob@pneu.test by_swaks alice@pneu.test alice@pneu.test
	like "$(newest bob@pneu.test)" '^X-Login: alice@pneu\.test PLAIN ESMTPA$' 'and how it was made'
	ok 'the log tells who it was' wait_for "grep -q 'sender .*from=bob@pneu.test' '$PNEU_HOME/log/sub/current'"

	echo 'alice@pneu.test:@else.test' >"$PNEU_HOME/control/senders"
	ok 'senders lets a login send for a domain' arrives bob@pneu.test by_swaks any@else.test any@else.test
	echo 'else.test:hidden.test' >"$PNEU_HOME/control/masquerade"
	ok 'masquerade' arrives bob@pneu.test by_swaks any@else.test any@else.test
	like "$(newest bob@pneu.test)" '^Return-Path: <any@hidden\.test>' 'changes the sender'
	like "$(newest bob@pneu.test)" '^From: any@else\.test' 'and no From'
	instance_stop
}

as_both everything
done_testing
