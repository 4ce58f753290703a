#!/bin/sh
# The clock is set by a day, by ten years, over 2038, for half a day, three days, or for good: no mail is given up early, none is tried too often.
# goals: C4
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

rate=5000 starts='runs anew' begins='1795000000 2147400000' durations='0 1 3'
if test -n "${CRASH_SHORT:-}"; then
	rate=20000 starts=anew begins=2147400000 durations=0
fi
mkdir "$CRASH_TMP/said"
: >"$CRASH_TMP/said/.all"

run() { # BEGIN BY DAYS START: in the background
	name=$1.$2.$3.$4
	crash_instance "$CRASH_TMP/$name"
	mkdir -p "$CRASH_TMP/$name/made/queue/new"
	echo 259200 >"$CRASH_TMP/$name/control/queuelifetime"
	echo '. Z 4.4.1 0 not now' >"$CRASH_TMP/$name/rules"
	/usr/bin/python3 "$CRASH/clock.py" "$CRASH_TMP/$name" "$rate" "$1" "$2" "$3" "$4" >"$CRASH_TMP/said/$name" 2>&1
}

# All at once: they wait most of the time.
jumps='86400 -86400 315360000 -315360000'
test -z "${CRASH_SHORT:-}" || jumps='86400 315360000 -315360000'
for begin in $begins; do
	for by in $jumps; do
		for days in $durations; do
			for start in $starts; do run "$begin" "$by" "$days" "$start" & done
		done
	done
	wait
done
for file in "$CRASH_TMP"/said/*; do
	CRASH_COUNT=$((CRASH_COUNT + 1))
	read -r early left most late <"$file" || early='' left='' most='' late=''
	name=${file##*/}
	what="from ${name%%.*}"
	name=${name#*.}
	by=${name%%.*} days=${name#*.}
	what="$what by $by s, ${days%.*} days (0: ever), ${days#*.}"
	crash_goal C4 "$early" 0 "$what: given up early"
	crash_goal C4 "$left" 0 "$what: never given up"
	crash_goal C4 "$most" 60 "$what: attempts of one"
	echo "$what: the last was given up $late s late"
	test -n "$early" || cat "$file"
done
crash_done
