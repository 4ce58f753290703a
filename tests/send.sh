# shellcheck shell=sh
# For the tests of pneu-send: an instance without services, fakespawn in place of both pneu-spawn. Source it behind lib.sh.
#
#   send_make DIR            the instance; $RULES says what fakespawn answers (tests/tool/fakespawn.c)
#   send_start  send_kill  send_stop        pneu-send; send_kill is kill -9
#   send_reread              pneu-send has read its settings anew, and the scan that goes with it is over, and what it found
#   send_idle                true if it has no message in hand: while it has, it keeps the settings of domains for a second
#   spawn_start local|remote  spawn_kill local|remote
#   queued_start  queued_kill
#   queue_message ARGS...    tests/tool/mkqueue with a small message; prints the ID
#   hint ID...               tells pneu-send
#   logged ERE               true if pneu-send's log has such a line; log_count ERE counts
#   jobs_of local|remote     the jobs that fakespawn got
#   underway local|remote ID true once fakespawn has a job of that message; pneu-send says "start" before
#   is_in ID FOLDER NAME     a result: it is there, or comes to be there: on its way it has two names for a moment
#   where ID                 the folder that the message is in: new wait hold bad, or nothing

send_make() {
	pneu-instance -f "$1" >"$TEST_TMP/.instance" 2>&1 || bail "pneu-instance: $(cat "$TEST_TMP/.instance")"
	PNEU_HOME=$1 RULES=$1/rules
	export PNEU_HOME
	printf 'mx.pneu.test\n' >"$PNEU_HOME/control/me"
	: >"$RULES"
	: >"$PNEU_HOME/send.log"
	: >"$PNEU_HOME/jobs.local"
	: >"$PNEU_HOME/jobs.remote"
}

send_start() {
	send_scans=$(log_count scanned)
	pneu-send 2>>"$PNEU_HOME/send.log" </dev/null &
	SEND=$!
	wait_for "test \$(log_count scanned) -gt $send_scans" || note "$(cat "$PNEU_HOME/send.log")"
}
# Without it a scan might find what is queued next, and the hint for that would come second, and mean "once more".
send_reread() {
	kill -HUP "$SEND"
	send_probe=$(queue_message a@sender.test probe@mx.pneu.test)
	hint "$send_probe"
	wait_for "logged '(end|result) .*msg=$send_probe'"
	wait_for send_idle
}
send_idle() { ! find "/proc/$SEND/fd" -lname '*/queue/*/????????????????????????????*' 2>/dev/null | grep -q .; }
send_kill() {
	kill -KILL "$SEND"
	wait "$SEND" 2>/dev/null
	cat "$PNEU_HOME/send.log" >>"$PNEU_HOME/send.log.old"
	: >"$PNEU_HOME/send.log"
}
send_stop() {
	kill -TERM "$SEND"
	wait "$SEND"
}

spawn_start() {
	"$PNEU_TESTS/tool/fakespawn" "$PNEU_HOME/run/$1" "$RULES" "$PNEU_HOME/jobs.$1" &
	eval "SPAWN_$1=$!"
	wait_for "s6-ipcclient '$PNEU_HOME/run/$1' true 2>/dev/null"
}
spawn_kill() { eval "kill -KILL \$SPAWN_$1; wait \$SPAWN_$1" 2>/dev/null || :; }

queued_start() {
	(cd "$PNEU_HOME" && exec s6-ipcserver-socketbinder -a 0666 run/intake pneu-queued) 2>>"$PNEU_HOME/queued.log" &
	QUEUED=$!
	wait_for "s6-ipcclient '$PNEU_HOME/run/intake' true 2>/dev/null"
}
queued_kill() {
	kill -KILL "$QUEUED"
	wait "$QUEUED" 2>/dev/null || :
	rm -f "$PNEU_HOME/run/intake"
}

queue_message() {
	printf 'From: a@sender.test\nSubject: test\nMessage-ID: <1@sender.test>\n\nhello\n' | "$PNEU_TESTS/tool/mkqueue" "$@"
}
hint() { for test_id; do echo "$test_id"; done >>"$PNEU_HOME/queue/lock/trigger"; }

logged() { grep -Eq -- "$1" "$PNEU_HOME/send.log"; }
log_count() { grep -Ec -- "$1" "$PNEU_HOME/send.log"; }
jobs_of() { cat "$PNEU_HOME/jobs.$1"; }
underway() { grep -q "^$2 " "$PNEU_HOME/jobs.$1"; }

where() {
	for test_folder in new hold bad; do
		test ! -e "$PNEU_HOME/queue/$test_folder/$1" || printf '%s\n' "$test_folder"
	done
	test -z "$(find "$PNEU_HOME/queue/wait" -name "$1")" || echo wait
}

is_in() {
	wait_for "test \"\$(where $1)\" = '$2'"
	is "$(where "$1")" "$2" "$3"
}
