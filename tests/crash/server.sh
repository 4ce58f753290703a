#!/bin/sh
# server.sh MESSAGE ENVELOPE: pneu-queued, traced, and pneu-queue in the instance $PNEU_HOME; says yes if the message was taken.
# Faults go into the daemon, or with $CRASH_CLIENT into pneu-queue.
cd "$PNEU_HOME" || exit 111
trace=${FI_STRACE:-${CS_STRACE:-}}
server=$trace client=
test -z "${CRASH_CLIENT:-}" || server='' client=$trace
# shellcheck disable=SC2086
s6-ipcserver-socketbinder -a 0600 run/intake $server pneu-queued 2>log &
pid=$!
n=0
until test -S run/intake; do
	n=$((n + 1))
	test $n -lt 6000 || exit 111
	sleep 0.01
done
# shellcheck disable=SC2086
told=1
if $client pneu-queue <"$1" 1<"$2" 2>client.log; then
	echo yes
	told=0
fi
# The daemon itself gets the signal, not the tracer.
test -n "$server" || kill -TERM $pid 2>/dev/null
test -z "$server" || for child in $(cat /proc/$pid/task/$pid/children 2>/dev/null); do kill -TERM "$child" 2>/dev/null; done
wait $pid
exit $told
