#!/bin/sh
# A month of mail in an hour, by a clock that runs faster; a fifth of the hosts fails, for hours or for good: each message once, and nothing leaks.
# goals: C5
: "${PNEU_TOP:=$(pwd)}"
. "$PNEU_TOP/tests/crash/lib.sh"
crash_tmp=$CRASH_TMP
. "$PNEU_TOP/tests/lib.sh"
trap 'rm -rf "$crash_tmp"; test_cleanup' EXIT

days=${CRASH_DAYS:-30} seconds=${CRASH_SECONDS:-3600} messages=${CRASH_MESSAGES:-1000000}
if test -n "${CRASH_SHORT:-}"; then days=3 seconds=10 messages=400; fi
bin=$TEST_TMP/bin
cp -R "$PNEU_BIN" "$bin"
for name in send queued; do
	rm "$bin/pneu-$name" # it may be shared with others
	cp "$PNEU_TESTS/tool/fast$name" "$bin/pneu-$name"
done
chmod -R a+rX "$bin"
PATH=$bin:$PATH PNEU_SHARE=$PNEU_TOP/package FASTCLOCK=$TEST_TMP/clock
export PATH PNEU_SHARE FASTCLOCK
/usr/bin/python3 "$CRASH/fastclock.py" "$FASTCLOCK" $((days * 86400 / seconds)) 1795000000
chmod 644 "$FASTCLOCK"
instance_make "$TEST_TMP/inst" you@pneu.test s@pneu.test
pneu-control set queuelifetime 172800
test -z "${CRASH_SHORT:-}" || pneu-control set queuelifetime 86400
instance_start
/usr/bin/python3 "$CRASH/soak.py" "$PNEU_HOME" "$PORT" "$FASTCLOCK" "$seconds" "$messages" >"$TEST_TMP/said" || cat "$TEST_TMP/said"
figure() { sed -n "s/^$1 //p" "$TEST_TMP/said"; }
grep '^n[0-9]' "$TEST_TMP/said" | head -n 20
CRASH_COUNT=1
what="$(figure messages) messages, $(figure failing) of them to failing hosts, $(figure days) days"
crash_goal C5 "$((messages - $(figure messages)))" 0 "messages fewer than asked for"
crash_goal C5 "$(figure wrong)" 0 "$what: not delivered or returned just once"
crash_goal C5 "$(figure stray)" 0 "$what: delivered, but never sent"
crash_goal C5 "$(figure refused)" 0 "$what: not taken"
crash_goal C5 "$(figure left)" 0 "$what: files left"
crash_goal C5 "$(figure processes)" 0 "$what: processes left"
crash_goal C5 "$(figure descriptors)" 0 "$what: descriptors left"
crash_goal C5 "$(figure kilobytes)" 1024 "$what: kB more in the daemons than after the first quarter"
crash_goal C5 "$(figure restarted)" 0 "$what: daemons ended"
instance_stop
crash_done
