#!/bin/sh
# pneu-send with many: recipients, messages, destinations; limits; who waits for whom.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote
send_start

set --
i=0
while test $i -lt 1000; do
	set -- "$@" "user$i@big.test"
	i=$((i + 1))
done
id=$(queue_message a@sender.test "$@")
hint "$id"
ok "a message to 1000 recipients" wait_for "logged 'end msg=$id'"
is "$(jobs_of remote | grep "^$id")" "$id remote big.test 1000 0 user0@big.test a@sender.test" "is one job"
mkdir -p control/remote/big.test
echo 300 >control/remote/big.test/rcptperjob
send_reread # that there is such a folder at all is looked up once a second
id=$(queue_message a@sender.test "$@")
hint "$id"
wait_for "logged 'end msg=$id'"
is "$(jobs_of remote | grep "^$id" | cut -d' ' -f4 | sort | tr '\n' ' ')" "100 300 300 300 " "rcptperjob of the domain is heeded, without a restart"

mkdir -p control/domain/box.test
id=$(queue_message a@sender.test $(seq -f 'u%g@box.test' 40))
hint "$id"
wait_for "logged 'end msg=$id'"
is "$(jobs_of local | grep "^$id" | cut -d' ' -f2-4 | sort | tr '\n' ' ')" "mailbox mailbox 16 mailbox mailbox 16 mailbox mailbox 8 " "mailboxes go in jobs of 16"
id=$(queue_message a@sender.test joe@mx.pneu.test Joe@mx.pneu.test ann@mx.pneu.test joe-list@mx.pneu.test)
hint "$id"
wait_for "logged 'end msg=$id'"
is "$(jobs_of local | grep "^$id" | cut -d' ' -f4 | sort | tr '\n' ' ')" "1 1 2 " "local users each have their own"

anew() { # other settings, and a log of what happens by them
	send_reread
	wait_for "logged 'end msg=$send_probe'"
	: >send.log
}

# Limits: at most so many at a time.
echo 3 >control/concurrencyremote
echo '. K 2.0.0 200 slowly' >"$RULES"
anew
queue_message -n 12 a@sender.test x@host%d.test >ids
hint ''
ok "twelve messages go" wait_for "test \$(log_count 'end msg') = 12"
most=$(awk '/start delivery/ { n++; if (n > m) m = n } /result delivery/ { n-- } END { print m }' send.log)
is "$most" 3 "three at a time"
mkdir -p control/remote/one.test
echo 1 >control/remote/one.test/concurrency
echo 20 >control/concurrencyremote
anew
queue_message -n 5 a@sender.test x@one.test >ids
hint ''
ok "five go to a domain of concurrency 1" wait_for "test \$(log_count 'end msg') = 5"
most=$(awk '/start delivery/ { n++; if (n > m) m = n } /result delivery/ { n-- } END { print m }' send.log)
is "$most" 1 "one at a time"

# A domain that hangs does not hold up another, nor local mail.
printf '@stuck.test K 2.0.0 600000 never\n' >"$RULES"
queue_message -n 200 a@sender.test x%d@stuck.test >ids
hint ''
wait_for "test \$(log_count 'start .*@stuck.test') = 5"
id=$(queue_message a@sender.test joe@quick.test)
id2=$(queue_message a@sender.test joe@mx.pneu.test)
hint "$id" "$id2"
ok "a letter passes 200 to a stuck domain" wait_for "logged 'end msg=$id' && logged 'end msg=$id2'"
is "$(log_count 'start .*@stuck.test')" 5 "which has five jobs, for nothing is known of it"

# Old mail for hundreds of slow domains does not starve new mail.
echo '.slow.test Z 4.4.1 3000 slow' >"$RULES"
queue_message -w -n 500 a@sender.test x@d%d.slow.test >ids
hint ''
wait_for "test \$(log_count 'start .*[.]slow.test') -ge 20"
id=$(queue_message a@sender.test joe@new.test)
hint "$id"
ok "a new letter passes 500 old ones to 500 slow domains" wait_for "logged 'end msg=$id'"
earlier=$(awk -v id="$id" '$0 ~ "end msg=" id { exit } /start .*[.]slow[.]test/ { n++ } END { print n + 0 }' send.log)
ok "most of which still wait for their turn then ($earlier do not)" test "$earlier" -lt 250

# Lists of more recipients than there is memory for do not keep out a letter, which has memory of its own.
send_kill
find queue/new queue/wait -type f -delete
echo '@list.test K 2.0.0 600000 taking its time' >"$RULES"
: >send.log
send_start
# shellcheck disable=SC2046
queue_message -n 60 a@sender.test $(seq -f 'user%g@list.test' 20000) >ids # 30 MB of envelopes, twice that in memory
hint ''
ok "some lists are begun" wait_for "logged 'start .*@list.test'"
id=$(queue_message a@sender.test ann@mx.pneu.test)
id2=$(queue_message a@sender.test ann@else.test)
hint "$id" "$id2"
ok "a letter passes lists that fill their memory" wait_for "logged 'end msg=$id' && logged 'end msg=$id2'"
descriptors=$(find "/proc/$SEND/fd" -lname '*/queue/new/*' | wc -l)
ok "of 60 lists some are loaded, not all ($descriptors)" test "$descriptors" -gt 5 -a "$descriptors" -lt 59
size=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$SEND/status")
most=100000
test "$PNEU_VARIANT" = static || most=800000 # a sanitizer has memory of its own
ok "in so many kB: $size" test "$size" -lt "$most"
find queue/new queue/wait -type f -delete

# No remote service at all: local mail goes on, and all goes when it comes.
send_kill
spawn_kill remote
find queue/new queue/wait -type f -exec touch {} +
: >"$RULES"
rm -f run/remote
send_start
id=$(queue_message a@sender.test ann@mx.pneu.test)
hint "$id"
ok "without pneu-spawn -R local mail goes" wait_for "logged 'end msg=$id'"
: >send.log
spawn_start remote
ok "and the rest when it is there" wait_for "queue_empty" 120
done_testing
