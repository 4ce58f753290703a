#!/bin/sh
# The crash case of pneu-filterd: accepted is what is filtered and whole.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case filterd "what is accepted is in the queue, filtered and whole"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-filterd was killed and failed at each call that counts"
done_testing
