#!/bin/sh
# The crash cases of pneu-bounce: no report that is said to be made is lost or torn, none is there twice.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case bounce "no report lost, torn or twice"
crash_says 2 'inject: [0-9]{2,} faults injected, 0 violations' "faults were injected"
crash_says 2 'crashstates: 0 bad states' "power cuts were tried"
done_testing
