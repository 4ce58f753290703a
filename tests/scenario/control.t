#!/bin/sh
# pneu-control and pneu-users on an instance that does not run.
. "${PNEU_TOP:-.}/tests/lib.sh"

tab=$(printf '\t')
shown() { pneu-control show | grep "^$1$tab"; }

body() {
	PNEU_HOME=$TEST_TMP/inst$(id -u)
	export PNEU_HOME
	pneu-instance -fq "$PNEU_HOME" || bail "no instance"
	control=$PNEU_HOME/control

	# set, show, get, unset
	code 0 "set a line" pneu-control set me mx.example.org
	is "$(cat "$control/me")" mx.example.org "it stands in its file"
	is "$(stat -c %a "$control/me")" 644 "everybody may read it"
	is "$(shown me)" "me${tab}mx.example.org${tab}control/me${tab}-" "show tells value, source, default"
	is "$(shown helohost)" "helohost${tab}mx.example.org${tab}default${tab}@me" "a default that is another setting"
	is "$(shown databytes)" "databytes${tab}52428800${tab}default${tab}52428800" "a number nobody set"
	code 0 "set a number" pneu-control set databytes 1000
	is "$(shown databytes)" "databytes${tab}1000${tab}control/databytes${tab}52428800" "and its default beside it"
	is "$(pneu-control get databytes)" 1000 "get prints the value alone"
	code 0 "unset it" pneu-control unset databytes
	is "$(pneu-control get databytes)" 52428800 "then the default counts"
	code 0 "unset it again" pneu-control unset databytes
	code 0 "set a list" pneu-control set rcpthosts example.org .example.net
	is "$(pneu-control get rcpthosts)" "example.org
.example.net" "a value a line"
	printf 'a.example:[127.0.0.1]:2525\n:relay.example\n' >"$TEST_TMP/routes"
	ok "set a table from descriptor 0" pneu-control set smtproutes <"$TEST_TMP/routes"
	is "$(shown smtproutes)" "smtproutes${tab}a.example:[127.0.0.1]:2525, :relay.example${tab}control/smtproutes${tab}-" \
		"show joins its lines"
	printf '# mine\n\n  example.com  \n' >"$control/rcpthosts"
	is "$(pneu-control get rcpthosts)" example.com "a file written by hand, with comments and blanks"
	ok "an empty list is a value" pneu-control set locals </dev/null
	is "$(shown locals)" "locals${tab}${tab}control/locals${tab}@me" "and not the default"
	pneu-control unset locals
	is "$(find "$control" -name '.*' | wc -l)" 0 "no temporary file is left"
	code 0 "everything in order" pneu-control check
	is "$(cat "$TEST_TMP/.out")" "" "check is silent"

	# what set refuses
	code 100 "a number that is none" pneu-control set databytes many
	like "$(cat "$TEST_TMP/.out")" 'databytes must be a number from 0 to 4294967295, bytes$' "it says what it must be"
	code 100 "a number too large" pneu-control set maxhops 1001
	code 100 "a number below 0" pneu-control set maxhops -- -1
	code 100 "two values for one" pneu-control set me a.example b.example
	code 100 "no value for one that needs it" sh -c 'pneu-control set databytes </dev/null'
	code 100 "a value that would be a comment" pneu-control set rcpthosts '#x'
	code 100 "a newline in a value" pneu-control set rcpthosts 'a
b'
	code 100 "a host name with a blank" pneu-control set me 'mx example'
	code 100 "a table line without a colon" pneu-control set smtproutes relay.example
	code 100 "a control character" pneu-control set smtpgreeting "$(printf 'a\033[31mb')"
	code 100 "too long" pneu-control set me "$(head -c 256 /dev/zero | tr '\0' a)"
	code 100 "no listener for all" pneu-control set listen smtp\ 127.0.0.1\ 2525
	code 100 "no such setting" pneu-control set databyte 5
	like "$(cat "$TEST_TMP/.out")" 'no such setting: databyte' "it says so"
	is "$(cat "$control/me")" mx.example.org "nothing was written meanwhile"

	# overlays
	code 100 "no such server" pneu-control -s in set databytes 5
	mkdir "$control/servers/in"
	code 0 "a server's own" pneu-control -s in set databytes 5
	is "$(shown servers/in/databytes)" "servers/in/databytes${tab}5${tab}control/servers/in/databytes${tab}52428800" "show lists it"
	is "$(pneu-control -s in get databytes) $(pneu-control get databytes)" "5 52428800" "it counts there alone"
	code 100 "a listener that is none" pneu-control -s in set listen nowhere
	code 0 "one that is" pneu-control -s in set listen "smtp ::1 2525"
	rm "$control/servers/in/listen"
	code 100 "a setting no server has" pneu-control -s in set minfree 5
	code 0 "a remote domain's" pneu-control -r example.org set helohost out.example.org
	is "$(pneu-control -r example.org get helohost) $(pneu-control -r a.example get helohost)" \
		"out.example.org mx.example.org" "it counts there alone"
	code 100 "a name with a slash" pneu-control -r ../../x set helohost a
	ok "leaves nothing behind" test ! -e "$PNEU_HOME/x"

	# check
	echo 1 >"$control/databites"
	echo many >"$control/databytes"
	echo 5 >"$control/servers/in/minfree"
	printf 'a\nb\n' >"$control/me"
	printf 'a\001b\n' >"$control/rcpthosts"
	mkdir "$control/maxhops" "$control/remote/x"
	echo 9x >"$control/remote/x/timeoutremote"
	: >"$control/remote/y"
	touch "$control/.editor"
	code 100 "check finds" pneu-control check
	is "$(sort "$TEST_TMP/.out" | sed '/^warning: /d; s/ (.*//; s/ from .*//')" "control/databites: no such setting
control/databytes: must be a number
control/maxhops: must be a number
control/me: must be one line
control/rcpthosts: must be one value a line
control/remote/x/timeoutremote: must be a time such as 90, 90s, 15m, 4h or 2d, of at most 86400 seconds
control/remote/y: must be a folder
control/servers/in/minfree: this setting does not count here" "each mistake, a line each"
	like "$(shown databytes)" "malformed" "show goes on"
	code 111 "get does not" pneu-control get databytes
	code 0 "a malformed file is mended by set" pneu-control set databytes 7
	rm -r "$control/databites" "$control/maxhops" "$control/remote/y" "$control/remote/x" "$control/servers/in/minfree" \
		"$control/me" "$control/rcpthosts"
	code 100 "without a name" pneu-control check
	like "$(cat "$TEST_TMP/.out")" '^control/me: missing' "check says so"
	is "$(grep -vc '^warning: ' "$TEST_TMP/.out")" 1 "and nothing else"

	pneu-control set me mx.example.org
	mkdir -p "$control/access/ip4/192.0.2.1_24" "$control/access/ip4/192.0.2.0_24" "$control/access/ip6/2001:DB8::_32" \
		"$control/access/ip5" "$control/access/reversedns/Example.org" "$control/access/ip4/10.0.0.0_8"
	touch "$control/access/ip4/192.0.2.1_24/allow" "$control/access/ip4/192.0.2.0_24/allow" \
		"$control/access/ip6/2001:DB8::_32/deny" "$control/access/reversedns/Example.org/allow"
	code 100 "check finds access rules" pneu-control check
	is "$(sed '/^warning: /d; s/: .*//' "$TEST_TMP/.out" | sed "s,DB8.*,," | sort)" "control/access/ip4/10.0.0.0_8
control/access/ip4/192.0.2.1_24
control/access/ip5
control/access/ip6/2001:
control/access/reversedns/Example.org" "that nobody asks for, or that say nothing"
	rm -r "$control/access"
	pneu-control set relayusers joe ann %staff %none '!mike'
	pneu-control set submitusers '!ann' joe %staff
	pneu-control set groups staff:joe staff:sue staff:ann
	code 100 "check finds rights" pneu-control check
	is "$(sed '/^warning: /d' "$TEST_TMP/.out" | sort -u)" \
		"control/relayusers: %none is a group without members in control/groups
control/relayusers: ann may relay, but submitusers does not let this login send mail" "relay without submit, a group of nobody"
	pneu-control -s in set submitusers '*'
	pneu-control unset submitusers
	pneu-control set relayusers joe %staff
	code 0 "and nothing where all is well" pneu-control check
	code 100 "an address that is none" pneu-control set proxyfrom 192.0.2.1/24
	code 100 "a word that is none" pneu-control set rdns maybe

	code 100 "no verb" pneu-control
	code 100 "an unknown verb" pneu-control tell
	code 111 "no instance" env PNEU_HOME="$TEST_TMP/none" pneu-control show
}

as_both body
if test -r "$PNEU_TOP/control/control.5"; then
	pneu-control doc -m >"$TEST_TMP/table"
	sed -n '/^\.\\" The table/,/^\.\\" End of the table/p' "$PNEU_TOP/control/control.5" | sed '1d;$d' >"$TEST_TMP/page"
	ok "control.5 holds the table that the program prints (sh package/control5.sh renews it)" \
		cmp "$TEST_TMP/table" "$TEST_TMP/page"
fi
done_testing
