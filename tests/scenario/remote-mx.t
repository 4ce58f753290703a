#!/bin/sh
# Where mail goes: MX, addresses, loops, null MX, routes; with a name server of its own. And lib/dns against libresolv.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/remote.sh"

command -v nsd >/dev/null || skip_all "no nsd"

remote_home remoteloopback 1 timeoutconnect 30 timeoutdns 30
sink a -l 127.0.0.2 -l 127.0.0.3 -l 127.0.0.4
echo "::$SINK" >"$PNEU_HOME/control/smtproutes"
{
	cat <<-'ZONE'
		$TTL 60
		@ SOA ns hostmaster 1 3600 600 86400 60
		@ NS ns
		ns A 127.0.0.1
		mx1 A 127.0.0.2
		mx2 A 127.0.0.3
		mx3 A 127.0.0.4
		dead1 A 127.0.0.9
		dead2 A 127.0.0.10
		both A 127.0.0.9
		both A 127.0.0.4
		six AAAA ::1
		one MX 10 mx1
		two MX 20 mx2
		two MX 10 mx1
		turned MX 10 mx2
		turned MX 20 mx1
		equal MX 10 mx1
		equal MX 10 mx2
		equal MX 10 mx3
		down MX 10 dead1
		down MX 20 dead2
		half MX 10 dead1
		half MX 20 mx2
		multi MX 10 both
		addr A 127.0.0.3
		null MX 0 .
		text TXT "neither"
		gone MX 10 nothing
		gone MX 20 nowhere
		part MX 10 nothing
		part MX 20 mx3
		alias CNAME one
		mxalias MX 10 mxname
		mxname CNAME mx2
		odd MX 10 a\;b\$\(id\)
		cutup MX 5 far
		cutup MX 10 me
		cutup MX 10 mx2
		cutup MX 20 mx3
		far A 192.0.2.1
		me A 127.0.0.1
		self MX 10 me
		own MX 10 me.pneu.test.
		selfaddr A 127.0.0.1
		c1 CNAME c2
		c2 CNAME c3
		c3 CNAME c4
		c4 CNAME c5
		c5 CNAME one
		big TXT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	ZONE
	for i in $(seq 1 20); do echo "many MX $((100 - i)) m$i"; echo "m$i A 127.0.0.2"; done
	for i in $(seq 1 60); do echo "big MX $i a-rather-long-name-of-a-mail-exchanger-number-$i"; done
	for i in $(seq 1 100); do echo "crowd A 127.0.1.$i"; done
} >"$TEST_TMP/zone"
nameserver "$TEST_TMP/zone" pneu.test

# shellcheck disable=SC2046
ok "lib/dns finds what libresolv finds" timeout 60 "$PNEU_TESTS/tool/dnsdiff" "$NS" \
	$(awk 'NF > 2 && $1 !~ /[@$]/ { print $1 ".pneu.test" }' "$TEST_TMP/zone" | grep -v ^odd | sort -u) nothing.pneu.test pneu.test

printf 'Subject: x\n\nhello\n' >"$TEST_TMP/m"
to() { jobs "$TEST_TMP/m" "joe@$1.pneu.test"; }
last() { grep connect "$TEST_TMP/sink.a/log" | tail -n 1; }

to one
like "$RESULTS" '^1 K 2.0.0 0 mx1.pneu.test (.)127.0.0.2(.) 250 2.0.0 thank' "an MX"
to two
like "$(last)" 'connect 127.0.0.2' "the preferred one of two"
to turned
like "$(last)" 'connect 127.0.0.3' "whatever their order"
to half
like "$RESULTS" '^1 K .* mx2.pneu.test' "the second, if the first is down"
to multi
like "$RESULTS" '^1 K .*127.0.0.4' "the second address of one host"
to down
like "$RESULTS" '^1 Z 4.4.1 0 dead2.* cannot connect: Connection refused' "all down: later"
to addr
like "$RESULTS" '^1 K .*127.0.0.3' "no MX: the domain's address"
to six
like "$RESULTS" '^1 Z 4.4.1 0 six.pneu.test ..?::1' "an IPv6 address"
to alias
like "$RESULTS" '^1 K .* mx1' "the domain is an alias"
to mxalias
like "$RESULTS" '^1 K .*127.0.0.3' "the MX is an alias"
to c1
like "$RESULTS" '^1 K .* mx1' "a chain of aliases"
to part
like "$RESULTS" '^1 K .* mx3' "one MX does not exist"
to gone
like "$RESULTS" '^1 D 5.4.4 0 - no MX of this domain has an address' "no MX exists"
to odd
like "$RESULTS" '^1 D 5.4.4 0' "an MX that is no host name"
to null
like "$RESULTS" '^1 D 5.1.10 0 - this domain takes no mail' "null MX"
to text
like "$RESULTS" '^1 D 5.1.2 0 - this domain has neither' "neither MX nor address"
to nothing
like "$RESULTS" '^1 D 5.1.2 0 - no such domain' "no such domain"
to many
like "$RESULTS" '^1 K .* m20.pneu.test' "20 MX: the best one"
to big
like "$RESULTS" '^1 D 5.4.4' "60 MX, by TCP"
to crowd
like "$RESULTS" '^1 Z 4.4.1' "100 addresses"
jobs "$TEST_TMP/m" joe@other.test
like "$RESULTS" '^1 Z 4.4.3 0 - no answer from DNS' "a zone that the server refuses"
jobs "$TEST_TMP/m" "joe@[127.0.0.4]"
like "$RESULTS" '^1 K .*127.0.0.4' "an address literal"
jobs "$TEST_TMP/m" joe
like "$RESULTS" '^1 D 5.1.2' "no domain at all"

# equal ones: each of three is first now and then
seen=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
	to equal
	seen="$seen $(last | sed 's/.*connect //')"
	case $seen in *0.2*0.3*0.4* | *0.2*0.4*0.3* | *0.3*0.2*0.4* | *0.3*0.4*0.2* | *0.4*0.2*0.3* | *0.4*0.3*0.2*) break ;; esac
done
# shellcheck disable=SC2086
is "$(printf '%s\n' $seen | sort -u | tr '\n' ' ')" "127.0.0.2 127.0.0.3 127.0.0.4 " "equal MX are taken in turns"

# mail does not come back to this host
echo 0 >"$PNEU_HOME/control/remoteloopback"
echo 1 >"$PNEU_HOME/control/timeoutconnect"
for i in self selfaddr one own; do
	to $i
	like "$RESULTS" '^1 D 5.4.6 0 - mail for this domain loops' "loop: $i"
done
to cutup
like "$RESULTS" "^1 Z 4.4.1 0 far.pneu.test" "cut at our own preference: only the nearer one is asked"
jobs "$TEST_TMP/m" "joe@[127.0.0.4]"
like "$RESULTS" '^1 D 5.4.6' "a literal of this host"

# routes
printf 'one.pneu.test:mx2.pneu.test:%s\n.pneu.test:[127.0.0.4]:%s\nbad.test:[x\nself.test:me.pneu.test:%s\n:gone.pneu.test\n' \
	"$SINK" "$SINK" "$SINK" >"$PNEU_HOME/control/smtproutes"
to one
like "$RESULTS" '^1 K .* mx2.pneu.test' "smtproutes: a domain"
to null
like "$RESULTS" '^1 K .* 127.0.0.4' "smtproutes: all below a domain; loopback is allowed there"
jobs "$TEST_TMP/m" joe@bad.test
like "$RESULTS" '^1 Z 4.3.5 0 - control/smtproutes' "smtproutes: a bad line"
jobs "$TEST_TMP/m" joe@pneu.test
like "$RESULTS" '^1 D 5.4.4 0 - the host that control/smtproutes' "smtproutes: a host without addresses"

# an own name server that is gone
nameserver_stop
echo 2 >"$PNEU_HOME/control/timeoutdns"
rm "$PNEU_HOME/control/smtproutes"
to one
like "$RESULTS" '^1 Z 4.4.3' "no name server: later"
echo rubbish >"$PNEU_HOME/control/nameserver"
printf '%s\n' "$TEST_TMP/m joe@x" | "$PNEU_TESTS/tool/remotejobs" pneu-remote -j >/dev/null 2>"$TEST_TMP/err"
like "$(cat "$TEST_TMP/err")" 'pneu-remote: fatal: .*control/nameserver' "a nameserver that is none is said"

done_testing
