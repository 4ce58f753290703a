# shellcheck shell=sh
# For scenario tests of the queue alone: a bare instance and its daemons, without the rest of pneu. Sourced after lib.sh.

# bare_instance DIR: all uids are ours, or where root tests, those of the list below.
bare_instance() {
	PNEU_HOME=$1
	export PNEU_HOME
	mkdir -p "$1/queue/new" "$1/queue/hold" "$1/queue/bad" "$1/queue/lock" "$1/queue/wait" "$1/control" "$1/run" "$1/users"
	for a in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
		for b in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do echo "$1/queue/wait/$a$b"; done
	done | xargs mkdir -p
	mkfifo "$1/queue/lock/trigger"
	echo queue.test >"$1/control/me"
	for u in pneud:60001 pneut:60002 pneuq:60003 pneuf:60004 pneur:60005 pneuv:60006; do
		test -n "$TEST_ROOT" || u=${u%:*}:$(id -u)
		echo "$u:${u#*:}"
	done >"$1/users/ids"
	chmod 755 "$1" "$1/control" "$1/run" "$1/users"
	chmod 644 "$1"/control/* "$1"/users/*
	if test -n "$TEST_ROOT"; then
		chown -R 60003:60003 "$1/queue"
		chmod 700 "$1/queue"
	fi
}

as_uid() { # UID COMMAND...: as that uid where root tests, else as we are
	uid=$1
	shift
	if test -n "$TEST_ROOT"; then setpriv --reuid="$uid" --regid="$uid" --clear-groups "$@"; else "$@"; fi
}

intake_start() { # starts pneu-queued in $PNEU_HOME; its pid is in $INTAKE
	(cd "$PNEU_HOME" && exec s6-ipcserver-socketbinder -a 0666 run/intake s6-setuidgid-or-not 60003 pneu-queued) 2>>"$PNEU_HOME/log" &
	INTAKE=$!
	wait_for 'test -S "$PNEU_HOME/run/intake" && test "$(cat /proc/$INTAKE/comm)" = pneu-queued' || bail "pneu-queued does not start"
}

filter_start() { # the same for pneu-filterd, in $FILTER
	(cd "$PNEU_HOME" && exec s6-ipcserver-socketbinder -a 0666 run/filter s6-setuidgid-or-not 60004 pneu-filterd) 2>>"$PNEU_HOME/log" &
	FILTER=$!
	wait_for 'test -S "$PNEU_HOME/run/filter" && test "$(cat /proc/$FILTER/comm)" = pneu-filterd' || bail "pneu-filterd does not start"
}

daemon_stop() { # PID
	kill -TERM "$1"
	wait "$1"
}

queued() { # number of messages in queue/new
	find "$PNEU_HOME/queue/new" -type f | wc -l
}

newest() { # path of the youngest one
	find "$PNEU_HOME/queue/new" -type f | sort | tail -n 1
}

message_of() { # FILE: prints the message, cut out by its header's word
	len=$(head -c 128 "$1" | sed 's/^pneu1 message=0*\([0-9][0-9]*\) .*/\1/')
	tail -c +129 "$1" | head -c "$len"
}

# s6-setuidgid wants names; this takes a uid, or nothing where we are not root.
mkdir -p "$TEST_TMP/bin"
cat >"$TEST_TMP/bin/s6-setuidgid-or-not" <<'EOF'
#!/bin/sh
uid=$1
shift
test "$(id -u)" = 0 || exec "$@"
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups "$@"
EOF
chmod 755 "$TEST_TMP/bin/s6-setuidgid-or-not" "$TEST_TMP/bin"
PATH=$TEST_TMP/bin:$PATH
