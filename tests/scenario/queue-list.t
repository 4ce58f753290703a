#!/bin/sh
# pneu-list: states, damage, and that it changes nothing.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"

lists() {
	bare_instance "$TEST_TMP/home"
	intake_start
	cd "$TEST_TMP" || exit 111
	is "$(pneu-list)" "" "an empty queue prints nothing"
	printf 'Subject: x\n\nbody\n' >m
	printf 'Fa\\b@c\0Tc d@e\0Te@\303\244\0\0' >e
	as_uid 60001 pneu-queue <m 1<e
	as_uid 60001 pneu-queue <m 1<e
	as_uid 60001 pneu-queue <m 1<e
	as_uid 60001 pneu-queue <m 1<e
	head -c 100000 /dev/urandom | as_uid 60001 pneu-queue 1<e
	daemon_stop "$INTAKE"
	# shellcheck disable=SC2046
	set -- $(pneu-list | sed -n 's/^\([0-9a-f]\{28\}\) .*/\1/p')
	is "$#" 5 "five messages"
	like "$(pneu-list "$1" | head -n 1)" "^$1 new [0-9]+ 17 0 - 0/2 <a\\\\x5cb@c> -\$" "a new one"
	is "$(pneu-list "$1" | tail -n 2 | tr '\n' '|')" '  todo <c\x20d@e>|  todo <e@\xc3\xa4>|' "its recipients, escaped"
	cd "$PNEU_HOME/queue" || exit 111
	mv "new/$2" hold/
	mv "new/$3" bad/
	echo "it is bad" >"bad/$3.why"
	mv "new/$4" "wait/${4#??????????????????????????}/"
	touch -d '+1000 seconds' "wait/${4#??????????????????????????}/$4"
	like "$(pneu-list "$2" | head -n 1)" "^$2 hold [0-9]+ 17 0 - 0/2 " "a held one"
	is "$(pneu-list "$3")" "$3 bad - $(stat -c %s "bad/$3") - - - - damaged: it is bad" "a damaged one"
	like "$(pneu-list "$4" | head -n 1)" "^$4 wait [0-9]+ 17 0 (9[0-9][0-9]|1000) 0/2 " "one that waits"
	printf x | dd of="new/$5" bs=1 seek=50000 conv=notrunc 2>/dev/null
	like "$(pneu-list "$5" | head -n 1)" "^$5 new " "a large one is not proved"
	like "$(pneu-list -c "$5")" "^$5 new - [0-9]+ - - - - incomplete: the message's checksum is wrong" "but with -c; it is young"
	touch -d '-1 hour' "new/$5"
	like "$(pneu-list -c "$5")" "damaged: the message's checksum is wrong" "older it is damaged"
	printf x >new/0660d04341700b64ee0809dcc430
	: >new/.0660d04341700b64ee0809dcc431
	: >new/README
	mkdir new/0660d04341700b64ee0809dcc432
	like "$(pneu-list)" '^0660d04341700b64ee0809dcc430 new - 1 - - - - incomplete: it is shorter than a header' "a torn file"
	like "$(pneu-list)" '^0660d04341700b64ee0809dcc432 new - [0-9]+ - - - - incomplete: it is no file' "a folder"
	is "$(pneu-list | grep -c 'README\|dcc431')" 0 "other names are nobody's"
	is "$(pneu-list | awk '/^[^ ]/ && NF < 9' | wc -l)" 0 "every line has its columns"
	before=$(find . -type f -exec sh -c 'cksum "$@"; stat -c "%n %Y %Z" "$@"' sh {} + | sort)
	pneu-list -c >/dev/null
	is "$(find . -type f -exec sh -c 'cksum "$@"; stat -c "%n %Y %Z" "$@"' sh {} + | sort)" "$before" "nothing changed"
	code 100 "an ID that is none" pneu-list nonsense
	code 100 "an option that is none" pneu-list -x
	PNEU_HOME=/nonexistent code 111 "no instance" pneu-list
	chmod 755 "$PNEU_HOME/queue"
	chmod 000 new
	if test -z "$TEST_ROOT"; then
		code 111 "a folder that cannot be read" pneu-list
		is "$(wc -l <"$TEST_TMP/.out")" 1 "is told in one line"
	fi
	chmod 700 new
	cd "$TEST_TMP" || exit 111
}
as_both lists
done_testing
