#!/bin/sh
# 20,000 messages that wait: what they weigh, that nobody wakes for them, that new mail does not wait for them, and that an operator's
# word about all of them is soon done.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

# As root all would be root's but what the operator's programs make, which go on as pneuq.
if test -n "$TEST_ROOT"; then
	as_user "$TEST_SELF"
	exit
fi

field() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$SEND/status"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
echo 'good.test K 2.0.0 0 ok
. Z 4.2.2 0 full' >"$RULES"
queue_message -n 20000 -w -t -50000 -m +7200 a@sender.test joe@d%d.test >ids
spawn_start local
spawn_start remote
id=$(queue_message a@sender.test joe@good.test)
begun=$(milliseconds)
pneu-send 2>>send.log </dev/null &
SEND=$!
hint "$id"
ok "new mail is delivered" wait_for "logged 'end msg=$id'"
took=$(($(milliseconds) - begun))
ok "before all that waits is looked at ($took ms)" test "$took" -le 2000
ok "all are found" wait_for "logged 'scanned .*known=2000[01]'"
test "$PNEU_VARIANT" = static &&
	ok "they weigh 3 MB at most ($(field VmHWM) kB)" test "$(field VmHWM)" -le 3072
before=$(field voluntary_ctxt_switches) begun=$(milliseconds)
sleep "${QUIET:-5}" # nothing ends it: that nothing happens is what is measured, in as many seconds as it turns out to be
took=$((($(milliseconds) - begun) / 1000))
ok "in $took seconds it wakes $(($(field voluntary_ctxt_switches) - before)) times for them" \
	test $(($(field voluntary_ctxt_switches) - before)) -le "$took"

begun=$(milliseconds)
pneu-hold -A -r 'all of them' >held
took=$(($(milliseconds) - begun))
is "$(wc -l <held)" 20000 "all are held"
is "$(find queue/hold -name '*.why' | wc -l)" 20000 "each with its reason"
ok "in little time ($took ms)" test "$took" -le 60000
begun=$(milliseconds)
pneu-release -A >released
took=$(($(milliseconds) - begun))
is "$(wc -l <released)/$(find queue/hold -type f | wc -l)" 20000/0 "and let go"
ok "in little time ($took ms)" test "$took" -le 300000
ok "which means: tried now, all of them" wait_for "test \$(jobs_of remote | grep -c '@d[0-9]*.test') -ge 20000" 100
is "$(jobs_of remote | sed 's/ .*//' | sort | uniq -d | wc -l)" 0 "each once"
done_testing
