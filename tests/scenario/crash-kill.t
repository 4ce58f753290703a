#!/bin/sh
# Each daemon is killed at random moments under load, in the short form (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v shuf >/dev/null || skip_all "needs shuf"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/kill.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "nothing lost, nothing twice" || note "$(cat "$TEST_TMP/out")"
done_testing
