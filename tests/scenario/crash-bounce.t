#!/bin/sh
# The crash cases of pneu-bounce in their short form: no report that is said to be made is lost or torn, none is there twice
# (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/bounce.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "no report lost, torn or twice" || note "$(cat "$TEST_TMP/out")"
is "$(grep -c 'inject: [0-9][0-9][0-9]* faults injected, 0 violations' "$TEST_TMP/out")" 2 "faults were injected"
is "$(grep -c 'crashstates: 0 bad states' "$TEST_TMP/out")" 2 "power cuts were tried"
done_testing
