# shellcheck shell=sh
# What the cases in this folder share; README.md tells how to write one.

set -u
LC_ALL=C PYTHONDONTWRITEBYTECODE=1
umask 077
PNEU_TOP=${PNEU_TOP:-$(pwd)}
PNEU_BIN=${PNEU_BIN:-$PNEU_TOP/build/static/bin}
PNEU_TESTS=${PNEU_TESTS:-$PNEU_TOP/build/static/tests}
CRASH=$PNEU_TOP/tests/crash
if test -d /dev/shm && test -w /dev/shm; then CRASH_TMP=/dev/shm; else CRASH_TMP=${TMPDIR:-/tmp}; fi
CRASH_TMP=$(mktemp -d "$CRASH_TMP/pneu-crash.XXXXXX") || exit 111
trap 'rm -rf "$CRASH_TMP"' EXIT
trap 'exit 111' HUP INT TERM
PATH=$PNEU_BIN:/usr/bin:$PATH:/usr/sbin:/sbin
export LC_ALL PYTHONDONTWRITEBYTECODE PNEU_TOP PNEU_BIN PNEU_TESTS CRASH CRASH_TMP PATH
unset PNEU_HOME PNEU_QUEUE PNEU_ENVELOPE PNEU_INTAKE PNEU_SERVER
CRASH_COUNT=0 CRASH_BAD=0
CRASH_CASE=${0##*/}
CRASH_CASE=${CRASH_CASE%.case.sh}
: >"$CRASH_TMP/.sums"

# The calls of the short form: those that make, change or sync files, and those that answer.
CRASH_CALLS=openat,write,pwrite64,sync_file_range,fsync,fdatasync,linkat,unlinkat,renameat2,rename,close,sendto

crash_instance() { # DIR
	mkdir -p "$1/queue/new" "$1/queue/hold" "$1/queue/bad" "$1/queue/lock" "$1/queue/wait" "$1/control" "$1/run" "$1/users"
	(cd "$1/queue/wait" && for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
		mkdir -p "${i}0" "${i}1" "${i}2" "${i}3" "${i}4" "${i}5" "${i}6" "${i}7" "${i}8" "${i}9" "${i}a" "${i}b" "${i}c" "${i}d" \
			"${i}e" "${i}f"
	done)
	for u in pneud pneut pneuq pneuf pneur pneuv; do echo "$u:$(id -u):$(id -g)"; done >"$1/users/ids"
	echo crash.test >"$1/control/me"
	test -p "$1/queue/lock/trigger" || mkfifo "$1/queue/lock/trigger"
}

crash_goal() { # GOAL NUMBER BOUND WHAT: is the number not above it? A line of the table that ends ./do crash
	crash_ok=ok
	awk -v n="$2" -v bound="$3" 'BEGIN { exit !(n != "" && n + 0 <= bound + 0) }' || {
		crash_ok=MISSED
		CRASH_BAD=$((CRASH_BAD + 1))
	}
	printf '%s|%s|%s|%s|%s|%s\n' "$CRASH_CASE" "$1" "$4" "$2" "$3" "$crash_ok" | tee -a "${CRASH_TABLE:-/dev/null}" | crash_table
}

crash_table() { awk -F'|' '{ printf "%-9s %-3s %-66s %10s  at most %-8s %s\n", $1, $2, $3, $4, $5, $6 }'; }

# From what the tools print: how many kills, faults and states there were, and how many were bad.
crash_sums() {
	awk '/^SIG[A-Z]+ / { print "R1", $2, $3 } /^E[A-Z0-9]+[+]? +[0-9]+ +[0-9]+ / { print "R2", $2, $3 } / limit +[0-9]+ +[0-9]+ / { print "R2", $3, $4 }
		/^model / { print "R3", $5, $7 }' "$1"
}

crash_totals() { # a line of the table for each goal that runs were about
	for crash_each in "R1 kills, lost or torn or untrue after" "R2 faults, lost or torn, untold, crashed or hung after" \
		"R3 states after a power cut, bad"; do
		crash_sum=$(awk -v g="${crash_each%% *}" '$1 == g { n += $2; bad += $3 } END { if (n) print n, bad }' "$CRASH_TMP/.sums")
		test -z "$crash_sum" || crash_goal "${crash_each%% *}" "${crash_sum#* }" 0 "${crash_sum% *} ${crash_each#* }"
	done
}

crash_report() { # CODE LABEL FILE: keeps the sums of a tool's output
	CRASH_COUNT=$((CRASH_COUNT + 1))
	crash_sums "$3" >>"$CRASH_TMP/.sums"
	printf '%s\n' "== $2"
	grep -E '^(clean run|model |[a-z0-9]+ .*: [0-9]+ cuts|inject:|crashstates:|NOT EXHAUSTIVE|WARNING|VIOLATION|  BAD|note:)' "$3" || cat "$3"
	test "$1" = 0 || {
		CRASH_BAD=$((CRASH_BAD + 1))
		printf '%s\n' "FAILED: $2 (exit $1)"
		tail -n 5 "$3"
	}
}

crash_inject() { # LABEL ARGS...
	crash_label=$1
	shift
	crash_code=0
	if test -n "${CRASH_SHORT:-}"; then
		"$CRASH/inject.py" --timeout 60 --calls "$CRASH_CALLS" "$@" >"$CRASH_TMP/.log" 2>&1 || crash_code=$?
	else
		"$CRASH/inject.py" "$@" >"$CRASH_TMP/.log" 2>&1 || crash_code=$?
	fi
	crash_report "$crash_code" "$crash_label" "$CRASH_TMP/.log"
}

crash_states() { # LABEL ARGS...
	crash_label=$1
	shift
	crash_code=0
	"$CRASH/crashstates.py" --model posix,fsyncname,ordered,split "$@" >"$CRASH_TMP/.log" 2>&1 || crash_code=$?
	crash_report "$crash_code" "$crash_label" "$CRASH_TMP/.log"
}

crash_done() {
	crash_totals
	printf '%s\n' "$CRASH_COUNT runs, $CRASH_BAD with violations"
	test "$CRASH_BAD" = 0 || exit 1
	exit 0
}
