#!/bin/sh
# Each daemon of a running instance is killed at random moments while mail comes in: all of it is delivered, in the mailbox once.
# goals: R7
: "${PNEU_TOP:=$(pwd)}"
. "$PNEU_TOP/tests/crash/lib.sh"
crash_tmp=$CRASH_TMP
# Processes die here, not the disk: in memory there is more mail in the time.
chmod 755 "$crash_tmp"
TMPDIR=$crash_tmp
export TMPDIR
. "$PNEU_TOP/tests/lib.sh"
trap '(test_cleanup); rm -rf "$crash_tmp"' EXIT

# Kills of each daemon, messages, seconds that a daemon lives at most, restarts that are measured.
kills=${CRASH_KILLS:-1000} messages=${CRASH_MESSAGES:-100000} life=${CRASH_LIFE:-4} rounds=50
test -z "${CRASH_SHORT:-}" || kills=4 messages=500 life=1 rounds=3
daemons='queued send spawn-local spawn-remote in'
instance_make "$TEST_TMP/inst" you@pneu.test restart@pneu.test
pneu-control set retryfirst 1
pneu-control set retrymax 2
pneu-control set deadtime 1
mkdir "$TEST_TMP/sink"
"$PNEU_TESTS/tool/sink" -d "$TEST_TMP/sink" 2>"$TEST_TMP/sink.log" &
wait_for 'test -s "$TEST_TMP/sink/port"' || bail "no sink: $(cat "$TEST_TMP/sink.log")"
pneu-control set smtproutes "far.test:[127.0.0.1]:$(cat "$TEST_TMP/sink/port")"
pneu-control set rcpthosts far.test
instance_start
accepted=$TEST_TMP/accepted
: >"$accepted"
# Each tenth message goes to another host, too.
/usr/bin/python3 "$PNEU_TOP/tests/tool/load.py" "$PORT" you@pneu.test 86400 4 "$accepted" joe@far.test &
loader=$!
of() { find "$1" -type f -name "$2" -exec grep -h '^Subject: ' {} + | sed 's/Subject: //' | sort; }
subjects() { of "$(maildir you@pneu.test)/new" '*'; }

killer() { # NAME: the daemon alone, or with those it started
	n=0
	while test $n -lt "$kills"; do
		sleep "$(shuf -i 0-$((life - 1)) -n 1).$(shuf -i 10-99 -n 1)"
		pid=$(service_pid "$1") || continue
		children=
		test $((n % 2)) = 0 || children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
		# shellcheck disable=SC2086
		kill -KILL "$pid" $children 2>/dev/null || continue
		n=$((n + 1))
		echo "$n" >"$TEST_TMP/killed.$1"
	done
}
killers=
for name in $daemons; do
	killer "$name" &
	killers="$killers $!"
done
# shellcheck disable=SC2086
wait $killers
wait_for 'test "$(wc -l <"$accepted")" -ge "$messages"' 86400
: >"$accepted.stop"
wait $loader
sort "$accepted" >"$TEST_TMP/sorted"
grep '^also' "$TEST_TMP/sorted" >"$TEST_TMP/sorted.far"
wait_for 'queue_empty' "$((300 + messages / 100))"
subjects >"$TEST_TMP/got"
of "$TEST_TMP/sink" '*[0-9].[0-9]*' | grep '^also' >"$TEST_TMP/got.far"
count=$(wc -l <"$TEST_TMP/sorted")
done=$(cat "$TEST_TMP"/killed.* | awk '{ n += $1 } END { print n }')
what="$count messages, $done kills"
CRASH_COUNT=1
crash_goal R7 $((kills - $(cat "$TEST_TMP"/killed.* | sort -n | head -n 1))) 0 "$what: kills short of $kills of each daemon"
crash_goal R7 $((messages - count)) 0 "$what: messages short of $messages"
crash_goal R7 "$(comm -23 "$TEST_TMP/sorted" "$TEST_TMP/got" | wc -l)" 0 "$what: lost"
crash_goal R7 "$(uniq -d <"$TEST_TMP/got" | wc -l)" 0 "$what: twice"
crash_goal R7 "$(($(wc -l <"$TEST_TMP/got") - $(find "$(maildir you@pneu.test)/new" -type f -exec grep -Ehx 'x{500}' {} + | wc -l)))" 0 "$what: torn"
crash_goal R7 "$(comm -23 "$TEST_TMP/sorted.far" "$TEST_TMP/got.far" | wc -l)" 0 "$(wc -l <"$TEST_TMP/sorted.far") of them also to another host: lost"
# The other host may have taken it when pneu-remote, or pneu-send before the mark, was killed.
crash_goal R7 "$(uniq -d <"$TEST_TMP/got.far" | wc -l)" "$((20 * $(cat "$TEST_TMP/killed.send" "$TEST_TMP/killed.spawn-remote" | awk '{ n += $1 } END { print n }')))" \
	"$(wc -l <"$TEST_TMP/sorted.far") of them also to another host: twice (in flight at a kill)"
crash_goal R7 "$(find "$PNEU_HOME/queue" "$PNEU_HOME/badmail" -type f ! -path '*/lock/*' | wc -l)" 0 "$what: left, damaged, held or bounced"

bound=100
test -z "${CRASH_SHORT:-}" || bound=60000 # a machine that does other things, too
"$CRASH/restart.py" restart@pneu.test "$(maildir restart@pneu.test)" "$rounds" >"$TEST_TMP/times"
read -r median largest <"$TEST_TMP/times"
sed -n 2p "$TEST_TMP/times"
crash_goal R7 "${median:-}" $bound "milliseconds from a start to the first delivery, median of $rounds"
crash_goal R7 "${largest:-}" $bound "milliseconds from a start to the first delivery, largest of $rounds"
instance_stop
crash_done
