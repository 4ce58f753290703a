#!/bin/sh
# TLS among enemies: words slipped in behind STARTTLS, clients that stall or vanish at any stage; and what a session weighs.
. "${PNEU_TOP:-.}/tests/lib.sh"

hostile() { timeout 300 /usr/bin/python3 "$PNEU_TOP/tests/tool/tlshostile.py" "$PORT" "$@" 2>&1; }

processes() { # of sessions: pneu-smtpd and pneu-tlsd, of this instance
	for p in /proc/[0-9]*; do
		case $(readlink "$p/exe" 2>/dev/null) in
		*/pneu-smtpd | */pneu-tlsd) tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -qx "PNEU_TEST=$PNEU_TEST" && echo "${p#/proc/}" ;;
		esac
	done
}

instance_make "$TEST_TMP/instance" you@pneu.test
pneu-control set maxconn 400
pneu-control set maxconnperip 400
pneu-cert -q new mx.pneu.test 2>/dev/null
instance_start
wait_for "s6-ipcclient '$PNEU_HOME/run/key' true 2>/dev/null"

said=$(hostile inject)
like "$said" "one packet: b'554 5\.5\.1 [^']*'" "commands in the same packet: refused, and nothing else is said"
like "$said" 'pause 0 : b.(220|554)' "in the next packet: TLS, or the refusal"
for pause in 0.001 0.05; do
	like "$said" "pause $pause : b.(220|554)" "after $pause s"
done
! printf '%s\n' "$said" | grep -Eq '250|354'
is $? 0 "no word in clear behind STARTTLS was obeyed"
like "$said" 'behind the hello: [0-9]' "nor behind a ClientHello"
is "$(mails you@pneu.test)" 0 "no mail came of it"
queue_empty
is $? 0 "nor is any in the queue"

pneu-control set timeouttls 2
seconds=$(hostile stall)
ok "who stalls in the handshake is cut off after timeouttls ($seconds s)" test "$seconds" -ge 2 -a "$seconds" -lt 60
pneu-control unset timeouttls

hostile drop 25
wait_for 'test -z "$(processes)"' || note "left: $(processes | xargs ps -f -p)"
is "$(processes)" '' "of 225 connections dropped at nine stages no process is left"
grep -q 'died\|signal' "$PNEU_HOME"/log/*/current
is $? 1 "and none died of it"

said=$(hostile half)
like "$said" '221 2.0.0' "a client that half closes gets all its answers"
# ---- what a process weighs at most: its peak is asked for while it waits for QUIT ----
most() { # PROCESS...: the largest peak of them, kB
	for p; do awk '/^VmHWM/ { print $2 }' "/proc/$p/status"; done | sort -n | tail -n 1
}
children() { listener=$(service_pid in) && cat "/proc/$listener/task/$listener/children"; }
mkfifo "$TEST_TMP/quit"
pneu-control set maxerrors 0
pneu-control set maxline 0
for way in large clear; do
	hostile "$way" 20000000 <"$TEST_TMP/quit" >"$TEST_TMP/large" &
	large=$!
	exec 9>"$TEST_TMP/quit"
	wait_for "test -s '$TEST_TMP/large'"
	like "$(cat "$TEST_TMP/large")" '^250 ' "20 MB of nonsense and a message of 20 MB come in, $way"
	test "$way" = large && of=$(processes) limit=3072 || of=$(children) limit=2048
	# shellcheck disable=SC2086
	most=$(most $of)
	if test "$PNEU_VARIANT" = asan; then
		skip 1 "sanitizers weigh more"
	else
		test "${most:-$limit}" -lt "$limit"
		is $? 0 "no process of theirs was ever larger than $limit kB"
		note "$(cat "$TEST_TMP/large"): $most kB"
	fi
	exec 9>&-
	wait "$large"
done
pneu-control unset maxerrors
pneu-control unset maxline
wait_for 'test "$(mails you@pneu.test)" = 2'

said=$(hostile pause)
is "$(printf '%s\n' "$said" | cut -c 1-3 | tr '\n' ' ')" "250 250 221 " "who pauses in the midst of a record is understood all the same"

# ---- who is served counts as a connection until the last of its processes is gone ----
greeting() { timeout 60 nc -N 127.0.0.1 "$PORT" </dev/null; } # not a word: a server that closes over one takes back what it said
programs() { for p in $(processes); do grep -zqs "^SSL_PROTOCOL=" "/proc/$p/environ" && echo "$p"; done; }
mkfifo "$TEST_TMP/stay"
wait_for 'test -z "$(processes)"'
pneu-control set timeoutsmtpd 5
listener_anew in pneu-control set maxconnperip 3
hostile stuck 3 <"$TEST_TMP/stay" >"$TEST_TMP/stuck" &
stuck=$!
exec 8>"$TEST_TMP/stay"
wait_for "grep -q ready '$TEST_TMP/stuck'"
wait_for 'test -z "$(programs)"'
ok "three that do not read their answers are three connections, also when pneu-smtpd has given them up" \
	wait_for "greeting | grep -q '^421 4\.7\.0'"
exec 8>&-
wait "$stuck"
listener_anew in pneu-control set maxconnperip 400
pneu-control unset timeoutsmtpd
ok "they are gone: there is room" wait_for "greeting | grep -q '^220 '"
wait_for 'test -z "$(processes)"'

# ---- what a session weighs ----
mkfifo "$TEST_TMP/go"
idle() { # N: sessions under TLS, until descriptor 9 is closed
	hostile idle "$1" <"$TEST_TMP/go" >"$TEST_TMP/idle" &
	idle=$!
	exec 9>"$TEST_TMP/go"
	wait_for "grep -q ready '$TEST_TMP/idle'"
}
weigh() {
	private=0 largest=0 n=0
	for p in $(processes); do
		private=$((private + $(awk '/^Private_(Clean|Dirty)/ { n += $2 } END { print n + 0 }' "/proc/$p/smaps_rollup")))
		rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$p/status")
		test "$rss" -le "$largest" || largest=$rss
		n=$((n + 1))
	done
	private=$((private / 10))
}
idle 10
weigh
is "$n" 20 "a session under TLS is two processes"
if test "$PNEU_VARIANT" = asan; then
	skip 2 "sanitizers weigh more"
else
	wait_for 'weigh; test "$private" -lt 150' # they rest after a second without a word
	test "$private" -lt 150
	is $? 0 "which have less than 150 kB of their own"
	note "an idle session under TLS: $private kB private in $n processes of ten sessions; the largest one had $largest kB"
	test "$largest" -lt 3072
	is $? 0 "and never had 3 MiB each"
fi
exec 9>&-
wait "$idle"
is "$(grep -c '^221 ' "$TEST_TMP/idle")" 10 "after a rest they go on"

# ---- they vanish ----
idle 3
old=$(processes)
# shellcheck disable=SC2046
kill -KILL $(for p in $old; do grep -zq '^SSL_PROTOCOL=' "/proc/$p/environ" || echo "$p"; done)
wait_for 'test -z "$(processes)"'
is "$(processes)" '' "where the proxies are killed, the programs behind them end"
exec 9>&-
wait "$idle"
done_testing
