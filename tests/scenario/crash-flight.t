#!/bin/sh
# The plug is pulled while a hundred deliveries are under way, once (tests/crash/README.md).
. "${PNEU_TOP:-.}/tests/lib.sh"

test "$PNEU_VARIANT" = static || skip_all "power is cut under the build that is used"
test -n "$TEST_ROOT" && unshare -m true 2>/dev/null && mkdir "$TEST_TMP/try" && truncate -s 8M "$TEST_TMP/image" && mkfs.ext4 -q "$TEST_TMP/image" &&
	mount -o loop "$TEST_TMP/image" "$TEST_TMP/try" 2>/dev/null || skip_all "nothing can be mounted here"
umount "$TEST_TMP/try"
CRASH_SHORT=1
export CRASH_SHORT
"$PNEU_TOP/tests/crash/flight.case.sh" >"$TEST_TMP/out" 2>&1
is "$?" 0 "nothing is lost, nothing is twice in the mailbox" || note "$(cat "$TEST_TMP/out")"
done_testing
