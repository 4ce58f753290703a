#!/bin/sh
# The operator's programs tell a terminal how far they have come, and nobody else.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"
. "$PNEU_TOP/tests/send.sh"

progress() {
	bare_instance "$TEST_TMP/home"
	chmod 755 "$TEST_TMP"
	cd "$PNEU_HOME" || exit 111
	queue_message -n 3000 -w -m +1000 a@sender.test joe%d@one.test >"$TEST_TMP/ids"
	test -z "$TEST_ROOT" || chown -R 60003:60003 queue
	for command in 'list -b' 'hold -nA' 'remove -nA' 'return -nA' 'redirect -nA x@y.test' 'flush -n'; do
		# shellcheck disable=SC2086
		shown=$(/usr/bin/python3 "$PNEU_TOP/tests/tool/progress.py" pneu-$command)
		is "$?" 0 "${command%% *} of 3000 messages"
		like "$shown" '.r[0-9]+ messages.x1b\[K' "tells how many it has seen"
		like "$shown" ".x1b\[K'\$" "and wipes it away"
		# shellcheck disable=SC2086
		is "$(pneu-$command 2>&1 >/dev/null)" "" "but tells only a terminal"
	done
	mv queue/wait/*/* queue/hold/
	shown=$(/usr/bin/python3 "$PNEU_TOP/tests/tool/progress.py" pneu-release -nA)
	like "$shown" '.r[0-9]+ messages.x1b\[K' "release, too"
	chmod 644 queue/hold/*
	shown=$(/usr/bin/python3 "$PNEU_TOP/tests/tool/progress.py" pneu-fsck -n)
	is "$?" 100 "fsck of 3000 messages with a fault each"
	like "$shown" '.r[0-9]+ messages.x1b\[K' "tells, too"
	is "$(pneu-fsck -n 2>&1 >/dev/null)" "" "but only a terminal"
	cd "$TEST_TMP" || exit 111
}
as_both progress
done_testing
