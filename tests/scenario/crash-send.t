#!/bin/sh
# The crash cases of pneu-send in their short form: what is marked was done, nobody is forgotten (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/send.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "no mark is untrue, no recipient forgotten" || note "$(cat "$TEST_TMP/out")"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-send was killed at each call that counts"
like "$(cat "$TEST_TMP/out")" 'crashstates: 0 bad states' "power cuts were tried"
done_testing
