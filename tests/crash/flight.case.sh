#!/bin/sh
# The plug is pulled while a hundred deliveries are under way: what comes twice, in a mailbox and at another host.
# goals: R6
: "${PNEU_TOP:=$(pwd)}"
if test "$(id -u)" != 0; then
	echo "only root can mount: skipped"
	exit 0
fi
if test -z "${CRASH_MOUNTS:-}"; then # as in realcut.case.sh
	unshare -m true 2>/dev/null || {
		echo "no mount namespaces here: skipped"
		exit 0
	}
	export PNEU_TOP CRASH_MOUNTS=1
	exec unshare -m "$PNEU_TOP/tests/crash/flight.case.sh"
fi
. "$PNEU_TOP/tests/crash/lib.sh"
crash_tmp=$CRASH_TMP
. "$PNEU_TOP/tests/lib.sh"
trap '(test_cleanup); rm -rf "$crash_tmp"' EXIT
CRASH=$PNEU_TOP/tests/crash

rounds=${CRASH_ROUNDS:-20} messages=${CRASH_MESSAGES:-1000} filesystems='ext4 xfs btrfs'
test -z "${CRASH_SHORT:-}" || rounds=1 messages=300 filesystems=ext4
for fs in $filesystems; do
	command -v "mkfs.$fs" >/dev/null || {
		echo "no mkfs.$fs: skipped"
		continue
	}
	code=0
	"$CRASH/flight.py" --fs "$fs" --rounds "$rounds" --messages "$messages" >"$CRASH_TMP/.log" 2>&1 || code=$?
	CRASH_COUNT=$((CRASH_COUNT + 1))
	cat "$CRASH_TMP/.log"
	crash_goal R6 "$code" 0 "$fs: $rounds cuts, something was lost or damaged"
	crash_goal R6 "$(sed -n 's/^.* local=\([0-9]*\) .*/\1/p' "$CRASH_TMP/.log" | awk '{ n += $1 } END { if (NR) print n }')" 0 "$fs: twice in the mailbox, all cuts"
	# A slow host has as many connections as there may be; of a quick one the answers are there before the next is needed.
	for host in slow:flying quick:places; do
		worst=$(sed -n "s/^[a-z0-9]* ${host%:*} .* remote=\\([0-9]*\\) .*${host#*:}=\\([0-9]*\\) .*/\\1 \\2/p" "$CRASH_TMP/.log" |
			awk 'NR == 1 || $1 - $2 > most { most = $1 - $2; at = $0 } END { print at }')
		test -z "$worst" || crash_goal R6 "${worst% *}" "${worst#* }" "$fs: twice at a ${host%:*} host in the worst cut, of ${host#*:}"
	done
done
crash_done
