#!/bin/sh
# pneu-inject with a program in the queue's place that keeps what it gets.
# shellcheck disable=SC2016,SC2059,SC1003,SC1010
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/inject.sh"

QMAILUSER=joe
export QMAILUSER
echo host >"$PNEU_HOME/control/defaulthost"
echo pneu.test >"$PNEU_HOME/control/defaultdomain"
echo plus.test >"$PNEU_HOME/control/plusdomain"

# Fields of the queued header, those that differ from run to run made equal.
message() {
	sed -e 's/^\(.*Date\): [A-Z][a-z][a-z], [0-9][0-9] [A-Z][a-z][a-z] [0-9]\{4\} [0-9:]\{8\} +0000$/\1: D/' \
		-e 's/^\(.*Message-ID\): <[0-9a-f]\{28\}@/\1: <ID@/' "$got/message" 2>/dev/null
}
# TEXT ARGUMENTS...: runs it on a text with printf's escapes
run() {
	reset
	run_text=$1
	shift
	run_code=0
	# shellcheck disable=SC2059
	printf "$run_text" | pneu-inject "$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || run_code=$?
}
# NAME TEXT ENVELOPE ARGUMENTS...
to() {
	to_name=$1 to_envelope=$3 to_text=$2
	shift 3
	run "$to_text" "$@"
	is "$run_code $(envelope)" "0 $to_envelope" "$to_name"
}
# NAME CODE ERE TEXT ARGUMENTS...: refused, one line says why, nothing is queued
refused() {
	no_name=$1 no_code=$2 no_why=$3 no_text=$4
	shift 4
	run "$no_text" "$@"
	is "$run_code $(wc -l <"$TEST_TMP/err") $(envelope)" "$no_code 1 " "$no_name"
	like "$(cat "$TEST_TMP/err")" "^pneu-inject: (fatal|usage): $no_why" "$no_name: it says so"
}

# ---- who gets it ----

H='To: a@b.c, Joe <d@e.f>\nCc: g@h.i\nBcc: j@k.l\nApparently-To: m@n.o\nReply-To: x@y.z\n\nbody\n'
to "recipients of the header" "$H" 'Fjoe@host.pneu.test|Ta@b.c|Td@e.f|Tg@h.i|Tj@k.l|Tm@n.o||'
to "arguments alone" "$H" 'Fjoe@host.pneu.test|Tp@q.r|Ts@t.u||' p@q.r s@t.u
to "-h: no arguments" "$H" 'Fjoe@host.pneu.test|Ta@b.c|Td@e.f|Tg@h.i|Tj@k.l|Tm@n.o||' -h p@q.r
to "-H: both" "$H" 'Fjoe@host.pneu.test|Tp@q.r|Ta@b.c|Td@e.f|Tg@h.i|Tj@k.l|Tm@n.o||' -H p@q.r
to "-a: arguments" "$H" 'Fjoe@host.pneu.test|Tp@q.r||' -a p@q.r
to "-A after -h" "$H" 'Fjoe@host.pneu.test|Tp@q.r||' -h -A p@q.r
refused "-a without arguments" 100 'no recipient' "$H" -a
refused "nobody" 100 'no recipient' 'Subject: x\n\nbody\n'
refused "an empty group" 100 'no recipient' 'To: nobody:;\n\nbody\n'
refused "only <>" 100 'no recipient' 'To: <>\n\nbody\n'
refused "an empty message" 100 'no recipient' ''
to "an empty message for somebody" '' 'Fjoe@host.pneu.test|Ta@b.c||' a@b.c
to "arguments without hosts" 'x\n' 'Fjoe@host.pneu.test|Ta@host.pneu.test|Tb@c.pneu.test|Td@e.plus.test|Tf@g.h.plus.test||' a b@c d@e+ f@g.h+
to "arguments as they are" 'x\n' 'Fjoe@host.pneu.test|Ta b@c.d|T"x"@y.z|T(a)@b.c|Ta@b@c.d|T-x@y.z||' -- 'a b@c.d' '"x"@y.z' '(a)@b.c' a@b@c.d -x@y.z
to "somebody named twice" 'To: a@b.c, d\nCc: A@b.c, a@b.c\n\nx\n' 'Fjoe@host.pneu.test|Td@host.pneu.test|Ta@b.c|TA@b.c||' -H d@host.pneu.test
to "literals and dots" 'x\n' 'Fjoe@host.pneu.test|Ta@[192.0.2.1]|Tb@c.d|Te@host.pneu.test||' 'a@[192.0.2.1]' b@c.d. e@
to "UTF-8 addresses" 'x\n' 'Fjoe@host.pneu.test|Tjörg@bücher.example||' jörg@bücher.example
is "$(cat "$got/more")" '10:smtputf8=1,' "UTF-8 addresses: the envelope says so"
to "a resent message" 'Resent-To: r@s.t\nTo: a@b.c\nBcc: d@e.f\n\nx\n' 'Fjoe@host.pneu.test|Tr@s.t||'
to "a resent message, all kinds" 'Resent-To: r@s.t\nResent-Cc: u@v.w\nResent-Bcc: x@y.z\nTo: a@b.c\n\nx\n' 'Fjoe@host.pneu.test|Tr@s.t|Tu@v.w|Tx@y.z||'
refused "a resent message to nobody" 100 'no recipient' 'Resent-From: r@s.t\nTo: a@b.c\n\nx\n'
for letter in 'a@b.c d' '@b.c' 'x@a b' ''; do
	refused "no address: '$letter'" 100 'no address' 'x\n' a@b.c "x@$letter y"
done
refused "an empty argument" 100 'no address' 'x\n' ''
refused "an argument with a newline" 100 'cannot parse' 'x\n' 'a
b@c.d'
long=$(printf '%01000d' 0)
refused "an argument that is too long" 100 'cannot parse' 'x\n' "$long@b.c"
refused "a recipient of the header that is too long" 100 'cannot parse To' "To: $long@b.c\n\nx\n"

# ---- who sends it ----

to "-f" 'x\n' 'Fs@t.u|Ta@b.c||' -f s@t.u a@b.c
to "-f, attached" 'x\n' 'Fs@t.u|Ta@b.c||' -fs@t.u a@b.c
to "-f without a host" 'x\n' 'Fs@host.pneu.test|Ta@b.c||' -fs a@b.c
to "-f ''" 'x\n' 'F|Ta@b.c||' -f '' a@b.c
to "-f '#@[]'" 'x\n' 'F#@[]|Ta@b.c||' -f '#@[]' a@b.c
to "-f with VERP" 'x\n' 'Flist-@h.i-@[]|Ta@b.c||' -f 'list-@h.i-@[]' a@b.c
to "Return-Path" 'Return-Path: <s@t>\n\nx\n' 'Fs@t.pneu.test|Ta@b.c||' a@b.c
is "$(grep -c Return-Path "$got/message")" 0 "Return-Path is removed"
to "Return-Path <>" 'Return-Path: <>\n\nx\n' 'F|Ta@b.c||' a@b.c
to "two of them" 'Return-Path: <s@t.u>\nReturn-Path: <v@w.x>\n\nx\n' 'Fs@t.u|Ta@b.c||' a@b.c
to "-f wins" 'Return-Path: <s@t.u>\n\nx\n' 'Fv@w.x|Ta@b.c||' -f v@w.x a@b.c
QMAILINJECT=s to "s: it does not count" 'Return-Path: <s@t.u>\n\nx\n' 'Fjoe@host.pneu.test|Ta@b.c||' a@b.c
QMAILSUSER=list QMAILSHOST=lists.test to "QMAILSUSER, QMAILSHOST" 'x\n' 'Flist@lists.test|Ta@b.c||' a@b.c
QMAILHOST=other.test to "QMAILHOST" 'x\n' 'Fjoe@other.test|Ta@b.c||' a@b.c
MAILHOST=mh.test to "MAILHOST" 'x\n' 'Fjoe@mh.test|Ta@b.c||' a@b.c
QMAILUSER='joe x' to "a user with a blank" 'x\n' 'Fjoe x@host.pneu.test|Ta@b.c||' a@b.c
is "$(message | grep From)" 'From: "joe x"@host.pneu.test' "a user with a blank: From"
QMAILINJECT=r to "r: VERP" 'x\n' 'Fjoe-@host.pneu.test-@[]|Ta@b.c||' a@b.c
QMAILINJECT=r to "r with Return-Path" 'Return-Path: list-@l.test\n\nx\n' 'Flist-@l.test-@[]|Ta@b.c||' a@b.c
QMAILINJECT=m run 'x\n' a@b.c
like "$(envelope)" '^Fjoe-[0-9]+\.[0-9]+@host\.pneu\.test\|Ta@b\.c\|\|$' "m: a sender of its own"
QMAILINJECT=mr run 'x\n' a@b.c
like "$(envelope)" '^Fjoe-[0-9]+\.[0-9]+-@host\.pneu\.test-@\[\]\|Ta@b\.c\|\|$' "mr"
for variables in 'QMAILUSER=u1' 'MAILUSER=u1 USER=u2 LOGNAME=u3' 'USER=u1 LOGNAME=u3' 'LOGNAME=u1'; do
	reset
	# shellcheck disable=SC2086
	echo x | env -u QMAILUSER -u USER -u LOGNAME -u MAILUSER $variables pneu-inject a@b.c
	is "$(envelope)" 'Fu1@host.pneu.test|Ta@b.c||' "user from $variables"
done
reset
echo x | env -u QMAILUSER -u USER -u LOGNAME pneu-inject a@b.c
is "$(envelope)" 'Fanonymous@host.pneu.test|Ta@b.c||' "nobody knows the user"

# ---- the header ----

# NAME TEXT MESSAGE ARGUMENTS...
header() {
	h_name=$1 h_text=$2 h_want=$3
	shift 3
	run "$h_text" "$@"
	# shellcheck disable=SC2059
	is "$run_code $(message; echo .)" "0 $(printf "$h_want"; echo .)" "$h_name"
}
A='Date: x\nMessage-ID: <x@y>\nFrom: a@b.c\nTo: d@e.f\n'
header "a complete header stays" "$A\nbody\n" "$A\nbody\n"
header "its bytes too" "$A"'sUBJECT:\t x \n\t y\nX-8: \303\244\377\nX : \nX:y\n z\n\nbody\n' "$A"'sUBJECT:\t x \n\t y\nX-8: \303\244\377\nX : \nX:y\n z\n\nbody\n'
header "odd address fields stay" 'dAte :x\nMESSAGE-id:\n <x@y>\nfrom:(a)a@b.c\nTO\t: "A \\" B" <a@b.c> (x)\n ,\n\tg: ;\n\n' 'dAte :x\nMESSAGE-id:\n <x@y>\nfrom:(a)a@b.c\nTO\t: "A \\" B" <a@b.c> (x)\n ,\n\tg: ;\n\n'
header "what is missing" 'To: d@e.f\n\nbody\n' 'Date: D\nMessage-ID: <ID@mx.pneu.test>\nFrom: joe@host.pneu.test\nTo: d@e.f\n\nbody\n'
header "no To or Cc" 'Date: x\nMessage-ID: x\nFrom: x@y.z\nBcc: d@e.f\n\nbody\n' 'Cc: recipient list not shown: ;\nDate: x\nMessage-ID: x\nFrom: x@y.z\n\nbody\n'
header "Bcc, Content-Length, Return-Path and folded lines of them go" "$A"'Bcc: d@e.f,\n g@h.i\ncontent-length: 7\nreturn-path: <x@y.z>\nX: y\n\nb\n' "$A"'X: y\n\nb\n'
header "resent" 'Resent-To: r@s.t\nTo: a\n\nb\n' 'Resent-Date: D\nResent-Message-ID: <ID@mx.pneu.test>\nResent-From: joe@host.pneu.test\nResent-To: r@s.t\nTo: a@host.pneu.test\n\nb\n'
header "resent, for nobody to see" 'Resent-Bcc: r@s.t\n\nb\n' 'Resent-Date: D\nResent-Message-ID: <ID@mx.pneu.test>\nResent-From: joe@host.pneu.test\nResent-Cc: recipient list not shown: ;\n\nb\n'
header "hosts are completed" 'Date: x\nMessage-ID: x\nFrom: me\nReply-To: me@x\nSender: (c) me <me@y+>\nErrors-To: e\nReturn-Receipt-To: r\nTo: a, b@c+, d@e, <@x:f@g.>, h i; j:k\nX: y@z\n\nb\n' 'Date: x\nMessage-ID: x\nFrom: me@host.pneu.test\nReply-To: me@x.pneu.test\nSender: (c) me <me@y.plus.test>\nErrors-To: e@host.pneu.test\nReturn-Receipt-To: r@host.pneu.test\nTo: a@host.pneu.test, b@c.plus.test, d@e.pneu.test, <f@g.pneu.test>, h@host.pneu.test, i@host.pneu.test, j:k@host.pneu.test;\nX: y@z\n\nb\n'
header "no header at all" 'hello\nTo: a@b.c\n' 'Date: D\nMessage-ID: <ID@mx.pneu.test>\nFrom: joe@host.pneu.test\nCc: recipient list not shown: ;\n\nhello\nTo: a@b.c\n' a@b.c
header "a header that ends without an empty line" "$A"'hello\nyou\n' "$A"'\nhello\nyou\n'
header "a header alone" "$A" "$A"
header "a header without a last newline" "$A"'X: y' "$A"'X: y\n'
header "a line of a mail folder" 'From joe Sat Nov 21\n'"$A"'\nFrom x\n' 'MBOX-Line: From joe Sat Nov 21\n'"$A"'\nFrom x\n'
header "CRLF" 'Date: x\r\nMessage-ID: x\r\nFrom: a@b.c\r\nTo: d@e.f,\r\n g\r\n\r\nbody\r\n.\r\n\r\r\nx\ry\r\n' 'Date: x\nMessage-ID: x\nFrom: a@b.c\nTo: d@e.f,\n g@host.pneu.test\n\nbody\n.\n\r\nx\ry\n'
header "dots are text" "$A"'\n.\n..\nx' "$A"'\n.\n..\nx\n'
QMAILNAME='Joe "Q" Public' header "a name" "Date: x\nMessage-ID: x\nTo: d@e.f\n\n" 'From: "Joe \\"Q\\" Public" <joe@host.pneu.test>\nDate: x\nMessage-ID: x\nTo: d@e.f\n\n'
MAILNAME='Joe' NAME=no header "MAILNAME" "Date: x\nMessage-ID: x\nTo: d@e.f\n\n" 'From: "Joe" <joe@host.pneu.test>\nDate: x\nMessage-ID: x\nTo: d@e.f\n\n'
QMAILINJECT=c QMAILNAME='Joe (x) \' header "c: as a comment" "Date: x\nMessage-ID: x\nTo: d@e.f\n\n" 'From: joe@host.pneu.test (Joe \\(x\\) \\\\)\nDate: x\nMessage-ID: x\nTo: d@e.f\n\n'
QMAILINJECT=fi header "f, i: From and Message-ID anew" "$A\n" 'Message-ID: <ID@mx.pneu.test>\nFrom: joe@host.pneu.test\nDate: x\nTo: d@e.f\n\n'
QMAILDEFAULTHOST=dh.test QMAILIDHOST=id.test header "QMAILDEFAULTHOST, QMAILIDHOST" 'To: a\n\n' 'Date: D\nMessage-ID: <ID@id.test>\nFrom: joe@dh.test\nTo: a@dh.test\n\n'
QMAILDEFAULTDOMAIN=dd.test QMAILPLUSDOMAIN=pd.test header "QMAILDEFAULTDOMAIN, QMAILPLUSDOMAIN" "$A"'Cc: a@b, c@d+\n\n' "$A"'Cc: a@b.dd.test, c@d.pd.test\n\n'
printf 'list@l.test\nother@l.test \n' >"$TEST_TMP/lists"
QMAILMFTFILE=$TEST_TMP/lists header "Mail-Followup-To" "$A"'Cc: LIST@l.test, "x y"@z.w\n\n' 'Mail-Followup-To: d@e.f,\n  LIST@l.test,\n  "x y"@z.w\n'"$A"'Cc: LIST@l.test, "x y"@z.w\n\n'
QMAILMFTFILE=$TEST_TMP/lists header "Mail-Followup-To: not for others" "$A\n" "$A\n"
QMAILMFTFILE=$TEST_TMP/nothing header "Mail-Followup-To: no file" "$A\n" "$A\n"
run 'To: "a b" <c@d>\n\nx\n' -n -f 's t@u.v'
is "$run_code $(grep -v '^Date\|^Mess' "$TEST_TMP/out")" '0 Return-Path: <"s t"@u.v>
From: joe@host.pneu.test
To: "a b" <c@d.pneu.test>

x' "-n prints it"
is "$(ls "$got")" "" "-n queues nothing"

# ---- what is refused ----

refused "an option that is none" 100 'pneu-inject \[' 'x\n' -x
refused "-f without an argument" 100 'pneu-inject \[' 'x\n' -f
refused "a recipients field that cannot be parsed" 100 "cannot parse Cc: '\\(' without '\\)'" 'To: a@b.c\nCc: (x\n\nx\n'
refused "a sender's field that cannot be parsed" 100 "cannot parse From: two '@'" 'From: a@b@c\nTo: a@b.c\n\nx\n'
refused "Return-Path that cannot be parsed" 100 'cannot parse Return-Path' 'Return-Path: <a\nTo: a@b.c\n\nx\n'
QMAILNAME='x
Bcc: y@z.w' refused "a newline in the name" 100 'a control character in the name: x.x0aBcc: y@z.w' 'To: a@b.c\n\nx\n'
QMAILUSER='x
y' refused "a newline in the user" 100 'cannot parse' 'To: a@b.c\n\nx\n'
QMAILHOST='x
y' refused "a newline in the host" 100 'no address' 'To: a@b.c\n\nx\n'
QMAILIDHOST='x
y' refused "a newline in idhost" 111 'QMAILIDHOST' 'To: a@b.c\n\nx\n'
reset
head -c 1100000 /dev/zero | tr '\0' a | sed 's/^/X: /' | pneu-inject a@b.c 2>"$TEST_TMP/err"
is "$? $(cat "$TEST_TMP/err") $(envelope)" '100 pneu-inject: fatal: a header of more than 1 MiB ' "a header that is too large"
header "a field that cannot be parsed, but is not needed" "$A"'Cc: (x\n\nx\n' "$A"'Cc: (x\n\nx\n' g@h.i
header "the same in a resent message" 'Resent-To: a@b.c\nResent-Date: x\nResent-From: x@y.z\nResent-Message-ID: x\nTo: (x\n\nx\n' 'Resent-To: a@b.c\nResent-Date: x\nResent-From: x@y.z\nResent-Message-ID: x\nTo: (x\n\nx\n'
reset
pneu-inject a@b.c <"$TEST_TMP" 2>"$TEST_TMP/err"
is "$? $(envelope)" '111 ' "a message that cannot be read"
reset
pneu-inject a@b.c <&- 2>"$TEST_TMP/err"
is "$?" 111 "no descriptor 0"
reset
printf 'x\n' | PNEU_HOME=$TEST_TMP/none pneu-inject a@b.c 2>"$TEST_TMP/err"
is "$? $(wc -l <"$TEST_TMP/err")" '111 1' "no instance"
mkdir -p "$TEST_TMP/bare/control"
reset
printf "$A\nx\n" | PNEU_HOME=$TEST_TMP/bare pneu-inject -f s@t.u
is "$? $(envelope)" '0 Fs@t.u|Td@e.f||' "no setting is read if none is needed"
printf "$A\nx\n" | PNEU_HOME=$TEST_TMP/bare pneu-inject a 2>"$TEST_TMP/err"
is "$? $(cat "$TEST_TMP/err")" '111 pneu-inject: fatal: an address without a host needs control/defaulthost or control/me' "a setting that is missing"

# ---- the queue's answers ----

for exit in 11 31 40; do
	QUEUE_EXIT=$exit run "$A\nx\n"
	is "$run_code $(wc -l <"$TEST_TMP/err")" "100 1" "the queue says $exit"
done
for exit in 1 10 41 51 52 53 54 61 62 63 64 65 66 71 72 73 74 81 91 111 120 255; do
	QUEUE_EXIT=$exit run "$A\nx\n"
	is "$run_code $(wc -l <"$TEST_TMP/err")" "111 1" "the queue says $exit"
done
PNEU_QUEUE=$TEST_TMP/nothing run "$A\nx\n"
is "$run_code $(wc -l <"$TEST_TMP/err")" '111 1' "a queue program that is not there"
printf '#!/bin/sh\nkill -SEGV $$\n' >"$TEST_TMP/crash"
printf '#!/bin/sh\nexec 0<&-; exit 53\n' >"$TEST_TMP/deaf"
chmod 755 "$TEST_TMP/crash" "$TEST_TMP/deaf"
PNEU_QUEUE=$TEST_TMP/crash run "$A\nx\n"
is "$run_code $(wc -l <"$TEST_TMP/err")" '111 1' "a queue program that crashes"
reset
head -c 3000000 /dev/zero | tr '\0' '\n' | PNEU_QUEUE=$TEST_TMP/deaf pneu-inject a@b.c 2>"$TEST_TMP/err"
is "$? $(wc -l <"$TEST_TMP/err")" '111 1' "a queue program that does not listen"
yes | PNEU_QUEUE=$TEST_TMP/deaf timeout 60 pneu-inject a@b.c 2>"$TEST_TMP/err"
is "$? $(wc -l <"$TEST_TMP/err")" '111 1' "a message without end, and a queue program that had enough"
printf "$A\nx\n" | env -u PNEU_QUEUE pneu-inject 2>"$TEST_TMP/err"
is "$? $(wc -l <"$TEST_TMP/err")" '111 1' "no intake"
printf "$A\nx\n" | PNEU_ENVELOPE=77 pneu-inject
is "$? $(test -e "$got/more" && echo more)" '0 ' "PNEU_ENVELOPE of the caller is not passed on"
reset
(printf "$A\n"; head -c 200000 /dev/zero) | pneu-inject
is "$? $(wc -c <"$got/message")" "0 $((200000 + $(printf "$A\n" | wc -c) + 1))" "a body of NULs"

# ---- size ----

(printf "$A\n"; head -c 30000000 /dev/zero | tr '\0' '\n') >"$TEST_TMP/large"
reset
limit='prlimit --as=20000000'
test "$PNEU_VARIANT" = static || limit= # sanitizers map terabytes
$limit pneu-inject <"$TEST_TMP/large"
is "$? $(cmp "$TEST_TMP/large" "$got/message" && echo same)" '0 same' "30 MB in constant memory"
rm -f "$TEST_TMP/large"
(printf 'From: a@b.c\nDate: x\nMessage-ID: x\nTo: x0@y.z\n'; seq 1 20000 | sed 's/.*/ ,x&@y.z/'; printf '\nx\n') >"$TEST_TMP/many"
reset
pneu-inject <"$TEST_TMP/many"
is "$? $(envelope | tr '|' '\n' | grep -c '^Tx')" '0 20001' "20,001 recipients"

# ---- Message-IDs differ, the date is now ----

for subject in 1 2 3 4 5 6 7 8; do
	echo "Subject: $subject" | pneu-inject -n a@b.c
done | grep '^Message-ID' | sort -u >"$TEST_TMP/ids"
is "$(wc -l <"$TEST_TMP/ids")" 8 "Message-IDs differ"
now=$(date +%s)
date=$(echo x | pneu-inject -n a@b.c | sed -n 's/^Date: //p')
then=$(date -d "$date" +%s)
ok "the date is now" test "$then" -ge "$now" -a "$then" -le "$(date +%s)"

done_testing
