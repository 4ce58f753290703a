#!/bin/sh
# pneu-mailbox and pneu-users: mailboxes come and go, and who gets mail is what users/cdb says.
. "${PNEU_TOP:-.}/tests/lib.sh"

user() { "$PNEU_TESTS/tool/user" "$@"; }

body() {
	PNEU_HOME=$TEST_TMP/inst$(id -u)
	export PNEU_HOME
	pneu-instance -fq "$PNEU_HOME" || bail "no instance"
	pneu-control set me mx.example.org
	ids=$(grep pneuv: "$PNEU_HOME/users/ids" | cut -d: -f2,3 | tr : ' ')
	mail=$PNEU_HOME/mail/example.org

	code 0 "two mailboxes" pneu-mailbox add alice@example.org Bob@Example.ORG
	is "$(pneu-mailbox list)" "alice@example.org
bob@example.org" "list shows them, in lower case"
	ok "the domain is one of mailboxes" test -d "$PNEU_HOME/control/domain/example.org"
	is "$(stat -c '%U %a' "$mail/alice/Maildir/new")" "$(stat -c %U "$PNEU_HOME/alias/Maildir") 700" "they are pneuv's alone"
	is "$(user alice@example.org)" "alice@example.org found alice $ids $mail/alice \"\" \"\"" "users/cdb has them"
	is "$(user ALICE@EXAMPLE.org)" "ALICE@EXAMPLE.org found alice $ids $mail/alice \"\" \"\"" "case does not matter"
	is "$(user carol@example.org alice@example.com alice-x@example.org alice | sed 's/ *$//')" "carol@example.org unknown
alice@example.com unknown
alice-x@example.org unknown
alice unknown" "nobody else"
	is "$(user postmaster@example.org)" "postmaster@example.org found alias $ids $PNEU_HOME/alias \"-\" \"postmaster\"" \
		"postmaster is there without a mailbox"
	: >"$mail/alice/Maildir/new/1"
	code 0 "again" pneu-mailbox add alice@example.org
	is "$(cat "$TEST_TMP/.out")" "" "changes nothing"
	ok "her mail is still there" test -f "$mail/alice/Maildir/new/1"

	# dot-qmail files
	touch "$mail/alice/.qmail" "$mail/alice/.qmail-list" "$mail/alice/.qmail-a:b-default" "$mail/.qmail-sales" \
		"$mail/.qmail-bob" "$mail/bob/.qmail-default" "$PNEU_HOME/alias/.qmail-list-default"
	is "$(user carol@example.org)" "carol@example.org error Stale file handle" "a table older than its sources denies nobody"
	at_once=
	for i in 1 2 3 4 5 6 7 8 9 10; do
		pneu-users -q
		at_once=$at_once"$(user carol@example.org);"
		touch "$mail"
		at_once=$at_once"$(user carol@example.org);"
	done
	is "$(printf %s "$at_once" | tr ';' '\n' | sed 's| *$||' | sort | uniq -c | tr -s ' ')" " 10 carol@example.org error Stale file handle
 10 carol@example.org unknown" "not even by a thousandth of a second, and one made right behind a change is not old"
	code 0 "pneu-users" pneu-users
	like "$(cat "$TEST_TMP/.out")" '^pneu-users: made users=[0-9]+ assigned=0 aliases=6 mailboxes=2$' "it tells how many"
	is "$(user carol@example.org alice-list@example.org alice-list-x@example.org alice-A.b-c-D@example.org \
		sales@example.org bob@example.org bob-x-y@example.org list-subscribe | sed "s,$PNEU_HOME/,," | sed 's/ *$//')" \
		"carol@example.org unknown
alice-list@example.org found alice $ids mail/example.org/alice \"-\" \"list\"
alice-list-x@example.org unknown
alice-A.b-c-D@example.org found alice $ids mail/example.org/alice \"-\" \"a.b-c-d\"
sales@example.org found example.org $ids mail/example.org \"-\" \"sales\"
bob@example.org found bob $ids mail/example.org/bob \"\" \"\"
bob-x-y@example.org found bob $ids mail/example.org/bob \"-\" \"x-y\"
list-subscribe found alias $ids alias \"-\" \"list-subscribe\"" "extensions, the domain's own, aliases"
	touch "$mail/.qmail-default" "$mail/.qmail-postmaster"
	pneu-users -q
	is "$(user carol-x@example.org postmaster@example.org | sed "s,$PNEU_HOME/,,")" \
		"carol-x@example.org found example.org $ids mail/example.org \"-\" \"carol-x\"
postmaster@example.org found example.org $ids mail/example.org \"-\" \"postmaster\"" "a catch-all, a postmaster of its own"
	cp "$PNEU_HOME/users/cdb" "$TEST_TMP/cdb"
	pneu-users -q
	ok "the same sources give the same bytes" cmp "$TEST_TMP/cdb" "$PNEU_HOME/users/cdb"

	# users/assign
	printf '=joe:joe:1234:56:/home/joe:::\n+joe-:joe:1234:56:/home/joe:-::\n+jim+:jim:77:78:/home/jim:-:pre-:\n.\n' \
		>"$PNEU_HOME/users/assign"
	code 0 "with users/assign" pneu-users
	is "$(user joe Joe-List jim+x jimmy | sed 's/ *$//')" 'joe found joe 1234 56 /home/joe "" ""
Joe-List found joe 1234 56 /home/joe "-" "list"
jim+x found jim 77 78 /home/jim "-" "pre-x"
jimmy unknown' "its users"
	printf '=joe:joe:1234:56:/home/joe:::\n' >"$PNEU_HOME/users/assign"
	code 100 "one that breaks off" pneu-users
	like "$(cat "$TEST_TMP/.out")" 'unable to find the final line' "is reported"
	is "$(user joe)" 'joe found joe 1234 56 /home/joe "" ""' "the old table stays"
	printf '=joe:joe:x:56:/home/joe:::\n.\n' >"$PNEU_HOME/users/assign"
	code 100 "one that is malformed" pneu-users
	like "$(cat "$TEST_TMP/.out")" 'line 1' "is reported with its line"
	rm "$PNEU_HOME/users/assign"

	# del
	rm "$mail"/.qmail-*
	code 0 "delete a mailbox" pneu-mailbox del alice@example.org
	is "$(user alice@example.org | sed 's/ *$//')" "alice@example.org unknown" "it gets no mail"
	is "$(find "$PNEU_HOME/mail/.deleted" -path '*/alice@example.org.*/Maildir/new/1' | wc -l)" 1 "its mail is kept"
	code 100 "delete it again" pneu-mailbox del alice@example.org
	rm -r "$PNEU_HOME/mail/.deleted"
	code 0 "the table is made anew" pneu-users
	code 100 "delete one that never was" pneu-mailbox del never@example.org
	like "$(cat "$TEST_TMP/.out")" 'unable to find the mailbox mail/example.org/never' "it says which"
	is "$(user never@example.org | sed 's/ *$//')" "never@example.org unknown" "and the table is no older for that"
	code 100 "a domain with mailboxes" pneu-mailbox del example.org
	like "$(cat "$TEST_TMP/.out")" 'not empty' "is not deleted"
	pneu-mailbox -q del bob@example.org
	code 0 "an empty one is" pneu-mailbox del example.org
	ok "from control/ too" test ! -e "$PNEU_HOME/control/domain/example.org"
	is "$(pneu-mailbox list)" "" "nothing is left"

	# what is refused
	for address in '' @ a@ @example.org a@b..c a@-b.c a@b-.c ../x@example.org a/b@example.org .a@example.org a..b@example.org \
		'a b@example.org' a@example.org/.. a@../x "a@$(head -c 300 /dev/zero | tr '\0' a)" \
		"$(head -c 65 /dev/zero | tr '\0' a)@example.org" 'a:b@example.org' '"a"@example.org'; do
		code 100 "no mailbox: $(printf %.40s "$address")" pneu-mailbox add "$address"
	done
	is "$(find "$PNEU_HOME/mail" -mindepth 1 -not -path '*/.deleted*')" "" "nothing was made"
	code 100 "no address" pneu-mailbox add
	code 100 "an unknown verb" pneu-mailbox remove a@example.org
	pneu-mailbox -q add a@example.org
	echo example.org >"$PNEU_HOME/control/locals"
	code 100 "a mailbox domain that is in locals" pneu-control check
	like "$(cat "$TEST_TMP/.out")" 'control/domain/example.org: the domain is in locals too' "is found by check"
}

as_both body

if test -n "$TEST_ROOT"; then
	PNEU_HOME=$TEST_TMP/inst0
	export PNEU_HOME

	# A link that pneuv made does not lead root to other people's folders.
	mkdir -m 755 "$TEST_TMP/victim" "$TEST_TMP/victim/tmp"
	pneu-mailbox -q add link@example.org
	maildir=$PNEU_HOME/mail/example.org/link/Maildir
	rmdir "$maildir/tmp" && ln -s "$TEST_TMP/victim" "$maildir/tmp"
	code 111 "a link where a folder should be" pneu-mailbox add link@example.org
	rm "$maildir/tmp" && mv "$maildir" "$maildir.old" && ln -s "$TEST_TMP/victim" "$maildir"
	code 111 "a link on the way there" pneu-mailbox add link@example.org
	is "$(stat -c '%U %a' "$TEST_TMP/victim" "$TEST_TMP/victim/tmp")" "root 755
root 755" "what they lead to stays as it was"
	is "$(ls "$TEST_TMP/victim")" tmp "and nothing is made in it"
	rm -r "$PNEU_HOME/mail/example.org/link"
	pneu-users -q
	echo "$(id -u nobody)" >"$PNEU_HOME/control/minuid"
	is "$(user root nobody pneuq daemon | sed 's/found alias.*/found alias/; s/ *$//')" "root found alias
nobody unknown
pneuq unknown
daemon unknown" "users of the system without a home of their own get no mail"
fi
done_testing
