#!/bin/sh
# What waits for its turn behind a rate, or a host that has enough to do, is not being tried: operators may move, return and redirect it,
# pneu-send notices, and nobody gets anything twice.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

# As root all would be root's but what the operator's programs make, which go on as pneuq.
if test -n "$TEST_ROOT"; then
	as_user "$TEST_SELF"
	exit
fi

count() { jobs_of remote | grep -c "^$1 .* $2 "; } # ID RECIPIENT: jobs that had it first
nth() { sed -n "$1p" "$TEST_TMP/$2"; }
succeeds() { "$@" >"$TEST_TMP/out" 2>&1; }
done_to() { # VERB ARGUMENT...: -w is not said: in a second or two nobody has it
	verb=$1
	shift
	wait_for "succeeds pneu-$verb$(printf " '%s'" "$@")"
}

send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
mkdir -p control/remote/rated.test control/remote/busy.test
echo 1/1d >control/remote/rated.test/rate
echo 1 >control/remote/busy.test/concurrency
printf 'busy.test K 2.0.0 600000 ok\n. K 2.0.0 0 ok\n' >"$RULES"
spawn_start local
spawn_start remote
queued_start
send_start
first=$(queue_message a@sender.test joe@rated.test)
hint "$first"
ok "the first one of a day goes" wait_for "logged 'end msg=$first'"

# ---- behind a rate: some are loaded, the others are parked ----
queue_message -n 60 a@sender.test 'joe%d@rated.test' >"$TEST_TMP/rated"
echo >queue/lock/trigger
ok "the others are found" wait_for "test \$(log_count scanned) -ge 2"
ok "one is held" done_to hold "$(nth 1 rated)"
is "$(where "$(nth 1 rated)")" hold "it lies in hold/"
ok "all can be" done_to hold -d rated.test
is "$(find queue/hold -type f ! -name '*.why' | wc -l)/$(pneu-list -b -q new | wc -l)" 60/0 "they are"
ok "and released" done_to release -A
is "$(pneu-list -b -d rated.test | wc -l)" 60 "all wait again"
ok "one is returned" done_to return -r 'a slip of the pen' "$(nth 2 rated)"
ok "at once" wait_for "logged 'end msg=$(nth 2 rated)'"
ok "all are redirected" done_to redirect -d rated.test 'new@good.test'
ok "and go, for nobody limits the new host" wait_for "test \$(count '[0-9a-f]*' new@good.test) = 59"
ok "then all are gone" wait_for queue_empty
is "$(jobs_of remote | grep -c 'joe[0-9][0-9]*@rated.test')" 0 "the old host was asked for none of them"
is "$(jobs_of remote | sed 's/ .*//' | sort | uniq -d | wc -l)" 0 "each went once"

# ---- behind another delivery ----
slow=$(queue_message a@sender.test joe@busy.test)
hint "$slow"
ok "a delivery that does not end" wait_for "logged 'start .*msg=$slow'"
next=$(queue_message a@sender.test ann@busy.test)
both=$(queue_message a@sender.test bob@busy.test eve@good.test)
hint "$next" "$both"
ok "one with two recipients is half done" wait_for "test \$(count $both eve@good.test) = 1"
code 111 "the one under way stays" pneu-hold "$slow"
ok "the one behind it is held" done_to hold "$next"
ok "so is the half done" done_to hold "$both"
is "$(pneu-list "$both" | sed 1d | grep -v why | tr '\n' '|')" "  todo <bob@busy.test>|  done <eve@good.test>|" "what is done is done"
ok "let go, they wait once more" done_to release -A
ok "one is removed" done_to remove "$next"
sed -i 1d "$RULES"
kill -USR2 "$SPAWN_remote"
ok "the delivery ends" wait_for "logged 'end msg=$slow'"
ok "the half done one goes, too" wait_for "logged 'end msg=$both'"
is "$(count "$both" bob@busy.test)/$(count "$both" eve@good.test)/$(count "$next" ann@busy.test)" 1/1/0 "what was removed does not"
ok "nothing is left" wait_for queue_empty

# ---- a killed pneu-send ----
queue_message -n 30 a@sender.test 'joe%d@rated.test' >"$TEST_TMP/rated"
send_kill
send_start
ok "one goes, for its rate is forgotten with it" wait_for "logged 'end msg='"
ok "the others can be moved" done_to hold -A
is "$(find queue/hold -type f ! -name '*.why' | wc -l)" 29 "all"
done_testing
