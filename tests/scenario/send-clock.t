#!/bin/sh
# The clock is set while pneu-send waits for something: it says so at once, and writes down what it knows of the clocks.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

send_make "$TEST_TMP/home"
spawn_start local
spawn_start remote
FASTCLOCK=$TEST_TMP/clock
export FASTCLOCK
python3 "$PNEU_TOP/tests/crash/fastclock.py" "$FASTCLOCK" 1 1795000000
"$PNEU_TESTS/tool/fastsend" 2>>"$PNEU_HOME/send.log" </dev/null &
SEND=$!
wait_for "logged scanned"
python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import fastclock; fastclock.FastClock(sys.argv[2]).jump(86400)' \
	"$PNEU_TOP/tests/crash" "$FASTCLOCK"
id=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$id"
ok "mail goes on" wait_for "logged 'end msg=$id'"
is "$(log_count clockjump)" 1 "the clock was set: the log says so once"
is "$(awk 'NR > 1 && NF == 3 { print int(($1 + 1800) / 3600) }' "$PNEU_HOME/queue/lock/clock" | tr '\n' ' ')" "0 24 " "by a day: that is on record"
ok "SIGTERM ends it" send_stop
done_testing
