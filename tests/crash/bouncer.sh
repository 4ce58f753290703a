#!/bin/sh
# bouncer.sh ID [OPTION...]: pneu-bounce, traced, about that message of the instance $PNEU_HOME; the intake is in $PNEU_HOME/other.
# Says yes if it came to its end well. With $CRASH_AGAIN then once more, untraced, as pneu-send would start it.
cd "$PNEU_HOME" || exit 111
id=$1
shift
rm -f other/run/intake
(cd other && PNEU_HOME=. exec s6-ipcserver-socketbinder -a 0600 run/intake pneu-queued) 2>other/log &
queued=$!
PNEU_INTAKE=other/run/intake
export PNEU_INTAKE
n=0
until s6-ipcclient other/run/intake true 2>/dev/null; do
	n=$((n + 1))
	test $n -lt 6000 || exit 111
	sleep 0.01
done
# shellcheck disable=SC2086
${FI_STRACE:-} pneu-bounce "$@" "$id" <"queue/new/$id" 2>log
code=$?
test $code != 0 || echo yes
if test -n "${CRASH_AGAIN:-}"; then
	pneu-bounce "$@" "$id" <"queue/new/$id" 2>log.again && echo again
fi
kill -TERM $queued
wait $queued
exit $code
