#!/bin/sh
# The extensions of pneu-smtpd in a running instance, with clients that nobody here wrote: LMTP, SMTPUTF8, DSN, CHUNKING; and
# what pneu-users tells EXPN.
. "${PNEU_TOP:-.}/tests/lib.sh"

dialogue() { # TEXT: printf's format; the replies
	# shellcheck disable=SC2059
	printf "$1" | TCPREMOTEIP=192.0.2.1 PROTO=TCP pneu-smtpd 2>>"$TEST_TMP/smtpd.log" | tr -d '\r'
}

python_clients() {
	/usr/bin/python3 - "$PORT" "$LMTP" <<'PY'
import smtplib, sys
from email.message import EmailMessage
from email.headerregistry import Address
port, lmtp = int(sys.argv[1]), int(sys.argv[2])

def check(condition, what):
    print(('ok ' if condition else 'not ok ') + what)

with smtplib.LMTP('127.0.0.1', lmtp, 'client.test') as s:
    # (it reads one reply, whatever the number of recipients)
    refused = s.sendmail('a@else.test', ['nobody@pneu.test', 'bob@pneu.test'], b'Subject: lmtp\r\n\r\nx\r\n')
    check(list(refused) == ['nobody@pneu.test'], 'smtplib.LMTP: one of two recipients is refused')
    check(s.noop()[0] == 250, 'smtplib.LMTP: in step')

message = EmailMessage()
message['Subject'] = 'Gr\u00fc\u00dfe'
message['From'] = Address('', 'j\u00f6rg', 'else.test')
message['To'] = Address('', 'alice', 'pneu.test')
message.set_content('Gr\u00fc\u00dfe\n')
with smtplib.SMTP('127.0.0.1', port, 'client.test') as s:
    s.ehlo()
    for word in ('smtputf8', '8bitmime', 'dsn', 'chunking', 'limits', 'size', 'pipelining'):
        check(s.has_extn(word), 'smtplib: ' + word)
    check(s.esmtp_features['limits'] == 'MAILMAX=1000 RCPTMAX=1000', 'smtplib: what the limits are')
    check(not s.send_message(message), 'smtplib: SMTPUTF8')
    check(not s.sendmail('a@else.test', ['alice@pneu.test'], b'Subject: dsn\r\n\r\n', mail_options=['RET=HDRS', 'ENVID=42'],
                         rcpt_options=['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;alice@pneu.test']), 'smtplib: DSN')
    # chunks: nobody's library sends them
    s.mail('a@else.test')
    s.rcpt('alice@pneu.test')
    s.send(b'BDAT 13\r\nSubject: bdat')
    check(s.getreply()[0] == 250, 'a chunk')
    s.send(b'BDAT 9 LAST\r\n\r\n\r\nyes\r\n')
    check(s.getreply()[0] == 250, 'and the last one')
PY
}

body() {
	instance_make "$TEST_TMP/pneu" alice@pneu.test bob@pneu.test
	LMTP=$(free_port)
	code 0 'a listener for LMTP' pneu-server add lm lmtp 127.0.0.1 "$LMTP"
	code 100 'no listener for UUCP' pneu-server add uu uucp 127.0.0.1 "$LMTP"
	instance_start
	wait_for 'listening "$LMTP"' || bail "$(instance_logs)"

	python_clients >"$TEST_TMP/python" 2>&1 || test_result 1 "smtplib: $(tail -n 1 "$TEST_TMP/python")"
	results "$TEST_TMP/python"
	ok 'swaks by LMTP' swaks --server 127.0.0.1 --port "$LMTP" --protocol LMTP --from a@else.test \
		--to alice@pneu.test,bob@pneu.test --helo client.test
	ok 'smtp-source by LMTP' smtp-source -L -s 2 -m 20 -f a@else.test -t alice@pneu.test "127.0.0.1:$LMTP"
	code 22 'swaks by SMTP is turned away there' swaks --server 127.0.0.1 --port "$LMTP" --from a@else.test --to alice@pneu.test \
		--helo client.test
	wait_for 'test "$(mails bob@pneu.test)" = 2' || note "bob has $(mails bob@pneu.test)"
	is "$(mails bob@pneu.test)" 2 'what came by LMTP is delivered to one'
	ok 'and all to the other' wait_for 'test "$(mails alice@pneu.test)" = 24'
	ok 'UTF-8 arrived' wait_for "grep -rq '^Subject: Gr.*e\$' $(maildir alice@pneu.test)/new"
	ok 'its trace field says so' grep -rq 'with UTF8SMTP$' "$(maildir alice@pneu.test)/new"
	ok 'LMTP says so' grep -rq 'with LMTP' "$(maildir bob@pneu.test)/new"
	ok 'the chunks are one message' wait_for "grep -rqx yes $(maildir alice@pneu.test)/new"

	# -l
	like "$(printf 'LHLO c\r\nQUIT\r\n' | pneu-smtpd -l 2>/dev/null)" '^220 .* LMTP' '-l is LMTP'
	code 100 'usage' pneu-smtpd -x
	code 100 'no arguments' pneu-smtpd lmtp
	like "$(env PNEU_KIND=uucp pneu-smtpd </dev/null 2>&1)" '^421 .*' 'a kind that is none'

	# EXPN
	echo 1 >"$PNEU_HOME/control/expn"
	printf '&alice@pneu.test\n# somebody else\nbob@pneu.test\n|/bin/true\n' >"$PNEU_HOME/alias/.qmail-staff"
	touch -d '-1 hour' "$PNEU_HOME/alias" "$PNEU_HOME/alias/.qmail-staff"
	code 0 'pneu-users' pneu-users
	is "$(dialogue 'EXPN staff\r\nEXPN Staff@mx.pneu.test\r\nQUIT\r\n' | sed 1d)" "250-2.1.5 <alice@pneu.test>
250 2.1.5 <bob@pneu.test>
250-2.1.5 <alice@pneu.test>
250 2.1.5 <bob@pneu.test>
221 2.0.0 goodbye" 'EXPN tells the alias'
	is "$(dialogue 'EXPN root\r\nEXPN postmaster\r\nEXPN nobody-at-all\r\nQUIT\r\n' | sed -n '2,4s/^\(... .....\).*/\1/p')" "250 2.1.5
550 5.1.0
550 5.1.1" 'aliases, mailboxes, nobody'
	touch -d '+10 seconds' "$PNEU_HOME/alias/.qmail-staff"
	like "$(dialogue 'EXPN staff\r\nQUIT\r\n' | sed -n 2p)" '^450 4.3.0' 'a changed file that was not compiled: not known now'
	echo 'bob@pneu.test' >"$PNEU_HOME/alias/.qmail-staff"
	touch -d '-1 hour' "$PNEU_HOME/alias/.qmail-staff"
	code 0 'pneu-users again' pneu-users
	is "$(dialogue 'EXPN staff\r\nQUIT\r\n' | sed -n 2p)" '250 2.1.5 <bob@pneu.test>' 'EXPN tells the new ones'
	ln -s "$PNEU_HOME/users/ids" "$PNEU_HOME/alias/.qmail-link"
	touch -h -d '-1 hour' "$PNEU_HOME/alias/.qmail-link"
	touch -d '-1 hour' "$PNEU_HOME/alias" "$PNEU_HOME/users/ids"
	code 0 'pneu-users with a symbolic link' pneu-users
	like "$(dialogue 'EXPN link\r\nQUIT\r\n' | sed -n 2p)" '^550 5.1.0' 'whose target is not told'
	instance_stop
}

# In the sources: a refusal or an acceptance without an enhanced code, or with one of another class.
is "$(grep -hoE '"[245][0-9][0-9][ -][A-Za-z0-9][^"]*"' "$PNEU_TOP"/smtpd/*.c |
	grep -vE '^"([245])[0-9][0-9][ -]\1\.[0-9]+\.[0-9]+( |"$)' | sort -u)" '"250 HELP\r\n"
"251 new@address"
"551 new@address"' 'every reply has an enhanced code of its class'

as_both body
done_testing
