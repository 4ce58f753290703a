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

held() { # PATTERN ID WHAT: by these settings, told in all three forms
	is "$(pneu-list "$2" | sed -n 's/^  why //p')" "${1:+held by }$1" "$3"
	is "$(pneu-show "$2" | sed -n 's/^held by  //p')" "$1" "pneu-show says so"
	is "$(pneu-list -j "$2" | python3 -c 'import json, sys; print(*("control/" + n for n in json.load(sys.stdin).get("held", [])), sep=", ")')" "$1" "and JSON"
}

holds() {
	rm -rf "$TEST_TMP/other"
	bare_instance "$TEST_TMP/other"
	intake_start
	cd "$TEST_TMP" || exit 111
	mkdir -p "$PNEU_HOME/control/domain/box.test" "$PNEU_HOME/control/remote/moving.test"
	echo here.test >"$PNEU_HOME/control/locals"
	printf 'Subject: x\n\n' >m
	queue() { printf %b "$1" >e; as_uid 60001 pneu-queue <m 1<e; basename "$(newest)"; }
	box=$(queue 'Fjoe@sender.test\0Tyou@box.test\0\0')
	user=$(queue 'Fann@other.test\0Troot@here.test\0\0')
	far=$(queue 'FJoe@Sender.TEST\0Ta@far.test\0Tb@Moving.TEST\0\0')
	daemon_stop "$INTAKE"
	for id in "$box" "$user" "$far"; do held '' "$id" "nothing holds it"; done
	echo 1 >"$PNEU_HOME/control/remote/moving.test/hold"
	held control/hold "$far" "one of its domains is held"
	held '' "$box" "no other"
	echo 1 >"$PNEU_HOME/control/holdlocal"
	held control/holdlocal "$box" "all local mail is: a mailbox"
	held control/holdlocal "$user" "and a user"
	held control/hold "$far" "not another host"
	printf '@sender.test\n' >"$PNEU_HOME/control/holdsenders"
	held 'control/holdsenders, control/holdlocal' "$box" "two hold it"
	held 'control/holdsenders, control/hold' "$far" "of a sender, case ignored"
	echo 1 >"$PNEU_HOME/control/holdremote"
	held 'control/holdsenders, control/holdremote' "$far" "all remote mail is"
	mv "$PNEU_HOME/queue/new/$far" "$PNEU_HOME/queue/hold/"
	held '' "$far" "an operator's hold is no setting's"
	echo maybe >"$PNEU_HOME/control/holdremote"
	code 0 "a setting that cannot be read" pneu-list -b
	is "$(pneu-list 2>&1 >/dev/null)" "pneu-list: warning: unable to read control/holdremote: Protocol error" "is told"
	is "$(pneu-list -s 2>&1 >/dev/null)" "" "where it is asked for"
}
as_both holds
done_testing
