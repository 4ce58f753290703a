#!/bin/sh
# The operator's programs beside pneu-send: what is being tried stays, what is moved is neither lost nor doubled, also when pneu-send
# is killed in between; two operators at once; a queue file that is copied to another instance.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

# As root all would be root's but what the operator's programs make, which go on as pneuq.
if test -n "$TEST_ROOT"; then
	as_user "$TEST_SELF"
	exit
fi

count() { jobs_of remote | grep -c "^$1 .* $2 "; } # ID RECIPIENT: jobs that had it first
tail_of() { printf '%s\n' "${1#??????????????????????????}"; }

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote
queued_start
printf 'good.test K 2.0.0 0 ok\nlate.test K 2.0.0 600 ok\nslow.test H 0 0 no\n. Z 4.4.1 0 no\n' >"$RULES"

# ---- held, released, while it runs ----
a=$(queue_message a@sender.test joe@bad.test)
send_start
ok "a message is tried and waits" wait_for "test \"\$(where $a)\" = wait"
wait_for "pneu-hold $a >/dev/null 2>&1 || test \"\$(where $a)\" = hold"
is_in "$a" hold "it is held"
sed -i 's/^\. Z .*/. K 2.0.0 0 ok/' "$RULES"
pneu-flush >/dev/null
b=$(queue_message a@sender.test ann@good.test)
hint "$b"
ok "another one goes" wait_for "logged 'end msg=$b'"
is "$(where "$a") $(count "$a" joe@bad.test)" "hold 1" "the held one is not tried"
pneu-release -k "$a" >/dev/null
b=$(queue_message a@sender.test ann@good.test)
hint "$b"
ok "released with its time kept" wait_for "logged 'end msg=$b'"
is "$(where "$a") $(count "$a" joe@bad.test)" "wait 1" "it is not tried before that"
pneu-hold "$a" >/dev/null
pneu-release "$a" >/dev/null
ok "released, it goes at once" wait_for "logged 'end msg=$a'"
is "$(where "$a")/$(count "$a" joe@bad.test)" /2 "tried once more"
like "$(jobs_of remote | grep "^$a" | tail -n 1)" ' 1 1 joe@bad' "as one that may have been tried before"

# ---- being tried ----
slow=$(queue_message a@sender.test joe@slow.test)
hint "$slow"
ok "a delivery that does not end" wait_for "logged 'start .*msg=$slow'"
for verb in hold remove return 'redirect x@good.test'; do
	# shellcheck disable=SC2086
	code 111 "$verb: it is being tried" pneu-$verb "$slow"
done
send_kill
code 111 "also after kill -9 of pneu-send: the deliverer goes on" pneu-remove "$slow"
spawn_kill remote
ok "when that is gone, too, it can be held" wait_for "pneu-hold $slow >/dev/null 2>&1"
is_in "$slow" hold "it lies in hold/"
spawn_start remote
sed -i '/^slow.test/d' "$RULES"
send_start
pneu-release "$slow" >/dev/null
ok "and goes when it is released" wait_for "logged 'end msg=$slow'"

# ---- returned ----
sed -i 's/^\. K .*/. Z 4.4.1 0 no/' "$RULES"
r=$(queue_message a@sender.test joe@bad.test ann@bad.test)
hint "$r"
wait_for "test \"\$(where $r)\" = wait"
ok "returned" wait_for "pneu-return -r 'a slip of the pen' -t 'joe@*' $r >/dev/null 2>&1"
ok "its sender gets a report" wait_for "logged 'bounced msg=$r'"
ok "a message in the queue" wait_for "test \"\$(pneu-list -b -f '<>' | wc -l)\" = 1"
report=$(pneu-list -b -f '<>' | cut -d ' ' -f 1)
like "$(pneu-show -b "$report")" 'a slip of the pen' "with the reason"
is "$(pneu-list "$r" | tail -n 2 | tr '\n' '|')" "  bounced <joe@bad.test>|  todo <ann@bad.test>|" "the other one is still tried"
ok "the other one, too" wait_for "pneu-return -A -q wait -f 'a@*' >/dev/null 2>&1; test -z \"\$(where $r)\""
is "$(pneu-list -b -f '<>' | wc -l)" 2 "a second report"
send_stop
r=$(queue_message -w -m +1000 a@sender.test joe@bad.test)
pneu-return "$r" >/dev/null
send_start
ok "returned while nothing ran: at the next start" wait_for "logged 'end msg=$r'"
is "$(pneu-list -b -f '<>' | wc -l)" 3 "a report"
wait_for "pneu-remove -f '<>' >/dev/null 2>&1; test -z \"\$(pneu-list -b -f '<>')\""

# ---- redirected ----
d=$(queue_message -w -m +1000 a@sender.test joe@bad.test +notify=FAILURE ann@bad.test)
kill -HUP "$SEND"
echo >queue/lock/trigger
pneu-redirect -t 'joe@*' new@good.test "$d" >/dev/null
ok "redirected: delivered" wait_for "test \"\$(count $d new@good.test)\" = 1"
ok "the other one waits" wait_for "test \"\$(where $d)\" = wait"
is "$(count "$d" joe@bad.test)" 0 "the old recipient is not tried"
is "$(pneu-list "$d" | tail -n 3 | tr '\n' '|')" "  done <joe@bad.test>|  todo <ann@bad.test>|  done <new@good.test>|" "done is done"
pneu-redirect -A -q wait new@good.test >"$TEST_TMP/r" 2>&1 || :
ok "all of it" wait_for "pneu-redirect -f a@sender.test new@good.test >/dev/null 2>&1; test -z \"\$(where $d)\""
is "$(find queue -type f -name '.*' | wc -l)" 0 "no debris"

# ---- flushed: a domain; while nothing runs ----
printf 'good.test K 2.0.0 0 ok\n. Z 4.4.1 0 no\n' >"$RULES"
f=$(queue_message -w -m +5000 a@sender.test joe@good.test)
g=$(queue_message -w -m +5000 a@sender.test joe@bad.test)
send_kill
pneu-flush -d good.test >/dev/null
send_start
ok "a flush that nobody heard counts at the next start" wait_for "logged 'end msg=$f'"
is "$(where "$g") $(count "$g" joe@bad.test)" "wait 0" "the other domain waits"
pneu-flush >/dev/null
ok "all" wait_for "test \"\$(count $g joe@bad.test)\" = 1"
wait_for "pneu-remove $g >/dev/null 2>&1"

# ---- kill -9 of everybody while operators work ----
printf 'good.test K 2.0.0 0 ok\n. K 2.0.0 20 ok\n' >"$RULES"
: >jobs.remote
queue_message -n 60 a@sender.test 'joe%d@late.test' >"$TEST_TMP/ids"
for round in 1 2 3 4 5 6; do
	(while :; do pneu-hold -A; pneu-release -A; done) >"$TEST_TMP/first" 2>&1 &
	first=$!
	(while :; do pneu-release -A; pneu-hold -d late.test; done) >"$TEST_TMP/second" 2>&1 &
	second=$!
	wait_for 'test -s "$TEST_TMP/first" && test -s "$TEST_TMP/second" || queue_empty'
	kill -KILL "$first" "$second"
	wait "$first" "$second" 2>/dev/null
	send_kill
	send_start
done
ok "hold and release under kill -9: all are let go" wait_for "pneu-release -A >/dev/null 2>&1; queue_empty && test -z \"\$(ls queue/hold | grep -v why)\"" 60
missing=0 doubled=0
while read -r id; do
	n=$(grep -c "^$id " jobs.remote)
	test "$n" -ge 1 || missing=$((missing + 1))
	test "$n" -le 1 || doubled=$((doubled + 1))
done <"$TEST_TMP/ids"
is "$missing" 0 "none is lost"
note "$doubled of 60 were under way when pneu-send was killed, and were tried again"
is "$(find queue -type f ! -path '*/lock/*' | wc -l)" 0 "nothing lies around"

# ---- two operators, one message ----
printf '. Z 4.4.1 0 no\n' >"$RULES"
queue_message -w -m +5000 -n 100 a@sender.test 'joe%d@two.test' >"$TEST_TMP/ids"
pneu-hold -A >"$TEST_TMP/one" 2>&1 &
pneu-hold -A >"$TEST_TMP/two" 2>&1
wait $!
is "$(cat "$TEST_TMP/one" "$TEST_TMP/two" | grep -c held)" 100 "two operators: each message is held once"
is "$(find queue/hold -type f ! -name '*.why' | wc -l)/$(find queue/hold -name '*.why' | wc -l)" 100/100 "all of them, with their reasons"
pneu-release -A >"$TEST_TMP/one" 2>&1 &
pneu-remove -A >"$TEST_TMP/two" 2>&1
wait $!
ok "one releases, one removes: then they are gone" wait_for "pneu-remove -A >/dev/null 2>&1; test \$(find queue/new queue/wait queue/hold -type f | wc -l) = 0"

# ---- to another instance, by copy and by mv ----
send_stop
spawn_kill local
spawn_kill remote
queued_kill
old=$PNEU_HOME
arrival=$(($(date +%s) - 300000))
c=$(queue_message -w -t "$arrival" -m +3000 -s DT a@sender.test done@good.test joe@bad.test)
h=$(queue_message a@sender.test half@good.test)
send_make "$TEST_TMP/other"
cd "$PNEU_HOME" || bail "no instance"
echo 1 >control/copytime
spawn_start local
spawn_start remote
printf 'good.test K 2.0.0 0 ok\n. Z 4.4.1 0 no\n' >"$RULES"
send_start
cp -p "$old/queue/wait/$(tail_of "$c")/$c" queue/new/
echo >queue/lock/trigger
ok "a copy is tried" wait_for "test \"\$(count $c joe@bad.test)\" = 1"
ok "and waits" wait_for "test \"\$(where $c)\" = wait"
is "$(jobs_of remote | grep -c done@good.test)" 0 "who is done gets nothing"
like "$(pneu-list -b "$c")" " wait (29999[0-9]|300[0-9]{3}) " "its age came along"
ok "and with it the clock of its attempts: hours, not minutes" test "$(pneu-list -b "$c" | cut -d ' ' -f 6)" -ge 3600
like "$(pneu-list "$c")" '  done <done@good.test>' "and its status"
head -c 140 "$old/queue/new/$h" >"queue/new/$h"
hint "$h"
other=$(queue_message a@sender.test x@good.test)
hint "$other"
wait_for "logged 'end msg=$other'"
is_in "$h" new "half a copy is left alone"
mv "$old/queue/new/$h" "queue/new/.$h"
mv "queue/new/.$h" "queue/new/$h"
hint "$h"
ok "whole, it goes" wait_for "logged 'end msg=$h'"
ok "once" test "$(count "$h" half@good.test)" = 1
done_testing
