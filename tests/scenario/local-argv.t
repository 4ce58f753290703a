#!/bin/sh
# pneu-local in qmail-local's form: dot-qmail files, exit codes, mbox, Maildir, programs, and what a user's files may
# not be.
. "${PNEU_TOP:-.}/tests/lib.sh"

H=$TEST_TMP/home
printf 'Subject: hello\nReceived: once\n\nFrom here\n>From there\nthe end' >"$TEST_TMP/msg"

fresh() { # an empty home with a Maildir
	rm -rf "$H"
	mkdir -m 0700 "$H"
	mkdir "$H/Maildir" "$H/Maildir/tmp" "$H/Maildir/new" "$H/Maildir/cur"
}
dot() { # NAME LINES : writes a dot file
	printf "$2" >"$H/$1"
}
deliver() { # [EXT [SENDER [DEFAULT]]] : for joe or joe-EXT at mx.example.org
	if test -n "${1:-}"; then
		pneu-local joe "$H" "joe-$1" - "$1" mx.example.org "${2-s@example.net}" "${3-./Maildir/}" <"$TEST_TMP/msg"
	else
		pneu-local joe "$H" joe '' '' mx.example.org "${2-s@example.net}" "${3-./Maildir/}" <"$TEST_TMP/msg"
	fi
}
count() { find "$H/${1:-Maildir/new}" -type f 2>/dev/null | wc -l; }

tests() {
	fresh
	code 0 "the default delivery" deliver
	is "$(cat "$TEST_TMP/.out")" "did 1+0+0" "it says what it did"
	is "$(cat "$H"/Maildir/new/*)" "Return-Path: <s@example.net>
Delivered-To: joe@mx.example.org
$(cat "$TEST_TMP/msg")" "the two lines and the message, byte by byte"
	is "$(find "$H/Maildir/tmp" -type f | wc -l)" 0 "nothing left in tmp"
	is "$(stat -c %a "$H"/Maildir/new/*)" 600 "for the user's eyes"

	fresh
	code 0 "an mbox" deliver '' 'joe x@example.net' ./mbox
	is "$(sed 's/^\(From [^ ]*\) .*/\1 date/' "$H/mbox")" 'From joe-x@example.net date
Return-Path: <"joe x"@example.net>
Delivered-To: joe@mx.example.org
Subject: hello
Received: once

>From here
>>From there
the end' "From_ line, quoting"
	deliver '' 'joe x@example.net' ./mbox >/dev/null
	is "$(grep -c '^From ' "$H/mbox")" 2 "a second one behind it"
	is "$(tail -c 2 "$H/mbox" | od -An -c | tr -d ' ')" '\n\n' "an empty line at the end"
	like "$(head -n 1 "$H/mbox")" '^From joe-x@example.net [A-Z][a-z]{2} [A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} 20[0-9]{2}$' "asctime's date"
	cp "$H/mbox" "$TEST_TMP/mbox"
	for half in 'Subject: half\n\nnot the en' 'Subject: half\n\nthe end\n' 'Subject: half\n\n' '\n'; do
		printf "$half" >"$H/mbox"
		deliver '' 'joe x@example.net' ./mbox >/dev/null
		is "$(grep -B 1 '^From ' "$H/mbox" | cut -d ' ' -f 1)" "
From" "behind half a message, $half, an empty line comes first"
	done
	cp "$TEST_TMP/mbox" "$H/mbox"
	mkfifo "$H/fifo"
	code 111 "an mbox that is a fifo is none" deliver '' s@example.net ./fifo
	ln "$H/mbox" "$H/second"
	code 111 "nor one with a second name" deliver '' s@example.net ./mbox
	rm "$H/second"
	ln -s "$H/mbox" "$TEST_TMP/link"
	code 111 "an absolute path is no symbolic link" deliver '' s@example.net "$TEST_TMP/link"
	rm "$TEST_TMP/link"
	size=$(stat -c %s "$H/mbox")
	yes | head -c 4000 >"$TEST_TMP/long"
	code 111 "no room: temporary" sh -c "ulimit -f 1
		pneu-local joe '$H' joe '' '' mx.example.org s@example.net ./mbox <'$TEST_TMP/long'"
	is "$(stat -c %s "$H/mbox")" "$size" "and the mbox is as long as before"

	fresh
	dot .qmail '# comment\n./Maildir/   \n\n+unknown\n./Maildir/\n'
	code 0 "comments, blanks, two Maildir lines" deliver
	is "$(count)" 2 "are two files"
	is "$(ls "$H/Maildir/new" | sed 's/^[0-9a-f]\{28\}//' | sort | tr '\n' ' ')" ".0.2 .0.5 " "named after their lines"
	dot .qmail ' \n./Maildir/\n'
	code 111 "a blank first line" deliver
	dot .qmail ''
	code 0 "an empty file is the default delivery" deliver
	is "$(count)" 3 "which delivered"
	dot .qmail '&\n'
	code 111 "a forward to nobody" deliver
	dot .qmail './a\000b\n'
	code 111 "a NUL" deliver
	dot .qmail './Maildir/\n'
	chmod +x "$H/.qmail"
	code 111 "x bit and a Maildir line" deliver
	dot .qmail '|true\n'
	code 111 "x bit and a program" deliver
	rm "$H/.qmail"
	dot .qmail '|true\n+list\n|true\n'
	code 111 "a program behind +list" deliver
	dot .qmail './nosuch/\n'
	code 111 "a Maildir that is not there" deliver
	ok "is not made" test ! -e "$H/nosuch"
	rm "$H/.qmail"
	chmod 1700 "$H"
	code 111 "a sticky home defers" deliver
	code 0 "but -n shows" pneu-local -n joe "$H" joe '' '' h s ./Maildir/
	is "$(cat "$TEST_TMP/.out")" "maildir ./Maildir/" "what would be done"
	for mode in 0707 0702 0772; do
		chmod "$mode" "$H"
		test $mode != 0772 || test -z "$TEST_ROOT" || continue
		test $mode != 0772 || chmod 0702 "$H"
		code 111 "a home of mode $mode" deliver
	done
	chmod 0700 "$H"
	dot .qmail './Maildir/\n'
	chmod 0606 "$H/.qmail"
	code 111 "a .qmail that others may write" deliver

	fresh
	dot .qmail-a-default '|printf "%%s" "$DEFAULT" >def; exit 0\n'
	dot .qmail-default '|printf "%%s" "other $DEFAULT" >def; exit 0\n'
	dot .qmail-x:y '|printf "%%s" "dots" >def; exit 0\n'
	for pair in 'a-b:b' 'a-b-c:b-c' 'A-B:B' 'b:other b' 'a:other a' 'X.y:dots' 'a-../../x:../../x' 'a-default:default' 'b-/etc:other b-/etc'; do
		code 0 "extension ${pair%%:*}" deliver "${pair%%:*}"
		is "$(cat "$H/def")" "${pair#*:}" "is found as ${pair#*:}"
	done
	rm "$H/.qmail-default"
	code 100 "an extension nobody has" deliver nobody
	like "$(cat "$TEST_TMP/.out")" '\(#5\.1\.1\)' "5.1.1"
	mkdir "$H/.qmail-default"
	code 100 "a folder is no dot file" deliver nobody

	fresh
	printf 'Subject: x\nDelivered-To: joe@mx.example.org\n\nbody\n' >"$TEST_TMP/loop"
	code 100 "a loop" sh -c "pneu-local joe '$H' joe '' '' mx.example.org s@example.net ./Maildir/ <'$TEST_TMP/loop'"
	like "$(cat "$TEST_TMP/.out")" '\(#5\.4\.6\)' "5.4.6"
	{ yes 'X: y' | head -n 40000; cat "$TEST_TMP/loop"; } >"$TEST_TMP/deep"
	code 100 "a loop far down a long header" sh -c "pneu-local joe '$H' joe '' '' mx.example.org s@example.net ./Maildir/ <'$TEST_TMP/deep'"
	printf 'Subject: x\n\nDelivered-To: joe@mx.example.org\n' >"$TEST_TMP/body"
	code 0 "in the body it is none" sh -c "pneu-local joe '$H' joe '' '' mx.example.org s@example.net ./Maildir/ <'$TEST_TMP/body'"

	# Programs
	fresh
	for pair in 0:0 99:0 100:100 64:100 65:100 70:100 76:100 77:100 78:100 112:100 111:111 1:111 75:111 127:111; do
		dot .qmail "|exit ${pair%:*}\n"
		code "${pair#*:}" "a program's exit code ${pair%:*}" deliver
	done
	dot .qmail '|kill -9 $$\n'
	code 111 "one that is killed" deliver
	dot .qmail '|exit 99\n./Maildir/\n'
	code 0 "after 99" deliver
	is "$(count)" 0 "nothing more is done"
	dot .qmail './Maildir/\n|exit 100\n'
	code 100 "an error after a delivery" deliver
	dot .qmail '|echo " one"; echo two >&2; printf "\\033[2J\\377"; exit 100\n'
	deliver >"$TEST_TMP/.text"
	is "$(cat "$TEST_TMP/.text")" ' one two  [2J? (#5.3.0)' "its output is the reply, in one line, tamed"
	dot .qmail '|cat >first\n|cat >second\n|sed -n 1p /dev/stdin >third\n'
	code 0 "each program" deliver
	is "$(cat "$H/first" "$H/second")" "$(cat "$TEST_TMP/msg" "$TEST_TMP/msg")" "reads the message from its beginning"
	is "$(cat "$H/third")" "Subject: hello" "by /dev/stdin too"
	dot .qmail '|ls -l /proc/self/fd | sed -n "s/.* \\([0-9]*\\) -> .*/\\1/p" | tr "\\n" " " >fds; pwd >cwd\n'
	deliver >/dev/null
	is "$(cat "$H/fds")" "0 1 2 3 " "its descriptors: 0, 1, 2 (3 is the folder that ls reads)"
	is "$(cat "$H/cwd")" "$H" "its folder is the home"
	dot .qmail '|(sleep 60; echo late) & echo soon; exit 0\n'
	code 0 "what it leaves in the background" deliver
	like "$(cat "$TEST_TMP/.out")" 'soon$' "is not waited for"
	dot .qmail '|env >env\n'
	deliver ab-cd-ef 'x@y' >/dev/null || deliver '' 'x@y' >/dev/null
	dot .qmail-default '|env >env\n'
	deliver 'Ab-cd-ef' 'x@y' >/dev/null
	for line in SENDER=x@y NEWSENDER=x@y RECIPIENT=joe-Ab-cd-ef@mx.example.org USER=joe "HOME=$H" HOST=mx.example.org \
		HOST2=mx.example HOST3=mx HOST4=mx LOCAL=joe-Ab-cd-ef EXT=Ab-cd-ef EXT2=cd-ef EXT3=ef EXT4= DEFAULT=Ab-cd-ef \
		'DTLINE=Delivered-To: joe-Ab-cd-ef@mx.example.org' 'RPLINE=Return-Path: <x@y>'; do
		ok "the environment has $line" grep -qxF "$line" "$H/env"
	done
	SECRET=1 deliver 'a' '() { :;}; x@y' >/dev/null
	ok "a value that begins with () is left out" grep -qx 'SENDER=' "$H/env"
	ok "and said to be" grep -qx 'UNSAFE=SENDER NEWSENDER' "$H/env"
	ok "nothing else is inherited" sh -c "! grep -q SECRET '$H/env'"
	dot .qmail-a-owner ''
	deliver a 'x@y' >/dev/null
	ok "a list's owner" grep -qx 'NEWSENDER=joe-a-owner@mx.example.org' "$H/env"
	dot .qmail-a-owner-default ''
	deliver a 'x@y' >/dev/null
	ok "and one for each recipient" grep -qxF 'NEWSENDER=joe-a-owner-@mx.example.org-@[]' "$H/env"
	deliver a '' >/dev/null
	ok "not for bounces" grep -qxF 'NEWSENDER=' "$H/env"
	deliver a '#@[]' >/dev/null
	ok "nor for double bounces" grep -qxF 'NEWSENDER=#@[]' "$H/env"

	# Elsewhere
	fresh
	mkdir -p "$TEST_TMP/else/new" "$TEST_TMP/else/tmp" "$TEST_TMP/else/cur"
	dot .qmail "$TEST_TMP/else/\n$TEST_TMP/else/mbox\n"
	code 0 "files outside of the home" deliver
	is "$(find "$TEST_TMP/else/new" -type f | wc -l) $(grep -c '^From ' "$TEST_TMP/else/mbox")" "1 1" "are there"
	rm -r "$H/Maildir"
	ln -s "$TEST_TMP/else" "$H/Maildir"
	rm "$H/.qmail"
	code 0 "a Maildir that is a link out of the home" deliver
	is "$(find "$TEST_TMP/else/new" -type f | wc -l)" 2 "is followed"
	rm -r "$TEST_TMP/else"
	dot .qmail '&someone@example.net\n'
	PNEU_HOME=$TEST_TMP/none
	export PNEU_HOME
	code 111 "a forward without a queue waits" deliver

	# The words
	code 100 "too few arguments" pneu-local joe "$H"
	code 100 "a home that is not absolute" pneu-local joe home joe '' '' h s ./Maildir/
	code 111 "a message that is a pipe" sh -c "cat '$TEST_TMP/msg' | pneu-local joe '$H' joe '' '' h s ./Maildir/"
	code 111 "a home that is not there" pneu-local joe "$TEST_TMP/none" joe '' '' h s ./Maildir/ <"$TEST_TMP/msg"
}

test "${TEST_TMP#/tmp}" != "$TEST_TMP" || note "in $TEST_TMP"
as_both tests
done_testing
