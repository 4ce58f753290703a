#!/bin/sh
# run.sh NAME: every case whose name holds NAME, or all; then a line for each goal. Exits non-zero if one is missed.
# Without a name: what cases there are.
cd "${PNEU_TOP:-.}" || exit 111
name=${1:-}
if test -z "$name"; then
	for case in tests/crash/*.case.sh; do
		word=${case##*/}
		printf '%-10s %-12s %s\n' "${word%.case.sh}" "$(sed -n 's/^# goals: //p' "$case")" "$(sed -n '2s/^# //p' "$case")"
	done
	echo 'Run ./do crash NAME, or ./do crash all; CRASH_SHORT=1 makes it short. doc/reliability.md tells what each goal is.'
	exit 0
fi
test "$name" != all || name=
CRASH_TABLE=$(mktemp) || exit 111
export CRASH_TABLE
trap 'rm -f "$CRASH_TABLE"' EXIT
bad=0 ran=0
for case in tests/crash/*.case.sh; do
	case ${case##*/} in *"$name"*.case.sh) ;; *) continue ;; esac
	printf '%s\n' "#### $case"
	ran=$((ran + 1))
	"$case" || bad=$((bad + 1))
done
test "$ran" -gt 0 || {
	echo "no case is named $name"
	exit 100
}
printf '\n%-9s %-3s %-66s %10s  %-16s %s\n' case for what number bound ''
awk -F'|' '{ printf "%-9s %-3s %-66s %10s  at most %-8s %s\n", $1, $2, $3, $4, $5, $6 }' "$CRASH_TABLE"
printf '%s\n' "$ran cases, $bad with violations"
test "$bad" = 0
