# shellcheck shell=sh
# For the tests of pneu-send: an instance without services, fakespawn in place of both pneu-spawn. Source it behind lib.sh.
#
#   send_make DIR            the instance; $RULES says what fakespawn answers (tests/tool/fakespawn.c)
#   send_start  send_kill  send_stop        pneu-send; send_kill is kill -9
#   spawn_start local|remote  spawn_kill local|remote
#   queued_start  queued_kill
#   queue_message ARGS...    tests/tool/mkqueue with a small message; prints the ID
#   hint ID...               tells pneu-send
#   logged ERE               true if pneu-send's log has such a line; log_count ERE counts
#   jobs local|remote        the jobs that fakespawn got
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
	pneu-send 2>>"$PNEU_HOME/send.log" </dev/null &
	SEND=$!
	wait_for "logged scanned" || note "$(cat "$PNEU_HOME/send.log")"
}
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
