#!/bin/sh
# What pneu-remote tells of hosts, and how it shares work: mail hosts, DSN, messages a connection, the fallback.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/remote.sh"

command -v nsd >/dev/null || skip_all "no nsd"

REMOTEJOBS_MORE=1
export REMOTEJOBS_MORE
remote_home remoteloopback 1 timeoutconnect 30 timeoutdns 30
sink a -l 127.0.0.2 -l 127.0.0.3 -l 127.0.0.4
echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
cat >"$TEST_TMP/zone" <<'ZONE'
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
mx1 A 127.0.0.2
mx2 A 127.0.0.3
dead1 A 127.0.0.9
Shop MX 10 mx2
Shop MX 10 MX1
Shop MX 20 mx2
club MX 5 mx2
club MX 5 mx1
half MX 10 dead1
half MX 20 mx2
down MX 10 dead1
null MX 0 .
addr A 127.0.0.3
ZONE
nameserver "$TEST_TMP/zone" pneu.test
printf 'Subject: x\n\nhello\n' >"$TEST_TMP/m"

# ---- who serves a domain
more() {
	jobs "$TEST_TMP/m" "joe@$1.pneu.test"
	printf '%s\n' "$RESULTS" | sed -n 's/^1 more //p'
}
for i in 1 2 3 4; do
	is "$(more shop) $(more club)" "mx1.pneu.test dsn mx1.pneu.test dsn" "two domains of the same hosts have one name, whichever host took it"
done
is "$(more half)" "dead1.pneu.test dsn" "that of the preferred host"
is "$(more addr)" "addr.pneu.test dsn" "a domain that is its own host"
is "$(more down)" "dead1.pneu.test -" "told of a failure, too"
jobs "$TEST_TMP/m" 'joe@[127.0.0.4]'
like "$RESULTS" '^1 more - dsn' "an address has none"

# ---- the fallback
echo "[127.0.0.4]:$SINK" >"$PNEU_HOME/control/fallback"
jobs "$TEST_TMP/m" joe@down.pneu.test
like "$RESULTS" '^1 K 2.0.0 0 .?127.0.0.4' "no host of the domain takes it: the fallback does"
like "$RESULTS" '^1 more - dsn' "which says nothing of the domain's hosts"
jobs "$TEST_TMP/m" joe@refused.test
like "$RESULTS" '^1 K .*127.0.0.4' "no answer from DNS: the fallback"
jobs "$TEST_TMP/m" joe@null.pneu.test
like "$RESULTS" '^1 D 5.1.10' "a domain that takes no mail: no"
jobs "$TEST_TMP/m" joe@half.pneu.test
like "$RESULTS" '^1 K .*mx2' "a second host comes first"
mkdir -p "$PNEU_HOME/control/remote/down.pneu.test"
echo "mx1.pneu.test:$SINK" >"$PNEU_HOME/control/remote/down.pneu.test/fallback"
jobs "$TEST_TMP/m" joe@down.pneu.test
like "$RESULTS" '^1 K .*mx1.pneu.test' "a domain's own fallback"
echo 'no host!' >"$PNEU_HOME/control/remote/down.pneu.test/fallback"
jobs "$TEST_TMP/m" joe@down.pneu.test
like "$RESULTS" '^1 Z 4.3.5 .*no proper host' "a malformed one is told, and mail waits"
rm -r "$PNEU_HOME/control/remote" "$PNEU_HOME/control/fallback"
sink_stop a
sink later -l 127.0.0.2 'greet=421 4.3.2 not now'
later=$SINK
sink good -l 127.0.0.3
echo "shop.pneu.test:[127.0.0.2]:$later" >"$PNEU_HOME/control/smtproutes"
echo "[127.0.0.3]:$SINK" >"$PNEU_HOME/control/fallback"
jobs "$TEST_TMP/m" joe@shop.pneu.test
like "$RESULTS" '^1 K .*127.0.0.3' "a host that says 421: the fallback, in the same attempt"
rm "$PNEU_HOME/control/fallback"

# ---- DSN, messages a connection
sink plain -l 127.0.0.2 -e PIPELINING
route="[127.0.0.2]:$SINK"
echo ":$route" >"$PNEU_HOME/control/smtproutes"
is "$(more shop)" "- -" "a host without DSN is told nothing"
echo 2 >"$PNEU_HOME/control/mailperconn"
: >"$TEST_TMP/sink.plain/log"
jobs_begin five
for i in 1 2 3 4 5; do
	job "$TEST_TMP/m" joe@shop.pneu.test
	like "$RESULTS" "^$i K" "message $i"
done
jobs_end
is "$(events plain connect)" 3 "two messages a connection"
nameserver_stop
done_testing
