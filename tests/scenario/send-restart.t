#!/bin/sh
# pneu-send and pneu-spawn are killed at bad moments: nothing is lost, and what was done stays done.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote

# Marks: of three recipients one is done, one failed, one hangs when pneu-send dies.
printf 'bad@remote.test D 5.1.1 0 no such user\nhang@other.test H 0 0 x\n' >"$RULES"
send_start
id=$(queue_message a@sender.test ok@remote.test bad@remote.test hang@other.test)
hint "$id"
status() { tail -c +129 "queue/new/$id" | grep -ao 'hang@other.test,[A-Z]*' | sed 's/.*,//;s/^\(...\).*/\1/'; }
ok "marks of what is done are written while the rest goes on" wait_for "test \"\$(status)\" = DFT && jobs_of remote | grep -q '^$id .*hang@'"
send_kill
: >"$RULES"
before=$(jobs_of remote | grep -c "^$id")
send_start
passed=$(queue_message a@sender.test ok@passed.test)
hint "$passed"
wait_for "logged 'end msg=$passed'" # the scan took both, and the other one was locked
is "$(jobs_of remote | grep -c "^$id")" "$before" "a delivery that outlives pneu-send keeps its lock: no second attempt beside it"
kill -USR1 "$SPAWN_remote"
ok "no intake: the owed report is tried" wait_for "logged 'bouncefailed msg=$id'"
ok "when it ends, what is left is tried" wait_for "jobs_of remote | grep -q '^$id .* 1 1 hang@other.test'"
is "$(jobs_of remote | grep -c "^$id .*ok@")" 1 "what was done is not"
ok "the message waits for its report" wait_for "test \"\$(where $id)\" = wait"
queued_start
hint "$id"
ok "which goes when there is an intake" wait_for "logged 'bounced msg=$id rcpts=1'"
ok "and then the message" wait_for "logged 'end msg=$id'"
ok "and the report is delivered" wait_for "jobs_of remote | grep -q ' a@sender.test \$'"

# A spawn dies with jobs under way.
echo 'x@dies.test X 0 0 x' >"$RULES"
id=$(queue_message a@sender.test x@dies.test)
hint "$id"
ok "a dead pneu-spawn is told" wait_for "logged 'disconnected channel=remote'"
ok "its job will be tried again" wait_for "test \"\$(where $id)\" = wait"
: >"$RULES"
local=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$local"
ok "local mail goes on meanwhile" wait_for "logged 'end msg=$local'"
remote=$(queue_message a@sender.test joe@remote.test)
hint "$remote" "$id"
spawn_start remote
ok "the service is back: mail goes" wait_for "logged 'end msg=$remote' && logged 'end msg=$id'"
like "$(jobs_of remote | grep "^$id" | tail -n 1)" ' 1 1 x@dies' "with the warning that it may have been delivered"

# No answer, a second answer, nonsense.
echo 'x@silent.test N 0 0 x' >"$RULES"
id=$(queue_message a@sender.test x@silent.test)
hint "$id"
ok "a job that ends without a result will be tried again" wait_for "test \"\$(where $id)\" = wait"
printf 'x@evil.test G 0 0 x\n' >"$RULES"
hint "$id"
wait_for "logged 'end msg=$id'"
id=$(queue_message a@sender.test x@evil.test)
hint "$id"
ok "hostile results are passed over" wait_for "logged 'end msg=$id'"
ok "and told" wait_for 'logged "badresult channel=remote why=no.x20such.x20delivery"'
ok "and told" wait_for 'logged "badresult channel=remote why=malformed"'

# Many messages, pneu-send killed again and again while they go out.
: >"$RULES"
echo '. K 2.0.0 3 fine' >"$RULES"
: >jobs.remote
queue_message -n 300 a@sender.test user%d@many.test other@second.test >ids
for round in 1 2 3 4 5 6; do
	hint ''
	wait_for "test \$(wc -l <jobs.remote) -ge $((round * 60))"
	send_kill
	send_start
done
hint ''
ok "the queue empties" wait_for "queue_empty" 120 || note "$(find queue -type f; tail -n 20 send.log)"
for d in many.test second.test; do
	is "$(grep " $d 1 " jobs.remote | cut -d' ' -f1 | sort -u | wc -l)" 300 "all 300 were delivered to $d"
done
twice=$(wc -l <jobs.remote)
ok "at most what was under way came twice ($((twice - 600)) of 600)" test $((twice - 600)) -le $((6 * 40))
done_testing
