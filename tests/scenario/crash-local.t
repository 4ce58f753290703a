#!/bin/sh
# The crash cases of Maildir delivery in their short form: no delivered message may be lost, torn or there twice
# (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
command -v strace >/dev/null || skip_all "needs strace"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/local.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "no message lost, torn or twice" || note "$(cat "$TEST_TMP/out")"
is "$(grep -c 'inject: [0-9][0-9][0-9]* faults injected, 0 violations' "$TEST_TMP/out")" 2 "faults were injected"
if test "$(id -u)" = 0; then ways=6; else ways=5; fi
is "$(grep -c 'crashstates: 0 bad states' "$TEST_TMP/out")" $ways "power cuts were tried"
done_testing
