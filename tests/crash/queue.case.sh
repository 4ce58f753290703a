#!/bin/sh
# pneu-queue and pneu-queued together: whoever is told yes, the message is whole in the queue.
# goals: R1 R2 R3
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

crash_instance "$CRASH_TMP/empty"
echo 3 >"$CRASH_TMP/empty/control/timeoutintake"
printf 'Subject: small\n\nbody\n' >"$CRASH_TMP/small"
seq 1 30000 >"$CRASH_TMP/large"
printf 'Fa@b\0Tc@d\0Te@f\0\0' >"$CRASH_TMP/envelope"
run() { # SIZE
	CRASH_MESSAGE=$CRASH_TMP/$1
	export CRASH_MESSAGE
	set -- "$CRASH/server.sh" "$CRASH_MESSAGE" "$CRASH_TMP/envelope"
	crash_states "pneu-queued" --root "$CRASH_TMP/home/queue/new" --said yes --event 'yes=out:^[0-9]+:K0 ' --inner \
		--setup "rm -rf $CRASH_TMP/home; cp -R $CRASH_TMP/empty $CRASH_TMP/home" \
		--oracle "$CRASH/oracle_new.py" -- env PNEU_HOME="$CRASH_TMP/home" "$@"
	# A close that fails has closed all the same, but not where strace says so: the daemon would wait for that end for ever.
	crash_inject "pneu-queued" --errors close: --inner --setup "cp -R $CRASH_TMP/empty/. ." --timeout 60 \
		--oracle "$CRASH/oracle_queue.py @DIR@" -- env PNEU_HOME=@DIR@ "$@"
	crash_inject "pneu-queue" --inner --setup "cp -R $CRASH_TMP/empty/. ." --timeout 60 \
		--oracle "$CRASH/oracle_queue.py @DIR@" -- env PNEU_HOME=@DIR@ CRASH_CLIENT=1 "$@"
}
run small
test -n "${CRASH_SHORT:-}" || run large
crash_done
