#!/bin/sh
# pneu-fsck: each kind of damage is told with -n, put right without, and what is sound is not touched.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"
. "$PNEU_TOP/tests/send.sh"

owned() { test -z "$TEST_ROOT" || chown -hR 60003:60003 "${1:-$PNEU_HOME/queue}"; } # changes the ctime
tail_of() { printf '%s\n' "${1#??????????????????????????}"; }
copied() { # a copytime of a second is over for all that is there
	copied_at=$(find queue -printf '%C@\n' | sort -n | tail -n 1 | sed 's/\..*//')
	wait_for 'test "$(date +%s)" -gt $((copied_at + 1))'
}
state_of_all() { find queue ! -name '*.why' -printf '%p %T@ %m %n\n' | sort; }

fsck() {
	bare_instance "$TEST_TMP/home"
	chmod 755 "$TEST_TMP"
	cd "$PNEU_HOME" || exit 111
	chmod -R go= queue
	echo 1 >control/copytime
	sound=$(queue_message -w -m +1000 a@sender.test joe@one.test)
	held=$(queue_message a@sender.test joe@one.test)
	mv "queue/new/$held" queue/hold/
	owned
	is "$(pneu-fsck -n)" "2 messages, 0 faults, 0 put right" "a sound queue"
	is "$(pneu-fsck)" "2 messages, 0 faults, 0 put right" "once more"

	head=$(queue_message a@b c@d)
	printf X | dd of="queue/new/$head" bs=1 seek=20 conv=notrunc 2>/dev/null
	bits=$(queue_message -w a@b c@d)
	printf X | dd of="queue/wait/$(tail_of "$bits")/$bits" bs=1 seek=140 conv=notrunc 2>/dev/null
	short=$(queue_message a@b c@d)
	truncate -s 150 "queue/new/$short"
	large=$(head -c 200000 /dev/zero | "$PNEU_TESTS/tool/mkqueue" a@b c@d)
	printf X | dd of="queue/new/$large" bs=1 seek=100000 conv=notrunc 2>/dev/null
	link=0123456789abcdef0123456789ac
	ln -s /etc/passwd "queue/new/$link"
	dir=0123456789abcdef0123456789ae
	mkdir "queue/new/$dir"
	moved=$(queue_message -w a@b c@d)
	ln "queue/wait/$(tail_of "$moved")/$moved" "queue/new/$moved"
	halfheld=$(queue_message -w a@b c@d)
	ln "queue/wait/$(tail_of "$halfheld")/$halfheld" "queue/hold/$halfheld"
	twice=$(queue_message -w a@b c@d)
	queue_message -i "$twice" a@b e@f >/dev/null
	place=$(queue_message a@b c@d)
	other=00
	test "$(tail_of "$place")" != 00 || other=01
	mv "queue/new/$place" "queue/wait/$other/"
	mode=$(queue_message a@b c@d)
	chmod 644 "queue/new/$mode"
	log=$(queue_message a@b c@d)
	printf 'nonsense\ntorn' >>"queue/new/$log"
	status=$(queue_message -s X a@b c@d)
	rmdir queue/wait/7f
	echo x >queue/new/README
	echo y >queue/new/.0123456789abcdef0123456789ad
	echo z >queue/hold/0123456789abcdef0123456789af.why
	owned
	touch -d '-2 days' queue/new/.0123456789abcdef0123456789ad
	copied
	before=$(state_of_all)
	code 100 "-n finds faults" pneu-fsck -n
	cp "$TEST_TMP/.out" "$TEST_TMP/dry"
	is "$(state_of_all)" "$before" "and changes nothing"
	echo 20000 >control/copytime # the times of files cannot be set back
	young=$(queue_message a@b c@d)
	truncate -s 150 "queue/new/$young"
	owned "queue/new/$young"
	pneu-fsck -n >"$TEST_TMP/early"
	is "$(grep -c 'so young' "$TEST_TMP/early")" 7 "in its copytime nothing is damaged"
	rm "queue/new/$young"
	copied
	echo 1 >control/copytime
	code 111 "all but a link is put right" pneu-fsck
	cp "$TEST_TMP/.out" "$TEST_TMP/wet"
	said() { # FILE ERE NAME
		ok "$3" grep -Eq -- "$2" "$TEST_TMP/$1"
	}
	said dry "^queue/new/$head: it has no right header\$" "told: a header"
	said wet "^queue/new/$head: it has no right header: set aside, in queue/bad\$" "put right: a header"
	is "$(cat "queue/bad/$head.why")" "it has no right header" "with the reason"
	said wet "/$bits: the message's checksum is wrong: set aside" "a checksum"
	said wet "/$large: the message's checksum is wrong: set aside" "that of a large one"
	said wet "/$short: it is shorter than its header says: set aside" "a length"
	said wet "/$link: it is no file; pneu-remove takes it away" "a link"
	said wet "/$dir: it is no file: set aside" "a folder"
	for id in $head $bits $large $short $dir; do
		ok "$id lies in bad/" test -e "queue/bad/$id.why" -a ! -e "queue/new/$id"
	done
	said wet "^queue/new/$moved: has two names: has one" "a move that was cut short"
	is "$(find queue -name "$moved" -printf '%P ')" "wait/$(tail_of "$moved")/$moved " "it waits"
	said wet "/$halfheld: has two names: has one" "a hold that was cut short"
	is "$(find queue -name "$halfheld" -printf '%P ')" "wait/$(tail_of "$halfheld")/$halfheld " "it did not take place"
	said wet "^queue/new/$twice: another file of this name waits in the queue: set aside, in queue/hold" "two files of one name"
	is "$(find queue -name "$twice" -printf '%P\n' | sort | tr '\n' ' ')" "hold/$twice wait/$(tail_of "$twice")/$twice " "the second is held"
	said wet "/$place: lies in a wrong folder of wait/: moved to its own" "a wrong folder"
	ok "it is in its own" test -e "queue/wait/$(tail_of "$place")/$place"
	said wet "/$mode: others may read or change it: no more" "a mode"
	is "$(stat -c %a "queue/new/$mode")" 600 "it is private"
	said wet "/$log: 2 damaged lines in its log" "a damaged log"
	said wet "/$status: 1 recipients of unknown status" "a status that is none"
	said wet "^queue/wait/7f: is not there: made" "a folder that was lost"
	said wet "^queue/new/README: is no ID: left alone" "a name that is none"
	said early "^queue/new/$young: .*so young" "a file that may be being copied"
	is "$(pneu-list -b -q wait "$sound" | wc -l)$(pneu-list -b -q hold "$held" | wc -l)" 11 "what is sound stays where it is"
	touch -h -d '-1 hour' "queue/new/$link"
	is "$(pneu-remove "$link")" "$link removed" "so it does"
	is "$(pneu-fsck | tail -n 1 | sed 's/^[0-9]* //')" "messages, 1 faults, 0 put right" "again: only the name that is held twice"
	pneu-remove -q hold "$twice" >/dev/null
	is "$(pneu-fsck -n | tail -n 1 | sed 's/^[0-9]* //')" "messages, 0 faults, 0 put right" "nothing is left"

	# Beside a delivery.
	busy=$(queue_message a@b c@d)
	ln "queue/new/$busy" "queue/wait/$(tail_of "$busy")/$busy"
	owned
	flock -o "queue/new/$busy" sh -c 'touch "$1"; exec sleep 100' sh "$TEST_TMP/locked" &
	holder=$!
	wait_for "test -e $TEST_TMP/locked"
	like "$(pneu-fsck)" "/$busy: is being tried: left alone" "what is being tried is left alone"
	kill "$holder"
	wait "$holder" 2>/dev/null
	rm "$TEST_TMP/locked"

	if test -n "$TEST_ROOT"; then
		mine=$(queue_message a@b c@d)
		hard=$(queue_message a@b c@d)
		ln "queue/new/$hard" "$TEST_TMP/hard"
		code 111 "root: one cannot be given away" pneu-fsck
		like "$(cat "$TEST_TMP/.out")" "/$mine: belongs to somebody else: given to the queue's owner" "root: another's file"
		is "$(stat -c %u "queue/new/$mine" "queue/new/$hard" | tr '\n' ' ')" "60003 0 " "but not one with a second name"
	fi
	code 100 "usage" pneu-fsck x
	cd "$TEST_TMP" || exit 111
}
as_both fsck
done_testing
