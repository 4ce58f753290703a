#!/bin/sh
# pneu-cert with the certificates of others: a request that an authority signs, a key and a chain from outside, and every line
# that check has to say.
. "${PNEU_TOP:-.}/tests/lib.sh"

key_of() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null; }

authority() { # NAME ISSUER: NAME.key and NAME.pem
	key_of "$1"
	printf 'basicConstraints=critical,CA:TRUE\n' >ext
	if test "$1" = "$2"; then
		openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.pem" 2>/dev/null
	else
		openssl req -new -key "$1.key" -subj "/CN=$1" 2>/dev/null |
			openssl x509 -req -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 30 -extfile ext -out "$1.pem" 2>/dev/null
	fi
}

sign() { # ISSUER DAYS NAME <REQUEST >CERTIFICATE
	printf 'subjectAltName=DNS:%s\n' "$3" >ext
	openssl x509 -req -CA "$1.pem" -CAkey "$1.key" -CAcreateserial -days "$2" -extfile ext 2>/dev/null
}

verified() { # ROOT NAME: openssl believes what the server shows
	printf 'QUIT\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$PORT" -starttls smtp -servername "$2" -verify_hostname "$2" \
		-CAfile "$1.pem" 2>&1 | grep 'Verify return code' | head -n 1
}

checked() { # CODE NAME TEXT
	code "$1" "check: $2" pneu-cert check "$3"
	like "$(cat "$TEST_TMP/.out")" "$4" "and it says so"
}

cd "$TEST_TMP" || bail "no folder"
home=$TEST_TMP/instance
instance_make "$home" you@pneu.test
authority root root
authority middle root

# ---- quiet ----
is "$(pneu-cert -q new quiet.test 2>&1)" '' "-q: not a word, of openssl neither"
is "$(pneu-cert -q -r new quiet.test 2>&1)" '' "nor where a key of RSA takes its time"
mkdir bin
printf '#!/bin/sh\necho I am broken >&2\nexit 1\n' >bin/openssl
chmod 755 bin/openssl
like "$(PATH=$TEST_TMP/bin:$PATH pneu-cert -q new quiet.test 2>&1)" 'I am broken' "what it says when it fails is heard"
rm -r bin "$home/tls/quiet.test" "$home/tls/default"

# ---- a request, signed by an authority ----
pneu-cert -q csr mx.pneu.test >request
like "$(openssl req -in request -noout -text -verify 2>&1)" 'DNS:mx.pneu.test' "a request holds the name, and is signed by its key"
is "$(stat -c %a "$home/tls/mx.pneu.test/next.pem")" 600 "its key waits, its owner's alone"
{ sign middle 30 mx.pneu.test <request && cat middle.pem; } >signed
ok "what the authority made of it is installed" pneu-cert -q install mx.pneu.test signed
test ! -e "$home/tls/mx.pneu.test/next.pem"
is $? 0 "the key is in use, and waits no longer"
ok "check has nothing to say" pneu-cert check
instance_start
wait_for "s6-ipcclient '$home/run/key' true 2>/dev/null"
like "$(verified root mx.pneu.test)" 'code: 0 ' "a client that knows the root believes the chain"
key_of stranger
openssl req -new -key stranger.key -subj /CN=x 2>/dev/null | sign middle 30 mx.pneu.test >foreign
code 100 "a certificate for a key that nobody here has is refused" pneu-cert -q install mx.pneu.test foreign
like "$(verified root mx.pneu.test)" 'code: 0 ' "and changes nothing"

# ---- key and chain from outside ----
key_of outside
openssl req -new -key outside.key -subj /CN=x 2>/dev/null | sign middle 30 other.test >outside.pem
cat middle.pem >>outside.pem
ok "a key and a chain from outside are installed" pneu-cert -q install other.test outside.pem outside.key
test "$(id -u)" != 0 || is "$(stat -c %U "$home/tls/other.test/key.pem")" pneut "the key is pneut's"
like "$(verified root other.test)" 'code: 0 ' "and used for that name"
like "$(verified root mx.pneu.test)" 'code: 0 ' "beside the other"
code 100 "a key that belongs to another certificate is refused" pneu-cert -q install other.test outside.pem stranger.key

# ---- what check says ----
issue() { # DAYS NAME: for the key of other.test
	openssl req -new -key outside.key -subj /CN=x 2>/dev/null | sign middle "$1" "$2" >new.pem
	cat middle.pem >>new.pem
	pneu-cert -q install other.test new.pem
}
issue 5 other.test
checked 1 "it will end before long" other.test 'other\.test: expires soon: '
ok "not soon, if soon is less" pneu-cert -d 2 check other.test
issue -1 other.test
checked 1 "it has ended" other.test 'other\.test: has expired: '
issue 30 another.test
checked 1 "it has another name" other.test 'other\.test: not a certificate for other\.test'
pneu-control set me mail.pneu.test
checked 1 "the default one is not for the host's name" default 'default: not a certificate for mail\.pneu\.test'
pneu-control set me mx.pneu.test
pneu-control -s in set me in.pneu.test
checked 1 "nor for a listener's" default 'default: not a certificate for in\.pneu\.test'
pneu-control -s in unset me
issue 30 other.test
ok "all is well again" pneu-cert check
chmod 644 "$home/tls/other.test/key.pem"
checked 1 "others may read the key" other.test 'others than pneut may read tls/other\.test/key\.pem'
chmod 600 "$home/tls/other.test/key.pem"
openssl req -new -key outside.key -subj /CN=x 2>/dev/null | sign middle 30 other.test >new.pem
cat root.pem middle.pem >>new.pem
pneu-cert -q install other.test new.pem
checked 1 "the chain is out of order" other.test 'other\.test: the chain is out of order: .*CN ?= ?middle'
printf 'nothing\n' >"$home/tls/other.test/chain.pem"
checked 100 "there is no certificate in the file" other.test 'other\.test: chain\.pem: no certificates in PEM form'
is "$(pneu-cert -q check other.test 2>&1)" '' "with -q the exit code alone tells"
code 100 "a certificate that is not there" pneu-cert check missing.test
instance_stop
done_testing
