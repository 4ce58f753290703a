#!/bin/sh
# pneu-send's plan: waits of a list, of a domain; what is given up when; what the sender hears; what is held; what a flush does.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

next_in() { # ID : seconds from its last attempt to the next one
	next_file=$(find "$PNEU_HOME/queue/wait" -name "$1")
	tail -n 1 "$next_file" | sed 's/.* time=\([0-9]*\) next=\([0-9]*\) .*/\2 \1/' | { read -r next last && echo $((next - last)); }
}
# The plan counts from the message's arrival: between that and its attempt time has passed.
next_is() { # SECONDS ID
	next_seconds=$(next_in "$2")
	test "${next_seconds:-0}" -le "$1" -a "${next_seconds:-0}" -gt $(($1 - 120))
}
waits() { test "$(where "$1")" = wait && grep -q ' class=Z ' "$(find "$PNEU_HOME/queue/wait" -name "$1")"; }
report_to() { # fakespawn's log has a message to that one from nobody
	grep -Eq "^t[0-9a-f]* remote [^ ]* 1 0 $1 \$" "$PNEU_HOME/jobs.remote"
}

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote
queued_start
echo 0 >control/retryjitter
echo '15m 1h
4h' >control/retry
mkdir -p control/remote/slow.test
echo 2h >control/remote/slow.test/retry
echo '. Z 4.2.2 0 mailbox full' >"$RULES"
send_start

# ---- waits
id=$(queue_message a@sender.test b@remote.test)
hint "$id"
wait_for "waits $id"
ok "the second attempt comes after the first wait of the list" next_is 900 "$id"
old=$(queue_message -t -900 a@sender.test b@remote.test)
hint "$old"
wait_for "waits $old"
ok "the third after the second" next_is 3600 "$old"
old=$(queue_message -t -100000 a@sender.test b@remote.test)
hint "$old"
wait_for "waits $old"
wait=$(next_in "$old")
ok "later ones after the last ($wait)" test "$wait" -gt 7080 -a "$wait" -le 14400
id=$(queue_message a@sender.test b@slow.test)
hint "$id"
wait_for "waits $id"
ok "a domain has its own" next_is 7200 "$id"
wait_for send_idle
echo 30m >control/remote/slow.test/retry
hint "$id"
ok "which counts from the next attempt of waiting mail on" wait_for "next_is 1800 $id"
echo 20 >control/retryjitter
send_reread
queue_message -n 30 a@sender.test j%d@remote.test >ids
hint ''
wait_for "test \$(log_count 'result .*class=Z') -ge 35"
while read -r id; do wait_for "waits $id"; done <ids
while read -r id; do next_in "$id"; done <ids | sort -n >waits
ok "waits differ by up to a fifth: $(head -n 1 waits) to $(tail -n 1 waits)" \
	test "$(head -n 1 waits)" -gt 780 -a "$(tail -n 1 waits)" -le 1080 -a "$(sort -u waits | wc -l)" -gt 10
echo 0 >control/retryjitter

# Two domains of one message, each with its own plan: who is not due is not tried.
echo 1h >control/remote/slow.test/retry
echo 3 >control/retry
send_reread
: >jobs.remote
id=$(queue_message a@sender.test b@remote.test c@slow.test)
hint "$id"
ok "one domain is tried again" wait_for "test \$(grep -c '^$id remote remote.test' jobs.remote) -ge 3"
is "$(grep -c "^$id remote slow.test" jobs.remote)" 1 "the other waits for its time"
hint "$id"
ok "unless somebody wants it now" wait_for "test \$(grep -c '^$id remote slow.test' jobs.remote) = 2"
echo 15m >control/retry

# ---- the end
echo 3600 >control/queuelifetimelocal
echo 7200 >control/bouncelifetime
send_reread
id=$(queue_message -t -4000 a@sender.test joe@mx.pneu.test far@remote.test)
hint "$id"
ok "local recipients have a time of their own" wait_for "logged 'bounced msg=$id rcpts=1'"
is_in "$id" wait "remote ones another"
id=$(queue_message -t -8000 '' b@remote.test)
hint "$id"
ok "reports, too" wait_for "logged 'result .*msg=$id class=D code=5.4.7'"
echo 5000 >control/queuelifetime
send_reread
id=$(queue_message -t -4700 a@sender.test far@remote.test)
hint "$id"
wait_for "waits $id"
ok "the last attempt is when its time is over ($(next_in "$id"))" test "$(next_in "$id")" -le 301
rm control/queuelifetime control/queuelifetimelocal control/bouncelifetime

# ---- what the sender hears
send_reread
id=$(queue_message -t -20000 late@sender.test b@remote.test +notify=DELAY,FAILURE c@remote.test)
hint "$id"
ok "a sender who asked for it hears of a delay of four hours" wait_for "logged 'delayed msg=$id notice=1'"
ok "by a report" wait_for "report_to late@sender.test"
wait_for "test \"\$(where $id)\" = wait"
file=$(find queue/wait -name "$id")
is "$(grep -ac ' class=W code=4.4.7 to=0 ' "$file")" 1 "which the file's log keeps"
hint "$id"
wait_for "test \$(log_count 'start .*msg=$id') = 2"
wait_for "waits $id"
send_stop
send_start
hint "$id"
wait_for "test \$(log_count 'start .*msg=$id') = 3"
wait_for "waits $id"
is "$(log_count "delayed msg=$id")" 1 "not again at the next attempts, nor after a restart"
seq -f 'one of many lines, as attempts of a message to many hosts leave them: %.0f' 6000 >>"$file"
hint "$id"
wait_for "test \$(log_count 'start .*msg=$id') = 4"
wait_for "waits $id"
is "$(log_count "delayed msg=$id")" 1 "nor when the log has become long"
echo '4h 5h' >control/delaynotice
send_reread
hint "$id"
ok "a second time where that is set" wait_for "logged 'delayed msg=$id notice=2'"
id=$(queue_message -t -20000 silent@sender.test b@remote.test)
id2=$(queue_message -t -20000 '' b@remote.test +notify=DELAY)
hint "$id" "$id2"
wait_for "waits $id && waits $id2"
ok "nobody else does: not who did not ask, not the sender of reports" sh -c "! grep -Eq 'delayed msg=($id|$id2)' '$PNEU_HOME/send.log'"

: >"$RULES"
id=$(queue_message happy@sender.test b@remote.test +notify=SUCCESS joe@mx.pneu.test +notify=SUCCESS,FAILURE c@remote.test +notify=FAILURE)
hint "$id"
ok "a sender who asked hears of success" wait_for "logged 'confirmed msg=$id rcpts=2'"
ok "and the message ends" wait_for "logged 'end msg=$id'"
ok "the report goes" wait_for "report_to happy@sender.test"

# ---- holding
echo 1 >control/holdremote
send_reread
id=$(queue_message a@sender.test b@remote.test)
other=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$id" "$other"
ok "holdremote: local mail goes" wait_for "logged 'end msg=$other'"
is "$(where "$id")/$(log_count "start .*msg=$id")" new/0 "remote mail stays"
rm control/holdremote
ok "until the setting goes, without a signal" wait_for "logged 'end msg=$id'"
mkdir control/remote/held.test
echo 1 >control/remote/held.test/hold
id=$(queue_message a@sender.test b@held.test)
both=$(queue_message a@sender.test b@held.test c@free.test)
hint "$id" "$both"
ok "of a message to two domains the one that is not held goes" wait_for "grep -q '^$both remote free.test' jobs.remote"
wait_for "test \"\$(where $both)\" = wait"
is "$(log_count "start .*held.test")" 0 "the other is held"
rm control/remote/held.test/hold
ok "until it is held no more" wait_for "logged 'end msg=$id'"
hint "$both"
ok "then all of it goes" wait_for "logged 'end msg=$both'"
echo 1 >control/hold
send_reread
id=$(queue_message a@sender.test b@remote.test)
other=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$id" "$other"
wait_for "logged 'end msg=$other'"
is "$(log_count "start .*msg=$id")" 0 "all domains are held"
rm control/hold
ok "until they are not, which is seen soon" wait_for "logged 'end msg=$id'" 20
send_stop
find queue/new queue/wait -type f -delete
send_start
id=$(queue_message a@sender.test b@idle.test)
hint "$id"
wait_for "logged 'end msg=$id'"
echo 1 >control/hold
send_reread
id=$(queue_message a@sender.test b@idle.test)
other=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$id" "$other"
wait_for "logged 'end msg=$other'"
rm control/hold
ok "also by a pneu-send that has nothing else to do" wait_for "logged 'end msg=$id'" 20
echo @spam.test >control/holdsenders
send_reread
id=$(queue_message x@spam.test b@remote.test)
other=$(queue_message x@good.test b@remote.test)
hint "$id" "$other"
wait_for "logged 'end msg=$other'"
is "$(log_count "start .*msg=$id")" 0 "a held sender's mail stays"
rm control/holdsenders
ok "until he is held no more" wait_for "logged 'end msg=$id'"

# ---- a dead host, and a flush
echo '@dead.test Z 4.4.1 0 no answer' >"$RULES"
echo 1h >control/retry
send_reread
set --
for i in 1 2 3; do
	id=$(queue_message a@sender.test "b@dead.test")
	hint "$id"
	wait_for "logged 'result .*msg=$id'"
	set -- "$@" "$id"
done
jobs=$(grep -c 'dead.test' jobs.remote)
id=$(queue_message a@sender.test b@dead.test)
hint "$id"
ok "a host that was dead three times is not tried for the next message" wait_for "logged 'result .*msg=$id .*text=Not.x20tried.*no.x20answer'"
is "$(grep -c dead.test jobs.remote)" "$jobs" "no job"
: >"$RULES"
other=$(queue_message -w -m +5000 a@sender.test b@other.test)
hint ''
wait_for "logged 'scanned' && test \"\$(where $other)\" = wait"
echo '@Dead.TEST' >>queue/lock/trigger
ok "a flush of the domain tries all of it" wait_for "logged 'end msg=$id' && logged 'end msg=$1' && logged 'end msg=$3'"
is_in "$other" wait "nothing else"
echo all >>queue/lock/trigger
ok "a flush of everything does" wait_for "logged 'end msg=$other'"
ok "nothing ended pneu-send" kill -0 "$SEND"
done_testing
