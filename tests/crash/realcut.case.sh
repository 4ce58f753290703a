#!/bin/sh
# The plug is pulled on ext4, xfs and btrfs: on each program that writes, at each of its calls, and on a whole instance under load.
# goals: R4
: "${PNEU_TOP:=$(pwd)}"
if test "$(id -u)" != 0; then
	echo "only root can mount: skipped"
	exit 0
fi
# In a mount namespace of its own: what somebody else's copy of it holds could not be mounted anew.
if test -z "${CRASH_MOUNTS:-}"; then
	unshare -m true 2>/dev/null || {
		echo "no mount namespaces here: skipped"
		exit 0
	}
	export PNEU_TOP CRASH_MOUNTS=1
	exec unshare -m "$PNEU_TOP/tests/crash/realcut.case.sh"
fi
. "$PNEU_TOP/tests/crash/lib.sh"
crash_tmp=$CRASH_TMP
. "$PNEU_TOP/tests/lib.sh"
trap '(test_cleanup); rm -rf "$crash_tmp"' EXIT
CRASH=$PNEU_TOP/tests/crash

# A program is cut so often at least, an operator's verb a fifth of it, for they have much in common; an instance so often.
program=${CRASH_CUTS:-100} system=${CRASH_SYSTEM_CUTS:-200}

cuts() { # TOOL ARGS...: a line of the table for each scenario
	tool=$1 code=0
	shift
	"$CRASH/$tool" "$@" >"$CRASH_TMP/.log" 2>&1 || code=$?
	CRASH_COUNT=$((CRASH_COUNT + 1))
	cat "$CRASH_TMP/.log"
	sed -n 's/^\([a-z0-9]* [a-z]*\): \([0-9]*\) cuts, \([0-9]*\) bad, .*/\3|\1: lost, torn, untrue or twice after \2 cuts/p' "$CRASH_TMP/.log" >"$CRASH_TMP/.cuts"
	while IFS='|' read -r bad what; do crash_goal R4 "$bad" 0 "$what"; done <"$CRASH_TMP/.cuts"
	test $code = 0 || grep -Eq ' cuts, [1-9][0-9]* bad' "$CRASH_TMP/.log" || crash_goal R4 "$code" 0 "$tool $*: exit code"
}

if test -n "${CRASH_SHORT:-}"; then
	cuts realcut.py --fs ext4 --at-most 2 commit maildir mbox send bounce hold
	cuts system.py --fs ext4 --cuts 1
	! command -v mkfs.xfs >/dev/null || cuts goingdown.py --fs xfs
	crash_done
fi
cuts goingdown.py --fs ext4
cuts goingdown.py --fs xfs
for fs in ext4 xfs btrfs; do
	cuts realcut.py --fs "$fs" --cuts "$program" commit maildir mbox send bounce
	cuts realcut.py --fs "$fs" --cuts $((program / 5)) hold release remove return redirect
	cuts system.py --fs "$fs" --cuts "$system"
done
crash_done
