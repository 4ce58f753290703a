#!/bin/sh
# The crash case of pneu-smtpd in its short form: 250 only for what is whole in the queue (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/smtpd.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "who is told yes has it whole in the queue; nothing is said out of step" || note "$(cat "$TEST_TMP/out")"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-smtpd was killed and failed at each call that counts"
done_testing
