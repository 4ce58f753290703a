#!/bin/sh
# users/passwords: pneu-mailbox writes it, pneu-checkpw reads it.
. "${PNEU_TOP:-.}/tests/lib.sh"

three() { # LOGIN PASSWORD
	printf '%s\0%s\0%s\0' "$1" "$2" 1700000000 >"$TEST_TMP/three"
}

check() { # LOGIN PASSWORD [SERVICE]: prints who it was, or the exit code
	three "$1" "$2"
	(
		unset PNEU_SERVICE
		test -z "${3:-}" || { PNEU_SERVICE=$3; export PNEU_SERVICE; }
		# shellcheck disable=SC2016
		pneu-checkpw sh -c 'echo "$USER $PNEU_PASSWORD $PNEU_RIGHTS"' 3<"$TEST_TMP/three" || echo $?
	)
}

passwords() {
	PNEU_HOME=$TEST_TMP/pneu
	export PNEU_HOME
	pneu-instance -fq "$PNEU_HOME" || bail "no instance"
	pneu-control set me mx.pneu.test
	store=$PNEU_HOME/users/passwords

	code 0 "add with nothing on descriptor 0" pneu-mailbox -q add bob@pneu.test
	ok "sets no password" test ! -e "$store"
	is "$(check bob@pneu.test '' smtp)" 1 "who has none cannot log in"
	ok "add with a password" sh -c 'echo sesame | pneu-mailbox -q add Alice@Pneu.test'
	is "$(cut -d: -f1-3 "$store")" "alice@pneu.test:main:smtp,pop3" "it is the main one and may do all"
	like "$(cut -d: -f4- "$store")" '^\$y\$[^:]*$' "hashed by yescrypt, and nothing else is kept"
	if test "$(id -u)" = 0; then
		is "$(stat -c '%a %U %G' "$store")" "640 root pneua" "only pneua may read it, and not write it"
	else
		is "$(stat -c '%a %u' "$store")" "600 $(id -u)" "only its owner may read it"
	fi
	is "$(check alice@pneu.test sesame smtp)" "alice@pneu.test main smtp,pop3" "pneu-checkpw takes it"
	is "$(check ALICE@PNEU.TEST sesame pop3)" "alice@pneu.test main smtp,pop3" "case does not matter in a login"
	is "$(check alice@pneu.test Sesame smtp)" 1 "it does in a password"
	is "$(check alice@pneu.test 'sesame ' smtp)" 1 "so does a blank"
	is "$(check alice@pneu.test '' smtp)" 1 "no password is none"
	is "$(check alice sesame smtp)" 1 "nor is a login without a domain one"
	is "$(check nobody@pneu.test sesame smtp)" 1 "who is not there cannot log in"
	is "$(check 'alice@pneu.test:main' sesame smtp)" 1 "no more than who looks like a line"

	# application passwords
	ok "one for the phone" sh -c 'echo tablet | pneu-mailbox -q passwd -n phone -r smtp alice@pneu.test'
	ok "one for the reader" sh -c 'echo "a b:c,d é" | pneu-mailbox -q passwd -n reader -r pop3 alice@pneu.test'
	is "$(pneu-mailbox passwd -l ALICE@pneu.test)" "main smtp,pop3
phone smtp
reader pop3" "-l lists them"
	is "$(check alice@pneu.test tablet smtp)" "alice@pneu.test phone smtp" "the phone may send"
	is "$(check alice@pneu.test tablet pop3)" 1 "and not fetch"
	is "$(check alice@pneu.test 'a b:c,d é' pop3)" "alice@pneu.test reader pop3" "the reader may fetch"
	is "$(check alice@pneu.test 'a b:c,d é' smtp)" 1 "and not send"
	is "$(check alice@pneu.test tablet)" 1 "where the service is not known, one that may not do all is no good"
	is "$(check alice@pneu.test sesame)" "alice@pneu.test main smtp,pop3" "one that may is"
	three alice@pneu.test tablet
	code 1 "-s goes before the environment" env PNEU_SERVICE=smtp sh -c 'pneu-checkpw -s pop3 true 3<"$1"' sh "$TEST_TMP/three"
	ok "a password is changed" sh -c 'echo other | pneu-mailbox -q passwd -n phone -r smtp alice@pneu.test'
	is "$(check alice@pneu.test tablet smtp)$(check alice@pneu.test other smtp)" "1alice@pneu.test phone smtp" "the old one is gone"
	is "$(pneu-mailbox passwd -l alice@pneu.test | wc -l)" 3 "and there are no more than before"
	code 0 "one is revoked" pneu-mailbox -q passwd -d phone alice@pneu.test
	is "$(check alice@pneu.test other smtp)$(check alice@pneu.test sesame smtp)" "1alice@pneu.test main smtp,pop3" "it alone"
	code 100 "and cannot be again" pneu-mailbox -q passwd -d phone alice@pneu.test
	is "$(echo x | pneu-mailbox passwd -n tv alice@pneu.test 2>&1; pneu-mailbox passwd -d tv alice@pneu.test 2>&1)" "pneu-mailbox: set the password tv of alice@pneu.test
pneu-mailbox: removed the password tv of alice@pneu.test" "what was done is told"
	like "$(pneu-mailbox passwd -n 'a b' alice@pneu.test 2>&1 </dev/null)" "no name of a password: a b;" "a name that is none, too"
	like "$(pneu-mailbox passwd -r imap alice@pneu.test 2>&1 </dev/null)" "no rights: imap; there are smtp" "and rights"

	# hashes and lines that others wrote
	cp "$store" "$TEST_TMP/store"
	{
		echo '# by hand'
		echo 'broken'
		echo 'broken:too:'
		/usr/bin/python3 -W ignore -c '
import crypt
for name, method in (("five", crypt.METHOD_SHA256), ("six", crypt.METHOD_SHA512), ("bcrypt", crypt.METHOD_BLOWFISH)):
    print(f"alice@pneu.test:{name}:smtp:" + crypt.crypt(name, crypt.mksalt(method)))
'
		echo 'alice@pneu.test:off:smtp,pop3:*'
		echo 'alice@pneu.test:empty:smtp,pop3:'
		printf 'alice@pneu.test:last:smtp:%s' "$(head -n 1 "$TEST_TMP/store" | cut -d: -f4)"
	} >>"$store"
	for name in five six bcrypt; do
		is "$(check alice@pneu.test $name smtp)" "alice@pneu.test $name smtp" "a hash of another kind: $name"
	done
	is "$(check alice@pneu.test '*' smtp)$(check alice@pneu.test '' smtp)" 11 "a locked one fits nothing"
	ok "one is added" sh -c 'echo new | pneu-mailbox -q passwd -n new alice@pneu.test'
	is "$(grep -c '^# by hand$\|^broken' "$store")" 3 "what was there stays"
	is "$(check alice@pneu.test five smtp)$(check alice@pneu.test new pop3)" "alice@pneu.test five smtpalice@pneu.test new smtp,pop3" "and works"
	i=$(pneu-mailbox passwd -l alice@pneu.test | wc -l)
	while test "$i" -lt 16; do
		i=$((i + 1))
		echo "pw$i" | pneu-mailbox -q passwd -n "n$i" alice@pneu.test
	done
	code 100 "not more than 16 of a mailbox" sh -c 'echo x | pneu-mailbox -q passwd -n more alice@pneu.test'
	is "$(check alice@pneu.test pw16 smtp)" "alice@pneu.test n16 smtp,pop3" "the last one works"

	# what cannot be
	code 100 "an empty password" sh -c 'echo | pneu-mailbox -q passwd alice@pneu.test'
	code 100 "none" pneu-mailbox -q passwd alice@pneu.test
	code 100 "too long a one" sh -c 'printf %0256d 1 | pneu-mailbox -q passwd alice@pneu.test'
	code 100 "one with a tab" sh -c 'printf "a\tb\n" | pneu-mailbox -q passwd alice@pneu.test'
	code 100 "of no mailbox" sh -c 'echo x | pneu-mailbox -q passwd carol@pneu.test'
	code 100 "of a domain" sh -c 'echo x | pneu-mailbox -q passwd pneu.test'
	for wrong in '-n a:b' '-n a/b' '-r smtp,imap' '-r smtp,' '-r ' '-l -d x' '-x'; do
		# shellcheck disable=SC2086
		code 100 "wrong: $wrong" pneu-mailbox passwd $wrong alice@pneu.test
	done
	code 100 "two addresses" pneu-mailbox passwd alice@pneu.test bob@pneu.test
	is "$(printf 'one\ntwo\n' | (pneu-mailbox -q passwd bob@pneu.test && cat))" two "only one line is taken"
	is "$(printf 'one\ntwo\n' | (pneu-mailbox -q add c1@pneu.test c2@pneu.test && cat))$(check c1@pneu.test one smtp)$(check c2@pneu.test two smtp)" \
		"c1@pneu.test main smtp,pop3c2@pneu.test main smtp,pop3" "add takes a line for each"

	# two at once, and none is lost
	for i in 1 2 3 4 5 6; do
		echo "pw$i" | pneu-mailbox -q passwd -n "n$i" bob@pneu.test &
	done
	wait
	is "$(pneu-mailbox passwd -l bob@pneu.test | wc -l)" 7 "six at once"
	is "$(find "$PNEU_HOME/users" -name '.*' -type f | wc -l)" 0 "no half file is left"

	# a mailbox takes its passwords along
	code 0 "a mailbox is deleted" pneu-mailbox -q del alice@pneu.test
	is "$(grep -c '^alice@' "$store")" 0 "so are its passwords"
	is "$(check bob@pneu.test one smtp)" "bob@pneu.test main smtp,pop3" "others have theirs"
	pneu-mailbox -q add alice@pneu.test
	is "$(check alice@pneu.test sesame smtp)" 1 "a new one of that name has not the old password"

	# verifiers, where the mechanisms are offered
	echo 'PLAIN SCRAM-SHA-256' >"$PNEU_HOME/control/authmech"
	mkdir -p "$PNEU_HOME/control/servers/sub"
	echo 'CRAM-MD5' >"$PNEU_HOME/control/servers/sub/authmech"
	echo pencil | pneu-mailbox -q passwd alice@pneu.test
	echo pencil2 | pneu-mailbox -q passwd -n two alice@pneu.test
	like "$(grep '^alice@pneu.test:main:' "$store")" ':scram-sha-256=10000,[^:,]{24},[^:,]{44},[^:,]{44}:cram-md5=[^:,]{44}$' "verifiers"
	is "$(sed -n 's/^alice.*scram-sha-256=10000,\([^,]*\),.*/\1/p' "$store" | sort -u | wc -l)" 1 "one salt for a mailbox"
	is "$(grep -c 'pencil\|sesame' "$store")" 0 "no password is written down"
	echo nonsense >"$PNEU_HOME/control/authmech"
	code 100 "a mechanism that nobody knows" sh -c 'echo x | pneu-mailbox -q passwd alice@pneu.test'
	rm "$PNEU_HOME/control/authmech"

	# the interface of checkpassword
	three alice@pneu.test pencil
	code 2 "no descriptor 3" sh -c 'pneu-checkpw true 3<&-'
	code 2 "no program" sh -c 'pneu-checkpw 3<"$1"' sh "$TEST_TMP/three"
	code 111 "a program that is not there" sh -c 'pneu-checkpw /nonexistent/x 3<"$1"' sh "$TEST_TMP/three"
	code 7 "its exit code" sh -c 'pneu-checkpw sh -c "exit 7" 3<"$1"' sh "$TEST_TMP/three"
	code 0 "descriptor 3 is closed for it" sh -c 'pneu-checkpw sh -c "! test -e /proc/self/fd/3" 3<"$1"' sh "$TEST_TMP/three"
	# shellcheck disable=SC2016
	is "$(sh -c 'pneu-checkpw sh -c "echo \$HOME \$SHELL" 3<"$1"' sh "$TEST_TMP/three")" "$PNEU_HOME/mail/pneu.test/alice /bin/sh" "HOME, SHELL"
	if test "$(id -u)" = 0; then
		# shellcheck disable=SC2016
		is "$(sh -c 'pneu-checkpw sh -c "id -un; id -gn; id -Gn; pwd" 3<"$1"' sh "$TEST_TMP/three" | tr '\n' ' ')" \
			"pneuv pneuv pneuv $PNEU_HOME/mail/pneu.test/alice " "root becomes the mailbox's owner"
	fi
	for bad in '' 'alice@pneu.test' 'alice@pneu.test\0pencil' 'alice@pneu.test\0pencil\0' 'alice@pneu.test\0pencil\01'; do
		printf "$bad" >"$TEST_TMP/bad"
		code 2 "malformed: $bad" sh -c 'pneu-checkpw true 3<"$1"' sh "$TEST_TMP/bad"
	done
	head -c 4000 /dev/zero | tr '\0' a >"$TEST_TMP/bad"
	code 2 "endless" sh -c 'pneu-checkpw true 3<"$1"' sh "$TEST_TMP/bad"
	code 2 "a service nobody knows" sh -c 'pneu-checkpw -s imap true 3<"$1"' sh "$TEST_TMP/three"
	mv "$store" "$store.away"
	mkdir "$store"
	code 111 "passwords that cannot be read are no refusal" sh -c 'pneu-checkpw true 3<"$1"' sh "$TEST_TMP/three"
	rmdir "$store"
	mv "$store.away" "$store"
	code 111 "nor is a home that is not there" env PNEU_HOME=/nonexistent/x sh -c 'pneu-checkpw true 3<"$1"' sh "$TEST_TMP/three"
}

# A terminal: python has one for us.
terminal() {
	cat >"$TEST_TMP/terminal.py" <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b''
answers = sys.argv[1].split('/')
while True:
    try:
        got = os.read(fd, 1000)
    except OSError:
        break
    if not got:
        break
    seen += got
    if seen.count(b'@pneu.test: ') and answers and seen.endswith(b': '):
        os.write(fd, answers.pop(0).encode() + b'\n')
sys.stdout.write(seen.decode().replace('\r', ''))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
	code 0 "asked at a terminal" /usr/bin/python3 "$TEST_TMP/terminal.py" sesam2/sesam2 pneu-mailbox -q passwd bob@pneu.test
	is "$(cat "$TEST_TMP/.out")" "New password of bob@pneu.test: 
Once more, the password of bob@pneu.test: " "twice, and it is not shown"
	is "$(check bob@pneu.test sesam2 smtp)" "bob@pneu.test main smtp,pop3" "it is set"
	code 100 "two that differ" /usr/bin/python3 "$TEST_TMP/terminal.py" a/b pneu-mailbox -q passwd bob@pneu.test
	is "$(check bob@pneu.test sesam2 smtp)" "bob@pneu.test main smtp,pop3" "change nothing"
	code 0 "add asks, too" /usr/bin/python3 "$TEST_TMP/terminal.py" new/new pneu-mailbox -q add dora@pneu.test
	is "$(check dora@pneu.test new smtp)" "dora@pneu.test main smtp,pop3" "and sets it"
	code 0 "add takes an empty line for none" /usr/bin/python3 "$TEST_TMP/terminal.py" '' pneu-mailbox -q add emil@pneu.test
	is "$(pneu-mailbox passwd -l emil@pneu.test)" "" "none is set"
	code 0 "add again asks no more" /usr/bin/python3 "$TEST_TMP/terminal.py" x/x pneu-mailbox -q add dora@pneu.test
	is "$(cat "$TEST_TMP/.out")" "" "who has one"
}

both() {
	passwords
	terminal
}

as_both both
done_testing
