#!/bin/sh
# Three days of mail in ten seconds, a fifth of the hosts failing: the short form of tests/crash/soak.case.sh.
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "the clock runs thousands of times faster: not with sanitizers"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/soak.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "each message once, nothing leaks" || note "$(cat "$TEST_TMP/out")"
is "$(grep -c ' ok$' "$TEST_TMP/out")" 9 "each figure was taken"
done_testing
