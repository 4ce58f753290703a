#!/bin/sh
# Called by ./do fuzz [NAME...] [SECONDS]: each target, or those of these names, for so many seconds (10) from its corpus, as many
# at a time as there are processors. A finding is left in the folder this is called from, and the exit code is 1.
set -u
if test "${1:-}" = -one; then # SECONDS TARGET
	work=$(mktemp -d) || exit 111
	cp "tests/fuzz/corpus/${3##*/}"/* "$work" 2>/dev/null
	# shellcheck disable=SC2086
	if last=$("$3" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 ${FUZZ_OPTIONS:-} "$work" 2>&1); then
		printf 'ok      %-20s %s runs\n' "${3##*/}" "$(printf '%s\n' "$last" | sed -n 's/^stat::number_of_executed_units: *//p')"
		found=0
	else
		printf 'FINDING %s\n%s\n' "${3##*/}" "$last"
		found=1
	fi
	rm -rf "$work"
	exit "$found"
fi
names='' seconds=10
for word; do
	case $word in *[!0-9]*) names="$names $word" ;; *) seconds=$word ;; esac
done
targets=''
for target in "$PNEU_TESTS"/fuzz/*; do
	case $target in *.o | *.d) continue ;; esac
	case "$names " in ' ' | *" ${target##*/} "*) targets="$targets $target" ;; esac
done
for name in $names; do
	case "$targets " in *"/$name "*) ;; *) echo "fuzz: there is no target $name" >&2 && exit 100 ;; esac
done
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P "$(nproc)" -n 1 sh "$0" -one "$seconds"
