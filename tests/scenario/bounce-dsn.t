#!/bin/sh
# Reports that a client asked for by SMTP (RFC 3461): success, also of an alias and of an alias to several; delay.
. "${PNEU_TOP:-.}/tests/lib.sh"

send() { # PORT RECIPIENT NOTIFY
	/usr/bin/python3 - "$@" <<'P'
import smtplib, sys
s = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), 'client.test')
s.ehlo()
assert s.has_extn('dsn')
s.sendmail('alice@pneu.test', sys.argv[2], 'From: alice@pneu.test\nSubject: asked\n\nthe body\n',
           ['RET=HDRS', 'ENVID=QQ314159'], ['NOTIFY=' + sys.argv[3], 'ORCPT=rfc822;first@pneu.test'])
s.quit()
P
}
actions() { # of all reports in alice's mailbox, sorted; and empties it
	/usr/bin/python3 - "$(maildir alice@pneu.test)" <<'P'
import email, os, sys
found = []
for name in os.listdir(sys.argv[1] + '/new'):
    path = sys.argv[1] + '/new/' + name
    m = email.message_from_file(open(path, errors='surrogateescape'))
    os.unlink(path)
    if m.get_content_type() != 'multipart/report':
        continue
    head, *rcpts = m.get_payload()[1].get_payload()
    for r in rcpts:
        found.append('%s %s %s %s' % (r['Action'], r['Final-Recipient'].split()[1], r['Original-Recipient'].split()[1], head['Original-Envelope-Id']))
    assert 'the body' not in m.as_string()
print(','.join(sorted(found)))
P
}

body() {
	instance_make "$TEST_TMP/inst$(id -u)" alice@pneu.test bob@pneu.test carol@pneu.test one@pneu.test two@pneu.test
	cd "$PNEU_HOME" || bail "no instance"
	printf '&bob@pneu.test\n' >mail/pneu.test/one/.qmail
	printf '&bob@pneu.test\n&carol@pneu.test\n' >mail/pneu.test/two/.qmail
	echo far.test >control/rcpthosts
	pneu-control set delaynotice 1s
	pneu-control set retry 1s
	printf ':[127.0.0.1]:%s\n' "$(free_port)" >control/smtproutes
	instance_start

	send "$PORT" bob@pneu.test SUCCESS,FAILURE
	ok "success is reported" wait_for "test \$(mails alice@pneu.test) = 1"
	is "$(actions)" "delivered bob@pneu.test first@pneu.test QQ314159" "as delivered, with what the client called it"
	send "$PORT" bob@pneu.test FAILURE
	send "$PORT" bob@pneu.test NEVER
	ok "other mail arrives" wait_for "test \$(mails bob@pneu.test) = 3 && queue_empty"
	is "$(mails alice@pneu.test)" 0 "without a report"
	send "$PORT" one@pneu.test SUCCESS
	ok "an alias: mail arrives" wait_for "test \$(mails bob@pneu.test) = 4 && queue_empty"
	is "$(actions)" "delivered bob@pneu.test first@pneu.test QQ314159" "one report, from where it was delivered"
	send "$PORT" two@pneu.test SUCCESS
	ok "an alias to two" wait_for "test \$(mails bob@pneu.test) = 5 && test \$(mails carol@pneu.test) = 1 && queue_empty"
	is "$(actions)" "delivered bob@pneu.test first@pneu.test QQ314159,delivered carol@pneu.test first@pneu.test QQ314159,expanded two@pneu.test first@pneu.test QQ314159" "is expanded, and delivered twice"

	# Late mail: the remote host refuses connections.
	send "$PORT" joe@far.test DELAY,FAILURE
	ok "delay is reported" wait_for "test \$(mails alice@pneu.test) = 1"
	is "$(actions)" "delayed joe@far.test first@pneu.test QQ314159" "as delayed"
	tries() { grep -ac ' class=Z ' "$(find queue/wait -type f)"; }
	ok "it is tried again and again" wait_for "test \"\$(tries)\" -ge 5"
	is "$(mails alice@pneu.test)" 0 "the sender hears of it once"
	instance_stop
}
as_both body
done_testing
