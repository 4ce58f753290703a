#!/bin/sh
# pneu-server on an instance that runs: listeners come and go live, with settings of their own.
. "${PNEU_TOP:-.}/tests/lib.sh"

ehlo() { # PORT
	swaks --server "127.0.0.1:$1" --quit-after EHLO --helo test.example 2>/dev/null
}

body() {
	instance_make "$TEST_TMP/inst$(id -u)" you@pneu.test
	is "$(pneu-server list)" "in smtp 127.0.0.1 $PORT -" "a listener before the start"
	instance_start
	is "$(pneu-server list)" "in smtp 127.0.0.1 $PORT up" "after it"
	like "$(ehlo "$PORT")" '250-SIZE 52428800' "it answers"
	pneu-control -s in set databytes 1000
	like "$(ehlo "$PORT")" '250-SIZE 1000' "a setting of its own counts for the next connection"

	second=$(free_port)
	code 0 "a second one, live" pneu-server add second smtp 127.0.0.1 "$second"
	ok "listens" wait_for "listening $second"
	like "$(ehlo "$second")" '250-SIZE 52428800' "with the settings of all"
	code 0 "add it again" pneu-server add second smtp 127.0.0.1 "$second"
	is "$(cat "$TEST_TMP/.out")" "" "changes nothing"
	third=$(free_port)
	code 0 "move it to another port" pneu-server add second smtp 127.0.0.1 "$third"
	ok "where it listens" wait_for "listening $third && ! listening $second"
	old=$(service_pid second) other=$(service_pid in)
	code 0 "a listener under a tcp server" pneu-control -s second set forking 0
	ok "starts anew" wait_for 'new=$(service_pid second) && test "$new" -gt 0 && test "$new" != "$old"'
	old=$new
	code 0 "a setting that counts at the start" pneu-control -s second set maxconn 7
	ok "starts it anew" wait_for 'new=$(service_pid second) && test "$new" -gt 0 && test "$new" != "$old"'
	ok "with that" wait_for 'tr "\0" " " <"/proc/$(service_pid second)/cmdline" | grep -q -- "-c 7 "'
	is "$(service_pid in)" "$other" "the other goes on"
	if test -n "$TEST_ROOT"; then
		ok "it runs as pneud" wait_for 'test "$(stat -c %U "/proc/$(service_pid second)")" = pneud'
	fi

	ok "and listens" wait_for "listening $third"
	code 0 "one whose port is taken" pneu-server -q add fourth smtp 127.0.0.1 "$third"
	like "$(cat "$TEST_TMP/.out")" "warning: something else listens on 127.0.0.1 port $third; " "is warned of"
	ok "and tells that it only tries" wait_for \
		'! pneu-server status fourth >"$TEST_TMP/status" && grep -q "^fourth .* starting, for " "$TEST_TMP/status"'
	pneu-server -q del fourth

	code 0 "delete it" pneu-server del second
	ok "nobody listens there" wait_for "! listening $third"
	is "$(pneu-server list)" "in smtp 127.0.0.1 $PORT up" "the other does"
	ok "its service and settings are gone" test ! -e "$PNEU_HOME/service/second" -a ! -e "$PNEU_HOME/service/.second" \
		-a ! -e "$PNEU_HOME/control/servers/second"
	ok "its log is not" test -d "$PNEU_HOME/log/second"
	code 100 "delete it again" pneu-server del second
	code 0 "and add it again" pneu-server -q add second smtp 127.0.0.1 "$third"
	ok "it listens again" wait_for "listening $third"
	ok "it forks" wait_for "grep -q pneu-smtplisten /proc/\$(service_pid second)/comm 2>/dev/null"
	code 0 "until it is told to start programs" pneu-control -s second set forking 0
	ok "under a tcp server" wait_for "grep -q tcpserver /proc/\$(service_pid second)/comm 2>/dev/null"
	ok "that serves as well" wait_for "swaks -s 127.0.0.1:$third -f a@else.test -t you@pneu.test --silent 3 --quit-after RCPT"
	code 0 "and forks again" pneu-control -s second unset forking
	ok "by itself" wait_for "grep -q pneu-smtplisten /proc/\$(service_pid second)/comm 2>/dev/null"

	mkfifo "$TEST_TMP/open$(id -u)" 2>/dev/null
	session() { # a connection that stays open
		: >"$TEST_TMP/session"
		nc -N 127.0.0.1 "$PORT" <"$TEST_TMP/open$(id -u)" >"$TEST_TMP/session" &
		exec 8>"$TEST_TMP/open$(id -u)"
		wait_for "grep -q ^220 '$TEST_TMP/session'"
	}
	ok "a session" session
	code 0 "pause" pneu-server pause in
	ok "takes no new connections" wait_for "! listening $PORT"
	like "$(pneu-server list)" "in smtp 127.0.0.1 $PORT paused" "list says so"
	printf 'NOOP\r\n' >&8
	ok "the open one goes on" wait_for "grep -q '^250' '$TEST_TMP/session'"
	exec 8>&-
	instance_stop
	instance_start_paused() {
		s6-svscan "$PNEU_HOME/service" >>"$PNEU_HOME/log/svscan" 2>&1 </dev/null &
		echo $! >"$PNEU_HOME/svscan.pid"
		wait_for 's6-svok "$PNEU_HOME/service/in" && s6-ipcclient "$PNEU_HOME/run/intake" true 2>/dev/null'
	}
	ok "the instance starts anew" instance_start_paused
	ok "and the listener is paused" sh -c "! s6-svstat -u '$PNEU_HOME/service/in' | grep -q true"
	code 0 "start" pneu-server start in
	ok "it listens again" wait_for "listening $PORT"
	like "$(pneu-server list)" "in smtp 127.0.0.1 $PORT up" "list says so"
	ok "another session" session
	old=$(service_pid in)
	code 0 "start one that runs" pneu-server start in
	ok "starts it anew" wait_for 'new=$(service_pid in) && test "$new" != "$old" && listening "$PORT"'
	printf 'NOOP\r\n' >&8
	ok "and the session goes on" wait_for "grep -q '^250' '$TEST_TMP/session'"
	exec 8>&-
	ok "a third session" session
	group=$(s6-svstat -o pid "$PNEU_HOME/service/in")
	ok "has a process" pgrep -g "$group"
	code 0 "stop" pneu-server stop in
	ok "ends it" wait_for "! pgrep -g $group >/dev/null"
	exec 8>&-
	code 0 "start" pneu-server start in
	ok "it listens again" wait_for "listening $PORT"
	old=$(service_pid in)
	code 0 "restart" pneu-server restart in
	ok "makes it start anew" wait_for 'new=$(service_pid in) && test "$new" != "$old" && listening "$PORT"'
	ok "status" wait_for 'pneu-server status in >"$TEST_TMP/status"'
	like "$(cat "$TEST_TMP/status")" "^in smtp 127.0.0.1 $PORT up, process [0-9]+, for [0-9]+ seconds\$" "tells of it"
	pneu-server -q pause second
	ok "also that it does not serve" wait_for '! pneu-server status second >"$TEST_TMP/status"'
	like "$(cat "$TEST_TMP/status")" '^second .* paused' "and why"
	for verb in del pause stop start restart status; do
		code 100 "$verb one that is not there" pneu-server "$verb" none
		is "$(cat "$TEST_TMP/.out")" "pneu-server: fatal: there is no listener none; pneu-server list shows them" "is told"
	done
	code 100 "a setting of one that is not there" pneu-control -s none get databytes
	is "$(cat "$TEST_TMP/.out")" "pneu-control: fatal: there is no listener none; pneu-server list shows them" "is told"

	pneu-server -q start second
	code 100 "an unknown kind" pneu-server add x pop3 127.0.0.1 110
	like "$(cat "$TEST_TMP/.out")" 'no kind of listener: pop3; there (is|are): smtp' "says what there is"
	code 100 "no address" pneu-server add x smtp localhost 25
	code 100 "no port" pneu-server add x smtp 127.0.0.1 65536
	code 100 "port 0" pneu-server add x smtp 127.0.0.1 0
	for name in ../x '' a/b .x -x queued 'a b' "$(head -c 65 /dev/zero | tr '\0' a)"; do
		code 100 "no name: $(printf %.20s "$name")" pneu-server add "$name" smtp 127.0.0.1 2525
	done
	code 100 "a daemon's name" pneu-server del send
	code 100 "no verb" pneu-server
	instance_stop
	is "$(pneu-server list | sed 's/ [0-9]* -/ -/')" "in smtp 127.0.0.1 -
second smtp 127.0.0.1 -" "list works without the instance running"
}

as_both body
done_testing
