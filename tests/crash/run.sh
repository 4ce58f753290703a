#!/bin/sh
# Runs every case whose name holds $1. Exits non-zero if one found a violation.
cd "${PNEU_TOP:-.}" || exit 111
bad=0 ran=0
for case in tests/crash/*.case.sh; do
	case $case in *"${1:-}"*) ;; *) continue ;; esac
	printf '%s\n' "#### $case"
	ran=$((ran + 1))
	"$case" || bad=$((bad + 1))
done
test "$ran" -gt 0 || {
	echo "no case is named ${1:-}"
	exit 100
}
printf '%s\n' "$ran cases, $bad with violations"
test "$bad" = 0
