# shellcheck shell=sh
# For the tests of pneu-inject and pneu-sendmail: an instance of settings alone in $PNEU_HOME, and in the queue's place a program
# that keeps what it gets in $got: message, envelope (with | for NUL), more (what PNEU_ENVELOPE brings). Sourced after lib.sh.
#   reset        forgets it
#   envelope     prints that part
# QUEUE_EXIT is what the program says.

unset NAME MAIL QMAILINJECT QMAILDEFAULTHOST QMAILDEFAULTDOMAIN QMAILPLUSDOMAIN QMAILIDHOST QMAILMFTFILE
PNEU_HOME=$TEST_TMP/home PNEU_QUEUE=$TEST_TMP/queue got=$TEST_TMP/got
export PNEU_HOME PNEU_QUEUE got
mkdir -p "$PNEU_HOME/control" "$PNEU_HOME/run" "$PNEU_HOME/queue/lock" "$got"
echo mx.pneu.test >"$PNEU_HOME/control/me"
cat >"$PNEU_QUEUE" <<'QUEUE'
#!/bin/sh
cat >"$got/message"
cat <&1 >"$got/.envelope"
tr '\0' '|' <"$got/.envelope" >"$got/envelope"
rm -f "$got/more"
if test -n "${PNEU_ENVELOPE:-}"; then eval "cat <&$PNEU_ENVELOPE" >"$got/more"; fi
exit "${QUEUE_EXIT:-0}"
QUEUE
chmod 755 "$PNEU_QUEUE"

reset() { rm -f "$got"/*; }
envelope() { cat "$got/envelope" 2>/dev/null; }
