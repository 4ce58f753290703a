#!/bin/sh
# Each daemon of a running instance is killed at random moments while mail comes in: all of it is delivered, once.
# goals: R7
: "${PNEU_TOP:=$(pwd)}"
. "$PNEU_TOP/tests/crash/lib.sh"
crash_tmp=$CRASH_TMP
. "$PNEU_TOP/tests/lib.sh"
trap 'rm -rf "$crash_tmp"; test_cleanup' EXIT

kills=${CRASH_KILLS:-1000} messages=${CRASH_MESSAGES:-100000}
test -z "${CRASH_SHORT:-}" || kills=20 messages=2000
instance_make "$TEST_TMP/inst" you@pneu.test
pneu-control set retryfirst 1 2>/dev/null || pneu-control set retry 1
pneu-control set retrymax 2 2>/dev/null || :
instance_start
accepted=$TEST_TMP/accepted
: >"$accepted"
/usr/bin/python3 "$PNEU_TOP/tests/tool/load.py" "$PORT" you@pneu.test 86400 4 "$accepted" &
loader=$!
subjects() { find "$(maildir you@pneu.test)/new" -type f -exec grep -h '^Subject: ' {} + | sed 's/Subject: //' | sort; }

done=0
until test "$done" -ge "$kills" && test "$(wc -l <"$accepted")" -ge "$messages"; do
	if test "$done" -lt "$kills"; then
		name=$(printf '%s\n' queued send spawn-local spawn-remote in | shuf -n 1)
		pid=$(service_pid "$name")
		# The daemon alone, or with those it started.
		children=
		test $((done % 2)) = 0 || children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
		# shellcheck disable=SC2086
		test -z "$pid" || ! kill -KILL "$pid" $children 2>/dev/null || done=$((done + 1))
	fi
	sleep "0.$(shuf -i 10-99 -n 1)"
done
: >"$accepted.stop"
wait $loader
sort "$accepted" >"$TEST_TMP/sorted"
wait_for 'queue_empty && subjects >"$TEST_TMP/got" && test -z "$(comm -23 "$TEST_TMP/sorted" "$TEST_TMP/got")"' "$((300 + messages / 100))"
subjects >"$TEST_TMP/got"
what="$(wc -l <"$TEST_TMP/sorted") messages, $done kills"
CRASH_COUNT=1
crash_goal R7 "$(comm -23 "$TEST_TMP/sorted" "$TEST_TMP/got" | wc -l)" 0 "$what: lost"
crash_goal R7 "$(uniq -d <"$TEST_TMP/got" | wc -l)" 0 "$what: twice"
crash_goal R7 "$(find "$PNEU_HOME/queue/bad" "$PNEU_HOME/queue/hold" "$PNEU_HOME/badmail" -type f | wc -l)" 0 "$what: damaged, held or bounced"

# How long after its start does pneu-send deliver what waits?
s6-svc -d "$PNEU_HOME/service/send"
wait_for 'test -z "$(service_pid send)"'
printf 'Subject: first\n\nx\n' | pneu-inject -f s@pneu.test you@pneu.test
s6-svc -u "$PNEU_HOME/service/send"
wait_for 'grep -q "^Subject: first" "$(maildir you@pneu.test)"/new/*' 30
# Milliseconds since 1970, of the process's start (its 22nd number, ticks since boot) and of the file's name.
begun=$(awk -v now="$(date +%s%N)" '{ split($0, part, ") "); split(part[2], n, " "); getline up <"/proc/uptime"; split(up, u, " ")
	printf "%.0f", now / 1e6 - u[1] * 1000 + n[20] * 10 }' "/proc/$(service_pid send)/stat")
there=$(date -d "$(stat -c %z "$(grep -l '^Subject: first' "$(maildir you@pneu.test)"/new/*)")" +%s%N)
there=$((there / 1000000))
bound=100
test -z "${CRASH_SHORT:-}" || bound=5000 # a machine that does other things, too
crash_goal R7 $((there - begun)) $bound "milliseconds from a start to the first delivery"
instance_stop
crash_done
