#!/bin/sh
# Programs of the operator in a running instance: pneu-hookd as its service starts it, and real policy servers behind
# pneu-policy: postgrey and policyd-spf.
. "${PNEU_TOP:-.}/tests/lib.sh"

send() { # FROM TO: the replies of one message, with their own numbers of commands
	/usr/bin/python3 - "$PORT" "$1" "$2" <<'PY'
import smtplib, sys
port, sender, to = int(sys.argv[1]), sys.argv[2], sys.argv[3]
s = smtplib.SMTP('127.0.0.1', port, 'client.test', timeout=60)
s.ehlo()
for reply in (s.mail(sender), s.rcpt(to)):
    print(reply[0], reply[1].decode())
    if reply[0] >= 400:
        sys.exit()
try:
    code, text = s.data(b'Subject: hello\r\n\r\nhello\r\n')
except smtplib.SMTPDataError as e:
    code, text = e.smtp_code, e.smtp_error
print(code, text.decode())
s.quit()
PY
}

log_of() { cat "$PNEU_HOME/log/$1/current"; }

programs() {
	rm -f "$PNEU_HOME"/control/*check
	send a@else.test alice@pneu.test >"$TEST_TMP/out"
	like "$(tail -n 1 "$TEST_TMP/out")" '^250 2\.0\.0' 'without a setting nobody is asked'
	cat >"$TEST_TMP/known" <<-'SH'
		#!/bin/sh
		id -un >&2
		case $PNEU_RECIPIENT in
		alice@*) exit 0 ;;
		esac
		echo "5.1.1 nobody of the name $PNEU_RECIPIENT"
		exit 100
	SH
	chmod 755 "$TEST_TMP/known"
	echo "$TEST_TMP/known" >"$PNEU_HOME/control/rcptcheck"
	like "$(send a@else.test bob@pneu.test)" '550 5\.1\.1 nobody of the name bob@pneu\.test' 'a program refuses a recipient'
	like "$(send a@else.test alice@pneu.test)" '250 2\.0\.0' 'and takes another'
	if test -n "$TEST_ROOT"; then
		ok 'it runs as pneuf' wait_for "grep -q pneuf '$PNEU_HOME/log/hookd/current'"
	else
		skip 1 'one user'
	fi
	rm "$PNEU_HOME/control/rcptcheck"
	echo 'cat >/dev/null; echo "X-Seen: $PNEU_CLIENT" >&3; grep -q nothing' >"$PNEU_HOME/control/datacheck"
	like "$(send a@else.test alice@pneu.test)" '451 4\.7\.1' 'a strange exit code puts a message off'
	ok 'and is in the log' wait_for "grep -q 'phase=datacheck .*exit=1' '$PNEU_HOME/log/hookd/current'"
	rm "$PNEU_HOME/control/datacheck"
	echo 'echo "X-Instance: $PNEU_SERVER $PNEU_INSTANCE" >&3' >"$PNEU_HOME/control/servers/in/mailcheck"
	before=$(mails alice@pneu.test)
	send a@else.test alice@pneu.test >"$TEST_TMP/out"
	ok 'it arrives' wait_for "test \$(mails alice@pneu.test) -gt $before"
	ok 'with the field a program added' grep -rqE '^X-Instance: in [0-9a-f.]+$' "$(maildir alice@pneu.test)/new"
	rm "$PNEU_HOME/control/servers/in/mailcheck"
}

stranger() {
	test -n "$TEST_ROOT" || { skip 1 'one user'; return; }
	as_user sh -c "printf '19:18:phase=rcptcheck,,' | s6-ipcclient '$PNEU_HOME/run/hook' s6-ioconnect" >"$TEST_TMP/out" 2>&1
	ok 'another user is refused' wait_for "grep -q 'refused uid=.* reason=stranger' '$PNEU_HOME/log/hookd/current'"
}

restart() {
	echo 'test "$PNEU_RECIPIENT" = alice@pneu.test || exit 100' >"$PNEU_HOME/control/rcptcheck"
	like "$(send a@else.test alice@pneu.test)" '250 2\.0\.0' 'before a restart of pneu-hookd'
	old=$(service_pid hookd)
	s6-svc -t "$PNEU_HOME/service/hookd"
	wait_for "test -n \"\$(service_pid hookd)\" && test \"\$(service_pid hookd)\" != $old"
	wait_for "s6-ipcclient '$PNEU_HOME/run/hook' true 2>/dev/null"
	like "$(send a@else.test alice@pneu.test)" '250 2\.0\.0' 'after it'
	s6-svc -d "$PNEU_HOME/service/hookd"
	wait_for "! s6-ipcclient '$PNEU_HOME/run/hook' true 2>/dev/null"
	like "$(send a@else.test alice@pneu.test)" '451 4\.3\.0' 'while it is down a recipient is put off'
	s6-svc -u "$PNEU_HOME/service/hookd"
	wait_for "s6-ipcclient '$PNEU_HOME/run/hook' true 2>/dev/null"
	rm "$PNEU_HOME/control/rcptcheck"
}

# It opens its database and port only as an existing user; it is started as us.
greylist() {
	postgrey=$(command -v postgrey || echo /usr/sbin/postgrey)
	test -x "$postgrey" || { skip 4 'postgrey is not installed'; return; }
	mkdir -p "$TEST_TMP/grey"
	chmod 777 "$TEST_TMP/grey"
	greyport=$(free_port)
	"$postgrey" --inet="127.0.0.1:$greyport" --dbdir="$TEST_TMP/grey" --delay=2 --user="$(id -un)" --group="$(id -gn)" \
		--whitelist-clients=/dev/null --whitelist-recipients=/dev/null >"$TEST_TMP/postgrey.log" 2>&1 </dev/null &
	grey=$! # its name is written over its environment, by which the others are found at the end
	wait_for "listening $greyport" 60 || bail "postgrey does not listen: $(cat "$TEST_TMP/postgrey.log")"
	echo "pneu-policy inet:127.0.0.1:$greyport" >"$PNEU_HOME/control/rcptcheck"
	like "$(send grey@else.test alice@pneu.test)" '^450 4\.2\.0 ' 'postgrey puts a new sender off'
	like "$(send grey@else.test nobody@pneu.test)" '^450 4\.2\.0 ' 'for a mailbox that does not exist, too'
	before=$(mails alice@pneu.test)
	ok 'and lets it pass later' wait_for "send grey@else.test alice@pneu.test | grep -q '^250 2\.0\.0'" 60
	wait_for "test \$(mails alice@pneu.test) -gt $before"
	ok 'with its field' grep -rq '^X-Greylist: delayed ' "$(maildir alice@pneu.test)/new"
	ok 'a mailbox that does not exist stays so' wait_for "send grey@else.test nobody@pneu.test | grep -q '^550 5\.1\.1'" 60
	rm "$PNEU_HOME/control/rcptcheck"
	kill "$grey"
	wait "$grey" 2>/dev/null
}

# policyd-spf speaks on its descriptors, one process a connection; for clients on loopback it asks no name server.
spf() {
	command -v policyd-spf >/dev/null || { skip 2 'policyd-spf is not installed'; return; }
	mkdir -p "$TEST_TMP/spf"
	printf 'debugLevel = 1\nskip_addresses = 127.0.0.0/8,::1\n' >"$TEST_TMP/spf/conf"
	s6-ipcserver -a 0666 "$TEST_TMP/spf/socket" policyd-spf "$TEST_TMP/spf/conf" >"$TEST_TMP/spf.log" 2>&1 </dev/null &
	wait_for "s6-ipcclient '$TEST_TMP/spf/socket' true 2>/dev/null" || bail "no socket: $(cat "$TEST_TMP/spf.log")"
	echo "pneu-policy unix:$TEST_TMP/spf/socket" >"$PNEU_HOME/control/rcptcheck"
	before=$(mails alice@pneu.test)
	like "$(send spf@else.test alice@pneu.test)" '250 2\.0\.0' 'policyd-spf lets loopback pass'
	wait_for "test \$(mails alice@pneu.test) -gt $before"
	ok 'with its field' grep -rqi '^X-Comment: SPF' "$(maildir alice@pneu.test)/new"
	rm "$PNEU_HOME/control/rcptcheck"
}

unreachable() {
	echo "pneu-policy unix:$TEST_TMP/nobody" >"$PNEU_HOME/control/rcptcheck"
	like "$(send a@else.test alice@pneu.test)" '451 4\.3\.5' 'a policy server that is not there puts a recipient off'
	echo "pneu-policy -o unix:$TEST_TMP/nobody" >"$PNEU_HOME/control/rcptcheck"
	like "$(send a@else.test alice@pneu.test)" '250 2\.0\.0' 'with -o it goes on'
	rm "$PNEU_HOME/control/rcptcheck"
	code 100 'an address that is none' pneu-policy inet:nowhere
	code 100 'no address' pneu-policy
}

everything() {
	instance_make "$TEST_TMP/home" alice@pneu.test bob@pneu.test
	instance_start
	wait_for "s6-ipcclient '$PNEU_HOME/run/hook' true 2>/dev/null" || bail "no run/hook: $(instance_logs)"
	programs
	stranger
	restart
	greylist
	spf
	unreachable
	instance_stop
}

as_both everything
done_testing
