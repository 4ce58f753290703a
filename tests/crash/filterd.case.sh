#!/bin/sh
# pneu-filterd and a chain of two programs: accepted is the filtered message, whole; whatever fails is for now.
# goals: R1 R2
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

crash_instance "$CRASH_TMP/empty"
rm -r "$CRASH_TMP/empty/queue/wait"
echo "${CRASH_SHORT:+3}8" >"$CRASH_TMP/empty/control/timeoutintake"
echo "${CRASH_SHORT:+3}8" >"$CRASH_TMP/empty/control/timeoutprogram"
run() { # FORM LABEL ARGS...
	form=$1 label=$2
	shift 2
	crash_inject "$label" "$@" --inner --timeout 120 --no-sync-check --setup "cp -a $CRASH_TMP/empty/. ." \
		--oracle "$CRASH/oracle_drive.sh" -- env PNEU_HOME=@DIR@ "$CRASH/filterd.py" "$form"
}

if test -n "${CRASH_SHORT:-}"; then
	# Who is told that the other side hung up waits for its last words: where that is not true, until a timeout.
	run runner "pneu-filterd's chains" --no-lasting --errors sendto:EINTR,ENOBUFS --calls wait4,write,sendto --signal-calls wait4,sendto,recvfrom
	run session "pneu-filterd's connection" --no-lasting --calls read,write
else
	run runner "pneu-filterd's chains"
	# A close that fails has closed all the same, but not where strace says so: a connection would stay open in the listener.
	run fork "pneu-filterd, forked" --errors close:
	run session "pneu-filterd's connection" --errors close:
	run listen "pneu-filterd from its start" --errors close:
fi
crash_done
