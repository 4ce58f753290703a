#!/bin/sh
# pneu-sendmail as those programs call it that send mail, with a program in the queue's place that keeps what it gets.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/inject.sh"

USER=joe
export USER
mkdir "$TEST_TMP/bin"
for name in sendmail mailq newaliases; do ln -s "$PNEU_BIN/pneu-sendmail" "$TEST_TMP/bin/$name"; done
PATH=$TEST_TMP/bin:$PATH
sendmail=$TEST_TMP/bin/sendmail

body() { sed '1,/^$/d' "$got/message" 2>/dev/null; }
# TEXT ARGUMENTS...
run() {
	reset
	run_text=$1
	shift
	run_code=0
	# shellcheck disable=SC2059
	printf "$run_text" | sendmail "$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || run_code=$?
}
# NAME TEXT CODE ENVELOPE ARGUMENTS...
to() {
	to_name=$1 to_text=$2 to_want="$3 $4"
	shift 4
	run "$to_text" "$@"
	is "$run_code $(envelope)" "$to_want" "$to_name"
}
# NAME CODE ERE ARGUMENTS...: refused, and one line says why
refused() {
	no_name=$1 no_code=$2 no_why=$3
	shift 3
	run 'To: a@b.c\n\nx\n' "$@"
	is "$run_code $(wc -l <"$TEST_TMP/err") $(envelope)" "$no_code 1 " "$no_name"
	like "$(cat "$TEST_TMP/err")" "^pneu-sendmail: fatal: .*$no_why" "$no_name: it says so"
}

# ---- envelopes ----

H='To: a@b.c, Joe <d@e.f>\nBcc: j@k.l\n\nbody\n.\nmore\n'
J=Fjoe@mx.pneu.test
to "-t" "$H" 0 "$J|Ta@b.c|Td@e.f|Tj@k.l||" -t
is "$(body) $(grep -c Bcc "$got/message")" 'body 0' "-t: a dot ends the message, Bcc is gone"
to "-t -i" "$H" 0 "$J|Ta@b.c|Td@e.f|Tj@k.l||" -t -i
is "$(body)" 'body
.
more' "-t -i: a dot is a line"
to "arguments alone" "$H" 0 "$J|Tx@y.z||" x@y.z
is "$(grep -c Bcc "$got/message")" 0 "arguments alone: Bcc is gone"
to "-t and arguments" "$H" 0 "$J|Tx@y.z|Ta@b.c|Td@e.f|Tj@k.l||" -t x@y.z
to "arguments are lists" "$H" 0 "$J|Ta@b.c|Td@e.f|Tx y@z.w|Troot@mx.pneu.test||" 'Joe <a@b.c>, d@e.f' '"x y"@z.w' root
to "-f" "$H" 0 'Fme@here.test|Tx@y.z||' -f me@here.test x@y.z
is "$(grep From "$got/message")" 'From: me@here.test' "-f: in From too"
to "-f and -F" "$H" 0 'Fme@here.test|Tx@y.z||' -f me@here.test -F 'Me, too' x@y.z
is "$(grep From "$got/message")" 'From: "Me, too" <me@here.test>' "-f and -F: in From too"
to "-r" "$H" 0 'Fme@mx.pneu.test|Tx@y.z||' -rme x@y.z
to "-f with a name" "$H" 0 'Fme@here.test|Tx@y.z||' -f 'Me <me@here.test>' x@y.z
to "-f ''" "$H" 0 'F|Tx@y.z||' -f '' x@y.z
to "-f '<>'" "$H" 0 'F|Tx@y.z||' -f '<>' x@y.z
is "$(grep From "$got/message")" 'From: joe@mx.pneu.test' "-f '<>': From is the user"
to "DSN" "$H" 0 'Fme@here.test|Tx@y.z|Ta@b.c||' -f me@here.test -N success,delay -R hdrs -V 'id 1' -B 8BITMIME x@y.z a@b.c
is "$(cat "$got/more")" '13:body=8BITMIME,8:ret=HDRS,12:envid=id+201,8:to=x@y.z,20:notify=SUCCESS,DELAY,8:to=a@b.c,20:notify=SUCCESS,DELAY,' "DSN: the rest of the envelope"
reset
printf 'x\n' | env -u USER sendmail a@b.c
is "$(envelope)" "F$(id -un)@mx.pneu.test|Ta@b.c||" "no variable tells the user"
to "CRLF" 'To: a@b.c\r\nSubject: x\r\n\r\nb\r\n.\r\nc\r\n' 0 "$J|Ta@b.c||" -t
is "$(body)" b "CRLF: and the dot"

# ---- what is refused, and how ----

refused "no recipient" 64 'no recipient'
run 'Subject: x\n\n' -t
is "$run_code $(envelope)" '64 ' "-t and no address"
run 'To: (x\n\n' -t
is "$run_code $(envelope)" '65 ' "-t and a malformed header"
refused "a daemon" 64 'no daemon' -bd -q30m
refused "a configuration" 64 PNEU_HOME -C/tmp/x a@b.c
refused "a log" 64 '-X: no log' -X/tmp/x a@b.c
refused "an option for an address" 64 "begins with '-'" -- -oQ/tmp
refused "an option behind an address" 64 "begins with '-'" a@b.c -X/tmp/x
refused "an option for a sender" 64 "begins with '-'" -f -X/tmp/x a@b.c
refused "two senders" 64 'not one sender' -f 'a@b.c, d@e.f' a@b.c
refused "a sender that is none" 64 'cannot parse' -f 'a@b@c' a@b.c
refused "an address that is none" 64 'cannot parse' 'a@b@c'
refused "a field in a name" 64 'control character' -F 'x
Bcc: y@z' a@b.c
QUEUE_EXIT=31 run x a@b.c
is "$run_code" 69 "refused by the queue"
QUEUE_EXIT=53 run x a@b.c
is "$run_code" 75 "no room in the queue"
PNEU_QUEUE='' run x a@b.c
is "$run_code" 75 "no queue"
PNEU_HOME=$TEST_TMP/none run x a@b.c
is "$run_code" 78 "no instance"
sendmail a@b.c <"$TEST_TMP" 2>/dev/null
is "$?" 74 "a message that cannot be read"
rm "$PNEU_HOME/control/me"
run x a
is "$run_code $(cat "$TEST_TMP/err")" '78 pneu-sendmail: fatal: an address without a host needs control/defaulthost or control/me' "no control/me"
echo mx.pneu.test >"$PNEU_HOME/control/me"

# ---- other names and modes ----

mkdir "$TEST_TMP/other"
for program in pneu-list pneu-smtpd; do
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "%s $* ${RELAYCLIENT-no} $PROTO $TCPREMOTEIP"\n' $program >"$TEST_TMP/other/$program"
	chmod 755 "$TEST_TMP/other/$program"
done
old=$PATH PATH=$TEST_TMP/other:$PATH
is "$(mailq)" 'pneu-list  no  ' mailq
is "$(sendmail -bp)" 'pneu-list  no  ' "-bp"
is "$(sendmail -bs)" 'pneu-smtpd   TCP 127.0.0.1' "-bs"
is "$(PROTO=TCP TCPREMOTEIP=::1 sendmail -bs)" 'pneu-smtpd  no TCP ::1' "-bs under a server"
PATH=$old
ok newaliases newaliases
ok "-bi" sendmail -bi
code 75 "-q, no pneu-send" sendmail -q
mkfifo "$PNEU_HOME/queue/lock/trigger"
exec 3<>"$PNEU_HOME/queue/lock/trigger"
ok "-q" sendmail -q
ok "-q30m" sendmail -q30m -v
is "$(head -c 8 <&3 | od -An -c | tr -d ' ')" 'all\nall\n' "-q pulls the trigger"
exec 3<&-

# ---- programs that others wrote ----

reset
printf 'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@h> x\nContent-Type: text/plain\nX-Cron-Env: <SHELL=/bin/sh>\n\nout\n.\nput\n' |
	env -i ASAN_OPTIONS="${ASAN_OPTIONS-}" PATH="$PATH" PNEU_HOME="$PNEU_HOME" PNEU_QUEUE="$PNEU_QUEUE" got="$got" LOGNAME=root \
		sendmail -FCronDaemon -i -odi -oem -oi -t -f root
is "$? $(envelope) $(body | tr '\n' ' ')" '0 Froot@mx.pneu.test|Troot@mx.pneu.test|| out . put ' "cron"
is "$(grep From: "$got/message")" 'From: root@mx.pneu.test (Cron Daemon)' "cron: its From is completed"

reset
printf 'Date: Sat, 21 Nov 2026 22:00:00 +0100\nFrom: Me <me@here.test>\nTo: a@b.c\nCc: d@e.f\nMessage-ID: <1@here>\nUser-Agent: Mutt/2.2\n\n.\n' >"$TEST_TMP/draft"
sendmail -oem -oi -f me@here.test -- a@b.c d@e.f <"$TEST_TMP/draft"
is "$? $(envelope)" '0 Fme@here.test|Ta@b.c|Td@e.f||' "mutt"
ok "mutt: its header stays as it is" cmp "$TEST_TMP/draft" "$got/message"

if command -v s-nail >/dev/null; then
	reset
	printf 'hello\n.\nthere\n' | s-nail -n -Sv15-compat=no -Ssendwait -Smta="$sendmail" -s 'a subject' -c d@e.f -b j@k.l a@b.c >"$TEST_TMP/out" 2>&1
	is "$? $(envelope | tr '|' '\n' | grep '^T' | sort | tr '\n' ' ')" '0 Ta@b.c Td@e.f Tj@k.l ' "s-nail"
	is "$(body | tr '\n' ' ')" 'hello . there ' "s-nail: the body"
	reset
	printf 'x\n' | s-nail -n -Sv15-compat=no -Ssendwait -Smta="$sendmail" -r me@here.test -s s a@b.c >"$TEST_TMP/out" 2>&1
	is "$? $(envelope)" '0 Fme@here.test|Ta@b.c||' "s-nail -r"
	QUEUE_EXIT=31
	export QUEUE_EXIT
	printf 'x\n' | HOME=$TEST_TMP s-nail -n -Sv15-compat=no -Ssendwait -Smta="$sendmail" -s s a@b.c >"$TEST_TMP/out" 2>&1
	ok "s-nail sees a refusal" test "$?" != 0
	unset QUEUE_EXIT
else
	skip 4 "no s-nail"
fi

cat >"$TEST_TMP/mail.py" <<'PYTHON'
import subprocess, sys
from email.message import EmailMessage
from email.policy import SMTP
m = EmailMessage()
m["From"] = "Jörg Müller <joerg@here.test>"
m["To"] = "Žofie <a@b.c>, \"x, y\" <d@e.f>"
m["Bcc"] = "j@k.l"
m["Subject"] = "Grüße " * 30
m.set_content("Zeile\n.\n..\nEnde ä\n")
subprocess.run([sys.argv[1], "-t", "-oi"], input=m.as_bytes(policy=SMTP), check=True)
PYTHON
reset
ok "python's email" python3 "$TEST_TMP/mail.py" "$sendmail"
is "$(envelope)" "$J|Ta@b.c|Td@e.f|Tj@k.l||" "python's email: the envelope"
is "$(python3 -c 'import sys, email, email.policy
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(m["From"], "|", m["To"], "|", m["Bcc"], "|", m["Subject"].split() == ["Grüße"] * 30, "|", m.get_content() == "Zeile\n.\n..\nEnde ä\n", "|", b"\r" in m.as_bytes())' "$got/message")" \
	'Jörg Müller <joerg@here.test> | Žofie <a@b.c>, "x, y" <d@e.f> | None | True | True | False' "python's email: read back by python"

# PHP gives header lines with CRLF, the body with LF.
reset
printf 'To: a@b.c\r\nSubject: x\r\nX-PHP-Originating-Script: 0:x.php\r\nFrom: web@here.test\r\n\r\nbody\nmore\n' | sendmail -t -i
is "$? $(envelope) $(grep -c "$(printf '\r')" "$got/message")" "0 $J|Ta@b.c|| 0" "PHP"
# What attackers made of its mail() with an -f that holds blanks.
reset
printf 'To: a@b.c\n\nx\n' | sendmail -t -i "-fx\" -oQ/tmp -X$TEST_TMP/shell.php z@y" 2>/dev/null
is "$? $(envelope) $(ls "$TEST_TMP/shell.php" 2>/dev/null)" '64  ' "PHP with an evil sender"

done_testing
