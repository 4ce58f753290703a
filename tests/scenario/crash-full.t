#!/bin/sh
# The disk is full while a hundred messages come in: the short form of tests/crash/full.case.sh.
. "${PNEU_TOP:-.}/tests/lib.sh"

test -n "$TEST_ROOT" || skip_all "only root can mount"
unshare -m true 2>/dev/null || skip_all "no mount namespaces here"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/full.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "refused with 4xx or delivered, and no daemon started anew" || note "$(cat "$TEST_TMP/out")"
is "$(grep -c ' ok$' "$TEST_TMP/out")" 12 "each figure was taken"
done_testing
