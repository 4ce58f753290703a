#!/bin/sh
# The helpers themselves.
. "${PNEU_TOP:-.}/tests/lib.sh"

body() {
	is "$(printf 'a\nb')" "a
b" "is compares texts"
	like "one two" '^one' "like matches"
	ok "ok runs a command" true
	code 3 "code looks at the exit code" sh -c 'exit 3'
	skip 1 "shows a skipped test"
	port=$(free_port)
	like "$port" '^[0-9]+$' "free_port prints a number"
	listening "$port"
	is $? 1 "nobody listens there"
	tcpserver -HRl0 127.0.0.1 "$port" true 2>/dev/null &
	ok "wait_for waits until somebody does" wait_for "listening $port"
	wait_for false 0 2>/dev/null
	is $? 1 "wait_for ends"
}

as_both body
if test -n "$TEST_ROOT"; then
	is "$(as_user id -u)" "$(id -u nobody)" "as_user is nobody"
fi
done_testing
