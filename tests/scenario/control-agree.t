#!/bin/sh
# pneu-control check: settings that contradict each other, and values nobody can mean.
. "${PNEU_TOP:-.}/tests/lib.sh"

check() { # CODE WANTED NAME: all that check says
	code "$1" "$3" pneu-control check
	is "$(cat "$TEST_TMP/.out")" "$2" "$3: what it says"
}

pair() { # LESS N MORE N: the first is too much; then just as much
	echo "$2" >"$control/$1"
	echo "$4" >"$control/$3"
	code 100 "$1 $2, $3 $4" pneu-control check
	like "$(grep -v ^warning "$TEST_TMP/.out")" "^control/$1: $2 is more than $3, which is $4: [a-z].*\$" "$1 and $3: what it says"
	is "$(grep -vc ^warning "$TEST_TMP/.out")" 1 "$1 and $3: once"
	echo "$4" >"$control/$1"
	code 0 "$1 $4, $3 $4" pneu-control check
	rm "$control/$1" "$control/$3"
}

doubt() { # NAME VALUE GOOD
	echo "$2" >"$control/$1"
	code 0 "$1 $2 is no mistake" pneu-control check
	like "$(cat "$TEST_TMP/.out")" "^warning: control/$1: .*\$" "$1 $2: but doubtful"
	echo "$3" >"$control/$1"
	check 0 '' "$1 $3 is good"
	rm "$control/$1"
}

pneu-instance -f "$TEST_TMP/pneu" >/dev/null 2>&1 || bail 'no instance'
PNEU_HOME=$TEST_TMP/pneu control=$TEST_TMP/pneu/control
export PNEU_HOME
echo mx.pneu.test >"$control/me"
check 0 '' 'defaults agree'

pair databytes 70001 sessionbytes 70000
pair maxconnperip 11 maxconn 10
pair timeoutsmtpd 601 timeoutsession 600
pair greetdelay 11 timeoutsession 10
pair tarpitdelay 11 timeoutsession 10
pair intakeperuid 11 intakesessions 10
pair concurrency 11 concurrencyremote 10
pair timeoutidle 11 timeoutremote 10
pair retryfirst 1001 retrymax 1000
pair retrymax 4001 queuelifetime 4000

# Lists of times; times of both kinds.
echo '4h 8d' >"$control/delaynotice"
check 100 'control/delaynotice: 691200 is more than queuelifetime, which is 604800: nobody would hear of that delay' 'a late notice'
echo 9d >"$control/queuelifetime"
check 0 '' 'not with a longer life'
echo '15m 1h 10d' >"$control/retry"
check 100 'control/retry: the sum of the waits 868500 is more than queuelifetime, which is 777600: the last would not count' 'late attempts'
mkdir -p "$control/remote/slow.test"
mv "$control/retry" "$control/remote/slow.test/retry"
check 100 'control/remote/slow.test/retry: the sum of the waits 868500 is more than queuelifetime, which is 777600: the last would not count' \
	"a domain's"
rm -r "$control/remote" "$control/delaynotice" "$control/queuelifetime"

# Where 0 is no limit, there is nothing to compare.
echo 0 >"$control/databytes"
echo 70000 >"$control/sessionbytes"
check 0 '' 'databytes 0'
echo 0 >"$control/sessionbytes"
echo 99999999 >"$control/databytes"
check 0 '' 'sessionbytes 0'
rm "$control/databytes" "$control/sessionbytes"

# The default of the first counts where it matters, and not where it does not.
echo 70000 >"$control/sessionbytes"
code 100 'sessionbytes below the default of databytes' pneu-control check
rm "$control/sessionbytes"
echo 10 >"$control/maxconn"
check 0 '' 'maxconn below the default of maxconnperip'
rm "$control/maxconn"

# A server's own value against one for all; told there.
mkdir -p "$control/servers/in"
check 0 "warning: control/servers/in/listen: not there: nothing listens with these settings (pneu-server add makes a listener)" \
	'settings of a listener that is none'
echo 'smtp 127.0.0.1 2525' >"$control/servers/in/listen"
echo 100000 >"$control/sessionbytes"
echo 90000 >"$control/databytes"
echo 80000 >"$control/servers/in/sessionbytes"
code 100 'a server contradicts what holds for all' pneu-control check
like "$(cat "$TEST_TMP/.out")" '^control/servers/in/databytes: 90000 is more than sessionbytes, which is 80000: ' \
	'it is told with its folder'
is "$(wc -l <"$TEST_TMP/.out")" 1 'and only there'
echo 80000 >"$control/servers/in/databytes"
check 0 '' 'with a value of its own it agrees'
rm -r "$control/servers/in" "$control/sessionbytes" "$control/databytes"
echo many >"$control/databytes"
echo 70000 >"$control/sessionbytes"
code 100 'a malformed value' pneu-control check
is "$(wc -l <"$TEST_TMP/.out")" 1 'is one mistake, not two'
rm "$control/databytes" "$control/sessionbytes"

doubt maxrcpt 99 100
doubt databytes 65535 65536
doubt maxline 999 1000
doubt timeoutsmtpd 299 300
doubt maxhops 14 15
doubt me mx mx.pneu.test
echo mx.pneu.test >"$control/me"
echo 0 >"$control/maxrcpt"
echo 0 >"$control/maxline"
check 0 '' '0 is no limit'
rm "$control/maxrcpt" "$control/maxline"
echo 'PLAIN GSSAPI' >"$control/authmech"
check 100 'control/authmech: none of mechanisms: PLAIN GSSAPI' 'a mechanism that nobody knows'
echo 'PLAIN SCRAM-SHA-256' >"$control/authmech"
check 0 '' 'one that somebody knows'
echo /bin/true >"$control/checkpassword"
code 0 'challenge methods with another program' pneu-control check
like "$(cat "$TEST_TMP/.out")" 'control/authmech: SCRAM-SHA-256 and CRAM-MD5 are not offered' 'are told'
rm "$control/authmech" "$control/checkpassword"
printf '%s\n' 'test -n "$PNEU_HELO"' '/bin/true -x' '/nothing/there -x' >"$control/rcptcheck"
check 100 'control/rcptcheck: no program that can be run: /nothing/there' 'a check that is not there'
echo "$control/me" >"$control/rcptcheck"
check 100 "control/rcptcheck: no program that can be run: $control/me" 'one that is no program'
rm "$control/rcptcheck"
printf '%s\n' /bin/true /nothing/there >"$control/filter"
check 0 '' 'words that are not programs are not looked at'
rm "$control/filter"
mkdir -p "$control/servers/sub"
echo 'submission 127.0.0.1 587' >"$control/servers/sub/listen"
code 0 'a submission listener without a certificate' pneu-control check
like "$(cat "$TEST_TMP/.out")" 'control/servers/sub/listen: nobody can log in' 'is told'
echo 0 >"$control/servers/sub/authneedtls"
check 0 '' 'logins in clear need none'
rm -r "$control/servers/sub"

for route in 'else.test:relay.test:65536' ':relay.test:0' 'else.test:relay.test:smtp' 'else.test:[192.0.2.1]:70000' \
	'else.test:relay.test:' ':[2001:db8::1]:99999' ':relay.test:-1'; do
	echo "$route" >"$control/smtproutes"
	check 100 "control/smtproutes: no port from 1 to 65535: $route" "smtproutes $route"
done
printf '%s\n' 'a.test:relay.test:65535' 'b.test:relay.test' 'c.test:[2001:db8::1]:26' 'd.test:[192.0.2.1]' 'e.test:' ':relay.test:1' \
	>"$control/smtproutes"
check 0 '' 'proper smtproutes'
done_testing
