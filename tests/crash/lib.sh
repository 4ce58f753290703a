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

# The calls of the short form: those that make, change or sync files, and those that answer.
CRASH_CALLS=openat,write,pwrite64,fsync,fdatasync,linkat,unlinkat,renameat2,rename,close,sendto

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

crash_report() { # CODE LABEL FILE: keeps the sums of a tool's output
	CRASH_COUNT=$((CRASH_COUNT + 1))
	printf '%s\n' "== $2"
	grep -E '^(clean run|model |inject:|crashstates:|NOT EXHAUSTIVE|WARNING|VIOLATION|  BAD|note:)' "$3" || cat "$3"
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
	printf '%s\n' "$CRASH_COUNT runs, $CRASH_BAD with violations"
	test "$CRASH_BAD" = 0 || exit 1
	exit 0
}
