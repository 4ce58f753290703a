#!/bin/sh
# The crash case of pneu-remote in its short form: delivered is what the other host said 250 to (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/remote.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "who is said to have it has it, the others get it, at most one twice" || note "$(cat "$TEST_TMP/out")"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-remote was killed and failed at each call that counts"
done_testing
