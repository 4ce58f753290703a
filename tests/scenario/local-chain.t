#!/bin/sh
# Local delivery in a whole instance: forwards that enter the queue again, lists with owners, aliases, loops, programs
# that send mail, and daemons that are killed meanwhile.
. "${PNEU_TOP:-.}/tests/lib.sh"

tests() {
	instance_make "$TEST_TMP/inst" alice@pneu.test bob@pneu.test
	V=$(sed -n 's/^pneuv:\([0-9]*:[0-9]*\)$/\1/p' "$PNEU_HOME/users/ids")
	dot() { # PATH LINES... : a dot file of pneuv's, or the instance's user's
		dot_file=$1
		shift
		printf '%s\n' "$@" >"$dot_file"
		test -z "$TEST_ROOT" || chown "$V" "$dot_file"
		pneu-users -q
	}
	inject() { # FROM TO...
		inject_from=$1
		shift
		printf 'Subject: test\n\nbody\n' | pneu-inject -f "$inject_from" "$@"
	}
	ours() { # processes that this instance's spawner started
		pgrep -x pneu-local | while read -r p; do
			if grep -qzxF "PNEU_HOME=$PNEU_HOME" "/proc/$p/environ" 2>/dev/null; then echo "$p"; fi
		done
	}
	kill_one() { # PID: never a group, never everybody
		case $1 in '' | *[!0-9]* | 0 | 1) return ;; esac
		kill -9 "$1" 2>/dev/null
	}
	A=$PNEU_HOME/mail/pneu.test/alice D=$PNEU_HOME/mail/pneu.test
	instance_start

	ok "a message goes in" inject s@pneu.test alice@pneu.test
	wait_for 'test "$(mails alice@pneu.test)" = 1 && queue_empty'
	is "$(mails alice@pneu.test)" 1 "and arrives"
	like "$(mail_of alice@pneu.test | head -n 2 | tr '\n' ' ')" '^Return-Path: <s@pneu.test> Delivered-To: alice@pneu.test $' "with two lines before it"

	dot "$A/.qmail-fwd" '&bob@pneu.test' '&alice@pneu.test' './Maildir/'
	inject s@pneu.test alice-fwd@pneu.test
	wait_for 'test "$(mails alice@pneu.test)" = 3 && test "$(mails bob@pneu.test)" = 1 && queue_empty'
	is "$(mails alice@pneu.test) $(mails bob@pneu.test)" "3 1" "a forward to two and a copy"
	like "$(mail_of bob@pneu.test)" '^Delivered-To: alice-fwd@pneu.test$' "bears the mark of where it was"

	dot "$D/.qmail-list" '+list' '&alice@pneu.test' '&bob@pneu.test'
	dot "$D/.qmail-list-owner" '&bob@pneu.test'
	inject s@pneu.test list@pneu.test
	wait_for 'test "$(mails bob@pneu.test)" = 2 && test "$(mails alice@pneu.test)" = 4 && queue_empty'
	is "$(grep -l '^Return-Path: <list-owner@pneu.test>$' "$(maildir bob@pneu.test)"/new/* | wc -l)" 1 "a list's mail is its owner's"
	dot "$D/.qmail-list-owner-default" '&bob@pneu.test'
	inject s@pneu.test list@pneu.test
	wait_for 'test "$(mails bob@pneu.test)" = 3 && queue_empty'
	is "$(grep -l '^Return-Path: <list-owner-bob=pneu.test@pneu.test>$' "$(maildir bob@pneu.test)"/new/* | wc -l)" 1 \
		"and with owner-default each recipient has a sender of his own"

	before=$(mails bob@pneu.test)
	dot "$D/.qmail-loop" '&loop2@pneu.test'
	dot "$D/.qmail-loop2" '&loop@pneu.test'
	inject bob@pneu.test loop@pneu.test
	wait_for 'test "$(mails bob@pneu.test)" -gt "$before" && queue_empty'
	ok "a loop ends, and is reported" grep -q '5\.4\.6' "$(maildir bob@pneu.test)"/new/*

	before=$(mails bob@pneu.test)
	inject bob@pneu.test nosuch@pneu.test
	wait_for 'test "$(mails bob@pneu.test)" -gt "$before" && queue_empty'
	ok "nobody's address is reported" grep -q '5\.1\.1' "$(maildir bob@pneu.test)"/new/*

	dot "$D/.qmail-prog" '|cat >/tmp/never'
	before=$(mails bob@pneu.test)
	inject bob@pneu.test prog@pneu.test
	wait_for 'test "$(mails bob@pneu.test)" -gt "$before" && queue_empty'
	ok "programs of mailboxes are refused" grep -q '5\.7\.1' "$(maildir bob@pneu.test)"/new/*

	dot "$PNEU_HOME/alias/.qmail-helpdesk" '&bob@pneu.test'
	before=$(mails bob@pneu.test)
	inject s@pneu.test helpdesk@mx.pneu.test
	wait_for 'test "$(mails bob@pneu.test)" -gt "$before" && queue_empty'
	is "$(grep -l '^Delivered-To: helpdesk@mx.pneu.test$' "$(maildir bob@pneu.test)"/new/* | wc -l)" 1 "an alias"

	# Deliverers and their spawner are killed while mail flows: all of it arrives, once.
	rm -f "$(maildir alice@pneu.test)"/new/* "$(maildir bob@pneu.test)"/new/*
	(
		i=0
		while test $i -lt 40; do
			i=$((i + 1))
			printf 'Subject: number %d\n\nbody\n' $i | pneu-inject -f s@pneu.test alice@pneu.test alice-fwd@pneu.test
		done
	) &
	injecting=$!
	i=0
	while test $i -lt 12; do
		i=$((i + 1))
		wait_for 'test "$(mails alice@pneu.test)" -ge "$((i * 2))"' 5 || :
		case $i in
		*[258]) kill_one "$(service_pid spawn-local)" ;;
		*) for p in $(ours); do kill_one "$p"; done ;;
		esac
	done
	wait $injecting
	echo 1 >"$PNEU_HOME/control/retryfirst"
	# What failed meanwhile is due in the future; it is made due now.
	wait_for 'find "$PNEU_HOME/queue/wait" -type f -newermt "+1 second" -exec touch {} + 2>/dev/null; echo >>"$PNEU_HOME/queue/lock/trigger"
		queue_empty' 180
	ok "the queue is empty" queue_empty
	is "$(find "$(maildir alice@pneu.test)/new" -type f | wc -l)" 120 "alice: 40 direct, 40 by her forward, 40 copies: nothing lost or twice"
	is "$(find "$(maildir bob@pneu.test)/new" -type f | wc -l)" 40 "bob: 40 forwards"
	instance_stop
}

as_both tests
done_testing
