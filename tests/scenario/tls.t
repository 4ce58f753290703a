#!/bin/sh
# TLS in a running instance: certificates by name, versions, suites, clients of all kinds, renewal, keyd's restart, and a
# server that requires TLS.
. "${PNEU_TOP:-.}/tests/lib.sh"

client() { # ARGS...: openssl s_client by STARTTLS, QUIT at once; what it says about the connection
	printf 'QUIT\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$PORT" -starttls smtp "$@" 2>&1
}

subject() { # ARGS...: of the certificate that is shown
	client "$@" | sed -n 's/^subject=.*CN = //p'
}

body() {
	home=$TEST_TMP/instance-$(id -u)
	instance_make "$home" you@pneu.test
	ok "a certificate signed by itself" pneu-cert new mx.pneu.test
	ok "one of RSA for another name" pneu-cert -r new imap.pneu.test pop.pneu.test .wild.test
	is "$(readlink "$home/tls/default")" mx.pneu.test "the first one is the default"
	is "$(readlink "$home/tls/pop.pneu.test")" imap.pneu.test "other names are links"
	is "$(stat -c %a "$home/tls/mx.pneu.test/key.pem")" 600 "a key is its owner's alone"
	test "$(id -u)" != 0 || is "$(stat -c %U "$home/tls/mx.pneu.test/key.pem")" pneut "and that is pneut"
	ok "all is well with them" pneu-cert check
	instance_start
	wait_for "s6-ipcclient '$home/run/key' true 2>/dev/null"

	# ---- certificates by name ----
	is "$(subject)" mx.pneu.test "no name asked for: the default"
	is "$(subject -servername mx.pneu.test)" mx.pneu.test "a name"
	is "$(subject -servername POP.pneu.test)" imap.pneu.test "another one, by its link, in capitals"
	is "$(subject -servername a.wild.test)" imap.pneu.test "a host below a domain"
	is "$(subject -servername a.b.wild.test)" mx.pneu.test "but not two levels below"
	is "$(subject -servername unknown.test)" mx.pneu.test "an unknown name: the default"
	is "$(subject -servername default)" mx.pneu.test "a name that is a word of ours does no harm"

	# ---- versions and suites ----
	client >"$TEST_TMP/out"
	like "$(cat "$TEST_TMP/out")" 'Protocol *: TLSv1.2' "TLS 1.2"
	like "$(cat "$TEST_TMP/out")" 'ECDHE-ECDSA-(AES128-GCM|CHACHA20)' "the server's order counts"
	like "$(client -cipher 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384' -tls1_2)" 'Cipher *: ECDHE-ECDSA-' "a client with little choice"
	for curve in X25519 P-256 P-384 P-521; do
		like "$(client -groups "$curve")" 'Verify return code' "key exchange by $curve"
	done
	for suite in ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305 ECDHE-RSA-AES128-SHA; do
		like "$(client -servername imap.pneu.test -tls1_2 -cipher "$suite")" "Cipher *: $suite" "$suite"
	done
	like "$(client -servername imap.pneu.test -tls1_2 -cipher AES128-GCM-SHA256)" 'alert handshake failure' "a suite without ECDHE is refused"
	like "$(client -tls1_1 -cipher DEFAULT@SECLEVEL=0)" 'alert protocol version|wrong version number' "TLS 1.1 is refused"
	pneu-control set tlsminimum 1.0
	ok "unless a setting allows it" wait_for 'client -tls1_1 -cipher DEFAULT@SECLEVEL=0 | grep -q "Protocol *: TLSv1.1"' # pneu-keyd looks once a second
	like "$(client -servername imap.pneu.test -tls1 -cipher DEFAULT@SECLEVEL=0)" 'Protocol *: TLSv1$' "TLS 1.0, RSA: the old signature"
	pneu-control unset tlsminimum
	pneu-control set tlsciphers ECDHE-ECDSA-AES256-GCM-SHA384
	like "$(client)" 'Cipher *: ECDHE-ECDSA-AES256-GCM-SHA384' "suites as a setting"
	pneu-control unset tlsciphers
	like "$(openssl s_client -connect "127.0.0.1:$PORT" -starttls smtp -tls1_3 </dev/null 2>&1)" 'alert' "TLS 1.3 alone is refused"

	# ---- clients ----
	printf 'Subject: hello\n\nhello\n' >"$TEST_TMP/message"
	cp "$home/tls/mx.pneu.test/chain.pem" "$TEST_TMP/ca.pem"
	ok "swaks" swaks --server 127.0.0.1 -p "$PORT" -tls --to you@pneu.test --from me@else.test
	ok "curl" curl -sS --crlf --ssl-reqd --cacert "$TEST_TMP/ca.pem" --resolve "mx.pneu.test:$PORT:127.0.0.1" \
		--mail-from me@else.test --mail-rcpt you@pneu.test -T "$TEST_TMP/message" "smtp://mx.pneu.test:$PORT"
	ok "msmtp" sh -c "msmtp --host=127.0.0.1 --port=$PORT --tls=on --tls-certcheck=off --auth=off --from=me@else.test you@pneu.test <'$TEST_TMP/message'"
	ok "python" /usr/bin/python3 "$PNEU_TOP/tests/tool/tlsmail.py" "$PORT" mx.pneu.test "$TEST_TMP/ca.pem" me@else.test you@pneu.test
	sent=4
	if command -v s-nail >/dev/null; then
		sent=5
		ok "s-nail" sh -c "echo hello | env HOME=$TEST_TMP s-nail -n -Sv15-compat -Ssmtp-use-starttls -Stls-verify=ignore \
			-Ssmtp-auth=none -Smta=smtp://127.0.0.1:$PORT -Ssendwait -r me@else.test -s hello you@pneu.test"
	else
		skip 1 "there is no s-nail"
	fi
	wait_for "test \$(mails you@pneu.test) = $sent"
	is "$(mails you@pneu.test)" "$sent" "all of it arrived"
	like "$(mail_of you@pneu.test)" 'with ESMTPS \(TLSv1\.2 ECDHE-ECDSA-' "the trace field tells of TLS"

	# ---- a renewal, and a damaged one ----
	before=$(client | openssl x509 -noout -fingerprint)
	pneu-cert -q new mx.pneu.test
	after=$(client | openssl x509 -noout -fingerprint)
	test "$before" != "$after"
	is $? 0 "a renewed certificate counts from the next connection"
	cp "$home/tls/imap.pneu.test/chain.pem" "$home/tls/mx.pneu.test/chain.pem"
	is "$(client | openssl x509 -noout -fingerprint)" "$after" "half a renewal: what was there counts on"
	code 100 "pneu-cert says so" pneu-cert check mx.pneu.test
	like "$(cat "$TEST_TMP/.out")" 'not the key of the first certificate' "and why"
	pneu-cert -q new mx.pneu.test

	# ---- pneu-keyd dies ----
	old=$(service_pid keyd)
	kill -KILL "$old"
	wait_for "test -n \"\$(service_pid keyd)\" && test \"\$(service_pid keyd)\" != $old"
	wait_for "test \"\$(subject)\" = mx.pneu.test"
	is "$(subject)" mx.pneu.test "pneu-keyd died: it is back, and so is TLS"

	# ---- who else may ask ----
	if test "$(id -u)" = 0; then
		like "$(printf '\0\0\0\1C' | s6-setuidgid nobody s6-ipcclient "$home/run/key" sh -c 'cat <&0 >&7; exec cat <&6' 2>/dev/null | od -c)" '^0000000$' \
			"pneu-keyd has no answer for another uid"
	else
		skip 1 "there is one uid"
	fi

	# ---- a server that requires TLS ----
	pneu-control -s in set servertls must
	like "$(printf 'EHLO x\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n' | timeout 60 nc -N 127.0.0.1 "$PORT")" '530 5.7.0' "530 without TLS"
	ok "and with it mail comes in" swaks --server 127.0.0.1 -p "$PORT" -tls --to you@pneu.test --from me@else.test
	pneu-control -s in unset servertls

	# ---- submissions: TLS from the first byte ----
	at_once=$(free_port)
	pneu-server -q add secure submissions 127.0.0.1 "$at_once"
	wait_for "listening $at_once"
	like "$(printf 'EHLO x\r\nQUIT\r\n' | timeout 60 openssl s_client -quiet -connect "127.0.0.1:$at_once" 2>/dev/null)" '^220 .*' "a greeting under TLS"
	like "$(printf 'EHLO x\r\nQUIT\r\n' | timeout 60 openssl s_client -quiet -connect "127.0.0.1:$at_once" 2>/dev/null)" '^221 ' "and the end of it"
	printf 'EHLO x\r\nSTARTTLS\r\nQUIT\r\n' | timeout 60 openssl s_client -quiet -connect "127.0.0.1:$at_once" 2>/dev/null >"$TEST_TMP/out"
	test "$(grep -c STARTTLS "$TEST_TMP/out")" = 0
	is $? 0 "STARTTLS is not offered there"
	listener_anew secure pneu-control -s secure set maxconnperip 2
	is "$(/usr/bin/python3 - "$at_once" <<-'PY'
		import socket, ssl, sys
		context = ssl.create_default_context()
		context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
		def connect():
		    return socket.create_connection(('127.0.0.1', int(sys.argv[1])), 60)
		first = context.wrap_socket(connect())
		second = context.wrap_socket(connect())
		third = connect()
		print(first.recv(3), second.recv(3), third.recv(3))
	PY
	)" "b'220' b'220' b''" "connections of one address are counted there too"
	pneu-control -s secure unset maxconnperip
	ok "the instance's settings are in order" pneu-control check
	mv "$home/tls/default" "$home/tls/.default"
	code 1 "without a certificate they are not" sh -c 'pneu-control check; test $? != 0 && exit 1'
	like "$(cat "$TEST_TMP/.out")" 'TLS is required, and there is no certificate' "and why"
	s6-svc -r "$home/service/secure"
	wait_for "grep -q 'requires TLS: not started' '$home/log/secure/current'"
	like "$(cat "$home/log/secure/current")" 'secure requires TLS: not started' "nor does that listener start"
	printf 'EHLO x\r\nQUIT\r\n' | timeout 60 nc -N 127.0.0.1 "$PORT" >"$TEST_TMP/out"
	is "$(grep -c STARTTLS "$TEST_TMP/out")" 0 "and the other one offers none"
	like "$(cat "$TEST_TMP/out")" '^221 ' "though it answers"
	instance_stop
}

as_both body
done_testing
