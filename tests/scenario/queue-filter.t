#!/bin/sh
# pneu-filterd: control/filter's programs, qmail-queue wrappers as people write them, on every message's way.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"

cat >"$TEST_TMP/wrapper" <<'EOF'
#!/bin/sh
# A wrapper of the simplest kind: descriptor 0 goes through sed, 1 and the rest pass untouched.
sed 's/secret/XXXXXX/' | exec "$@"
EOF
cat >"$TEST_TMP/judge" <<'EOF'
#!/bin/sh
# Looks at the message, says no by its exit code, or goes on with the same descriptors.
case $(grep '^Verdict:' /proc/self/fd/0) in
'Verdict: '[0-9]*) exit "$(sed -n 's/^Verdict: //p' /proc/self/fd/0)" ;;
'Verdict: kill') kill -9 $$ ;;
'Verdict: sleep') sleep 60 ;;
'Verdict: envelope') exec "$@" 1</dev/null ;;
esac
exec "$@"
EOF
cat >"$TEST_TMP/rewrite" <<'EOF'
#!/bin/sh
# Takes a recipient out and another in.
exec 9<&1
tr '\0' '\n' <&9 | sed 's/^Tc@d$/Tnew@x/' | tr '\n' '\0' >"$REWRITE.$$"
exec "$@" 1<"$REWRITE.$$"
EOF
chmod 755 "$TEST_TMP/wrapper" "$TEST_TMP/judge" "$TEST_TMP/rewrite"

patience() { # SECONDS for a filter, read at the start: few only where one shall be too slow
	echo "$1" >"$PNEU_HOME/control/timeoutprogram"
	daemon_stop "$FILTER"
	filter_start
}

filters() {
	bare_instance "$TEST_TMP/home"
	printf '%s\n' "$TEST_TMP/judge" "$TEST_TMP/wrapper" >"$PNEU_HOME/control/filter"
	chmod 644 "$PNEU_HOME/control/filter"
	mkdir "$TEST_TMP/rewritten"
	chmod 777 "$TEST_TMP/rewritten"
	REWRITE=$TEST_TMP/rewritten/envelope
	export REWRITE
	intake_start
	filter_start
	cd "$TEST_TMP" || exit 111
	printf 'Fa@b\0Tc@d\0Te@f\0\0' >e
	printf 'Subject: a secret\n\nthe secret\n' >m
	as_uid 60009 pneu-queue <m 1<e
	is "$?" 0 "a message passes the filter"
	is "$(queued)" 1 "and is queued once"
	like "$(message_of "$(newest)")" '^Subject: a XXXXXX$' "the wrapper changed it"
	like "$(pneu-list)" '0/2 <a@b>' "envelope kept"
	if test -n "$TEST_ROOT"; then
		like "$(message_of "$(newest)" | head -n 1)" '^Received: \(pneu-filterd invoked by uid 60009\); ' "who brought it stands in it"
		is "$(message_of "$(newest)" | grep -c '^Received')" 1 "once"
		like "$(tr '\0\n' '  ' <"$(newest)")" ',9:uid=60009,' "and in the envelope"
		PNEU_INTAKE=run/intake as_uid 60009 pneu-queue <m 1<e 2>/dev/null
		is "$?" 71 "nobody gets around it"
	fi
	rm -f "$PNEU_HOME"/queue/new/*

	printf '13:body=8BITMIME,6:to=e@f,12:notify=NEVER,' >r
	as_uid 60001 env PNEU_ENVELOPE=4 pneu-queue <m 1<e 4<r
	is "$?" 0 "records go along"
	like "$(tr '\0\n' '  ' <"$(newest)")" '13:body=8BITMIME,.*6:to=c@d,6:to=e@f,12:notify=NEVER,TT$' "through the whole chain"
	rm -f "$PNEU_HOME"/queue/new/*

	for n in 0 11 31 40 41 51 53 91 100 111 kill sleep envelope; do
		case $n in
		11 | 31 | 40) want=$n ;;
		0) want=0 ;;
		kill) want=81 ;;
		sleep) want=52 ;;
		envelope) want=54 ;;
		*) want=$n ;;
		esac
		test "$n" != sleep || patience 2
		test "$n" != 0 || { as_uid 60009 pneu-queue <m 1<e; continue; }
		printf 'Verdict: %s\n\nx\n' "$n" | as_uid 60009 pneu-queue 1<e 2>err
		is "$?" $want "verdict $n is exit $want"
		case $n in
		11 | 31 | 40) like "$(cat err)" '5\.[0-9]\.[0-9] ' "a permanent answer" ;;
		*) like "$(cat err)" '4\.[0-9]\.[0-9] ' "a temporary answer" ;;
		esac
		test "$n" != sleep || patience 60
	done
	is "$(queued)" 1 "only the good one is queued"
	rm -f "$PNEU_HOME"/queue/new/*

	printf '%s\n' "$TEST_TMP/rewrite" >"$PNEU_HOME/control/filter"
	as_uid 60001 env PNEU_ENVELOPE=4 pneu-queue <m 1<e 4<r
	is "$?" 0 "a changed chain counts from the next message"
	like "$(tr '\0\n' '  ' <"$(newest)")" ',8:to=new@x,6:to=e@f,12:notify=NEVER,TT$' "the envelope is the chain's word, records follow it"
	rm -f "$PNEU_HOME"/queue/new/*

	echo /nonexistent/filter >"$PNEU_HOME/control/filter"
	as_uid 60009 pneu-queue <m 1<e 2>/dev/null
	is "$?" 81 "a filter that is not there: later, and nothing goes around it"
	is "$(queued)" 0 "not queued"
	ok "the log says what could not be run" wait_for 'grep -q "unable to run the filter /nonexistent/filter: No such file" "$PNEU_HOME/log"'
	echo cat >"$PNEU_HOME/control/filter" # a program that does not go on, and says 0
	printf '%s\n' "$TEST_TMP/wrapper" >"$PNEU_HOME/control/filter"

	# token: the same message twice is one
	cat >twice.py <<-'EOF'
		import socket, sys
		def net(b): return b'%d:%s,' % (len(b), b)
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		for i in range(2):
		    s.sendall(net(net(b'token=parent 1')) + net(b'Subject: x\n') + net(b'') + net(net(b'from=') + net(b'to=c@d')))
		    print(s.recv(1000).decode())
	EOF
	as_uid 60009 /usr/bin/python3 twice.py "$PNEU_HOME/run/filter" >out
	is "$(grep -c 'K0 2.0.0' out)" 2 "a session takes message after message"
	is "$(queued)" 1 "one token, one message"
	rm -f "$PNEU_HOME"/queue/new/*
	head -c 10000000 /dev/urandom | tr -d '\0' >r10m
	as_uid 60001 pneu-queue <r10m 1<e
	is "$?" 0 "a large one"
	is "$(message_of "$(newest)" | wc -c)" "$(sed 's/secret/XXXXXX/' r10m | wc -c)" "whole"
	daemon_stop "$FILTER"
	is "$?" 0 "SIGTERM ends it"
	daemon_stop "$INTAKE"
}
as_both filters
done_testing
