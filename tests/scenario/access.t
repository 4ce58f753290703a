#!/bin/sh
# Who may come in and send where, through real tcp servers: rules by address and name, reverse names from a name server,
# PROXY and XCLIENT from real clients. All clients are 127.0.0.x.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/remote.sh"

command -v nsd >/dev/null || skip_all "no nsd"
command -v swaks >/dev/null || skip_all "no swaks"

rule() { # KEY FILE [TEXT]
	mkdir -p "$PNEU_HOME/control/access/$1/$(dirname "$2")"
	printf '%s\n' "${3-}" >"$PNEU_HOME/control/access/$1/$2"
}

from() { # ADDRESS RCPT [OPTION]... : a session from that address
	mail_from=$1 mail_to=$2
	shift 2
	swaks -li "$mail_from" -s "127.0.0.1:$PORT" -f a@else.test -t "$mail_to" --helo client.test --timeout 30 "$@" 2>&1
}

logged() { # ERE
	wait_for "grep -Eq -- '$1' '$PNEU_HOME/log/in/current'"
}

rules() {
	rule ip4/0.0.0.0_0 allow
	rule ip6/::_0 allow
	rule ip4/127.0.0.2_32 deny "go away, 127.0.0.2"
	rule ip4/127.0.0.3_32 deny
	rule ip4/127.0.0.4_31 allow
	rule ip4/127.0.0.4_31 env/RELAYCLIENT
	rule ip4/127.0.0.6_32 allow
	rule ip4/127.0.0.6_32 env/PNEU_REFUSE "450 4.7.1 not today"
	rule ip4/127.0.0.7_32 allow
	rule ip4/127.0.0.7_32 exec 'printf "554 a program of the rule\r\n"'
	ok "rules that come to a listener count at once" wait_for "from 127.0.0.2 you@pneu.test | grep -q '554 5.7.1 go away'"
	like "$(from 127.0.0.1 you@pneu.test --quit-after RCPT)" '250 2.1.5' "a client that no narrow rule names"
	like "$(from 127.0.0.2 you@pneu.test)" '554 5.7.1 go away, 127.0.0.2' "deny with a text"
	ok "is logged" logged 'refused client=127.0.0.2 rule=ip4/127.0.0.2_32 reply=554_5.7.1_go_away,_127.0.0.2'
	like "$(from 127.0.0.3 you@pneu.test)" '554 5.7.1 you may not connect' "deny without one"
	like "$(from 127.0.0.6 you@pneu.test)" '450 4.7.1 not today' "PNEU_REFUSE"
	like "$(from 127.0.0.7 you@pneu.test)" '554 a program of the rule' "exec"
	like "$(from 127.0.0.1 any@far.test --quit-after RCPT)" '550 5.7.1' "relaying from elsewhere"
	ok "is refused and logged" logged 'to=any@far.test .*relay=no file=control/rcpthosts'
	like "$(from 127.0.0.5 any@far.test --quit-after RCPT)" '250 2.1.5' "relaying from a network that may"
	ok "is logged with its rule" logged 'client=127.0.0.5 .*relay=yes file=access:ip4/127.0.0.4_31'
	(cd "$PNEU_HOME/control" && s6-accessrules-cdb-from-fs access.cdb access && chmod 644 access.cdb && mv access access.off)
	like "$(from 127.0.0.3 you@pneu.test)" '554 5.7.1 you may not connect' "the same rules as a cdb: deny"
	like "$(from 127.0.0.5 any@far.test --quit-after RCPT)" '250 2.1.5' "relay"
	head -c 100 "$PNEU_HOME/control/access.cdb" >"$PNEU_HOME/control/access.new"
	mv "$PNEU_HOME/control/access.new" "$PNEU_HOME/control/access.cdb"
	like "$(from 127.0.0.5 you@pneu.test)" '421 4.3.0' "a damaged one: later"
	rm "$PNEU_HOME/control/access.cdb"
	mv "$PNEU_HOME/control/access.off" "$PNEU_HOME/control/access"
}

names() {
	cat >"$TEST_TMP/zone" <<-'ZONE'
		$TTL 60
		$ORIGIN test.
		@ SOA ns hostmaster 1 3600 600 86400 60
		@ NS ns
		ns A 127.0.0.1
		good.friend A 127.0.0.11
		liar A 127.0.0.99
		two A 127.0.0.13
		spam.foe A 127.0.0.14
	ZONE
	cat >"$TEST_TMP/reverse" <<-'ZONE'
		$TTL 60
		$ORIGIN 127.in-addr.arpa.
		@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60
		@ NS ns.test.
		11.0.0 PTR good.friend.test.
		12.0.0 PTR liar.test.
		13.0.0 PTR nothing.test.
		13.0.0 PTR two.test.
		14.0.0 PTR spam.foe.test.
		15.0.0 PTR a.elsewhere.
	ZONE
	nameserver "$TEST_TMP/zone" test
	kill "$ns_pid"
	wait "$ns_pid" 2>/dev/null
	printf 'zone:\n  name: 127.in-addr.arpa\n  zonefile: "%s"\n' "$TEST_TMP/reverse" >>"$ns_dir/nsd.conf"
	nsd -d -c "$ns_dir/nsd.conf" >"$ns_dir/out" 2>&1 &
	ns_pid=$!
	timeout 30 "$PNEU_TESTS/tool/dnsdiff" "$NS" test >/dev/null || bail "nsd: $(tail -n 3 "$ns_dir/out")"
	chmod 644 "$PNEU_HOME/control/nameserver"
	pneu-control set timeoutdns 20
	listener_anew in pneu-control -s in set rdns mark

	wait_for queue_empty # what came before
	arrived=$(mails you@pneu.test)
	rule reversedns/friend.test allow
	rule reversedns/friend.test env/RELAYCLIENT
	rule reversedns/foe.test deny "no mail from foes"
	ok "mark: a client with a name is served" wait_for 'from 127.0.0.11 you@pneu.test --helo good.friend.test | grep -q "250 2.0.0"'
	from 127.0.0.11 you@pneu.test >/dev/null
	from 127.0.0.12 you@pneu.test >/dev/null
	from 127.0.0.13 you@pneu.test --helo two.test >/dev/null
	from 127.0.0.20 you@pneu.test >/dev/null
	from 127.0.0.20 you@pneu.test --helo '[127.0.0.20]' >/dev/null
	ok "all arrive" wait_for 'test "$(mails you@pneu.test)" -ge $((arrived + 6))'
	grep -h '^Received: from .*127' "$(maildir you@pneu.test)"/new/* >"$TEST_TMP/received"
	received() { like "$(cat "$TEST_TMP/received")" "^Received: from $1\$" "$2"; }
	received 'good.friend.test \(good.friend.test \[127.0.0.11\]\)' "the verified name, and the client says it"
	received 'client.test \(good.friend.test \[127.0.0.11\] unverified\)' "the client says another"
	received 'client.test \(\[127.0.0.12\] unverified\)' "a name that leads elsewhere"
	received 'two.test \(two.test \[127.0.0.13\]\)' "two names, the second has the address"
	received 'client.test \(\[127.0.0.20\] RDNS failed\)' "no name"
	like "$(from 127.0.0.11 any@far.test --quit-after RCPT)" '250 2.1.5' "relaying by name"
	ok "is logged with its rule" logged 'client=127.0.0.11 .*relay=yes file=access:reversedns/friend.test'
	like "$(from 127.0.0.12 any@far.test --quit-after RCPT)" '550 5.7.1' "a name that leads elsewhere does not count"
	like "$(from 127.0.0.14 you@pneu.test)" '554 5.7.1 no mail from foes' "refused by name"
	ok "and logged with it" logged 'refused client=127.0.0.14 host=spam.foe.test rule=reversedns/foe.test'
	like "$(from 127.0.0.15 any@far.test --quit-after RCPT)" '450 4.7.1 your name' "a name nobody can verify now: relaying later"

	listener_anew in pneu-control -s in set rdns require
	ok "require: a client with a name" wait_for 'from 127.0.0.11 you@pneu.test --quit-after RCPT | grep -q "250 2.1.5"'
	like "$(from 127.0.0.12 you@pneu.test)" '554 5.7.25' "one whose name leads elsewhere"
	like "$(from 127.0.0.20 you@pneu.test)" '554 5.7.25' "one without a name"
	like "$(from 127.0.0.5 you@pneu.test --quit-after RCPT)" '250 2.1.5' "who may relay needs none"
	pneu-control set timeoutdns 2
	nameserver_stop
	like "$(from 127.0.0.11 you@pneu.test)" '421 4.7.25' "no name server: later"
	pneu-control -s in unset rdns
}

proxies() {
	listener_anew in pneu-control -s in set proxyfrom 127.0.0.8 127.0.1.0/24
	v1='--proxy-version 1 --proxy-family TCP4 --proxy-dest 127.0.0.1 --proxy-dest-port 25 --proxy-source-port 4711'
	v2='--proxy-version 2 --proxy-family AF_INET --proxy-protocol STREAM --proxy-command PROXY --proxy-dest 127.0.0.1
		--proxy-dest-port 25 --proxy-source-port 4711'
	# shellcheck disable=SC2086
	for v in "$v1" "$v2"; do
		like "$(from 127.0.0.8 you@pneu.test $v --proxy-source 198.51.100.7 --quit-after RCPT)" '250 2.1.5' "a client behind a proxy"
		like "$(from 127.0.0.8 any@far.test $v --proxy-source 198.51.100.7 --quit-after RCPT)" '550 5.7.1' "relays nothing"
		ok "and is logged with its own address" logged 'client=198.51.100.7 .*to=any@far.test'
		like "$(from 127.0.1.9 any@far.test $v --proxy-source 127.0.0.4 --quit-after RCPT)" '250 2.1.5' "its own rule counts: relay"
		like "$(from 127.0.0.8 you@pneu.test $v --proxy-source 127.0.0.2)" '554 5.7.1 go away' "deny"
		like "$(from 127.0.0.9 you@pneu.test $v --proxy-source 127.0.0.4)" '50[0-9]|554' "nobody else may send such a header"
		: >"$PNEU_HOME/log/in/current"
	done
	like "$(from 127.0.0.9 you@pneu.test --quit-after RCPT)" '250 2.1.5' "a client of its own"
	like "$(swaks -li 127.0.0.8 -s "127.0.0.1:$PORT" -t you@pneu.test --protocol SMTP --timeout 2 2>&1)" 'Timeout|closed' \
		"a proxy without a header gets no word"
	pneu-control -s in set timeoutproxy 1
	from 127.0.0.8 you@pneu.test --timeout 20 >"$TEST_TMP/.slow"
	ok "and is cut off" logged 'refused peer=127.0.0.8 reason=timeout'
	listener_anew in pneu-control -s in unset proxyfrom
}

xclient() {
	listener_anew in pneu-control -s in set xclientfrom 127.0.0.8
	like "$(from 127.0.0.8 any@far.test --xclient-addr 198.51.100.7 --xclient-name mail.far.test --quit-after RCPT)" '550 5.7.1' \
		"XCLIENT: relays nothing"
	ok "and is logged with its own address" logged 'client=198.51.100.7 .*to=any@far.test'
	like "$(from 127.0.0.8 any@far.test --xclient-addr 127.0.0.4 --quit-after RCPT)" '250 2.1.5' "its own rule counts: relay"
	ok "by that rule" logged 'client=127.0.0.4 .*relay=yes file=access:ip4/127.0.0.4_31'
	like "$(from 127.0.0.8 you@pneu.test --xclient-addr 127.0.0.2)" '554 5.7.1 go away' "deny"
	like "$(from 127.0.0.8 you@pneu.test --xclient-addr IPV6:2001:db8::5 --xclient-login you@pneu.test -f you@pneu.test)" '250 2.0.0' "IPv6 and a login: a mail"
	like "$(from 127.0.0.9 you@pneu.test --xclient-addr 127.0.0.4)" 'not offer|did not adv|not all required' "nobody else is offered it"
	listener_anew in pneu-control -s in unset xclientfrom
}

tcpservers() { # the whole chain by hand, under each there is
	for server in tcpserver s6-tcpserver; do
		if ! command -v "$server" >/dev/null; then
			skip 3 "no $server"
			continue
		fi
		hand=$(free_port)
		set -- tcpserver -HRl0 127.0.0.1 "$hand"
		test "$server" = tcpserver || set -- s6-tcpserver -- 127.0.0.1 "$hand"
		(cd /; exec "$@" pneu-proxy pneu-access pneu-smtpd) >"$TEST_TMP/hand.log" 2>&1 &
		hand_pid=$!
		ok "$server pneu-proxy pneu-access pneu-smtpd" wait_for "listening $hand"
		PORT=$hand
		like "$(from 127.0.0.2 you@pneu.test)" '554 5.7.1 go away' "deny"
		like "$(from 127.0.0.4 any@far.test --quit-after RCPT)" '250 2.1.5' "relay"
		kill "$hand_pid"
		PORT=$(cat "$PNEU_HOME/port")
	done
	if command -v s6-tcpserver-access >/dev/null; then
		hand=$(free_port)
		s6-tcpserver -- 127.0.0.1 "$hand" s6-tcpserver-access -H -i "$PNEU_HOME/control/access" -- pneu-smtpd \
			>"$TEST_TMP/hand.log" 2>&1 &
		hand_pid=$!
		ok "s6-tcpserver-access with the same rules" wait_for "listening $hand"
		PORT=$hand
		like "$(from 127.0.0.4 any@far.test --quit-after RCPT)" '250 2.1.5' "relay"
		kill "$hand_pid"
		PORT=$(cat "$PNEU_HOME/port")
	else
		skip 2 "no s6-tcpserver-access"
	fi
}

body() {
	instance_make "$TEST_TMP/inst$(id -u)" you@pneu.test
	instance_start
	like "$(from 127.0.0.9 you@pneu.test --quit-after RCPT)" '250 2.1.5' "without rules everybody may come in"
	rules
	tcpservers
	proxies
	xclient
	names
	instance_stop
}

as_both body
done_testing
