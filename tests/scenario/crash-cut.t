#!/bin/sh
# The plug pulled on a real file system.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs mkfs.ext4
test -n "$TEST_ROOT" && unshare -m true 2>/dev/null && mkdir "$TEST_TMP/try" && truncate -s 8M "$TEST_TMP/image" && mkfs.ext4 -q "$TEST_TMP/image" &&
	mount -o loop "$TEST_TMP/image" "$TEST_TMP/try" 2>/dev/null || skip_all "nothing can be mounted here"
umount "$TEST_TMP/try"
crash_case realcut "nothing lost, torn, untrue or twice"
crash_says 7 '^realcut  *R4 .* cuts .* ok$' "each program was cut off, and the whole"
done_testing
