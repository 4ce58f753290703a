#!/bin/sh
# pneu-bounce: the report of a failure, of a success, of a delay, and what goes to badmail; said only when it is there, and there once.
# goals: R1 R2 R3
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

run() { # LABEL STATUS SENDER ROOT OPTION...
	label=$1 status=$2 sender=$3 root=$4
	shift 4
	first=$CRASH_TMP/empty
	rm -rf "$first"
	crash_instance "$first"
	crash_instance "$first/other"
	echo 3 >"$first/other/control/timeoutintake"
	mkdir "$first/badmail"
	mv "$first/other/queue/lock" "$first/other/lock"
	ln -s ../lock "$first/other/queue/lock"
	# To be told of a success or a delay one has to ask.
	id=$(printf 'Subject: x\n\nbody\n' | PNEU_HOME=$first "$PNEU_TESTS/tool/mkqueue" -s "$status" "$sender" bad@one.test +notify=SUCCESS,DELAY,FAILURE)
	unset CRASH_BADMAIL
	test "$root" != badmail || export CRASH_BADMAIL="$first/queue/new/$id"
	crash_states "$label" --root "$CRASH_TMP/home/$root" --said yes --event 'yes=out:^yes' \
		--setup "rm -rf $CRASH_TMP/home; cp -a $first $CRASH_TMP/home" \
		--oracle "$CRASH/oracle_bounce.py" -- env PNEU_HOME="$CRASH_TMP/home" "$CRASH/bouncer.sh" "$id" "$@"
	# The short form has the intake's side of errors in crash-queue.
	faults=
	test "$root" = badmail || faults=${CRASH_SHORT:+--no-errors}
	# shellcheck disable=SC2086
	crash_inject "$label" $faults --inner --timeout 60 --allow-refusal --setup "cp -a $first/. ." \
		--oracle "$CRASH/oracle_bounce.py @DIR@" -- env CRASH_AGAIN=1 PNEU_HOME=@DIR@ "$CRASH/bouncer.sh" "$id" "$@"
}

run "a failure" F a@sender.test other/queue
run "a report that fails" F '#@[]' badmail
test -n "${CRASH_SHORT:-}" || run "a success" S a@sender.test other/queue -s
test -n "${CRASH_SHORT:-}" || run "a delay" T a@sender.test other/queue -d 1
crash_done
