#!/bin/sh
# The crash cases of the queue: no accepted message may be lost or torn.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs strace
for case in commit queue; do
	crash_case $case "$case: no message lost or torn"
	like "$(cat "$TEST_TMP/out")" 'inject: [0-9]{2,} faults injected, 0 violations' "$case: faults were injected"
	like "$(cat "$TEST_TMP/out")" 'crashstates: 0 bad states' "$case: power cuts were tried"
done
done_testing
