#!/bin/sh
# package/run.sh and demo.sh, which ./do run and ./do demo call, and install.sh.
. "${PNEU_TOP:-.}/tests/lib.sh"

run() { # starts it; $pid, and what it says in $said
	: >"$said"
	# Whoever runs the tests may ignore signals, and a shell cannot trap what it was told to ignore.
	env --default-signal sh "$PNEU_TOP/package/run.sh" >"$said" 2>&1 </dev/null &
	pid=$!
	wait_for "grep -q '^Stop with' '$said' || ! kill -0 $pid 2>/dev/null"
}

stop() { # SIGNAL: its exit code in $stopped
	kill "-$1" "$pid"
	wait "$pid"
	stopped=$?
}

running() { # the command lines of what runs in this instance
	env -u PNEU_HOME grep -lzxF "PNEU_HOME=$PNEU_HOME" /proc/[0-9]*/environ 2>/dev/null |
		while read -r environ; do tr '\0' ' ' <"${environ%environ}cmdline"; done
}

body() {
	said=$TEST_TMP/said$(id -u)
	PNEU_HOME=$TEST_TMP/run$(id -u) PNEU_PORT=$(free_port)
	export PNEU_HOME PNEU_PORT
	inbox=$PNEU_HOME/mail/pneu.test/you/Maildir/new

	run
	like "$(cat "$said")" "^pneu runs .* in $PNEU_HOME. SMTP: 127.0.0.1 port $PNEU_PORT" "the first run says where it is"
	like "$(cat "$said")" "swaks --server 127.0.0.1:$PNEU_PORT --to you@pneu.test" "and how to send"
	eval "$(grep '^ *swaks' "$said")" >"$TEST_TMP/swaks" 2>&1
	is $? 0 "its swaks line works"
	ok "the mail is delivered" wait_for 'test "$(find "$inbox" -type f | wc -l)" = 1'
	eval "$(grep '^ *printf' "$said")"
	is $? 0 "its pneu-inject line works"
	ok "that mail too" wait_for 'test "$(find "$inbox" -type f | wc -l)" = 2'
	code 111 "another run on the same instance" sh "$PNEU_TOP/package/run.sh"
	like "$(cat "$TEST_TMP/.out")" "^run: the instance in $PNEU_HOME runs already$" "says so"
	code 111 "another instance on the same port" env PNEU_HOME="$PNEU_HOME.2" sh "$PNEU_TOP/package/run.sh"
	like "$(tail -n 1 "$TEST_TMP/.out")" "^run: port $PNEU_PORT of 127.0.0.1 is taken" "says so"
	code 100 "no port" env PNEU_PORT=25x sh "$PNEU_TOP/package/run.sh"
	stop TERM
	is "$stopped" 0 "a signal ends it"
	ok "and its listener" wait_for "! listening $PNEU_PORT"
	ok "nothing of it runs on" wait_for 'test -z "$(running)"' || note "$(running)"

	pneu-control set databytes 12345
	port=$PNEU_PORT
	unset PNEU_PORT
	run
	like "$(cat "$said")" "127.0.0.1 port $port" "the second run has the port of the first"
	is "$(pneu-control get databytes) $(find "$inbox" -type f | wc -l)" "12345 2" "its settings and its mail"
	eval "$(grep '^ *printf' "$said")"
	ok "and delivers" wait_for 'test "$(find "$inbox" -type f | wc -l)" = 3'
	stop HUP
	is "$stopped" 0 "a closed terminal ends it"
	unset PNEU_HOME

	code 0 "the demonstration" sh "$PNEU_TOP/package/demo.sh"
	is "$(tail -n 1 "$TEST_TMP/.out")" "demo: all is well" "is well"
	is "$(grep -c '^demo: delivered' "$TEST_TMP/.out")" 2 "shows two mails"
}

as_both body

if test -n "$TEST_ROOT" && test -d "$PNEU_TOP/control"; then
	# As ./do install does.
	code 0 "install" env DESTDIR="$TEST_TMP/root" PREFIX=/usr sh "$PNEU_TOP/package/install.sh" --sendmail
	is "$(find "$TEST_TMP/root/usr/bin" -type f | sed 's,.*/,,' | sort)" \
		"$(grep -v '^#' "$PNEU_TOP/package/programs" | sed 's/ .*//' | sort)" "the programs of the table"
	is "$(readlink "$TEST_TMP/root/usr/sbin/sendmail") $(readlink "$TEST_TMP/root/usr/bin/mailq")" \
		"../bin/pneu-sendmail pneu-sendmail" "the names that others call"
	ok "their pages" test -f "$TEST_TMP/root/usr/share/man/man8/pneu-smtpd.8" -a -f "$TEST_TMP/root/usr/share/man/man5/control.5"
	code 0 "an instance by the installed programs" "$TEST_TMP/root/usr/bin/pneu-instance" -fq "$TEST_TMP/installed"
	like "$(cat "$TEST_TMP/installed/service/send/run")" "PATH='$TEST_TMP/root/usr/bin'" "runs these"
	code 100 "an unknown option" sh "$PNEU_TOP/package/install.sh" --all

	# A tree the instance's users cannot enter.
	mkdir "$TEST_TMP/closed"
	cp -R "$PNEU_TOP/package" "$TEST_TMP/closed/"
	mkdir -p "$TEST_TMP/closed/build/static"
	cp -R "$PNEU_BIN" "$TEST_TMP/closed/build/static/bin"
	chmod 700 "$TEST_TMP/closed"
	said=$TEST_TMP/said.closed
	PNEU_HOME=$TEST_TMP/open PNEU_PORT=$(free_port) PNEU_TOP=$TEST_TMP/closed PNEU_BIN=$TEST_TMP/closed/build/static/bin
	export PNEU_HOME PNEU_PORT
	run
	like "$(cat "$said")" "closed is closed to the users of the instance: it is in $TEST_TMP/open, with a copy" \
		"a closed tree: the programs are copied"
	eval "$(grep '^ *printf' "$said")"
	ok "and mail is delivered" wait_for 'test "$(find "$PNEU_HOME/mail/pneu.test/you/Maildir/new" -type f | wc -l)" = 1'
	stop TERM
	code 111 "an instance in a closed folder" env PNEU_HOME="$TEST_TMP/closed/inst" sh "$PNEU_TOP/package/run.sh"
	like "$(cat "$TEST_TMP/.out")" "cannot enter $TEST_TMP/closed: choose another PNEU_HOME" "is refused"
fi
done_testing
