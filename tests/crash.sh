# shellcheck shell=sh
# For the scenario tests of tests/crash: its cases in their short form (tests/crash/README.md). Sourced after lib.sh.
#   crash_needs PROGRAM...        skips the test elsewhere, and in other builds than the one that is used
#   crash_disk                    skips the test where no file system can be made and mounted
#   crash_case CASE NAME          runs tests/crash/CASE.case.sh; what it says is left in $TEST_TMP/out
#   crash_says TIMES ERE NAME     so many lines of that are like this

crash_needs() {
	test "$PNEU_VARIANT" = static || skip_all "faults are tried on the build that is used"
	for crash_program; do command -v "$crash_program" >/dev/null || skip_all "needs $crash_program"; done
}

crash_disk() {
	test -n "$TEST_ROOT" && unshare -m true 2>/dev/null && mkdir "$TEST_TMP/try" && truncate -s 8M "$TEST_TMP/image" &&
		mkfs.ext4 -q "$TEST_TMP/image" && mount -o loop "$TEST_TMP/image" "$TEST_TMP/try" 2>/dev/null ||
		skip_all "nothing can be mounted here"
	umount "$TEST_TMP/try"
}

crash_case() {
	CRASH_SHORT=1 "$PNEU_TOP/tests/crash/$1.case.sh" >"$TEST_TMP/out" 2>&1
	is "$?" 0 "$2" || note "$(cat "$TEST_TMP/out")"
}

crash_says() { is "$(grep -Ec -- "$2" "$TEST_TMP/out")" "$1" "$3"; }
