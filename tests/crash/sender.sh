#!/bin/sh
# sender.sh CONDITION: pneu-send, traced, in the instance $PNEU_HOME, with fakespawn for both pneu-spawn and an intake in
# $PNEU_HOME/other, until the condition holds, or pneu-send ends. Then, with $CRASH_AGAIN, once more untraced, until the queue is empty.
cd "$PNEU_HOME" || exit 111
trace=${FI_STRACE:-${CS_STRACE:-}}
patience=${CRASH_SHORT:+3000} # only in the long form are there faults after which nothing more comes
patience=${patience:-400}
rm -f run/local run/remote other/run/intake
"$PNEU_TESTS/tool/fakespawn" run/local rules jobs &
local=$!
"$PNEU_TESTS/tool/fakespawn" run/remote rules jobs &
remote=$!
(cd other && PNEU_HOME=. exec s6-ipcserver-socketbinder -a 0600 run/intake pneu-queued) 2>other/log &
queued=$!
PNEU_INTAKE=other/run/intake
export PNEU_INTAKE
n=0
until test -S run/local && test -S run/remote && s6-ipcclient other/run/intake true 2>/dev/null; do
	n=$((n + 1))
	test $n -lt 6000 || exit 111
	sleep 0.01
done

await() { # CONDITION
	n=0
	until eval "$1" || ! kill -0 $pid 2>/dev/null; do
		n=$((n + 1))
		test $n -lt $patience || break
		sleep 0.01
	done
}
# shellcheck disable=SC2086
$trace pneu-send 2>log &
pid=$!
await "$1"
# The daemon itself gets the signal, not the tracer.
if test -n "$trace"; then
	for child in $(cat /proc/$pid/task/$pid/children 2>/dev/null); do kill -TERM "$child" 2>/dev/null; done
else
	kill -TERM $pid 2>/dev/null
fi
wait $pid
code=$?
if test -n "${CRASH_AGAIN:-}"; then
	grep ' D ' rules >rules.left
	mv rules.left rules
	touch -d '1 hour ago' queue/wait/*/* 2>/dev/null
	pneu-send 2>log.again &
	pid=$!
	await 'test -z "$(ls queue/new queue/wait/*/ | grep -v :)"'
	kill -TERM $pid
	wait $pid
fi
kill -KILL $local $remote $queued
exit $code
