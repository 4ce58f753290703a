#!/bin/sh
# pneu-smtpd, alone and forked by pneu-smtplisten: 250 only for what is whole in the queue, 4xx where that cannot be, no word out of step.
# goals: R1 R2
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

crash_instance "$CRASH_TMP/empty"
rm -r "$CRASH_TMP/empty/queue/wait"
echo "${CRASH_SHORT:+3}8" >"$CRASH_TMP/empty/control/timeoutsmtpd"
echo "${CRASH_SHORT:+3}8" >"$CRASH_TMP/empty/control/timeoutintake"
echo far.test >"$CRASH_TMP/empty/control/rcpthosts"
mkdir "$CRASH_TMP/empty/mail" "$CRASH_TMP/empty/control/domain"
PNEU_HOME=$CRASH_TMP/empty pneu-mailbox add alice@box.test 2>/dev/null || exit 111
run() { # FORM LABEL ARGS...
	form=$1 label=$2
	shift 2
	crash_inject "$label" "$@" --inner --timeout 120 --setup "cp -a $CRASH_TMP/empty/. ." \
		--oracle "$CRASH/oracle_drive.sh" -- env PNEU_HOME=@DIR@ "$CRASH/smtpd.py" "$form"
}

if test -n "${CRASH_SHORT:-}"; then
	# Who is told that the other side hung up waits for its last words: where that is not true, until a timeout.
	run bare "pneu-smtpd" --no-lasting --errors sendto:EINTR,ENOBUFS --calls newfstatat,connect,sendto,recvfrom --signal-calls sendto,recvfrom
	run fork "pneu-smtpd, forked by pneu-smtplisten" --no-errors --calls sendto
else
	run bare "pneu-smtpd"
	# A close that fails has closed all the same, but not where strace says so: a connection would stay open in the listener.
	run fork "pneu-smtpd, forked by pneu-smtplisten" --errors close:
	run listen "pneu-smtplisten from its start" --errors close:
	run queue "pneu-smtpd, and faults in pneu-queued" --errors close:
	run attach "pneu-smtpd, and faults in pneu-queued's child" --errors close:
fi
crash_done
