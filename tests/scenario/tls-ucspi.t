#!/bin/sh
# STARTTLS by somebody else: UCSPI-TLS, with s6-networking's s6-ucspitlsd and its keys.
. "${PNEU_TOP:-.}/tests/lib.sh"
command -v s6-ucspitlsd >/dev/null || skip_all "there is no s6-ucspitlsd"
command -v tcpserver >/dev/null || skip_all "there is no tcpserver"

home=$TEST_TMP/instance
instance_make "$home" you@pneu.test
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ucspi.test -keyout "$TEST_TMP/key.pem" \
	-out "$TEST_TMP/cert.pem" 2>/dev/null
chmod 644 "$TEST_TMP/key.pem"
instance_start
other=$(free_port)
uid=$(id -u) gid=$(id -g)
test "$uid" != 0 || { uid=$(id -u pneud) gid=$(id -g pneud); }
env KEYFILE="$TEST_TMP/key.pem" CERTFILE="$TEST_TMP/cert.pem" TLS_UID="$uid" TLS_GID="$gid" \
	tcpserver -DHRl0 -u "$uid" -g "$gid" 127.0.0.1 "$other" s6-ucspitlsd -v 2 pneu-smtpd >"$TEST_TMP/log" 2>&1 &
server=$!
wait_for "listening $other"
PORT=$other
out=$(printf 'QUIT\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$other" -starttls smtp 2>&1)
like "$out" 'subject=CN = ucspi.test' "the certificate is s6-ucspitlsd's" || note "$(cat "$TEST_TMP/log")"
ok "swaks" timeout 60 swaks --server 127.0.0.1 -p "$other" -tls --to you@pneu.test --from me@else.test
wait_for 'test "$(mails you@pneu.test)" = 1'
like "$(mail_of you@pneu.test)" 'with ESMTPS \(TLSv1\.2 ECDHE' "the trace field has its version and suite"
like "$(timeout 60 swaks --server 127.0.0.1 -p "$other" -tls --quit-after EHLO 2>&1 | sed -n '/~> EHLO/,$p')" '<~  250 HELP' "EHLO again, under TLS"
! timeout 60 swaks --server 127.0.0.1 -p "$other" -tls --quit-after EHLO 2>&1 | sed -n '/~> EHLO/,$p' | grep -q STARTTLS
is $? 0 "and no second STARTTLS"
said=$(timeout 60 /usr/bin/python3 "$PNEU_TOP/tests/tool/tlshostile.py" "$other" inject 2>&1)
! printf '%s\n' "$said" | grep -Eq '250|354'
is $? 0 "no word in clear behind STARTTLS is obeyed"
ok "who wants no TLS needs none" timeout 60 swaks --server 127.0.0.1 -p "$other" --to you@pneu.test --from me@else.test
kill "$server"
done_testing
