#!/bin/sh
# Rules for what remote hosts answer (control/replies), a sender's own waits (retrysenders), and mail of a login that is held.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

# As root all would be root's but what the operator's programs make, which go on as pneuq.
if test -n "$TEST_ROOT"; then
	as_user "$TEST_SELF"
	exit
fi

event() { tail -n 1 "$(find "$PNEU_HOME/queue" -name "$1")"; } # the last line of its history
next_in() { event "$1" | sed 's/.* time=\([0-9]*\) next=\([0-9]*\) .*/\2 \1/' | { read -r next last && echo $((next - last)); }; }
about() { test "$1" -le "$2" && test "$1" -ge $(($2 - 100)); } # plans count from arrival, and an attempt comes when it comes
tried() { logged "result .*msg=$1 "; }
waits() { tried "$1" && test "$(where "$1")" = wait && ! find queue/new -name "$1" | grep -q . && grep -q ' class=Z ' "$(find queue/wait -name "$1")"; }
try() { # SENDER RECIPIENT...: ID of a message that waits after its attempt
	id=$(queue_message "$@")
	hint "$id"
	wait_for "waits $id"
}
first_of() { jobs_of remote | grep -c " $1 "; }

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote
queued_start
echo 0 >control/retryjitter
echo 15m >control/retry
mkdir -p control/remote/own.test
cat >control/replies <<'X'
# what they say
retry 5m:451*grey*listed*
return:452*no such quota*
retry 6h:554*blocked*
pause 2h:421*TSS04*
slow:*too much*
X
echo 'retry 10m:*greylisted*' >control/remote/own.test/replies
cat >control/retrysenders <<'X'
list@sender.test:30m 2h
@lists.test:1h
X
echo alice >control/holdlogins
cat >"$RULES" <<'X'
grey.test Z 4.7.1 0 451 4.7.1 GREY-listed, come again
own.test Z 4.7.1 0 451 4.7.1 Greylisted
quota.test Z 4.2.2 0 452 4.2.2 there is no such quota
blocked.test D 5.7.1 0 554 5.7.1 You are blocked
yahoo.test Z 4.7.0 0 421 4.7.0 [TSS04] Messages from here deferred
busy.test Z 4.4.5 0 450 That is too much
good.test K 2.0.0 0 ok
. Z 4.2.2 0 452 mailbox full
X
send_start

# ---- replies ----
try a@sender.test joe@else.test
ok "no rule: the usual wait" about "$(next_in "$id")" 900
try a@sender.test joe@grey.test
is "$(next_in "$id")" 300 "retry: its own wait"
like "$(grep "result .*msg=$id" send.log)" ' class=Z rule=retry ' "the log says why"
try a@sender.test joe@own.test
is "$(next_in "$id")" 600 "a domain has rules of its own"
id=$(queue_message a@sender.test joe@quota.test)
hint "$id"
ok "return: for good" wait_for "logged 'bounced msg=$id'"
like "$(grep "result .*msg=$id" send.log)" ' class=D rule=return code=5.2.2 ' "with a code that says so"
try a@sender.test joe@blocked.test
is "$(next_in "$id")" 21600 "retry makes a refusal one for now"
like "$(event "$id")" ' class=Z .*code=4.7.1 ' "the code, too"
ok "nobody hears of it" test "$(log_count "bounced msg=$id")" = 0
old=$(queue_message -t -700000 a@sender.test joe@blocked.test)
hint "$old"
ok "until it is too old" wait_for "logged 'bounced msg=$old'"

# ---- pause ----
try a@sender.test joe@yahoo.test
is "$(next_in "$id")" 7200 "pause: not before its end"
first=$id
try a@sender.test ann@yahoo.test
is "$(first_of ann@yahoo.test)" 0 "others of the domain are not tried"
like "$(event "$id")" 'left alone after its answer: 421 4.7.0 .TSS04' "and their history says why"
sed -i '/^yahoo/d' "$RULES"
wait_for send_idle # what it has in hand counts as being tried, and is not flushed
pneu-flush -d yahoo.test >/dev/null
ok "a flush ends it" wait_for "test \$(first_of ann@yahoo.test) = 1"
ok "for all of them" wait_for "test \$(first_of joe@yahoo.test) -ge 2"
wait_for "waits $first && waits $id"

# ---- slow ----
for _ in 1 2 3; do try a@sender.test joe@busy.test; done
try a@sender.test ann@busy.test
is "$(first_of ann@busy.test)" 0 "slow, three times: that host is left alone"
like "$(event "$id")" 'Not tried, .*too much' "its answer is told"

# ---- a sender's own waits ----
try list@sender.test joe@else.test
ok "an address" about "$(next_in "$id")" 1800
try LIST@sender.test joe@own.test
is "$(next_in "$id")" 600 "a rule for the answer comes first"
old=$(queue_message -t -2000 list@sender.test joe@else.test)
hint "$old"
wait_for "waits $old"
ok "its second wait" about "$(next_in "$old")" $((1800 + 7200 - 2000))
try any@lists.test joe@else.test
ok "a domain" about "$(next_in "$id")" 3600
printf 'nonsense\n:2h\n' >>control/retrysenders
code 100 "check" pneu-control check
like "$(cat "$TEST_TMP/.out")" '^control/retrysenders: must be a sender, a colon and times' "names what is malformed"

# ---- a login is held ----
held=$(queue_message -r login=alice a@sender.test joe@good.test)
free=$(queue_message -r login=bob a@sender.test joe@good.test)
hint "$held" "$free"
ok "another login's mail goes" wait_for "logged 'end msg=$free'"
is "$(where "$held")" new "that of a held one waits"
rm control/holdlogins
ok "until the setting goes" wait_for "logged 'end msg=$held'"

# ---- a host that does not answer ----
sed -i '1i dead.test Z 4.4.1 0 no answer' "$RULES"
for _ in 1 2 3; do
	old=$(queue_message -t -700000 a@sender.test joe@dead.test)
	hint "$old"
	wait_for "logged 'bounced msg=$old'"
done
try a@sender.test ann@dead.test
is "$(first_of ann@dead.test)" 0 "a host without an answer is left alone, also where each message had its last attempt"
echo held@sender.test >control/holdsenders
send_reread
held=$(queue_message held@sender.test bob@dead.test)
probe=$(queue_message a@sender.test joe@good.test)
hint "$held" "$probe"
wait_for "logged 'end msg=$probe'"
hint "$held"
rm control/holdsenders
ok "who asks for an attempt of what is held gets it when it is let go" wait_for "test \$(first_of bob@dead.test) = 1"

# ---- malformed rules ----
pneu-control set retrysenders 'list@sender.test:30m 2h'
echo 'retry soon:*' >control/replies
code 100 "check" pneu-control check
like "$(cat "$TEST_TMP/.out")" '^control/replies: must be retry TIME, slow, pause TIME or return, a colon and a pattern' "names a malformed rule"
code 100 "and set refuses it" pneu-control set replies 'pause:*'
pneu-control set replies 'pause 1h: 421 *' 'return:5*'
code 0 "good ones" pneu-control check
done_testing
