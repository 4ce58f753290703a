#!/bin/sh
# pneu-send with scripted deliverers: what is delivered, deferred, retried, given up; who gets which job.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

send_make "$TEST_TMP/home"
spawn_start local
spawn_start remote
queued_start
cat >"$RULES" <<'R'
full@remote.test Z 4.2.2 0 mailbox full
nobody@remote.test D 5.1.1 0 no such user
R
send_start

id=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$id"
ok "a local message is delivered" wait_for "logged 'end msg=$id'"
is_in "$id" "" "and leaves the queue"
is "$(jobs_of local)" "$id local joe 1 0 joe@mx.pneu.test a@sender.test" "as one job, not tried before"

id=$(queue_message a@sender.test x@One.test y@two.test z@one.test)
hint "$id"
wait_for "logged 'end msg=$id'"
is "$(jobs_of remote | grep "^$id" | sort)" "$id remote one.test 2 0 x@one.test a@sender.test
$id remote two.test 1 0 y@two.test a@sender.test" "recipients of one domain share a job"

id=$(queue_message list-@sender.test-@[] joe@far.test)
hint "$id"
wait_for "logged 'end msg=$id'"
is "$(jobs_of remote | grep "^$id")" "$id remote far.test 1 0 joe@far.test list-joe=far.test@sender.test" "a list's sender names the recipient"

before=$(date +%s)
id=$(queue_message a@sender.test full@remote.test ok@remote.test)
hint "$id"
ok "what was refused for now waits" wait_for "test '$(where x)' = '' && test \"\$(where $id)\" = wait"
file=$(find "$PNEU_HOME/queue/wait" -name "$id")
like "$(tail -n 2 "$file")" ' class=Z code=4.2.2 to=0 .*text=mailbox full$' "its log has the reply"
due=$(stat -c %Y "$file")
elapsed=$(($(date +%s) - before + 1)) # of whole seconds; the wait grows with the root of its age
ok "its next attempt is 400 seconds after this one, and at most a tenth more ($((due - before)))" \
	test "$due" -ge $((before + 400)) -a "$due" -le $((before + elapsed + (400 + 40 * elapsed) * 11 / 10))
: >"$RULES"
hint "$id"
ok "a hint means now" wait_for "logged 'end msg=$id'"
is "$(jobs_of remote | grep "^$id" | tail -n 1)" "$id remote remote.test 1 1 full@remote.test a@sender.test" "only for the recipient that is left, as one tried before"

echo 'full@remote.test Z 4.2.2 0 mailbox full' >"$RULES"
id=$(queue_message a@sender.test full@remote.test)
other=$(queue_message a@sender.test full@remote.test)
hint "$id" "$other"
wait_for "test \"\$(where $id)\$(where $other)\" = waitwait"
: >"$RULES"
ok "sendmail -q" pneu-sendmail -q
ok "tries all that waits" wait_for "logged 'end msg=$id' && logged 'end msg=$other'"

echo 'nobody@remote.test D 5.1.1 0 no such user' >"$RULES"
id=$(queue_message a@sender.test nobody@remote.test)
hint "$id"
ok "a refused message ends" wait_for "logged 'end msg=$id'"
ok "with a report" logged "bounced msg=$id rcpts=1"
ok "that is delivered" wait_for "grep -q 'remote sender.test 1 0 a@sender.test \$' '$PNEU_HOME/jobs.remote'"
id=$(queue_message a@sender.test nobody@remote.test +notify=NEVER)
hint "$id"
wait_for "logged 'end msg=$id'"
ok "NOTIFY=NEVER: no report" sh -c "! grep -q 'bounced msg=$id' '$PNEU_HOME/send.log'"

echo '. Z 4.4.1 0 no answer from the host' >"$RULES"
id=$(queue_message -t -700000 a@sender.test b@remote.test)
hint "$id"
ok "after queuelifetime a message is returned" wait_for "logged 'bounced msg=$id'"
like "$(grep "result .*msg=$id" "$PNEU_HOME/send.log")" 'class=D code=5.4.7 .*text=It.x20was.*no.x20answer' "with the last reply"

id=$(queue_message -w -m +40000000 a@sender.test b@remote.test)
until=$(($(date +%s) + 4))
id2=$(queue_message -r hold=$until a@sender.test c@remote.test)
: >"$RULES"
hint "$id2"
place=$(where "$id2")
ok "held until a time: not before" test "$place" = new -o "$(date +%s)" -ge $until
ok "but then" wait_for "logged 'end msg=$id2'"
is_in "$id" wait "a time far ahead waits"

queued_kill
id=$(queue_message -s ST a@sender.test done@remote.test +notify=SUCCESS left@remote.test)
hint "$id"
ok "a report of success that cannot be made" wait_for "logged 'bouncefailed msg=$id'"
ok "does not keep the others from their mail" wait_for "underway remote $id"
wait_for "test \"\$(where $id)\" = wait"
queued_start
hint "$id"
ok "and is made in the end" wait_for "logged 'end msg=$id'"

send_stop
echo 1 >"$PNEU_HOME/control/holdlocal"
send_start
# shellcheck disable=SC2046 # many users, of which one has two addresses, with that of another between
id=$(queue_message a@sender.test $(printf "%s@mx.pneu.test " ua ub uc ud ue uf ug uh ui uj uk ul joe joe+ joe-y))
other=$(queue_message a@sender.test joe@far.test)
hint "$id" "$other"
ok "local mail is held" wait_for "logged 'end msg=$other'"
is "$(jobs_of local | grep -c "^$id")" 0 "for all users"
rm "$PNEU_HOME/control/holdlocal"
ok "until that is over" wait_for "logged 'end msg=$id'"

send_stop
echo 3 >"$PNEU_HOME/control/queuelifetime"
send_start
echo 'b@remote.test Z 4.2.2 0 mailbox full' >"$RULES"
id=$(queue_message -t +40000000 a@sender.test b@remote.test)
hint "$id"
wait_for "test \"\$(where $id)\" = wait"
ok "what came next year is too old, too, when it was tried for so long" wait_for "hint $id; logged 'bounced msg=$id'"

ok "a second pneu-send says so" sh -c 'pneu-send 2>&1 | grep -q "another pneu-send"'
code 100 "and exits 100" pneu-send
ok "SIGTERM ends it" send_stop
done_testing
