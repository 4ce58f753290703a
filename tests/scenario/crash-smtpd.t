#!/bin/sh
# The crash case of pneu-smtpd: 250 only for what is whole in the queue.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
crash_case smtpd "who is told yes has it whole in the queue; nothing is said out of step"
like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "pneu-smtpd was killed and failed at each call that counts"
done_testing
