#!/bin/sh
# The crash cases of Maildir delivery: no delivered message may be lost, torn or there twice.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case local "no message lost, torn or twice"
crash_says 2 'inject: [0-9]{2,} faults injected, 0 violations' "faults were injected"
if test "$(id -u)" = 0; then ways=6; else ways=5; fi
crash_says $ways 'crashstates: 0 bad states' "power cuts were tried"
done_testing
