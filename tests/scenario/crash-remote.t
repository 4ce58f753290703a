#!/bin/sh
# The crash case of pneu-remote: delivered is what the other host said 250 to.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case remote "who is said to have it has it, the others get it, at most one twice"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-remote was killed and failed at each call that counts"
done_testing
