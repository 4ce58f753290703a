#!/bin/sh
# The crash cases of pneu-send: what is marked was done, nobody is forgotten.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case send "no mark is untrue, no recipient forgotten"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-send was killed at each call that counts"
like "$(cat "$TEST_TMP/out")" 'crashstates: 0 bad states' "power cuts were tried"
done_testing
