#!/bin/sh
# The queue's protocol as a model: every state of the smaller one, and mistakes that must be found.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs spin
crash_case model "no state is bad, each mistake is found"
crash_says 1 ' R5 .*[0-9]{6} states, .* at most 0 +ok$' "every state was looked at"
done_testing
