#!/bin/sh
# The protocol as a model (queue.pml): every state of it, and each of its mistakes found.
# goals: R5
. "${PNEU_TOP:-.}/tests/crash/lib.sh"
model=$CRASH/queue.pml
cd "$CRASH_TMP" || exit 111

# explore DEPTH DEFINE...: all its states, or those within that many steps; the figures in $states, $reached, $memory and $errors.
# $CRASH_HASH: two to that are about as many as there will be; of 2^26 each takes 92 bytes.
explore() {
	depth=$1
	shift
	rm -f pan pan.* ./*.trail
	how=-DSAFETY again=
	case $* in *ENDLESS*) how='' again=-a ;; esac
	spin "$@" -a "$model" >.log 2>&1 || { cat .log && exit 111; }
	# shellcheck disable=SC2086
	cc -O2 -w -DNOFAIR -DMEMLIM="${CRASH_MEMORY:-9000}" $how -o pan pan.c || exit 111
	./pan $again "-m$depth" "-w${CRASH_HASH:-24}" >.log 2>&1
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' .log)
	reached=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' .log)
	memory=$(sed -n 's/^ *\([0-9]*\).*total actual memory usage.*/\1/p; s/^ *\([0-9]*\).*memory usage (Mbyte).*/\1/p' .log)
	errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' .log)
	CRASH_COUNT=$((CRASH_COUNT + 1))
}

whole() { # LABEL DEFINE...: no state is bad, and none was left out
	label=$1
	shift
	explore 5000000 "$@"
	grep -Eq 'Search not completed|max search depth too small|out of memory|memory limit' .log && errors=${errors:-0}+1
	test "${errors:-1}" = 0 || {
		cat .log
		test ! -f queue.pml.trail || spin "$@" -t "$model" | grep -v '^	'
	}
	echo "$label: $states states, $reached steps deep, $memory MB, ${errors:-1} errors"
	crash_goal R5 "${errors:-1}" 0 "$states states, $label: bad"
}

mistakes=0 missed=0
mistake() { # NAME DEFINE...: is found within so many steps
	mistakes=$((mistakes + 1))
	name=$1
	shift
	explore "${DEPTH:-400}" "-D$name" "$@"
	if test "${errors:-0}" = 0; then
		missed=$((missed + 1))
		echo "$name: NOT FOUND in $states states"
	else
		echo "$name: found after $states states: $(sed -n 's/^pan:1: //p' .log | cut -c1-100)"
	fi
}

command -v spin >/dev/null || {
	echo "no spin: skipped"
	exit 0
}
whole "one writer, two recipients, report"
if test -n "${CRASH_SHORT:-}"; then
	mistake FOLDER_UNSYNCED
	mistake NO_SYNC_AT_START
	mistake MOVED_EARLY
	crash_goal R5 $missed 0 "$mistakes mistakes, not found"
	crash_done
fi
whole "the same: a way that does not end" -DENDLESS
whole "a report of success is owed" -DNOTIFY_REMOTE
whole "the same for the mailbox here" -DNOTIFY_LOCAL
whole "notice of delay" -DNOTICE
whole "success and delay" -DNOTIFY_REMOTE -DNOTICE
whole "an operator gives up" -DRETURN
whole "two writers of one token" -DTWO_WRITERS -DONE_RECIPIENT
whole "a file moved without its lock" -DMOVES=1
CRASH_HASH=26
whole "two writers, two recipients, report" -DTWO_WRITERS -DNO_OPERATOR
whole "moved so twice" -DMOVES=2
whole "two writers, a file moved without its lock" -DTWO_WRITERS -DONE_RECIPIENT -DMOVES=1
CRASH_HASH=''
for name in FILE_UNSYNCED FOLDER_UNSYNCED NO_LOCK NO_CHECK MARK_FIRST END_EARLY REPORT_EARLY NO_SYNC_AT_START MOVED_EARLY \
	SETTLE_UNLOCKED BOX_UNSYNCED BOX_FILE_UNSYNCED BOX_KNOWN_UNSYNCED ANY_NAME LINKED_IGNORED OPERATOR_EARLY NOT_TIGHTENED; do
	mistake $name
done
mistake RETURN_BELIEVED -DRETURN
for name in SUCCESS_IS_DONE SUCCESS_TRIED SUCCESS_EARLY SUCCESS_UNSYNCED; do mistake $name -DNOTIFY_REMOTE; done
for name in NOTICE_UNLOGGED NOTICE_UNSYNCED; do mistake $name -DNOTICE; done
mistake KNOWN_UNSYNCED -DTWO_WRITERS -DONE_RECIPIENT
mistake NO_SECOND_LOOK -DTWO_WRITERS -DONE_RECIPIENT
crash_goal R5 $missed 0 "$mistakes mistakes, not found"
crash_done
