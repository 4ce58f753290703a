#!/bin/sh
# The disk is full while a hundred messages come in.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

test -n "$TEST_ROOT" || skip_all "only root can mount"
unshare -m true 2>/dev/null || skip_all "no mount namespaces here"
crash_case full "refused with 4xx or delivered, and no daemon started anew"
crash_says 12 ' ok$' "each figure was taken"
done_testing
