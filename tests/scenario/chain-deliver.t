#!/bin/sh
# The whole chain, with every daemon under s6: from a socket and from scripts into mailboxes, as root under separate
# users and as an ordinary user.
. "${PNEU_TOP:-.}/tests/lib.sh"

send() { swaks --server "127.0.0.1:$PORT" --helo client.test --from me@far.test --silent 2 "$@"; }
letter() { printf 'From: me@far.test\nTo: %s\nSubject: %s\n\nHello.\n' "$1" "$2"; }
daemon_user() { stat -c %U "/proc/$(service_pid "$1")"; }

body() {
	instance_make "$TEST_TMP/inst$(id -u)" you@pneu.test she@pneu.test
	instance_start

	code 0 "a mail over SMTP" send --to you@pneu.test --body 'over SMTP'
	ok "is delivered" wait_for 'test "$(mails you@pneu.test)" = 1'
	mail=$(mail_of you@pneu.test)
	like "$mail" '^over SMTP$' "with its text"
	is "$(printf '%s\n' "$mail" | sed -n '1,2p')" "Return-Path: <me@far.test>
Delivered-To: you@pneu.test" "with its envelope"
	like "$mail" '^Received: from client.test \(\[127.0.0.1\]\)' "and the client's address"
	code 0 "one mail to both, and postmaster" send --to you@pneu.test,she@pneu.test,postmaster@pneu.test
	ok "is delivered to each" wait_for 'test "$(mails you@pneu.test) $(mails she@pneu.test)" = "2 1" &&
		find "$PNEU_HOME/alias/Maildir/new" -type f | grep -q .'
	code 24 "nobody else's" send --to none@pneu.test
	like "$(cat "$TEST_TMP/.out")" '550 5\.1\.1' "is refused at RCPT"
	code 24 "another domain's" send --to you@far.test
	like "$(cat "$TEST_TMP/.out")" '550 5\.7\.1' "is no relay's"

	letter she@pneu.test 'from a script' >"$TEST_TMP/letter"
	code 0 "pneu-inject" pneu-inject <"$TEST_TMP/letter"
	ok "delivers" wait_for 'test "$(mails she@pneu.test)" = 2'
	code 0 "pneu-sendmail" pneu-sendmail -t <"$TEST_TMP/letter"
	ok "delivers" wait_for 'test "$(mails she@pneu.test)" = 3'
	ok "the queue is empty" wait_for queue_empty

	# A filter counts from the next message on, and no longer once it is gone.
	mkdir -p "$PNEU_HOME/filters"
	cat >"$PNEU_HOME/filters/stamp" <<'FILTER'
#!/bin/sh
# A wrapper in qmail's manner: message on descriptor 0, envelope on 1, the next program behind.
exec 3<&1
{ echo "X-Stamp: $(id -u)"; cat; } | { exec "$@" 1<&3; }
FILTER
	chmod 755 "$PNEU_HOME/filters/stamp"
	pneu-control set filter "$PNEU_HOME/filters/stamp"
	code 0 "with a filter" send --to you@pneu.test
	ok "mail is delivered" wait_for 'test "$(mails you@pneu.test)" = 3'
	filterd=$(grep pneuf: "$PNEU_HOME/users/ids" | cut -d: -f2)
	is "$(cat "$(maildir you@pneu.test)"/new/* | grep '^X-Stamp')" "X-Stamp: $filterd" "through it, as pneuf"
	code 0 "pneu-inject too" pneu-inject <"$TEST_TMP/letter"
	ok "is delivered" wait_for 'test "$(mails she@pneu.test)" = 4'
	is "$(cat "$(maildir she@pneu.test)"/new/* | grep -c '^X-Stamp')" 1 "through it"
	pneu-control unset filter
	code 0 "without it" send --to you@pneu.test
	ok "mail is delivered" wait_for 'test "$(mails you@pneu.test)" = 4'
	is "$(cat "$(maildir you@pneu.test)"/new/* | grep -c '^X-Stamp')" 1 "as before"

	is "$(find "$PNEU_HOME/queue/bad" "$PNEU_HOME/queue/hold" "$PNEU_HOME/badmail" -type f)" "" "nothing went wrong"
	if test -n "$TEST_ROOT"; then
		for who in queued:pneuq send:pneuq spawn-remote:pneur filterd:pneuf in:pneud; do
			ok "${who%:*} runs as ${who#*:}" wait_for "test \"\$(daemon_user ${who%:*})\" = ${who#*:}"
		done
		is "$(find "$PNEU_HOME/mail" -type f ! -user pneuv)" "" "mail belongs to pneuv"
	else
		is "$(daemon_user queued) $(find "$PNEU_HOME/mail" -type f ! -user "$(id -un)")" "$(id -un) " "all is this user's"
	fi
}

# Users of the system, as root. getent's answer is ours, so that the system need not get a user.
system_users() {
	home=$TEST_TMP/home/joe uid=60017
	mkdir -p "$home/Maildir/new" "$home/Maildir/cur" "$home/Maildir/tmp" "$TEST_TMP/fake"
	chown -R $uid:$uid "$home"
	cat >"$TEST_TMP/fake/getent" <<FAKE
#!/bin/sh
echo 'root:x:0:0::/root:/bin/sh'
echo 'joe:x:$uid:$uid::$home:/bin/sh'
FAKE
	chmod 755 "$TEST_TMP/fake/getent"
	PATH=$TEST_TMP/fake:$PATH pneu-users -q
	pneu-control set locals mx.pneu.test local.test

	code 0 "a mail to a user" send --to joe@local.test
	ok "is in his Maildir" wait_for 'find "$home/Maildir/new" -type f | grep -q .'
	is "$(find "$home/Maildir/new" -type f -printf '%u %g\n')" "$uid $uid" "and his"
	cat >"$home/.qmail-prog" <<'QMAIL'
|cat >>"$HOME/program"; id >>"$HOME/program"
./Mailbox
&you@pneu.test
QMAIL
	chown $uid "$home/.qmail-prog"
	before=$(mails you@pneu.test)
	code 0 "a mail to his address for a program, an mbox and a forward" send --to joe-prog@local.test --body 'to the program'
	ok "is forwarded" wait_for 'test "$(mails you@pneu.test)" = $((before + 1))'
	like "$(cat "$home/program")" 'to the program' "the program got it"
	is "$(sed -n '/^uid=/p' "$home/program")" "uid=$uid gid=$uid groups=$uid" "with his rights, and his group alone"
	like "$(cat "$home/Mailbox")" '^From me@far.test ' "the mbox has it"
	code 24 "to nobody there" send --to jim@local.test
	code 0 "to root" send --to root@local.test
	ok "goes to postmaster" wait_for 'grep -qs "^Delivered-To: root@local.test" "$PNEU_HOME"/alias/Maildir/new/*'
	is "$(find "$home" ! -user $uid)" "" "nothing in his home is another's"

	# A virtual mailbox may not run programs.
	printf '|touch %s/ran\n' "$TEST_TMP" >"$PNEU_HOME/mail/pneu.test/she/.qmail"
	before=$(mails you@pneu.test)
	printf 'From: you@pneu.test\nTo: she@pneu.test\n\nx\n' | pneu-inject -f you@pneu.test
	ok "a program in a mailbox's .qmail bounces" wait_for 'test "$(mails you@pneu.test)" = $((before + 1))'
	ok "and does not run" test ! -e "$TEST_TMP/ran"
}

as_both body
test -z "$TEST_ROOT" || system_users
instance_stop
done_testing
