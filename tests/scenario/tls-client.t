#!/bin/sh
# Certificates of clients, as the program behind pneu-tlsd hears of them; and how many handshakes a second pneu-keyd signs.
. "${PNEU_TOP:-.}/tests/lib.sh"
command -v tcpserver >/dev/null || skip_all "there is no tcpserver"

home=$TEST_TMP/instance
instance_make "$home" you@pneu.test
pneu-cert -q new mx.pneu.test
instance_start
wait_for "s6-ipcclient '$home/run/key' true 2>/dev/null"

# ---- a program that tells what it knows of its client ----
printf '#!/bin/sh\nread -r line\necho "hash=${SSL_PEER_CERT_HASH-none}; and $line"\n' >"$TEST_TMP/tell"
chmod 755 "$TEST_TMP/tell"
as=
test "$(id -u)" != 0 || as="-u $(id -u pneud) -g $(id -g pneud)" # whom pneu-keyd answers
other=$(free_port)
# shellcheck disable=SC2086
env SSL_PEER_CERT_HASH=SHA256:0000 tcpserver -DHRl0 $as 127.0.0.1 "$other" pneu-tlsd -i "$TEST_TMP/tell" >"$TEST_TMP/log" 2>&1 &
server=$!
wait_for "listening $other"

told() { # ARGS...: what the program says to such a client
	echo hello | timeout 60 openssl s_client -quiet -connect "127.0.0.1:$other" "$@" 2>"$TEST_TMP/said"
}

for kind in ec rsa; do
	case $kind in ec) make="ec -pkeyopt ec_paramgen_curve:P-256" ;; *) make=rsa:2048 ;; esac
	# shellcheck disable=SC2086
	openssl req -x509 -newkey $make -nodes -days 30 -subj "/CN=client.$kind" -keyout "$TEST_TMP/$kind.key" -out "$TEST_TMP/$kind.pem" 2>/dev/null
done
digest() { openssl x509 -in "$1" -outform DER | openssl dgst -sha256 -r | cut -d ' ' -f 1; }

is "$(told -cert "$TEST_TMP/ec.pem" -key "$TEST_TMP/ec.key")" 'hash=none; and hello' "nobody asks for a certificate, unless a setting says so; what was said before of another is gone"
pneu-control set tlsaskcert 1
is "$(told)" 'hash=none; and hello' "a client that is asked and has none is served as well"
is "$(told -cert "$TEST_TMP/ec.pem" -key "$TEST_TMP/ec.key")" "hash=SHA256:$(digest "$TEST_TMP/ec.pem"); and hello" "an EC certificate's digest"
is "$(told -cert "$TEST_TMP/rsa.pem" -key "$TEST_TMP/rsa.key")" "hash=SHA256:$(digest "$TEST_TMP/rsa.pem"); and hello" "one of RSA"
is "$(told -cert "$TEST_TMP/rsa.pem" -key "$TEST_TMP/rsa.key" -cert_chain "$TEST_TMP/ec.pem")" \
	"hash=SHA256:$(digest "$TEST_TMP/rsa.pem"); and hello" "with another behind it: the first one counts"
like "$(printf 'QUIT\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$PORT" -starttls smtp -cert "$TEST_TMP/ec.pem" -key "$TEST_TMP/ec.key" 2>&1)" \
	'Client Certificate Types: .*ECDSA' "asked behind STARTTLS too"
pneu-control unset tlsaskcert

# ---- a limit for signatures ----
is "$(told)" 'hash=none; and hello' "handshakes are signed"
pneu-control set tlsrate 0
wait_for 'test -z "$(told)"' # pneu-keyd looks once a second
is "$(told)" '' "tlsrate 0: none is"
like "$(cat "$TEST_TMP/said")" 'eof|alert' "the connection ends"
wait_for "grep -q 'refused reason=rate' '$home'/log/keyd/current"
grep -q 'refused reason=rate' "$home/log/keyd/current"
is $? 0 "and the log tells"
# Each reason is told once a second, whatever else was told just before: a stranger does not hide what the limit refuses.
refused() { grep -c "refused reason=$1" "$home/log/keyd/current"; }
stranger() { # connects until the log has one line more of it: a second and more lies between two
	lines=$(refused stranger)
	wait_for 's6-ipcclient "$home/run/key" true; test "$(refused stranger)" -gt "$lines"'
}
if test -n "$TEST_ROOT"; then # an ordinary user is pneud himself: nobody is a stranger
	stranger
	stranger
	before=$(refused rate)
	told >/dev/null
	wait_for 'test "$(refused rate)" -gt "$before"'
	is "$(($(refused rate) - before))" 1 "also right after a stranger's connection"
fi
like "$(cat "$TEST_TMP/log")" 'handshake client=127\.0\.0\.1 .*key=pneu-keyd' "that of pneu-tlsd too"
pneu-control unset tlsrate
wait_for 'test -n "$(told)"'
is "$(told)" 'hash=none; and hello' "and without the limit they are again"
kill "$server"
instance_stop
done_testing
