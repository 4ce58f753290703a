#!/bin/sh
# ./do demo: an instance in a temporary folder, one mail over SMTP and one from a script, shown delivered, and the end.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
temp=$(mktemp -d "${TMPDIR:-/tmp}/pneu-demo.XXXXXX") || exit 111
chmod 755 "$temp"
PNEU_HOME=$temp/demo PNEU_PORT=$("$PNEU_BIN/../tests/tool/freeport") || exit 111
export PNEU_HOME PNEU_PORT
inbox=$PNEU_HOME/mail/pneu.test/you/Maildir/new

say() { printf '%s\n' "$*"; }
die() { say "demo: $*" >&2; exit 111; }

run=
finish() {
	code=$?
	trap - EXIT
	trap '' HUP INT TERM
	test -z "$run" || kill -TERM "$run" 2>/dev/null
	wait
	rm -rf "$temp"
	exit $code
}
trap finish EXIT
trap 'exit 111' HUP INT TERM

sh "$top/package/run.sh" >"$temp/out" 2>&1 &
run=$!

wait_for() { # CONDITION
	tries=0
	until eval "$1"; do
		tries=$((tries + 1))
		if test $tries -gt 300 || ! kill -0 $run; then
			cat "$temp/out" "$PNEU_HOME"/log/*/current >&2
			die "waited in vain for: $1"
		fi
		sleep 0.1
	done
}
wait_for "grep -q '^Stop with' '$temp/out'"
bin=$PNEU_BIN
test ! -d "$PNEU_HOME/.bin" || bin=$PNEU_HOME/.bin
PATH=$bin:$PATH

say "demo: a mail over SMTP, to 127.0.0.1 port $PNEU_PORT"
# shellcheck disable=SC2016
tcpclient -HRl0 127.0.0.1 "$PNEU_PORT" sh -c '
	ask() { # CODE LINE...: read an answer to its last line, then say that
		while read -r answer <&6 && echo "    S: $answer"; do
			case $answer in "$1 "*) break ;; "$1-"*) ;; *) exit 111 ;; esac
		done
		shift
		for line; do printf "%s\r\n" "$line" >&7 && echo "    C: $line"; done
	}
	ask 220 "EHLO demo.pneu.test"
	ask 250 "MAIL FROM:<me@pneu.test>"
	ask 250 "RCPT TO:<you@pneu.test>"
	ask 250 "DATA"
	ask 354 "From: me@pneu.test" "To: you@pneu.test" "Subject: over SMTP" "" "Hello." "."
	ask 250 "QUIT"
	ask 221' || die "the dialogue failed"
say "demo: a mail from a script, by pneu-inject"
printf 'From: me@pneu.test\nTo: you@pneu.test\nSubject: from a script\n\nHello again.\n' | pneu-inject || die "pneu-inject failed"

wait_for "test \"\$(find '$inbox' -type f | wc -l)\" = 2"
for mail in "$inbox"/*; do
	say "demo: delivered, ${mail#"$temp/"}"
	sed 's/^/    /' "$mail"
done
say "demo: all is well"
