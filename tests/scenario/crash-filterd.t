#!/bin/sh
# The crash case of pneu-filterd in its short form: accepted is what is filtered and whole (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/filterd.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "what is accepted is in the queue, filtered and whole" || note "$(cat "$TEST_TMP/out")"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-filterd was killed and failed at each call that counts"
done_testing
