#!/bin/sh
# The disk is full while mail comes in, and then is not: who was refused heard 4xx, what was accepted arrives, nothing is started anew.
# goals: C3
: "${PNEU_TOP:=$(pwd)}"
if test "$(id -u)" != 0; then
	echo "only root can mount a small disk"
	exit 0
fi
if test -z "${CRASH_FULL:-}"; then # in a mount namespace of its own, which takes the mount along when it ends
	unshare -m true 2>/dev/null || {
		echo "no mount namespaces here"
		exit 0
	}
	export PNEU_TOP CRASH_FULL=1
	exec unshare -m "$PNEU_TOP/tests/crash/full.case.sh"
fi
. "$PNEU_TOP/tests/crash/lib.sh"
crash_tmp=$CRASH_TMP
. "$PNEU_TOP/tests/lib.sh"
disk=$TEST_TMP/disk
trap 'rm -rf "$crash_tmp"; test_cleanup' EXIT

messages=${CRASH_MESSAGES:-1000}
test -z "${CRASH_SHORT:-}" || messages=100
mkdir "$disk"
truncate -s 64M "$TEST_TMP/image"
if mkfs.ext4 -q -m 0 "$TEST_TMP/image" 2>/dev/null && mount -o loop "$TEST_TMP/image" "$disk" 2>/dev/null; then
	echo "on ext4"
else
	mount -t tmpfs -o size=64m none "$disk" || exit 111
	echo "on tmpfs"
fi
chmod 755 "$disk"
subjects() { find "$(maildir you@pneu.test)/new" -type f -exec grep -h '^Subject: ' {} + | sed 's/Subject: //' | sort; }
daemons() { for name in queued send spawn-local spawn-remote in; do service_pid "$name"; done; }

for floor in kept none; do
	instance_make "$disk/$floor" you@pneu.test
	pneu-control set retryfirst 1
	pneu-control set retrymax 1
	if test $floor = none; then # the disk is full to the last byte, whatever is being written
		pneu-control set minfree 0
		pneu-control set minfreeinodes 0
	fi
	instance_start
	before=$(daemons)
	accepted=$TEST_TMP/accepted.$floor
	/usr/bin/python3 "$CRASH/full.py" "$PORT" you@pneu.test "$messages" "$disk/fill" "$accepted" >"$TEST_TMP/told"
	read -r good refused other <<-TOLD
		$(tail -n 1 "$TEST_TMP/told")
	TOLD
	sort "$accepted" >"$TEST_TMP/sorted"
	wait_for 'queue_empty && subjects >"$TEST_TMP/got" && test -z "$(comm -23 "$TEST_TMP/sorted" "$TEST_TMP/got")"' 120
	subjects >"$TEST_TMP/got"
	CRASH_COUNT=$((CRASH_COUNT + 1))
	what="$messages messages, floor $floor"
	sed '$d' "$TEST_TMP/told"
	crash_goal C3 "$other" 0 "$what: $good taken, $refused told 4xx, other answers"
	crash_goal C3 "$(test "$refused" -gt 0 && test "$good" -gt 0 && echo 0 || echo 1)" 0 "$what: the disk was not full, or stayed so"
	crash_goal C3 "$(comm -23 "$TEST_TMP/sorted" "$TEST_TMP/got" | wc -l)" 0 "$what: taken, and not in the mailbox"
	crash_goal C3 "$(uniq -d <"$TEST_TMP/got" | wc -l)" 0 "$what: there twice"
	crash_goal C3 "$(test "$before" = "$(daemons)" && echo 0 || echo 1)" 0 "$what: a daemon had to be started anew"
	crash_goal C3 "$(find "$PNEU_HOME/queue/bad" "$PNEU_HOME/queue/hold" "$PNEU_HOME/badmail" -type f | wc -l)" 0 "$what: damaged, held or bounced"
	instance_stop
done
cd / && umount "$disk"
crash_done
