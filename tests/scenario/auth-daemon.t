#!/bin/sh
# pneu-authd as its service starts it, asked as pneu-smtpd asks: with pneu-checkpw, and with other people's programs.
. "${PNEU_TOP:-.}/tests/lib.sh"

ask() { # MECHANISM LOGIN PASSWORD [key=value...]: the answer's last line
	/usr/bin/python3 "$PNEU_TOP/tests/tool/authask.py" "$PNEU_HOME/run/auth" "$@" 2>&1 | tail -n 1
}

all() { /usr/bin/python3 "$PNEU_TOP/tests/tool/authask.py" "$PNEU_HOME/run/auth" "$@" 2>&1; }

program() { # NAME: a checkpassword program of that text, for one listener
	mkdir -p "$PNEU_HOME/control/servers/$1"
	cat >"$TEST_TMP/$1"
	chmod 755 "$TEST_TMP/$1"
	printf '%s\n' "$TEST_TMP/$1" "word two" >"$PNEU_HOME/control/servers/$1/checkpassword"
}

start() {
	(cd "$PNEU_HOME/service/authd" && exec ./run >>"$PNEU_HOME/log/authd.test" 2>&1 </dev/null) &
	pid_authd=$!
	wait_for 's6-ipcclient "$PNEU_HOME/run/auth" true 2>/dev/null' || bail "$(cat "$PNEU_HOME/log/authd.test")"
}

stop() {
	kill "$pid_authd"
	wait "$pid_authd" 2>/dev/null
}

own_store() {
	is "$(ask PLAIN alice@pneu.test sesame)" "K alice@pneu.test main smtp,pop3 -" "PLAIN"
	is "$(ask PLAIN Alice@Pneu.Test sesame)" "K alice@pneu.test main smtp,pop3 -" "PLAIN, large letters"
	is "$(ask LOGIN alice@pneu.test sesame)" "K alice@pneu.test main smtp,pop3 -" "LOGIN"
	is "$(ask PLAIN alice@pneu.test nonsense)" "D alice@pneu.test - - password" "a wrong password"
	is "$(ask PLAIN nobody@pneu.test sesame)" "D nobody@pneu.test - - password" "nobody"
	is "$(ask LOGIN alice@pneu.test tablet)" "K alice@pneu.test phone smtp -" "an application's password"
	is "$(ask LOGIN alice@pneu.test tablet service=pop3)" "D alice@pneu.test - - password" "not for POP3"
	is "$(ask PLAIN alice@pneu.test sesame authzid=alice@pneu.test)" "K alice@pneu.test main smtp,pop3 -" "as oneself"
	is "$(ask PLAIN alice@pneu.test sesame authzid=bob@pneu.test)" "D alice@pneu.test - - authzid" "as another"
	is "$(ask PLAIN alice sesame)" "D alice - - password" "without a domain: nobody"
	echo pneu.test >"$PNEU_HOME/control/authdomain"
	is "$(ask PLAIN alice sesame)" "K alice@pneu.test main smtp,pop3 -" "authdomain is it then"
	is "$(ask PLAIN alice sesame authzid=alice@PNEU.test)" "K alice@pneu.test main smtp,pop3 -" "whichever way it is said"
	is "$(ask SCRAM alice sesame)" "K alice@pneu.test main smtp,pop3 -" "for SCRAM, too"
	rm "$PNEU_HOME/control/authdomain"

	is "$(ask SCRAM alice@pneu.test sesame)" "K alice@pneu.test main smtp,pop3 -" "SCRAM-SHA-256, as Python computes it"
	is "$(ask SCRAM alice@pneu.test tablet gs2=y,,)" "K alice@pneu.test phone smtp -" "one of several passwords"
	is "$(ask SCRAM alice@pneu.test tablet service=pop3)" "D alice@pneu.test phone smtp rights" "not for POP3"
	is "$(ask SCRAM alice@pneu.test nonsense)" "D alice@pneu.test - - password" "a wrong password"
	is "$(ask SCRAM bob@pneu.test x)" "D bob@pneu.test - - verifier" "no verifier"
	is "$(ask SCRAM nobody@pneu.test x)" "D nobody@pneu.test - - nobody" "nobody"
	is "$(ask SCRAM alice@pneu.test sesame gs2=n,a=alice@pneu.test,)" "K alice@pneu.test main smtp,pop3 -" "as oneself"
	is "$(ask SCRAM alice@pneu.test sesame gs2=n,a=bob@pneu.test,)" "D alice@pneu.test - - authzid" "as another"
	is "$(ask SCRAM alice@pneu.test sesame gs2=p=tls-unique,,)" "M - - - malformed" "channel binding is not offered"
	is "$(ask SCRAM alice@pneu.test sesame binding=eSws)" "M alice@pneu.test - - malformed" "a header changed on the way"
	is "$(ask SCRAM alice@pneu.test sesame nonce=abc)" "M alice@pneu.test - - malformed" "another nonce"
	is "$(all SCRAM nobody@pneu.test x | head -n 1)" "$(all SCRAM nobody@pneu.test y | head -n 1)" "nobody's salt is always the same"
	like "$(all SCRAM nobody@pneu.test x | head -n 1)" '^salt [^ ]{24} rounds 10000$' "and looks like that of others"
	test "$(all SCRAM nobody@pneu.test x | head -n 1)" != "$(all SCRAM nobody2@pneu.test x | head -n 1)"
	is $? 0 "everybody has his own"
	is "$(all SCRAM bob@pneu.test x | head -n 1 | cut -c1-5)" "salt " "who has no verifier gets a salt, too"

	is "$(ask CRAM alice@pneu.test sesame)" "K alice@pneu.test main smtp,pop3 -" "CRAM-MD5"
	is "$(ask CRAM alice@pneu.test tablet)" "K alice@pneu.test phone smtp -" "one of several passwords"
	is "$(ask CRAM alice@pneu.test tablet service=pop3)" "D alice@pneu.test phone smtp rights" "not for POP3"
	is "$(ask CRAM alice@pneu.test nonsense)" "D alice@pneu.test - - password" "a wrong password"
	is "$(ask CRAM nobody@pneu.test nonsense)" "D nobody@pneu.test - - nobody" "nobody"
	like "$(all CRAM alice@pneu.test sesame | head -n 1)" '^challenge <[^ @<>]{24}\.[0-9]+@mx\.pneu\.test>$' "the challenge"
	is "$(ask GSSAPI x x)" "M - - - mechanism" "another mechanism"
	is "$(ask PLAIN 'a:b' x)" "M - - - malformed" "a login with a colon"
	is "$(ask PLAIN alice@pneu.test "$(printf '%0256d' 1)")" "M - - - malformed" "a password of 256 bytes"
}

# The interface of checkpassword: descriptor 3, the environment, the exit codes.
foreign() {
	program sh <<'SH'
#!/bin/sh
# Reads descriptor 3 as any of them.
test "$1" = "word two" || exit 2
shift
got=$(tr '\0' '\n' <&3)
exec 3<&-
{ echo "$got" | head -n 2; echo "$PNEU_SERVICE $TCPREMOTEIP $PNEU_SERVER $SSL_PROTOCOL"; id -un; } >"$PNEU_HOME/saw/got"
case $got in
"joe
secret
"*) ;;
*) exit 1 ;;
esac
USER=joe
export USER
exec "$@"
SH
	is "$(ask PLAIN joe secret listener=sh client=192.0.2.7 tls=TLSv1.2)" "K joe - - -" "a program in sh says yes"
	is "$(cat "$PNEU_HOME/saw/got")" "joe
secret
smtp 192.0.2.7 sh TLSv1.2
$owner" "what it saw"
	is "$(ask LOGIN joe wrong listener=sh)" "D joe - - password" "exit 1 is no"
	is "$(ask LOGIN joe@x.test secret listener=sh)" "D joe@x.test - - password" "another login"
	program exit2 <<'SH'
#!/bin/sh
exit 2
SH
	program exit111 <<'SH'
#!/bin/sh
exit 111
SH
	program exit0 <<'SH'
#!/bin/sh
exit 0
SH
	program killed <<'SH'
#!/bin/sh
kill -9 $$
SH
	for name in exit2 exit111 exit0 killed; do
		is "$(ask PLAIN joe secret "listener=$name")" "Z joe - - program" "$name is neither yes nor no"
	done
	program full <<'SH'
#!/bin/sh
shift
USER=Joe.Public@x.test PNEU_RIGHTS=smtp PNEU_PASSWORD=work
export USER PNEU_RIGHTS PNEU_PASSWORD
exec "$@"
SH
	is "$(ask PLAIN joe x listener=full)" "K Joe.Public@x.test work smtp -" "it may know better who that is"
	program part <<'SH'
#!/bin/sh
shift
USER=joe
export USER
exec "$@"
SH
	is "$(ask PLAIN joe@x.test x listener=part)" "K joe@x.test - - -" "a local part is no better name"
	program noisy <<'SH'
#!/bin/sh
shift
echo hello
exec "$@"
SH
	is "$(ask PLAIN joe x listener=noisy)" "Z joe - - program" "who writes where the answer goes has none"
	program flood <<'SH'
#!/bin/sh
head -c 1000000 /dev/zero
exit 1
SH
	is "$(ask PLAIN joe x listener=flood)" "D joe - - password" "however much he writes"
	program slow <<'SH'
#!/bin/sh
sleep 1000 &
echo $! >"$PNEU_HOME/saw/slow"
wait
SH
	echo 1 >"$PNEU_HOME/control/servers/slow/timeoutauth"
	is "$(ask PLAIN joe x listener=slow)" "Z joe - - timeout" "one that takes too long is ended"
	slept=$(cat "$PNEU_HOME/saw/slow")
	ok "with all it started" wait_for "! kill -0 $slept 2>/dev/null"
	mkdir -p "$PNEU_HOME/control/servers/none"
	echo /nonexistent/checkpassword >"$PNEU_HOME/control/servers/none/checkpassword"
	is "$(ask PLAIN joe x listener=none)" "Z joe - - program" "one that is not there"
	printf '\001' >"$PNEU_HOME/control/servers/none/checkpassword"
	is "$(ask PLAIN joe x listener=none)" "Z - - - settings" "a setting that cannot be read"
	is "$(ask PLAIN alice@pneu.test sesame listener=../../etc)" "K alice@pneu.test main smtp,pop3 -" "a listener that is none"
	long=$(printf '%0250d' 1)
	is "$(ask PLAIN "$long" "$long" listener=full)" "D $long - - long" "more than descriptor 3 may hold"
	like "$(cat "$PNEU_HOME/log/authd.test")" 'trouble program=[^ ]*/exit0 login=joe what=ran-nothing' "trouble is in the log"
	is "$(grep -c 'secret\|sesame\|tablet' "$PNEU_HOME/log/authd.test")" 0 "no password is"
}

# What is no question gets no answer, and does not stop the next.
hostile() {
	for bytes in 'x' '5:hello,' '0:,' '3:0:,,' '99999:x' '99999999999:' '24:5:PLAIN,4:smtp,0:,0:,0:,,' '26:5:PLAIN,4:smtp,0:,0:,0:,1:x,,'; do
		ok "no question: $bytes" /usr/bin/python3 - "$PNEU_HOME/run/auth" "$bytes" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
s.shutdown(socket.SHUT_WR)
got = b''
try:
    while True:
        more = s.recv(1000)
        if not more:
            break
        got += more
except ConnectionResetError:
    pass
sys.exit(b'1:K,' in got)
PY
	done
	is "$(ask PLAIN alice@pneu.test sesame)" "K alice@pneu.test main smtp,pop3 -" "the next is answered"
	if test -n "$TEST_ROOT"; then
		is "$(as_user /usr/bin/python3 "$PNEU_TOP/tests/tool/authask.py" "$PNEU_HOME/run/auth" PLAIN alice@pneu.test sesame 2>&1 | tail -n 1)" \
			"nothing - - - -" "strangers cannot try passwords"
		is "$(setpriv --reuid=pneud --regid=pneud --clear-groups /usr/bin/python3 "$PNEU_TOP/tests/tool/authask.py" "$PNEU_HOME/run/auth" PLAIN alice@pneu.test sesame 2>&1 | tail -n 1)" \
			"K alice@pneu.test main smtp,pop3 -" "pneud can"
		is "$(setpriv --reuid=pneud --regid=pneud --clear-groups cat "$PNEU_HOME/users/passwords" 2>/dev/null)" "" "and cannot read them"
	fi
}

daemon() {
	instance_make "$TEST_TMP/pneu" alice@pneu.test bob@pneu.test
	echo 'PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5' >"$PNEU_HOME/control/authmech"
	echo sesame | pneu-mailbox -q passwd alice@pneu.test
	echo tablet | pneu-mailbox -q passwd -n phone -r smtp alice@pneu.test
	rm "$PNEU_HOME/control/authmech"
	echo other | pneu-mailbox -q passwd bob@pneu.test
	mkdir -m 777 "$PNEU_HOME/saw"
	owner=$(id -un)
	test -z "$TEST_ROOT" || owner=pneua
	start
	own_store
	foreign
	hostile
	stop
	if test -n "$TEST_ROOT"; then # a program that needs other rights
		echo pneuv >"$PNEU_HOME/control/authuser"
		owner=pneuv
		rm "$PNEU_HOME/saw/got"
		start
		is "$(ask PLAIN joe secret listener=sh)" "K joe - - -" "under another user"
		is "$(tail -n 1 "$PNEU_HOME/saw/got")" pneuv "authuser says which"
		stop
	fi
}

as_both daemon
done_testing
