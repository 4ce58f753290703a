#!/bin/sh
# pneu-send's marks: what is marked was done, who is not done is not forgotten, whatever is cut short.
# goals: R1 R2 R3
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

# A RECIPIENT that begins with '+' is a record of the one before. $arrival: when the message came; it is late after four hours.
run() { # LABEL CONDITION TERMINAL RECIPIENT...
	label=$1 condition=$2 CRASH_TERMINAL=$3 CRASH_RECIPIENTS='' CRASH_ASKED='' n=0
	shift 3
	for to; do
		case $to in
		+*SUCCESS*) CRASH_ASKED="$CRASH_ASKED $((n - 1))" ;;
		+*) ;;
		*) CRASH_RECIPIENTS="$CRASH_RECIPIENTS $to" n=$((n + 1)) ;;
		esac
	done
	export CRASH_TERMINAL CRASH_RECIPIENTS CRASH_ASKED
	rm -rf "$CRASH_TMP/empty"
	first=$CRASH_TMP/empty
	crash_instance "$first"
	crash_instance "$first/other"
	mv "$first/queue/lock" "$first/lock"
	ln -s ../lock "$first/queue/lock"
	: >"$first/jobs"
	cp "$CRASH_TMP/rules" "$first/rules"
	printf 'Subject: x\n\nbody\n' | PNEU_HOME=$first "$PNEU_TESTS/tool/mkqueue" -t "${arrival:-+0}" a@sender.test "$@" >"$CRASH_TMP/id"
	crash_states "$label" --root "$CRASH_TMP/home/queue" --inner \
		--event 'r0=in:class=K,10:code=2.0.0,4:to=0,' --event 'r1=in:class=K,10:code=2.0.0,4:to=1,' \
		--event 'f0=in:class=D,10:code=5.1.1,4:to=0,' --event 'queued=in:^[0-9]+:K0 ' \
		--setup "rm -rf $CRASH_TMP/home; cp -a $first $CRASH_TMP/home" \
		--oracle "$CRASH/oracle_send.py" -- env PNEU_HOME="$CRASH_TMP/home" "$CRASH/sender.sh" "$condition"
	PNEU_HOME=$CRASH_TMP/home
	export PNEU_HOME
	test -n "${CRASH_SHORT:-}" || crash_states "$label, and started again" \
		--root "$CRASH_TMP/home/queue" --inner --in-place --event 'r0=in:class=K,10:code=2.0.0,4:to=0,' \
		--setup "rm -rf $CRASH_TMP/home; cp -a $first $CRASH_TMP/home" \
		--oracle "$CRASH/restart_send.py" -- "$CRASH/sender.sh" "$condition"
	if test -n "${CRASH_SHORT:-}"; then
		crash_inject "$label" --inner --no-errors --timeout 60 --no-sync-check --allow-refusal \
			--calls pwrite64,fdatasync,fsync,link,unlink,utimensat,sendmsg,recvmsg --setup "cp -a $first/. ." \
			--oracle "$CRASH/oracle_send.py @DIR@ $CRASH_RECIPIENTS" -- env CRASH_AGAIN=1 PNEU_HOME=@DIR@ "$CRASH/sender.sh" "$condition"
	else
		# A close that fails has closed all the same, but not where strace says so: a helper would keep its socket's other end.
		crash_inject "$label" --inner --timeout 60 --errors close: --no-sync-check --allow-refusal --setup "cp -a $first/. ." \
			--oracle "$CRASH/oracle_send.py @DIR@ $CRASH_RECIPIENTS" -- env CRASH_AGAIN=1 PNEU_HOME=@DIR@ "$CRASH/sender.sh" "$condition"
	fi
}

gone='test -z "$(ls queue/new)"'
: >"$CRASH_TMP/rules"
run "one recipient: unlink is the mark" "$gone" 'r0' a@one.test
printf 'b@two.test K 2.0.0 80 later\nc@three.test Z 4.0.0 150 not now\n' >"$CRASH_TMP/rules"
run "one at once, one later, one not now" "$gone" 'r0 r1 never' a@one.test b@two.test c@three.test
printf 'bad@one.test D 5.1.1 0 no such user\nc@three.test Z 4.0.0 50 not now\n' >"$CRASH_TMP/rules"
run "one refused, one not now" "$gone" 'never' bad@one.test c@three.test
printf 'c@three.test Z 4.0.0 50 not now\n' >"$CRASH_TMP/rules"
run "of one's success the sender hears, one not now" "$gone" 'never' a@one.test +notify=SUCCESS c@three.test
: >"$CRASH_TMP/rules"
test -n "${CRASH_SHORT:-}" || run "of a success the sender hears" "$gone" 'r0 queued' a@one.test +notify=SUCCESS,FAILURE
printf 'c@three.test Z 4.0.0 50 not now\n' >"$CRASH_TMP/rules"
arrival=-20000
run "late, and the sender hears of that" "$gone" 'never' c@three.test +notify=DELAY
arrival=
printf 'bad@one.test D 5.1.1 0 no such user\n' >"$CRASH_TMP/rules"
test -n "${CRASH_SHORT:-}" || run "one refused" "$gone" 'f0 queued' bad@one.test
crash_done
