#!/bin/sh
# Called by ./do fuzz [NAME] [SECONDS]: each target, or the one of that name, for so many seconds (10) from its corpus. A finding is
# left in the folder this is called from, and the exit code is 1.
set -u
name='' seconds=10
for word; do
	case $word in *[!0-9]*) name=$word ;; *) seconds=$word ;; esac
done
found=0 ran=0
for target in "$PNEU_TESTS"/fuzz/*; do
	case $target in *.o | *.d) continue ;; esac
	test -z "$name" || test "${target##*/}" = "$name" || continue
	corpus=tests/fuzz/corpus/${target##*/}
	work=$(mktemp -d) || exit 111
	cp "$corpus"/* "$work" 2>/dev/null
	ran=$((ran + 1))
	# shellcheck disable=SC2086
	if last=$("$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 ${FUZZ_OPTIONS:-} "$work" 2>&1); then
		printf 'ok      %-20s %s runs\n' "${target##*/}" "$(printf '%s\n' "$last" | sed -n 's/^stat::number_of_executed_units: *//p')"
	else
		found=$((found + 1))
		printf 'FINDING %s\n%s\n' "${target##*/}" "$last"
	fi
	rm -rf "$work"
done
printf '%d passed, %d failed\n' $((ran - found)) "$found"
test "$ran" -gt 0 && test "$found" = 0
