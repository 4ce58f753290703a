#!/bin/sh
# pneu-send and what may lie in the queue: damaged files, copies, names that come twice, an operator's mv, locks.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote
queued_start

# What the first scan finds.
echo 1 >control/copytime
good=$(queue_message a@sender.test joe@remote.test)
waiting=$(queue_message -w a@sender.test joe@waiting.test)
torn=$(queue_message a@sender.test joe@remote.test)
truncate -s 150 "queue/new/$torn"
bits=$(queue_message a@sender.test joe@remote.test)
printf X | dd of="queue/new/$bits" bs=1 seek=140 conv=notrunc 2>/dev/null
empty=0123456789abcdef0123456789ab
: >queue/new/$empty
link=0123456789abcdef0123456789ac
ln -s /etc/passwd queue/new/$link
fifo=0123456789abcdef0123456789ad
mkfifo queue/new/$fifo
mkdir queue/new/0123456789abcdef0123456789ae
: >queue/new/README
half=$(queue_message a@sender.test joe@half.test)
ln "queue/new/$half" "queue/wait/$(echo "$half" | tail -c 3)/$half"
twice=$(queue_message -w a@sender.test joe@twice.test)
queue_message -i "$twice" a@sender.test joe@other.test >/dev/null
all=$(queue_message -s DB a@sender.test joe@done.test x@done.test)
newest=$(stat -c %Z queue/new/* | sort -n | tail -n 1)
wait_for "test \$((\$(date +%s) - $newest)) -ge 2" # copytime is over
rmdir queue/wait/7f

send_start
ok "a good message is delivered" wait_for "logged 'end msg=$good'"
ok "one that waits, too" wait_for "logged 'end msg=$waiting'"
like "$(jobs_of remote | grep "^$waiting")" ' 1 1 joe@waiting' "what a scan found may have been tried before"
for id in "$torn" "$bits" $empty 0123456789abcdef0123456789ae; do
	ok "$id is set aside" wait_for "test \"\$(where $id)\" = bad"
	ok "with a reason: $(cat "queue/bad/$id.why")" test -s "queue/bad/$id.why"
done
for id in $link $fifo; do
	ok "$id, no file, is told" wait_for "logged 'aside msg=$id'"
done
ok "a name that is no identifier is left alone" test -e queue/new/README
ok "one file in new/ and wait/XX is one message" wait_for "logged 'end msg=$half'"
is "$(jobs_of remote | grep -c "^$half")/$(where "$half")" 1/ "delivered once, no name is left"
ok "two files of one name: the one that waited is delivered" wait_for "logged 'end msg=$twice'"
like "$(jobs_of remote | grep "^$twice")" joe@twice.test "that one only"
is_in "$twice" hold "the other is held"
ok "with a reason" test -s "queue/hold/$twice.why"
ok "a message whose recipients are all done goes" wait_for "test -z \"\$(where $all)\""
is "$(jobs_of remote | grep -c "^$all")" 0 "without a job"
ok "a lost folder is made again" test -d queue/wait/7f

# Being copied: cp writes the header first.
echo 600 >control/copytime
send_reread
slow=$(queue_message a@sender.test joe@slow.test)
cp "queue/new/$slow" slow
truncate -s 140 "queue/new/$slow"
hint "$slow"
other=$(queue_message a@sender.test joe@other.test)
hint "$other"
wait_for "logged 'end msg=$other'"
is_in "$slow" new "a file that may still be written is left alone"
cat slow >"queue/new/$slow"
hint "$slow"
ok "until it is whole" wait_for "logged 'end msg=$slow'"

# An operator takes it while it is being delivered.
echo '. K 2.0.0 600000 late' >"$RULES"
taken=$(queue_message a@sender.test joe@taken.test)
hint "$taken"
wait_for "underway remote $taken"
mv "queue/new/$taken" queue/hold/
kill -USR2 "$SPAWN_remote" # all answers that are late: now
ok "mv during a delivery is noticed" wait_for "logged 'result .*msg=$taken' && logged '(gone|end) msg=$taken'"
is_in "$taken" hold "and the file stays where it was put"
echo 'x@taken.test Z 4.0.0 600000 later' >"$RULES"
taken=$(queue_message a@sender.test x@taken.test)
hint "$taken"
wait_for "underway remote $taken"
mv "queue/new/$taken" queue/hold/
kill -USR2 "$SPAWN_remote"
ok "also if it was to be tried again" wait_for "logged 'gone msg=$taken'"
is_in "$taken" hold "it is not pulled back"

# What an operator moves from wait/ to new/ is due.
moved=$(queue_message -w -m +5000 a@sender.test joe@moved.test)
scans=$(log_count scanned)
hint ''
wait_for "test \$(log_count scanned) -gt $scans"
mv "queue/wait/$(echo "$moved" | tail -c 3)/$moved" queue/new/
hint ''
ok "mv to new/ means now" wait_for "logged 'end msg=$moved'"

# A flush of all is not taken back by a scan, which knows only the files' times.
queue_message -w -m +5000 -n 1500 a@sender.test 'joe%d@flushed.test' >"$TEST_TMP/flushed"
scans=$(log_count scanned)
hint ''
wait_for "test \$(log_count scanned) -gt $scans"
printf 'all\n\n' >>queue/lock/trigger
ok "a flush beside a scan is one of all messages" wait_for "test \$(grep -c ' joe[0-9]*@flushed.test' jobs.remote) = 1500" 180

# Somebody holds the lock.
: >"$RULES"
held=$(queue_message a@sender.test joe@held.test)
flock "queue/new/$held" sh -c 'echo >"$0/locked"; until test -e "$0/release"; do sleep 0.05; done' "$PNEU_HOME" &
wait_for "test -e locked"
hint "$held"
other=$(queue_message a@sender.test joe@other.test)
hint "$other"
wait_for "logged 'end msg=$other'"
is "$(where "$held")/$(jobs_of remote | grep -c "^$held")" new/0 "a locked message is not tried"
: >release
ok "but soon after" wait_for "logged 'end msg=$held'"

# A file that cannot be read for now (root reads everything).
if test -z "$TEST_ROOT"; then
	closed=$(queue_message a@sender.test joe@closed.test)
	chmod 0 "queue/new/$closed"
	hint "$closed"
	ok "an unreadable file is told" wait_for "logged 'readfailed msg=$closed'"
	is_in "$closed" new "and stays"
else
	skip 2 "root reads every file"
fi
ok "nothing else ended pneu-send" kill -0 "$SEND"
done_testing
