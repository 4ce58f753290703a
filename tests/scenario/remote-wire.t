#!/bin/sh
# What goes over the wire: 50 odd messages byte for byte, many recipients in one transaction, parameters of MAIL and RCPT.
# shellcheck disable=SC2002,SC2020,SC2119
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/remote.sh"

remote_home
mkdir "$TEST_TMP/odd"

# ---- 50 odd messages ----

odd() { cat >"$TEST_TMP/odd/$1"; }
printf '' | odd 00-empty
printf '\n' | odd 01-newline
printf 'a' | odd 02-a
printf 'Subject: x\n\n' | odd 03-header-only
printf 'Subject: x\n\nno final newline' | odd 04-unfinished
printf '.' | odd 05-dot
printf '.\n' | odd 06-dot-line
printf '..\n' | odd 07-two-dots
printf '.\n.\n.\n' | odd 08-dot-lines
printf 'S: x\n\n.\nQUIT\nMAIL FROM:<x@y>\n' | odd 09-smuggle
printf 'S: x\n\na.\n.b\n..c\n' | odd 10-dots
printf '\n\n\n\n' | odd 11-newlines
printf 'S: x\n\n\303\244\303\266\303\274\n' | odd 12-utf8
printf 'S: x\n\n\344\366\374\377\376\200\n' | odd 13-latin1
printf 'S: x\n\nnul\000inside\n' | odd 14-nul
printf '\000\000\000' | odd 15-nuls
printf 'S: x\n\n\001\002\003\033[2J\177\n' | odd 16-controls
printf 'S: x\n\ttabs\t\n\n \t \n' | odd 17-blanks
printf 'From joe\nS: x\n\nFrom the start\n>From\n' | odd 18-from
printf 'S: x\n\n%%s%%n%%d $(id) `id` ; rm\n' | odd 19-shell
head -c 998 /dev/zero | tr '\0' x | odd 20-998
head -c 1000 /dev/zero | tr '\0' x | odd 21-1000
head -c 70000 /dev/zero | tr '\0' x | odd 22-long-line
{ head -c 65535 /dev/zero | tr '\0' x; printf '\n.\n'; } | odd 23-dot-at-chunk
{ head -c 65536 /dev/zero | tr '\0' x; printf '.\n'; } | odd 24-dot-within-chunk
{ head -c 65535 /dev/zero | tr '\0' '\n'; printf '.x\n'; } | odd 25-lf-chunk
head -c 65536 /dev/zero | tr '\0' '\n' | odd 26-64k-lf
head -c 131072 /dev/zero | tr '\0' . | odd 27-dots-128k
yes . | head -n 70000 | odd 28-dot-lines-140k
head -c 65536 /dev/zero | tr '\0' y | odd 29-64k
head -c 65537 /dev/zero | tr '\0' y | odd 30-64k-1
head -c 200000 /dev/zero | odd 31-zeros
head -c 300000 /dev/urandom | tr -d '\r' | odd 32-random
head -c 100000 /dev/urandom | tr -d '\r' | tr '\0-\177' '.\n.\n.\n.\n' | odd 33-dots-and-lf
yes 'a line of text, quite an ordinary one.' | head -c 10485760 | odd 34-10MB
for i in 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49; do
	head -c $((i * i * 40)) /dev/urandom | tr -d '\r' | tr '\200-\377' '.\n..\n x' | odd $i-mixed
done

# what is right: LF at the end of each line, one at the end
expect() {
	cat "$1"
	test ! -s "$1" || test "$(tail -c 1 "$1" | od -An -tx1)" = " 0a" || echo
}

sink odd
route_to_sink
jobs_begin odd-jobs
n=0
for f in "$TEST_TMP"/odd/*; do
	n=$((n + 1))
	job "$f" joe@example.org
	expect "$f" >"$TEST_TMP/want"
	printf '%s\n' "$RESULTS" | grep -q "^$n K" && cmp "$TEST_TMP/want" "$TEST_TMP/sink.odd/1.$n"
	test_result $? "byte for byte: ${f##*/}" || :
done
jobs_end
is "$(events odd connect)" 1 "all over one connection"
is "$(events odd bare)" 0 "no CR or LF alone in any of them"

# ---- CR in messages: never alone on the wire ----

printf 'S: x\r\n\r\nend\r\n' >"$TEST_TMP/crlf"
printf 'S: x\n\na\r.\rb\n\r.\n.\rQUIT\n\r\r\r\nend\r' >"$TEST_TMP/cr"
sink cr
route_to_sink
jobs "$TEST_TMP/crlf" joe@example.org
is "$(cat "$TEST_TMP/sink.cr/1.1")" "$(printf 'S: x\n\nend')" "CR LF in a message is an end of line"
jobs "$TEST_TMP/cr" joe@example.org
is "$(events cr bare)" 0 "no CR alone"
is "$(cat "$TEST_TMP/sink.cr/2.1")" "$(printf 'S: x\n\na . b\n .\n. QUIT\n  \nend')" "a CR elsewhere is sent as a blank"

# ---- a part of a file, as the queue gives it ----

printf 'headerS: x\n\nbody\ntrailer' >"$TEST_TMP/part"
sink part
route_to_sink
jobs offset=6 length=11 "$TEST_TMP/part" joe@example.org
is "$(cat "$TEST_TMP/sink.part/1.1")" "$(printf 'S: x\n\nbody')" "offset and length"
jobs offset=6 length=1000 "$TEST_TMP/part" joe@example.org
like "$RESULTS" '^1 Z 4.3.0 0 - cannot read the message' "a message that ends too early: later"
is "$(events part 'message')" 1 "and nothing of it was sent as a message"

# ---- 1,000 recipients ----

seq 1 1000 | sed 's/.*/user&@example.org/' >"$TEST_TMP/1000"
yes 'a line of text, quite an ordinary one.' | head -c 65536 >"$TEST_TMP/64k"
sink many
route_to_sink
jobs "$TEST_TMP/64k" "<$TEST_TMP/1000"
is "$(printf '%s\n' "$RESULTS" | cut -d' ' -f1-4)" "$(printf '1 K 2.0.0 0-999\n1 done')" "1,000 recipients: one result for all"
is "$(events many connect) $(events many 'command RCPT') $(events many 'command DATA') $(events many message)" "1 1000 1 1" \
	"one connection, one transaction"
bytes=$(wc -c <"$TEST_TMP/sink.many/1.in")
note "64 KiB to 1,000 recipients: $bytes bytes"
test "$bytes" -le 120000
test_result $? "at most 0.12 MB on the wire ($bytes)" || :
grep -o 'user[0-9]*@' "$TEST_TMP/sink.many/log" | tr -d @ | sort >"$TEST_TMP/got"
sed 's/@.*//' "$TEST_TMP/1000" | sort | cmp - "$TEST_TMP/got"
test_result $? "each once" || :

sink limit -r 300
route_to_sink
jobs "$TEST_TMP/64k" "<$TEST_TMP/1000"
like "$RESULTS" '^1 K 2.0.0 0-299 ' "452 after 300: the first ones are done"
is "$(printf '%s\n' "$RESULTS" | awk '$2 == "K" { print $4 }' | tr '\n' ' ')" "0-299 300-599 600-899 900-999 " "then the others"
is "$(events limit connect) $(events limit 'command DATA') $(events limit message)" "1 4 4" "over the same connection"

sink rcptmax -e PIPELINING -e 'LIMITS RCPTMAX=400 MAILMAX=2'
route_to_sink
jobs "$TEST_TMP/64k" "<$TEST_TMP/1000"
is "$(printf '%s\n' "$RESULTS" | awk '$2 == "K" { print $4 }' | tr '\n' ' ')" "0-399 400-799 800-999 " "LIMITS: no more than the server wants"
is "$(events rcptmax connect) $(events rcptmax message)" "2 3" "and a new connection after MAILMAX"

# some of them refused
sink some 'rcpt~user7@=550 5.1.1 no such user' 'rcpt~user9@=450 4.2.1 later' 'rcpt~user11@=552 5.2.2 full' \
	'rcpt~user13@=550-5.7.1 two\r\n550 5.7.1 lines' 'rcpt~user15@=251 forwarded'
route_to_sink
seq 1 20 | sed 's/.*/user&@example.org/' >"$TEST_TMP/20"
jobs "$TEST_TMP/64k" "<$TEST_TMP/20"
like "$RESULTS" '^1 D 5.1.1 6 127.0.0.1 550 5.1.1 no such user$' "one is refused"
like "$RESULTS" '^1 Z 4.2.1 8 127.0.0.1 450 4.2.1 later$' "one for now"
like "$RESULTS" '^1 D 5.7.1 12 127.0.0.1 550 5.7.1 two 5.7.1 lines$' "one in two lines"
like "$RESULTS" '^1 D 5.2.2 10 ' "552 again in the next transaction is a refusal"
like "$RESULTS" '^1 K 2.0.0 0-5,7,9,11,13-19 ' "the others get it"

sink none 'rcpt=550 5.1.1 nobody'
route_to_sink
jobs_begin none-jobs
job "$TEST_TMP/64k" "<$TEST_TMP/20"
is "$RESULTS" "$(printf '1 D 5.1.1 0-19 127.0.0.1 550 5.1.1 nobody\n1 done')" "all refused"
job "$TEST_TMP/64k" "<$TEST_TMP/20"
like "$RESULTS" '^2 D 5.1.1 0-19' "again over the same connection"
jobs_end
is "$(events none connect) $(events none 'command RSET') $(events none message)" "1 1 0" "after RSET"

# a server that wants a message for nobody
sink nobody 'rcpt=550 5.1.1 nobody' 'none=raw:354 go on\r\n'
route_to_sink
jobs "$TEST_TMP/64k" joe@example.org
like "$RESULTS" '^1 D 5.1.1 0' "354 after all were refused"
is "$(tr -d '\r' <"$TEST_TMP/sink.nobody/1.in" | sed -n '/^DATA$/{n;p;}')" . "gets a dot alone"

# different senders: VERP
sink verp
route_to_sink
jobs from=list-owner@example.net "$TEST_TMP/64k" a@example.org b@example.org
is "$(events verp 'MAIL FROM:<list-owner@example.net>')" 1 "the sender"

# ---- parameters ----

printf 'Subject: x\n\nplain\n' >"$TEST_TMP/plain"
printf 'Subject: \303\244\n\nplain\n' >"$TEST_TMP/utf8"
printf 'Subject: x\n\n\303\244\n' >"$TEST_TMP/utf8body"
sink params
route_to_sink
line() { grep "command $1" "$TEST_TMP/sink.params/log" | tail -n 1 | sed 's/.*command //'; }
jobs "$TEST_TMP/plain" joe@example.org
is "$(line MAIL)" 'MAIL FROM:<sender@pneu.test> SIZE=21' "SIZE is exact"
jobs body=8BITMIME "$TEST_TMP/utf8body" joe@example.org
like "$(line MAIL)" 'BODY=8BITMIME' "8BITMIME"
jobs smtputf8=1 "$TEST_TMP/utf8" joe@example.org
like "$(line MAIL)" 'SMTPUTF8' "SMTPUTF8"
jobs ret=HDRS envid=QQ314 notify=x "$TEST_TMP/plain" joe@example.org
like "$(line MAIL)" 'RET=HDRS ENVID=QQ314' "RET and ENVID"
jobs 'envid=a=b' "$TEST_TMP/plain" joe@example.org
is "$(line MAIL)" 'MAIL FROM:<sender@pneu.test> SIZE=21' "an ENVID that would be more than one parameter is left out"
jobs body=BINARYMIME "$TEST_TMP/plain" joe@example.org
like "$RESULTS" '^1 D 5.6.3' "BINARYMIME"
jobs requiretls=1 "$TEST_TMP/plain" joe@example.org
like "$RESULTS" '^1 D 5.7.30' "REQUIRETLS cannot be kept"
jobs from= "$TEST_TMP/plain" joe@example.org
like "$(line MAIL)" '^MAIL FROM:<> ' "the null sender"
jobs "$TEST_TMP/plain" 'a"b\c@example.org' '.x@example.org' 'x..y@example.org' '@example.org'
like "$(grep -F RCPT "$TEST_TMP/sink.params/log" | tail -n 4)" 'RCPT TO:<"a\\"b\\\\c"@example.org>' "quotes where they are needed"
like "$(grep -F RCPT "$TEST_TMP/sink.params/log" | tail -n 4)" 'RCPT TO:<"x..y"@example.org>' "and for dots"

sink plain -e PIPELINING
route_to_sink
jobs smtputf8=1 "$TEST_TMP/utf8" joe@example.org
like "$RESULTS" '^1 D 5.6.7 0' "a UTF-8 header needs SMTPUTF8"
jobs smtputf8=1 "$TEST_TMP/utf8body" joe@example.org
like "$RESULTS" '^1 K' "a UTF-8 body does not"
jobs "$TEST_TMP/plain" "$(printf 'j\303\266@example.org')" joe@example.org
like "$RESULTS" '^1 D 5.6.7 0 ' "an address in UTF-8 does"
like "$RESULTS" '^1 K 2.0.0 1 ' "the other recipient gets it"
jobs body=8BITMIME "$TEST_TMP/utf8body" joe@example.org
like "$RESULTS" '^1 K' "8-bit bytes are sent without 8BITMIME too"
is "$(grep MAIL "$TEST_TMP/sink.plain/log" | sed 's/.*MAIL/MAIL/' | sort -u)" 'MAIL FROM:<sender@pneu.test>' "no parameter without its keyword"

sink small -e PIPELINING -e 'SIZE 20'
route_to_sink
jobs "$TEST_TMP/plain" joe@example.org
like "$RESULTS" '^1 D 5.3.4 0' "larger than SIZE"
is "$(events small 'command (MAIL|RCPT|DATA)')" 0 "is not even begun"

# ---- without PIPELINING, without EHLO ----

for words in "-e 8BITMIME" "-e none"; do
	# shellcheck disable=SC2086
	sink step $words 'rcpt~user7@=550 no' 'rcpt~user11@=550 no'
	route_to_sink
	jobs "$TEST_TMP/64k" "<$TEST_TMP/20"
	like "$RESULTS" '^1 K 2.0.0 0-5,7-9,11-19 ' "step by step ($words)"
	expect "$TEST_TMP/64k" | cmp - "$TEST_TMP/sink.step/1.1"
	test_result $? "the message arrives" || :
done
sink helo 'ehlo=500 what?'
route_to_sink
jobs "$TEST_TMP/64k" "<$TEST_TMP/20"
like "$RESULTS" '^1 K 2.0.0 0-19 ' "HELO, where EHLO is unknown"
is "$(grep -c 'HELO me.pneu.test' "$TEST_TMP/sink.helo/log") $(grep 'MAIL' "$TEST_TMP/sink.helo/log" | sed 's/.*>//')" "1 " "without parameters"

# ---- qmail-remote's way ----

sink qmail 'rcpt~bad@=550 5.1.1 no' 'rcpt~later@=451 4.2.1 wait' '#4,dot=554 5.7.1 spam' '#5,dot=451 4.3.0 try again' '#6,mail=550 5.1.7 you' \
	'#7,greet=drop'
route_to_sink
qr() { pneu-remote example.org "$@" 2>/dev/null | tr '\0\n' '\n '; }
is "$(qr s@x.test joe@example.org <"$TEST_TMP/plain" | cut -c1)" "$(printf 'r\nK')" "r and K"
is "$(qr s@x.test bad@example.org joe@example.org later@example.org <"$TEST_TMP/plain" | cut -c1)" "$(printf 'h\nr\ns\nK')" "h, r, s and K"
is "$(qr '' bad@example.org <"$TEST_TMP/plain" | cut -c1)" "$(printf 'h\nD')" "h and D"
is "$(qr s@x.test joe@example.org bad@example.org <"$TEST_TMP/plain" | cut -c1)" "$(printf 'r\nh\nD')" "refused after the dot"
is "$(qr s@x.test joe@example.org bad@example.org <"$TEST_TMP/plain" | cut -c1)" "$(printf 'r\nh\nZ')" "not now, after the dot"
is "$(qr s@x.test joe@example.org ann@example.org <"$TEST_TMP/plain" | cut -c1)" "D" "MAIL refused"
is "$(qr s@x.test joe@example.org <"$TEST_TMP/plain" | cut -c1)" "Z" "lost"
is "$(cat "$TEST_TMP/plain" | qr s@x.test joe@example.org | cut -c1)" "$(printf 'r\nK')" "a message from a pipe"
is "$(cat "$TEST_TMP/sink.qmail/8.1")" "$(cat "$TEST_TMP/plain")" "arrives whole"
is "$({ head -c 9 >/dev/null && qr s@x.test joe@example.org; } <"$TEST_TMP/plain" | cut -c1)" "$(printf 'r\nK')" "from where the file stands"
is "$(head -n 1 "$TEST_TMP/sink.qmail/9.1")" x "and no earlier"
is "$(qr '#@[]' joe@example.org <"$TEST_TMP/plain" | cut -c1)" "$(printf 'r\nK')" "qmail's sender of double bounces"
like "$(grep MAIL "$TEST_TMP/sink.qmail/log" | tail -n 1)" 'FROM:<> ' "is the null sender"
is "$(pneu-remote example.org </dev/null | head -c 1)" D "too few arguments are D"
is "$(PNEU_HOME=/nonexistent pneu-remote a b c </dev/null | head -c 1)" Z "no home is Z"
code 0 "exit code 0 all the time" pneu-remote example.org
code 100 "a wrong option is a usage error" pneu-remote -x
code 100 "-j takes no arguments" pneu-remote -j x

# ---- smtp-sink, which nobody here wrote ----

if command -v smtp-sink >/dev/null; then
	P=$(free_port)
	mkdir "$TEST_TMP/theirs"
	test -z "$TEST_ROOT" || chown nobody "$TEST_TMP/theirs"
	smtp-sink ${TEST_ROOT:+-u nobody} -d "$TEST_TMP/theirs/%M." "127.0.0.1:$P" 20 >/dev/null 2>&1 &
	wait_for "listening $P"
	SINK=$P
	route_to_sink
	jobs "$TEST_TMP/odd/12-utf8" "<$TEST_TMP/1000"
	like "$RESULTS" '^1 K 2.0.0 0-999 ' "smtp-sink takes 1,000 recipients"
	ok "and the message" wait_for 'test "$(grep -cxF "$(tail -n 1 "$TEST_TMP/odd/12-utf8")" "$TEST_TMP"/theirs/*)" = 1' # it may write when it has answered
	P=$(free_port)
	smtp-sink ${TEST_ROOT:+-u nobody} -r RCPT "127.0.0.1:$P" 20 >/dev/null 2>&1 &
	wait_for "listening $P"
	SINK=$P
	route_to_sink
	jobs "$TEST_TMP/plain" joe@example.org
	like "$RESULTS" '^1 Z 4.[0-9.]* 0 ' "soft rejection"
	P=$(free_port)
	smtp-sink ${TEST_ROOT:+-u nobody} -f . "127.0.0.1:$P" 20 >/dev/null 2>&1 &
	wait_for "listening $P"
	SINK=$P
	route_to_sink
	jobs "$TEST_TMP/plain" joe@example.org
	like "$RESULTS" '^1 D 5.[0-9.]* 0 ' "hard rejection after the dot"
else
	skip 4 "no smtp-sink"
fi

done_testing
