# shellcheck shell=sh
# Helpers of the scenario tests: TAP, waiting for conditions, instances that leave nothing behind. A test is an
# executable sh file, run from the top of the tree, that begins with
#
#     #!/bin/sh
#     . "${PNEU_TOP:-.}/tests/lib.sh"
#
# and ends with done_testing. Everything it starts inherits $PNEU_TEST and is ended, by pid, when it exits.
#
#   is GOT WANTED NAME        like TEXT ERE NAME        ok NAME COMMAND...        code N NAME COMMAND...
#   skip N WHY                skip_all WHY              note TEXT                 bail WHY
#   results FILE              "ok WHAT" and "not ok WHAT" of a python part; other lines are notes
#   wait_for CONDITION [SECONDS]      polls a shell condition; false after SECONDS (default 60: other work may be slow)
#   free_port                         prints a TCP port of 127.0.0.1 nobody uses
#   listening PORT                    true once somebody listens there
#   as_user COMMAND...                as nobody if we are root, else as we are
#   as_both FUNCTION                  runs it; if we are root, the whole test once more as nobody
#   instance_make DIR [ADDRESS...]    an instance with these mailboxes and a listener "in" at $PORT; uses it
#   instance_use DIR                  sets PNEU_HOME and PORT to those of DIR
#   instance_start [DIR]  instance_stop [DIR]  instance_running [DIR]
#   service_pid NAME                  process id of one service
#   listener_anew NAME COMMAND...     runs it, and waits until that listener is another process, and listens
#   maildir ADDRESS                   prints its Maildir
#   mails ADDRESS                     number of messages there
#   mail_of ADDRESS                   prints the only (or the first) one
#   queue_empty                       nothing waits in queue/new and queue/wait
# TEST_TMP is a folder of its own, removed at the end.

set -u
exec </dev/null
umask 022
LC_ALL=C
PNEU_TOP=${PNEU_TOP:-$(pwd)}
PNEU_VARIANT=${PNEU_VARIANT:-static}
PNEU_BIN=${PNEU_BIN:-$PNEU_TOP/build/$PNEU_VARIANT/bin}
PNEU_TESTS=${PNEU_TESTS:-$PNEU_TOP/build/$PNEU_VARIANT/tests}
unset PNEU_HOME PNEU_QUEUE PNEU_ENVELOPE PNEU_INTAKE PNEU_SERVER QMAILUSER QMAILHOST QMAILINJECT MAILUSER MAILHOST
unset QMAILNAME MAILNAME QMAILSUSER QMAILSHOST USER LOGNAME
TEST_TMP=$(mktemp -d "${TMPDIR:-/tmp}/pneu-test.XXXXXX") || exit 111
chmod 755 "$TEST_TMP"
PNEU_TEST=$TEST_TMP
TEST_COUNT=0 TEST_FAILED=0 TEST_USER=nobody TEST_GROUP=nogroup
export LC_ALL PNEU_TOP PNEU_VARIANT PNEU_BIN PNEU_TESTS PNEU_TEST

note() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }
bail() { printf 'Bail out! %s\n' "$*"; exit 111; }

# ---- TAP ----

test_result() { # 0|1 NAME
	TEST_COUNT=$((TEST_COUNT + 1))
	if test "$1" = 0; then
		printf 'ok %d - %s\n' "$TEST_COUNT" "$2"
	else
		TEST_FAILED=$((TEST_FAILED + 1))
		printf 'not ok %d - %s\n' "$TEST_COUNT" "$2"
	fi
	return "$1"
}

ok() { # NAME COMMAND...
	test_name=$1
	shift
	if "$@" >"$TEST_TMP/.out" 2>&1; then
		test_result 0 "$test_name"
	else
		test_result 1 "$test_name"
		note "exit $? of: $*"
		note "$(head -c 4000 "$TEST_TMP/.out")"
		return 1
	fi
}

code() { # N NAME COMMAND... : its exit code; what it prints is left in $TEST_TMP/.out
	test_want=$1 test_name=$2
	shift 2
	test_got=0
	"$@" >"$TEST_TMP/.out" 2>&1 || test_got=$?
	if test "$test_got" = "$test_want"; then
		test_result 0 "$test_name"
	else
		test_result 1 "$test_name"
		note "exit $test_got, not $test_want, of: $*"
		note "$(head -c 4000 "$TEST_TMP/.out")"
		return 1
	fi
}

is() { # GOT WANTED NAME
	if test "$1" = "$2"; then
		test_result 0 "$3"
	else
		test_result 1 "$3"
		note "     got: $1"
		note "expected: $2"
		return 1
	fi
}

like() { # TEXT ERE NAME
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		test_result 0 "$3"
	else
		test_result 1 "$3"
		note "     got: $1"
		note "no match: $2"
		return 1
	fi
}

results() { # FILE
	while IFS= read -r test_line; do
		case $test_line in
		'ok '*) test_result 0 "${test_line#ok }" ;;
		'not ok '*) test_result 1 "${test_line#not ok }" || : ;;
		*) note "$test_line" ;;
		esac
	done <"$1"
}

skip() { # N WHY
	test_left=$1
	while test "$test_left" -gt 0; do
		TEST_COUNT=$((TEST_COUNT + 1)) test_left=$((test_left - 1))
		printf 'ok %d # SKIP %s\n' "$TEST_COUNT" "$2"
	done
}

skip_all() { # WHY
	printf '1..0 # SKIP %s\n' "$*"
	exit 0
}

done_testing() {
	printf '1..%d\n' "$TEST_COUNT"
	test "$TEST_FAILED" = 0 || exit 1
	exit 0
}

# ---- waiting, ports, users ----

wait_for() { # CONDITION [SECONDS]
	test_end=$(($(date +%s) + ${2:-60} + 1))
	until eval "$1"; do
		if test "$(date +%s)" -ge "$test_end"; then
			note "waited ${2:-60} s in vain for: $1"
			return 1
		fi
		sleep 0.02
	done
}

free_port() { "$PNEU_TESTS/tool/freeport"; }

listening() { # PORT
	test_port=$(printf '%04X' "$1")
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v p=":$test_port\$" '$4 == "0A" && $2 ~ p { found = 1 } END { exit !found }'
}

test "$(id -u)" = 0 && TEST_ROOT=1 || TEST_ROOT=

as_user() { # COMMAND...
	if test -n "$TEST_ROOT"; then
		setpriv --reuid="$TEST_USER" --regid="$TEST_GROUP" --clear-groups env HOME=/nonexistent "$@"
	else
		"$@"
	fi
}

as_both() { # FUNCTION
	"$1"
	test -n "$TEST_ROOT" || return 0
	as_user "$TEST_SELF" >"$TEST_TMP/.user" || :
	grep -q '^1\.\.' "$TEST_TMP/.user" || test_result 1 "as an ordinary user: came to its end"
	while IFS= read -r test_line; do
		case $test_line in
		'ok '*'# SKIP '*) skip 1 "${test_line#*# SKIP }" ;;
		'ok '*) test_result 0 "as an ordinary user: ${test_line#ok * - }" ;;
		'not ok '*) test_result 1 "as an ordinary user: ${test_line#not ok * - }" || : ;;
		esac
	done <"$TEST_TMP/.user"
}

# The users of an instance that root makes must reach the programs: where they cannot reach the tree, a copy is used.
TEST_SELF=$0
case $TEST_SELF in /*) ;; *) TEST_SELF=$(pwd)/$0 ;; esac
if test -n "$TEST_ROOT" && ! as_user test -r "$TEST_SELF" -a -x "$PNEU_TESTS/tool/freeport"; then
	test_tree=$TEST_TMP/tree/build/$PNEU_VARIANT
	mkdir -p "$test_tree"
	cp -R "$PNEU_BIN" "$test_tree/bin"
	cp -R "$PNEU_TESTS" "$test_tree/tests"
	cp -R "$PNEU_TOP/tests" "$PNEU_TOP/package" "$TEST_TMP/tree/"
	cp "$TEST_SELF" "$TEST_TMP/tree/self.t"
	chmod -R a+rX "$TEST_TMP/tree"
	TEST_SELF=$TEST_TMP/tree/self.t
	PNEU_TOP=$TEST_TMP/tree PNEU_BIN=$test_tree/bin PNEU_TESTS=$test_tree/tests
fi
PATH=$PNEU_BIN:$PATH:/usr/sbin:/sbin
export PATH

# ---- the end ----

test_processes() { # everything that was started from here and still runs
	grep -lzxF "PNEU_TEST=$PNEU_TEST" /proc/[0-9]*/environ 2>/dev/null | sed 's,^/proc/\([0-9]*\)/.*,\1,'
}

test_cleanup() {
	test_code=$?
	trap - EXIT
	trap '' HUP INT TERM
	cd /
	for test_round in 1 2 3 4 5; do
		test_pids=$(test_processes)
		test -n "$test_pids" || break
		# shellcheck disable=SC2086
		kill -KILL $test_pids 2>/dev/null
		test "$test_round" = 1 || sleep 0.05
	done
	if test -n "${PNEU_KEEP:-}"; then note "kept: $TEST_TMP"; else rm -rf "$TEST_TMP"; fi
	exit "$test_code"
}
trap test_cleanup EXIT
trap 'exit 111' HUP INT TERM

# ---- instances ----

instance_make() { # DIR [ADDRESS...]
	test_dir=$1
	shift
	pneu-instance -f "$test_dir" >"$TEST_TMP/.instance" 2>&1 || bail "pneu-instance: $(cat "$TEST_TMP/.instance")"
	PNEU_HOME=$test_dir PORT=$(free_port)
	export PNEU_HOME PORT
	echo "$PORT" >"$test_dir/port"
	{
		pneu-control set me mx.pneu.test && pneu-server add in smtp 127.0.0.1 "$PORT"
	} >"$TEST_TMP/.instance" 2>&1 || bail "$(cat "$TEST_TMP/.instance")"
	for test_address; do
		pneu-mailbox add "$test_address" >"$TEST_TMP/.instance" 2>&1 || bail "pneu-mailbox: $(cat "$TEST_TMP/.instance")"
	done
}

instance_use() { # DIR
	PNEU_HOME=$1 PORT=$(cat "$1/port")
	export PNEU_HOME PORT
}

instance_running() { # [DIR]
	s6-svscanctl -a "${1:-$PNEU_HOME}/service" 2>/dev/null
}

instance_start() { # [DIR]
	test_dir=${1:-$PNEU_HOME}
	PNEU_HOME=$test_dir s6-svscan "$test_dir/service" >>"$test_dir/log/svscan" 2>&1 </dev/null &
	echo $! >"$test_dir/svscan.pid"
	for test_socket in intake local remote; do
		wait_for "s6-ipcclient '$test_dir/run/$test_socket' true 2>/dev/null" || bail "no run/$test_socket: $(instance_logs)"
	done
	if test -d "$test_dir/service/in"; then
		wait_for "listening $(cat "$test_dir/port")" || bail "no listener: $(instance_logs)"
	fi
}

instance_logs() { # the end of every log, for a failure's note
	tail -n 5 "${PNEU_HOME:-/nonexistent}"/log/svscan "${PNEU_HOME:-/nonexistent}"/log/*/current 2>/dev/null
}

instance_stop() { # [DIR]
	test_dir=${1:-$PNEU_HOME}
	test -f "$test_dir/svscan.pid" || return 0
	test_svscan=$(cat "$test_dir/svscan.pid")
	rm -f "$test_dir/svscan.pid"
	kill -TERM "$test_svscan" 2>/dev/null
	wait_for "! kill -0 $test_svscan 2>/dev/null" || kill -KILL "$test_svscan"
	# Deliveries under way may outlive their parents; they are this instance's own.
	test_pids=$(grep -lzxF "PNEU_HOME=$test_dir" /proc/[0-9]*/environ 2>/dev/null | sed 's,^/proc/\([0-9]*\)/.*,\1,')
	# shellcheck disable=SC2086
	test -z "$test_pids" || kill -KILL $test_pids 2>/dev/null
	wait "$test_svscan" 2>/dev/null
	:
}

service_pid() { # NAME: nothing if it is down: s6-svstat says -1 then, and kill takes that for everybody
	test_pid=$(s6-svstat -o pid "$PNEU_HOME/service/$1" 2>/dev/null)
	test "${test_pid:-0}" -gt 1 && printf '%s\n' "$test_pid"
}

listener_anew() { # NAME COMMAND... : some settings end a listener for another, which s6 starts a second later at most
	test_listener=$1 test_old=$(service_pid "$1")
	shift
	"$@"
	wait_for 'test_new=$(service_pid "$test_listener") && test "$test_new" != "$test_old" &&
		listening "$(sed "s/.* //" "$PNEU_HOME/control/servers/$test_listener/listen")"' || bail "$(instance_logs)"
}

maildir() { printf '%s/mail/%s/%s/Maildir\n' "$PNEU_HOME" "${1##*@}" "${1%@*}"; }

mails() { find "$(maildir "$1")/new" "$(maildir "$1")/cur" -type f 2>/dev/null | wc -l; }

mail_of() { find "$(maildir "$1")/new" "$(maildir "$1")/cur" -type f 2>/dev/null | sort | head -n 1 | xargs -r cat; }

queue_empty() { ! find "$PNEU_HOME/queue/new" "$PNEU_HOME/queue/wait" -type f ! -name '.*' 2>/dev/null | grep -q .; }
