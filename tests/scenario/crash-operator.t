#!/bin/sh
# The crash case of the operator's verbs in its short form (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/operator.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "no message lost, torn or doubled" || note "$(cat "$TEST_TMP/out")"
is "$(grep -Ec 'inject: [0-9]{2,} faults injected, 0 violations' "$TEST_TMP/out")" 4 "faults were injected"
is "$(grep -c '^crashstates: 0 bad states' "$TEST_TMP/out")" 6 "power cuts were tried"
done_testing
