#!/bin/sh
# The crash case of the operator's verbs.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case operator "no message lost, torn or doubled"
crash_says 4 'inject: [0-9]{2,} faults injected, 0 violations' "faults were injected"
crash_says 6 '^crashstates: 0 bad states' "power cuts were tried"
done_testing
