#!/bin/sh
# pneu-spawn -L and pneu-local -j, with a script in pneu-send's place: as root under uids of their own, which are not in
# any table, and as an ordinary user.
. "${PNEU_TOP:-.}/tests/lib.sh"

PNEU_HOME=$TEST_TMP/inst
export PNEU_HOME
ID=0660d04f07c5323c94550402bfa

if test -n "$TEST_ROOT"; then
	Q=61994 V=61991 JOE=61001 ANN=61002
else
	Q=$(id -u) V=$Q JOE=$Q ANN=$Q
fi
G() { if test -n "$TEST_ROOT"; then echo "$1"; else id -g; fi; }
own() { # UID FILES...
	own=$1
	shift
	test -z "$TEST_ROOT" || chown -R "$own:$own" "$@"
}
maildir_make() { mkdir -p "$1/tmp" "$1/new" "$1/cur"; }
home() { # NAME UID
	maildir_make "$TEST_TMP/home/$1/Maildir"
	chmod 700 "$TEST_TMP/home/$1"
	own "$2" "$TEST_TMP/home/$1"
}
setup() {
	mkdir -p "$PNEU_HOME/control/domain/example.org" "$PNEU_HOME/users" "$PNEU_HOME/queue/lock" "$PNEU_HOME/run" \
		"$PNEU_HOME/alias" "$PNEU_HOME/mail/example.org"
	echo mx.example.org >"$PNEU_HOME/control/me"
	own $Q "$PNEU_HOME/queue/lock"
	for u in pneud pneut pneuq pneuf pneur pneuv; do
		case $u in pneuv) i=$V ;; *) i=$Q ;; esac
		echo "$u:$i:$(G $i)"
	done >"$PNEU_HOME/users/ids"
	home joe $JOE
	home ann $ANN
	home low $JOE
	for m in alice bob carol; do
		maildir_make "$PNEU_HOME/mail/example.org/$m/Maildir"
	done
	rm -r "$PNEU_HOME/mail/example.org/carol/Maildir"
	chmod 700 "$PNEU_HOME"/mail/example.org/*
	own $V "$PNEU_HOME"/mail/example.org/*
	{
		for p in = +; do
			d=
			test $p = = || d=-
			echo "${p}joe$d:joe:$JOE:$(G $JOE):$TEST_TMP/home/joe:$d::"
			echo "${p}ann$d:ann:$ANN:$(G $ANN):$TEST_TMP/home/ann:$d::"
		done
		echo "=toor:root:0:0:$TEST_TMP/home/joe:::"
		echo "=low:low:1:1:$TEST_TMP/home/low:::"
		echo .
	} >"$PNEU_HOME/users/assign"
	pneu-users -q || bail "pneu-users"
	chmod 755 "$PNEU_HOME/users"
	printf 'Subject: hello\n\nhello\n' >"$TEST_TMP/msg"
}
spawn_start() {
	rm -f "$PNEU_HOME/run/local"
	"$@" s6-ipcserver-socketbinder -a 0666 "$PNEU_HOME/run/local" pneu-spawn -L </dev/null >/dev/null 2>>"$TEST_TMP/log" &
	SPAWN=$!
	wait_for "test -S '$PNEU_HOME/run/local'" || bail "no socket"
}
spawn_stop() {
	kill -9 $SPAWN 2>/dev/null
	wait $SPAWN 2>/dev/null
}
as_queue() {
	if test -n "$TEST_ROOT"; then setpriv --reuid=$Q --regid=$Q --clear-groups "$@"; else "$@"; fi
}
send() { # JOBS... : results
	printf '%s\n' "$@" | as_queue timeout 60 /usr/bin/python3 "$PNEU_TOP/tests/tool/fakesend.py" "$PNEU_HOME/run/local"
}
files() { find "$1" -type f | wc -l; }
M=$PNEU_HOME/mail/example.org
J=$TEST_TMP/home/joe

tests() {
setup
spawn_start

is "$(send "mailbox mailbox ${ID}0 s@x.org $TEST_TMP/msg alice@example.org bob@example.org")" "1 0 K 2.0.0 did 1+0+0
1 1 K 2.0.0 did 1+0+0
1 done" "two mailboxes in one job"
is "$(cat "$M/alice/Maildir/new/${ID}0.0.0")" "Return-Path: <s@x.org>
Delivered-To: alice@example.org
Subject: hello

hello" "the file is named after message, recipient and line"
ok "the second recipient's" test -f "$M/bob/Maildir/new/${ID}0.1.0"
is "$(send "mailbox mailbox ${ID}1 s@x.org $TEST_TMP/msg carol@example.org")" "1 0 K 2.0.0 did 1+0+0
1 done" "a mailbox whose Maildir is missing"
ok "gets one" test -f "$M/carol/Maildir/new/${ID}1.0.0"
is "$(send "mailbox mailbox ${ID}2 s@x.org $TEST_TMP/msg nobody@example.org alice@example.org;index=7")" \
	"1 0 D 5.1.1 Sorry, no mailbox here by that name
1 7 K 2.0.0 did 1+0+0
1 done" "an unknown one beside a known one"
is "$(send "local joe ${ID}3 s@x.org $TEST_TMP/msg joe@mx.example.org")" "1 0 K 2.0.0 did 1+0+0
1 done" "a user"
is "$(stat -c %u:%g "$J/Maildir/new/${ID}3.0.0")" "$JOE:$(G $JOE)" "as that user"
like "$(send "local joe ${ID}3 s@x.org $TEST_TMP/msg joe-x@mx.example.org")" '^1 0 D 5\.1\.1 ' "an extension without a file"
is "$(send "local x ${ID}4 s@x.org $TEST_TMP/msg joe@mx.example.org ann@mx.example.org joe@mx.example.org")" "1 0 K 2.0.0 did 1+0+0
1 1 K 2.0.0 did 1+0+0
1 2 K 2.0.0 did 1+0+0
1 done" "two users in one job"
is "$(stat -c %u "$TEST_TMP/home/ann/Maildir/new/${ID}4.1.0")" "$ANN" "each as himself"
is "$(send "remote x ${ID}4 s@x.org $TEST_TMP/msg joe@mx.example.org")" "1 0 ? no result
1 lost" "what is no local job ends the connection"
like "$(send "local x ${ID}5 s@x.org $TEST_TMP/msg toor@mx.example.org")" '^1 0 Z 4\.3\.5 ' "never to root"
like "$(send "local x ${ID}5 s@x.org $TEST_TMP/msg low@mx.example.org")" '^1 0 Z 4\.3\.5 ' "nor below minuid"
like "$(send "local x ${ID}5 s@x.org $TEST_TMP/msg alice@example.org@mx.example.org")" '^1 0 ' "a local part with an @ is no mailbox"
ok "nothing came of it" test ! -e "$M/alice/Maildir/new/${ID}5.0.0"
like "$(send "local x ${ID}5 s@x.org $TEST_TMP/msg ../joe@mx.example.org")" '^1 0 D 5\.1\.1 ' "a path is no name"
mv "$PNEU_HOME/users/cdb" "$PNEU_HOME/users/cdb.away"
like "$(send "local x ${ID}5 s@x.org $TEST_TMP/msg joe@mx.example.org")" '^1 0 Z 4\.3\.0 ' "without a table nobody knows"
mv "$PNEU_HOME/users/cdb.away" "$PNEU_HOME/users/cdb"

# Exactly once
is "$(send "local joe ${ID}3 s@x.org $TEST_TMP/msg joe@mx.example.org")" "1 0 K 2.0.0 did 1+0+0
1 done" "the same again is delivered"
is "$(ls "$J/Maildir/new" | grep -c "^${ID}3")" 1 "and there once"
mv "$J/Maildir/new/${ID}3.0.0" "$J/Maildir/cur/${ID}3.0.0:2,S"
send "local joe ${ID}3 s@x.org $TEST_TMP/msg again=1 joe@mx.example.org" >/dev/null
is "$(ls "$J/Maildir/new" | grep -c "^${ID}3")" 0 "again=1: also when a reader has moved it"

# Reuse
printf '|echo $PPID >>pids; ls -l /proc/self/fd | sed -n "s/.* \\([0-9]*\\) -> .*/\\1/p" | tr "\\n" " " >fds; env >env; id >id; cat >copy\n' >"$J/.qmail"
own $JOE "$J/.qmail"
# One that had nothing to do for five seconds ends: on a slow machine that may be between two of these.
for round in 1 2 3 4 5; do
	rm -f "$J/pids"
	for i in a b c; do send "local joe $ID$i s@x.org $TEST_TMP/msg joe@mx.example.org" >/dev/null; done
	test "$(sort -u "$J/pids" | wc -l)" != 1 || break
done
is "$(wc -l <"$J/pids") $(sort -u "$J/pids" | wc -l)" "3 1" "three jobs, one process"
is "$(cat "$J/fds")" "0 1 2 3 " "a program has 0, 1, 2 (and the folder that ls reads)"
is "$(grep -Ev '^(PATH|PNEU_HOME|PWD|SHLVL|_|OLDPWD|USER|HOME|LOCAL|HOST[234]?|EXT[234]?|SENDER|NEWSENDER|RECIPIENT|DTLINE|RPLINE|UFLINE)=|^$' "$J/env")" \
	"" "its environment is what the manual says"
is "$(cat "$J/copy")" "$(cat "$TEST_TMP/msg")" "and the message"
if test -n "$TEST_ROOT"; then
	is "$(sed 's/([^)]*)//g' "$J/id")" "uid=$JOE gid=$JOE groups=$JOE" "no group but the user's"
fi
printf '|cat /proc/$PPID/environ /proc/$PPID/maps >peek 2>&1; (: >/dev/fd/0) 2>write; exit 0\n' >"$J/.qmail"
send "local joe ${ID}d s@x.org $TEST_TMP/msg joe@mx.example.org" >/dev/null
like "$(cat "$J/peek")" 'denied' "its parent is not to be looked into"
seq 1 400000 >"$TEST_TMP/large"
printf '|cksum >sum; cat /dev/stdin | wc -c >again; (echo x >>/dev/stdin) 2>/dev/null && echo written >>again; exit 0\n./Maildir/\n' >"$J/.qmail"
is "$(send "local joe ${ID}e s@x.org $TEST_TMP/large joe@mx.example.org" | sed 's/: .*//')" "1 0 K 2.0.0 did 1+0+1
1 done" "a message beyond 1 MiB"
is "$(cat "$J/sum")" "$(cksum <"$TEST_TMP/large")" "whole" 
is "$(tail -n +3 "$J/Maildir/new/${ID}e.0.2" | cksum)" "$(cksum <"$TEST_TMP/large")" "and whole in the Maildir"
ok "cannot be written to" sh -c "! grep -q written '$J/again'"
printf '|sleep 1000\n' >"$J/.qmail"
echo 1 >"$PNEU_HOME/control/timeoutprogram"
wait_for "! pgrep -f 'pneu-local -j $J' >/dev/null"
like "$(send "local joe ${ID}f s@x.org $TEST_TMP/msg joe@mx.example.org")" '^1 0 Z 4\.3\.0 .*too long' "a program that does not end"
rm "$PNEU_HOME/control/timeoutprogram"
wait_for "! pgrep -f 'pneu-local -j $J' >/dev/null" # whoever read it
printf '|echo never\n' >"$M/bob/.qmail"
own $V "$M/bob/.qmail"
like "$(send "mailbox mailbox ${ID}3 s@x.org $TEST_TMP/msg bob@example.org")" '^1 0 D 5\.7\.1 ' "a mailbox runs no programs"
rm "$M/bob/.qmail"

# Others may not talk
if test -n "$TEST_ROOT"; then
	printf 'local joe %s s@x.org %s joe@mx.example.org\n' "${ID}0" "$TEST_TMP/msg" |
		setpriv --reuid=$JOE --regid=$JOE --clear-groups timeout 60 /usr/bin/python3 "$PNEU_TOP/tests/tool/fakesend.py" \
			"$PNEU_HOME/run/local" >"$TEST_TMP/other" 2>&1
	ok "another uid is not listened to" sh -c "! grep -q ' K ' '$TEST_TMP/other'"
	ok "and logged" wait_for "grep -q 'refused uid=$JOE' '$TEST_TMP/log'"
fi

# Deaths
rm -f "$J"/.qmail "$J"/Maildir/new/* "$J"/Maildir/cur/*
printf '|echo $$ >pid; sleep 1000\n' >"$J/.qmail"
own $JOE "$J/.qmail"
rm -f "$J/pid"
send "local joe ${ID}1 s@x.org $TEST_TMP/msg joe@mx.example.org" >"$TEST_TMP/died" &
sender=$!
wait_for "test -s '$J/pid'"
wait_for "pgrep -f 'pneu-local -j $J' >/dev/null"
kill -9 "$(pgrep -o -f "pneu-local -j $J")"
wait $sender
is "$(cat "$TEST_TMP/died")" "1 0 Z 4.3.0 The deliverer died
1 done" "a deliverer that is killed"
ok "its program goes too" wait_for "! kill -0 $(cat "$J/pid") 2>/dev/null"
rm "$J/.qmail"
is "$(send "local joe ${ID}1 s@x.org $TEST_TMP/msg joe@mx.example.org")" "1 0 K 2.0.0 did 1+0+0
1 done" "and the next one works"

n=0
while test $n -lt 12; do
	n=$((n + 1))
	i=$(printf '%x' $n)
	(send "local joe ${ID}$i s@x.org $TEST_TMP/msg joe@mx.example.org ann@mx.example.org" >/dev/null 2>&1) &
	sender=$!
	while kill -0 $sender 2>/dev/null && test "$(files "$J/Maildir/new")" -lt $n; do :; done
	case $n in
	*[369]) kill -9 $(pgrep -P "$SPAWN" -x pneu-spawn) 2>/dev/null; wait $sender; spawn_stop; spawn_start ;;
	*[147]) kill -9 $(pgrep -f "pneu-local -j $TEST_TMP") 2>/dev/null ;;
	esac
	wait $sender
	for round in 1 2 3 4 5 6; do
		send "local joe ${ID}$i s@x.org $TEST_TMP/msg again=1 joe@mx.example.org ann@mx.example.org" >"$TEST_TMP/round" 2>/dev/null
		test "$(grep -c ' K ' "$TEST_TMP/round")" != 2 || break
	done
done
lost=0
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	i=$(printf '%x' $n)
	test "$(ls "$J/Maildir/new" | grep -c "^${ID}$i\\.")" = 1 || lost=$((lost + 1))
	test "$(ls "$TEST_TMP/home/ann/Maildir/new" | grep -c "^${ID}$i\\.")" = 1 || lost=$((lost + 1))
done
is "$lost" 0 "killed again and again: every message is there, once"

# A deliverer that cannot start
spawn_stop
mkdir "$TEST_TMP/bin"
printf '#!/bin/sh\necho started >>%s/starts\nexit 1\n' "$TEST_TMP" >"$TEST_TMP/bin/pneu-local"
chmod 755 "$TEST_TMP/bin/pneu-local"
: >"$TEST_TMP/starts"
chmod 666 "$TEST_TMP/starts"
echo 2 >"$PNEU_HOME/control/concurrencylocal"
spawn_start env PATH="$TEST_TMP/bin:$PATH"
like "$(send "local joe ${ID}1 s@x.org $TEST_TMP/msg joe@mx.example.org" "local joe ${ID}2 s@x.org $TEST_TMP/msg joe@mx.example.org" \
	"local joe ${ID}3 s@x.org $TEST_TMP/msg joe@mx.example.org" | tr '\n' ' ')" \
	'^1 0 Z 4.3.0 [^0-9]* 1 done 2 0 Z 4.3.0 [^0-9]* 2 done 3 0 Z 4.3.0 [^0-9]* 3 done $' "deliverers that die at once: Z"
is "$(wc -l <"$TEST_TMP/starts")" 3 "one start for each job"
ok "each logged" wait_for "test \$(grep -c deliverer-died '$TEST_TMP/log') -ge 3"
spawn_stop

code 100 "no option" pneu-spawn
code 100 "two options" pneu-spawn -L -R
test -z "$TEST_ROOT" || code 100 "root must not speak to the network" timeout 10 pneu-spawn -R </dev/null
code 111 "no users/ids" env PNEU_HOME="$TEST_TMP" pneu-spawn -L
}

as_both tests
done_testing
