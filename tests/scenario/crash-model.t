#!/bin/sh
# The queue's protocol as a model, in its short form: every state of the smaller model, and mistakes that must be found.
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "a model has no variants"
command -v spin >/dev/null || skip_all "needs spin"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/model.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "no state is bad, each mistake is found" || note "$(cat "$TEST_TMP/out")"
like "$(cat "$TEST_TMP/out")" ' R5 .*[0-9]{6} states, .* at most 0 +ok$' "every state was looked at"
done_testing
