#!/bin/sh
# pneu-send under a clock that is set: the short form of tests/crash/clock.case.sh.
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "the clock runs thousands of times faster: not with sanitizers"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/clock.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "none given up early, none tried too often" || note "$(cat "$TEST_TMP/out")"
is "$(grep -c ' ok$' "$TEST_TMP/out")" 9 "each figure was taken"
done_testing
