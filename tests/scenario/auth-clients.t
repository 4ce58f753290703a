#!/bin/sh
# Logins by clients that nobody here wrote, through pneu-smtpd, pneu-authd and pneu-checkpw as their services start them:
# in clear, and by STARTTLS.
. "${PNEU_TOP:-.}/tests/lib.sh"

me=alice@pneu.test

log() { cat "$PNEU_HOME"/log/in/current 2>/dev/null; }
logged() { # ERE NAME: it is a logger that writes the file
	ok "$2" wait_for "log | grep -Eq '$1'"
}

cat >"$TEST_TMP/mailer.js" <<'JS'
const [, , port, method, password, tls] = process.argv
const transport = require('nodemailer').createTransport({
  host: '127.0.0.1', port: Number(port), authMethod: method, ignoreTLS: tls !== 'tls', requireTLS: tls === 'tls',
  tls: { rejectUnauthorized: false, maxVersion: 'TLSv1.2' }, auth: { user: 'alice@pneu.test', pass: password }
})
transport.sendMail({ from: 'alice@pneu.test', to: 'alice@pneu.test', subject: 'nodemailer', text: 'hello' })
  .then(() => process.exit(0), e => { console.log(String(e)); process.exit(e.code === 'EAUTH' ? 3 : 1) })
JS
cat >"$TEST_TMP/client.py" <<'PY'
import smtplib, ssl, sys
port, method, password, tls = int(sys.argv[1]), *sys.argv[2:]
with smtplib.SMTP('127.0.0.1', port, 'client.test') as s:
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s.starttls(context=context)
    s.ehlo()
    s.user, s.password = 'alice@pneu.test', password
    try:
        code, text = s.auth(method, getattr(s, 'auth_' + method.lower().replace('-', '_')))
    except smtplib.SMTPAuthenticationError as e:
        sys.exit(3 if e.smtp_code == 535 else 4)
    s.sendmail('alice@pneu.test', ['alice@pneu.test'], 'Subject: python\r\nFrom: alice@pneu.test\r\n\r\nhello\r\n')
PY
printf 'From: alice@pneu.test\nTo: alice@pneu.test\nSubject: hello\n\nhello\n' >"$TEST_TMP/message"

swaks_() { # METHOD PASSWORD [TLS]
	swaks --server 127.0.0.1 --port "$PORT" --auth "$1" --auth-user $me --auth-password "$2" ${3:+--tls} --from $me --to $me --helo client.test
}

msmtp_() {
	msmtp --host=127.0.0.1 --port="$PORT" --domain=client.test --auth="$(echo "$1" | tr A-Z a-z)" --user=$me \
		--passwordeval="echo $2" --tls="${3:-off}" --tls-starttls=on --tls-certcheck=off --from=$me -- $me <"$TEST_TMP/message"
}

curl_() {
	curl -sS -k ${3:+--ssl-reqd} --crlf --url "smtp://127.0.0.1:$PORT/client.test" --user "$me:$2" --login-options "AUTH=$1" --mail-from $me --mail-rcpt $me \
		--upload-file "$TEST_TMP/message"
}

python_() {
	/usr/bin/python3 "$TEST_TMP/client.py" "$PORT" "$1" "$2" "${3:-}"
}

nail_() {
	echo hello | env HOME="$TEST_TMP" DEAD="$TEST_TMP/dead" s-nail -:/ -Sv15-compat -Smta="smtp://alice%40pneu.test:$2@127.0.0.1:$PORT" -Ssmtp-auth="$(echo "$1" | tr A-Z a-z)" \
		${3:+-Ssmtp-use-starttls} -Stls-verify=ignore -Shostname=client.test -Ssendwait -r $me -s nail $me
}

node_() {
	NODE_PATH=/usr/share/nodejs node "$TEST_TMP/mailer.js" "$PORT" "$1" "$2" ${3:+tls}
}

good() { # CLIENT METHOD [TLS]
	ok "$1: $2${3:+ under TLS}" "${1}_" "$2" sesame ${3:+on} && sent=$((sent + 1))
}

all_clients() { # [TLS]
	for method in PLAIN LOGIN CRAM-MD5; do
		for client in swaks msmtp curl python nail node; do
			good $client $method ${1:+on}
		done
	done
	good msmtp SCRAM-SHA-256 ${1:+on}
}

certificate() {
	mkdir -p "$PNEU_HOME/tls/mx.pneu.test"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=mx.pneu.test \
		-keyout "$PNEU_HOME/tls/mx.pneu.test/key.pem" -out "$PNEU_HOME/tls/mx.pneu.test/chain.pem" 2>/dev/null || bail "no certificate"
	ln -s mx.pneu.test "$PNEU_HOME/tls/default"
	chmod 600 "$PNEU_HOME/tls/mx.pneu.test/key.pem"
	test -z "$TEST_ROOT" || chown -R pneut:pneut "$PNEU_HOME/tls/mx.pneu.test"
}

clients() {
	instance_make "$TEST_TMP/pneu" $me bob@pneu.test
	echo 'PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5' >"$PNEU_HOME/control/authmech"
	echo sesame | pneu-mailbox -q passwd $me
	echo "submission 127.0.0.1 $PORT" >"$PNEU_HOME/control/servers/in/listen"
	certificate
	pneu-control set authneedtls 0
	pneu-control set authdelay 0
	pneu-control set smtproutes "far.test:[127.0.0.1]:$(free_port)" # nobody: mail for there waits
	instance_start
	wait_for "s6-ipcclient '$PNEU_HOME/run/auth' true 2>/dev/null" || bail "$(instance_logs)"
	sent=0
	all_clients
	wait_for "test \"\$(mails $me)\" = $sent"
	is "$(mails $me)" "$sent" "all of it has arrived"
	is "$sent" 19 "from all of them"
	like "$(mail_of $me)" 'with ESMTPA' "the trace field says that they logged in"
	logged "pneu-smtpd: auth client=127\.0\.0\.1 server=in helo=client\.test login=$me mechanism=SCRAM-SHA-256 name=main" "so does the log"

	# the wrong password
	code 28 "swaks: wrong" swaks_ PLAIN wrong
	code 77 "msmtp: wrong" msmtp_ SCRAM-SHA-256 wrong
	code 67 "curl: wrong" curl_ LOGIN wrong
	code 3 "python: wrong" python_ CRAM-MD5 wrong
	code 3 "nodemailer: wrong" node_ PLAIN wrong
	nail_ LOGIN wrong >/dev/null 2>&1
	test $? != 0
	is $? 0 "s-nail: wrong"
	is "$(mails $me)" "$sent" "nothing of it arrived"
	logged "pneu-smtpd: auth-failed client=127\.0\.0\.1 server=in helo=[^ ]* login=$me mechanism=PLAIN reason=password" "one line each"
	is "$(log | grep -c 'sesame\|wrong')" 0 "no password is in it"
	code 23 "without a login nothing is taken" swaks --server 127.0.0.1 --port "$PORT" --from $me --to $me
	like "$(cat "$TEST_TMP/.out")" '530 5\.7\.0' "530 5.7.0"

	# The queue knows who it was; a login may send elsewhere, in his own name alone.
	wait_for queue_empty # what came before
	kill -STOP "$(service_pid send)"
	ok "to another domain" swaks --server 127.0.0.1 --port "$PORT" --auth PLAIN --auth-user $me --auth-password sesame --from $me --to x@far.test
	is "$(grep -lF "login=$me" "$PNEU_HOME"/queue/new/* | wc -l)" 1 "the envelope names the login"
	logged "accepted client=[^ ]* .* login=$me .*id=" "and so does the log, with the message's id"
	code 23 "not in another's name" swaks --server 127.0.0.1 --port "$PORT" --auth PLAIN --auth-user $me --auth-password sesame \
		--from bob@pneu.test --to x@far.test
	kill -CONT "$(service_pid send)"

	# limits: a failed login waits, the third is the last
	pneu-control set authdelay 1
	begun=$(date +%s%N)
	code 3 "a failed login" python_ PLAIN wrong
	test $(($(date +%s%N) - begun)) -ge 1000000000
	is $? 0 "waits a second"
	ok "a good one goes on" python_ PLAIN sesame
	sent=$((sent + 1))
	pneu-control set authdelay 0
	is "$(printf 'EHLO x\r\nAUTH PLAIN AGEAYg==\r\nAUTH PLAIN AGEAYg==\r\nAUTH PLAIN AGEAYg==\r\nAUTH PLAIN AGEAYg==\r\n' |
		timeout 60 nc -N 127.0.0.1 "$PORT" | grep -c '^535')" 3 "three failed ones"
	logged 'hangup client=127\.0\.0\.1 server=in helo=x reason=auth' "and it is over"

	# by STARTTLS, which is needed by default
	pneu-control unset authneedtls
	code 28 "swaks: not in clear" swaks_ PLAIN sesame
	before=$sent
	wait_for "test \"\$(mails $me)\" = $sent"
	all_clients tls
	wait_for "test \"\$(mails $me)\" = $sent"
	is "$(mails $me)" "$sent" "all of it has arrived"
	is $((sent - before)) 19 "from all of them"
	logged "login=$me mechanism=CRAM-MD5 name=main tls=TLSv1" "under TLS"
	is "$(grep -l 'with ESMTPSA' "$(maildir $me)"/new/* | wc -l)" 19 "the trace field says so"
	code 3 "the wrong password" python_ PLAIN wrong tls

	# without pneu-authd: not now
	s6-svc -wD -d "$PNEU_HOME/service/authd"
	code 4 "python: it cannot be known" python_ PLAIN sesame tls
	s6-svc -u "$PNEU_HOME/service/authd"
	wait_for "s6-ipcclient '$PNEU_HOME/run/auth' true 2>/dev/null"
	ok "and now" python_ PLAIN sesame tls
	is "$(cat "$PNEU_HOME"/log/*/current | grep -c 'sesame')" 0 "no log has the password"
	instance_stop
}

as_both clients
done_testing
