#!/bin/sh
# The crash cases of the queue in their short form: no accepted message may be lost or torn (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
for case in commit queue; do
	"$PNEU_TOP/tests/crash/$case.case.sh" >"$TEST_TMP/out" 2>&1
	is "$?" 0 "$case: no message lost or torn" || note "$(cat "$TEST_TMP/out")"
	like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "$case: faults were injected"
	like "$(cat "$TEST_TMP/out")" 'crashstates: 0 bad states' "$case: power cuts were tried"
done
done_testing
