#!/bin/sh
# Servers that fail, at every stage and in every way; and connections that are used again.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/remote.sh"

remote_home timeoutconnect 30
patience() { echo "$1" >"$PNEU_HOME/control/timeoutremote"; }
patience 30
printf 'Subject: x\n\nhello\n' >"$TEST_TMP/m"
head -c 30000000 /dev/zero | tr '\0' x >"$TEST_TMP/big" # more than any socket holds
seq 1 3 | sed 's/.*/u&@example.org/' >"$TEST_TMP/3"

# ---- every stage, every way ----

# what is expected of the one recipient, when the only server does that: a second is enough to wait for silence alone
fault() { # RULE ERE NAME
	sink fault "$1"
	route_to_sink
	case $1 in *hang*) patience 1 ;; *) patience 30 ;; esac
	jobs "$TEST_TMP/m" joe@example.org
	like "$RESULTS" "^1 $2" "$3"
	sink_stop fault
}

for how in drop reset raw:25 'raw:250-half\r\n' ; do
	for stage in greet ehlo mail rcpt data; do
		fault "$stage=$how;drop" 'Z 4[.]4[.][12] 0 127.0.0.1 (connection lost|cannot connect)' "$stage: $how: later"
	done
	fault "dot=$how;drop" 'Z 4[.]4[.]2 0 127.0.0.1 connection lost after the message was sent: it may arrive twice' "dot: $how"
done
for stage in greet ehlo mail rcpt data dot; do
	fault "$stage=hang" 'Z 4[.]4[.]2 0 127.0.0.1 connection lost .*: timed out' "$stage: silence"
	fault "$stage=flood" 'Z 4[.][45][.][02] 0 127.0.0.1 (it does not speak SMTP|connection lost)' "$stage: reply lines without end"
	fault "$stage=raw:HTTP/1.1 400 Bad Request\r\n\r\n" 'Z 4[.][45][.][02] 0 127.0.0.1' "$stage: something else than SMTP"
	fault "$stage=250-one\r\n550 other" 'Z 4[.]5[.]0 0 127.0.0.1 it does not speak' "$stage: lines that do not belong together"
	fault "$stage=slow:450 4.7.0 slowly" 'Z 4[.]7[.]0 0 127.0.0.1 450 4.7.0 slowly' "$stage: a slow 450"
	fault "$stage=421 4.3.2 closing;drop" 'Z 4[.]3[.]2 0 127.0.0.1 421 4.3.2 closing' "$stage: 421"
	fault "$stage=450 4.7.1 not now" 'Z 4[.]7[.]1 0 127.0.0.1 450 4.7.1 not now' "$stage: 450"
	test $stage != ehlo || continue # then there is HELO
	fault "$stage=554 5.7.1 never" 'D 5[.]7[.]1 0 127.0.0.1 554 5.7.1 never' "$stage: 554"
	fault "$stage=554 never" 'D 5[.]0[.]0 0 127.0.0.1 554 never' "$stage: 554 without a code of its own"
	fault "$stage=554 5.7.1 no\\x1b[31m\\x07\\x0b" 'D 5[.]7[.]1 0 127.0.0.1 554 5.7.1 no.[[]31m' "$stage: control characters"
done
sink fault 'ehlo=554 5.7.1 never' 'helo=554 5.7.1 no'
route_to_sink
jobs "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^1 D 5.7.1 0 127.0.0.1 554 5.7.1 no$' "554 to EHLO and HELO"
fault 'data=250 2.0.0 got it' 'Z 4[.]5[.]0 0' "250 to DATA is no delivery"
fault 'data=raw:354 go\r\n250 2.0.0 got it\r\n' 'Z 4[.]5[.]0 0 127.0.0.1 a reply before' "250 before the message is none to it"
fault 'rcpt=raw:250 2.1.5 ok\r\n250 2.1.5 again\r\n' 'Z 4[.][0-9.]* 0' "one reply too many"
fault 'mail=354 go' 'Z 4[.]0[.]0 0' "354 to MAIL is no"
fault 'dot=354 go' 'Z 4[.]0[.]0 0' "354 to the dot is no"
fault 'body=552 5.3.4 too big;drop' 'D 5[.]3[.]4 0 127.0.0.1 552 5.3.4' "a refusal within the message"

# a large message, and a server that goes away or says no within it
for t in 1 65536 100000 2900000; do
	sink tear -t $t
	route_to_sink
	jobs "$TEST_TMP/big" joe@example.org
	like "$RESULTS" '^1 Z 4[.]4[.]2 0 127.0.0.1 connection lost' "gone after $t bytes of the message"
	sink_stop tear
done
sink early 'body=552 5.3.4 too big;drop'
route_to_sink
jobs "$TEST_TMP/big" joe@example.org
like "$RESULTS" '^1 [DZ] (5[.]3[.]4|4[.]4[.]2) 0' "no, and gone, while the message goes out"
sink early 'body=hang'
route_to_sink
for seconds in 1 5 25; do # it must be the message that takes so long, and not the way there
	patience $seconds
	jobs "$TEST_TMP/big" joe@example.org
	case $RESULTS in *'while the message was sent'*) break ;; esac
done
like "$RESULTS" '^1 Z 4[.]4[.]2 0 127.0.0.1 connection lost while the message was sent' "reads no more"

patience 30

# ---- the next host ----

cat >"$TEST_TMP/zone" <<'ZONE'
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
@ MX 10 a
@ MX 20 b
a A 127.0.0.2
b A 127.0.0.3
ZONE
if command -v nsd >/dev/null; then
	echo 1 >"$PNEU_HOME/control/remoteloopback"
	nameserver "$TEST_TMP/zone" pneu.test
	second() { # RULE NAME
		sink next -l 127.0.0.2 -l 127.0.0.3 "@127.0.0.2,$1"
		echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
		jobs "$TEST_TMP/m" joe@pneu.test ann@pneu.test
		like "$RESULTS" '^1 K 2.0.0 0-1 b.pneu.test' "the second MX: $2"
		sink_stop next
	}
	for stage in greet ehlo mail rcpt data; do
		second "$stage=drop" "$stage: gone"
		second "$stage=reset" "$stage: reset"
		second "$stage=421 4.3.2 no" "$stage: 421"
		second "$stage=raw:rubbish\r\n" "$stage: rubbish"
	done
	second 'greet=554 5.7.1 not you' "554 at the greeting"
	second 'ehlo=450 4.7.1 not now' "450 at EHLO"
	first() { # RULE ERE NAME
		sink next -l 127.0.0.2 -l 127.0.0.3 "@127.0.0.2,$1"
		echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
		jobs "$TEST_TMP/m" joe@pneu.test ann@pneu.test
		like "$RESULTS" "^1 $2" "the first MX decides: $3"
		is "$(events next 'connect 127.0.0.3')" 0 "no other is asked"
		sink_stop next
	}
	first 'mail=550 5.1.7 no' 'D 5.1.7 0-1 a.pneu.test' "MAIL refused"
	first 'rcpt=450 4.7.1 greylisted' 'Z 4.7.1 0-1 a.pneu.test' "RCPT not now"
	first 'dot=drop' 'Z 4.4.2 0-1 a.pneu.test .* may arrive twice' "gone after the dot"
	# one refused, then the connection is lost: only the other goes to the second host
	sink next -l 127.0.0.2 -l 127.0.0.3 "@127.0.0.2,rcpt~joe=550 5.1.1 no" "@127.0.0.2,data=drop"
	echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
	jobs "$TEST_TMP/m" joe@pneu.test ann@pneu.test
	like "$RESULTS" '^1 D 5.1.1 0 a.pneu.test' "a refusal counts though the connection is lost then"
	like "$RESULTS" '^1 K 2.0.0 1 b.pneu.test' "the other recipient goes elsewhere"
	is "$(events next 'RCPT TO:<joe')" 1 "alone"
	sink next -l 127.0.0.2 -l 127.0.0.3 'greet=554 5.7.1 no'
	echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
	jobs "$TEST_TMP/m" joe@pneu.test
	like "$RESULTS" '^1 D 5.7.1 0 b.pneu.test' "all say never: never"
	sink next -l 127.0.0.2 -l 127.0.0.3 '@127.0.0.2,greet=drop' 'greet=554 5.7.1 no'
	echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
	jobs "$TEST_TMP/m" joe@pneu.test
	like "$RESULTS" '^1 Z 4.7.1 0 b.pneu.test' "one of two says never: later"
	nameserver_stop
	echo 0 >"$PNEU_HOME/control/remoteloopback"
else
	skip 38 "no nsd"
fi

# ---- connections that are used again ----

sink again
route_to_sink
jobs_begin again
for i in 1 2 3 4 5; do job key=a "$TEST_TMP/m" "<$TEST_TMP/3"; done
is "$(events again connect) $(events again message)" "1 5" "five messages over one connection"
is "$(events again 'RSET|NOOP')" 0 "and nothing else"
job key=b "$TEST_TMP/m" joe@example.org
ok "another key: another connection, after QUIT" wait_for "test \"\$(events again connect) \$(events again QUIT)\" = '2 1'"
jobs_end
ok "QUIT at the end" wait_for "test \"\$(events again QUIT)\" = 2"

echo 1 >"$PNEU_HOME/control/timeoutidle"
sink idle
route_to_sink
jobs_begin idle
job "$TEST_TMP/m" joe@example.org
ok "idle for a second: QUIT" wait_for "test \"\$(events idle QUIT)\" = 1"
job "$TEST_TMP/m" joe@example.org
is "$(events idle connect)" 2 "then a new one"
jobs_end
echo 0 >"$PNEU_HOME/control/timeoutidle"
sink zero
route_to_sink
jobs_begin zero
job "$TEST_TMP/m" joe@example.org
job "$TEST_TMP/m" joe@example.org
is "$(events zero connect)" 2 "timeoutidle 0: none is kept"
jobs_end
echo 300 >"$PNEU_HOME/control/timeoutidle"

# the server does not want to go on: nobody notices
for how in '#1,mail~SIZE=ok' '#1,dot=250 2.0.0 ok;drop' '#1,dot=250 2.0.0 ok;reset' '#1,dot=250 2.0.0 ok;421 4.4.2 bye;drop' \
	'#1,dot=250 2.0.0 ok;421 4.4.2 bye'; do
	sink ends "$how"
	route_to_sink
	jobs_begin ends
	job "$TEST_TMP/m" joe@example.org
	like "$RESULTS" '^1 K' "delivered: $how"
	job "$TEST_TMP/m" joe@example.org
	like "$RESULTS" '^2 K' "the next one too"
	jobs_end
	sink_stop ends
done
# it answers MAIL with 421, but only the second one of a connection
sink enough '#1,mail~from2@=421 4.7.0 enough;drop'
route_to_sink
jobs_begin enough
job from=from1@example.net "$TEST_TMP/m" joe@example.org
job from=from2@example.net "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^2 K' "421 to the second MAIL: another connection"
is "$(events enough connect)" 2 "one"
jobs_end
: >"$TEST_TMP/remote.log"

# greylisting, then it works
sink grey -g 1
route_to_sink
jobs "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^1 Z 4.7.1' "greylisted"
jobs "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^1 K' "not the second time"

# a host that was down is no obstacle when it is back
jobs_begin back
P=$SINK
sink_stop grey
job "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^1 Z 4.4.1 .*Connection refused' "down"
sink grey -p "$P"
job "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^2 K' "up again, in the same process"
jobs_end

# settings that are read at each connection; a bad one stops the mail, not the process
jobs_begin settings
echo x >"$PNEU_HOME/control/timeoutremote"
job "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^1 Z 4.3.5 0 - control/timeoutremote' "a bad setting: later"
patience 30
mkdir -p "$PNEU_HOME/control/remote/example.org"
echo special.test >"$PNEU_HOME/control/remote/example.org/helohost"
job "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^2 K' "mended"
like "$(grep EHLO "$TEST_TMP/sink.grey/log" | tail -n 1)" 'EHLO special.test' "a setting of one domain"
rm -r "$PNEU_HOME/control/remote"
mv "$PNEU_HOME/control/me" "$PNEU_HOME/control/not-me"
job key=other "$TEST_TMP/m" joe@example.org
like "$RESULTS" '^3 Z 4.3.5 0 - control/helohost' "no name to give"
mv "$PNEU_HOME/control/not-me" "$PNEU_HOME/control/me"
jobs_end

# a strange parent
printf 'rubbish' | pneu-remote -j 2>"$TEST_TMP/err"
is $? 111 "no socket at all"
like "$(cat "$TEST_TMP/err")" '^pneu-remote: fatal: ' "is said"

# what it logs is one line an event, without control characters
sink esc 'greet=554 5.7.1 \x1b[31m\x07evil\r\nremote=forged'
route_to_sink
jobs "$TEST_TMP/m" joe@example.org
LC_ALL=C grep -vE '^pneu-remote: host failed( [a-z]+=[!-~]*)+$' "$TEST_TMP/remote.log" >"$TEST_TMP/strange"
is "$(head -n 3 "$TEST_TMP/strange")" "" "the log"

done_testing
