#!/bin/sh
# pneu-remote: delivered is what the other host said 250 to, whole; all else is deferred, and arrives; at most one message comes twice.
# goals: R1 R2
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

crash_instance "$CRASH_TMP/empty"
rm -r "$CRASH_TMP/empty/queue"
mkdir "$CRASH_TMP/empty/queue"
echo "${CRASH_SHORT:+3}8" >"$CRASH_TMP/empty/control/timeoutremote"
echo "${CRASH_SHORT:+3}8" >"$CRASH_TMP/empty/control/timeoutconnect"
if test "$(id -u)" = 0; then # pneu-spawn -R does not run as root: another user's must reach all of it
	cp -R "$PNEU_BIN" "$CRASH_TMP/bin"
	chmod -R a+rX "$CRASH_TMP"
	PATH=$CRASH_TMP/bin:$PATH
fi
run() { # FORM SINK LABEL ARGS...
	form=$1 sink=$2 label=$3
	shift 3
	crash_inject "$label" "$@" --inner --timeout 120 --setup "cp -a $CRASH_TMP/empty/. ." \
		--oracle "$CRASH/oracle_drive.sh" -- env PNEU_HOME=@DIR@ "$CRASH/remote.py" "$form" "$sink"
}

if test -n "${CRASH_SHORT:-}"; then
	# Who is told that the other side hung up waits for its last words: where that is not true, until a timeout.
	run jobs together "pneu-remote -j" --no-lasting --errors sendto:EINTR --calls pread64,sendto,recvfrom,sendmsg,recvmsg
else
	run jobs together "pneu-remote -j, groups of commands"
	run jobs turn "pneu-remote -j, commands in turn"
	run jobs later "pneu-remote -j, 4xx to the first message" --allow-refusal
	run jobs mute "pneu-remote -j, no answer to the first message" --allow-refusal
	run single together "pneu-remote HOST SENDER RECIPIENT"
	run spawn together "pneu-spawn -R and pneu-remote"
	run fork together "pneu-remote, forked by pneu-spawn -R"
fi
crash_done
