#!/bin/sh
# kill -9 of each daemon, and of everything at once, while mail comes in: nothing that was accepted is lost, nothing is
# delivered twice, and the instance goes on by itself.
. "${PNEU_TOP:-.}/tests/lib.sh"

python=/usr/bin/python3
test -x $python || python=$(command -v python3) || skip_all "no python3"

subjects() { # in her mailbox, a line each
	find "$(maildir you@pneu.test)/new" -type f -exec grep -h '^Subject: ' {} + | sed 's/Subject: //' | sort
}

shoot() { # NAME: the daemon of that service and the processes it has started
	victim=$(service_pid "$1") || return 0
	test "${victim:-0}" -gt 1 || return 0
	# shellcheck disable=SC2046
	kill -KILL "$victim" $(cat "/proc/$victim/task/$victim/children" 2>/dev/null) 2>/dev/null
	wait_for "again=\$(service_pid $1) && test \"\$again\" -gt 1 && test \"\$again\" != $victim"
}

body() {
	instance_make "$TEST_TMP/inst$(id -u)" you@pneu.test
	# An attempt that failed because its deliverer was shot is to be repeated soon.
	pneu-control set retryfirst 1
	pneu-control set retrymax 2
	instance_start
	load=$TEST_TMP/accepted$(id -u)
	: >"$load"
	$python "$PNEU_TOP/tests/tool/load.py" "$PORT" you@pneu.test 600 4 "$load" &
	loader=$!
	wait_for 'test "$(wc -l <"$load")" -gt 20' || bail "no load: $(instance_logs)"
	for name in queued send spawn-local spawn-remote filterd in queued send spawn-local; do
		before=$(wc -l <"$load")
		shoot "$name"
		ok "after kill -9 of $name mail is taken again" wait_for "test \$(wc -l <'$load') -gt $((before + 5))"
	done

	# Everything at once, as if the machine had been switched off but for the disk's memory; then a start.
	svscan=$(cat "$PNEU_HOME/svscan.pid")
	victims=$(grep -lzxF "PNEU_HOME=$PNEU_HOME" /proc/[0-9]*/environ 2>/dev/null | sed 's,^/proc/\([0-9]*\)/.*,\1,' |
		while read -r pid; do
			case $(cat "/proc/$pid/comm" 2>/dev/null) in pneu-* | s6-* | tcpserver) echo "$pid" ;; esac
		done)
	# shellcheck disable=SC2086
	kill -KILL "$svscan" $victims 2>/dev/null
	wait "$svscan" 2>/dev/null
	rm -f "$PNEU_HOME/run/intake" "$PNEU_HOME/run/local" "$PNEU_HOME/run/remote"
	instance_start
	before=$(wc -l <"$load")
	ok "after kill -9 of everything and a start mail is taken again" wait_for "test \$(wc -l <'$load') -gt $((before + 5))"
	: >"$load.stop"
	wait $loader
	sort "$load" >"$load.sorted"
	ok "all is delivered" wait_for 'queue_empty && subjects >"$TEST_TMP/got" && test -z "$(comm -23 "$load.sorted" "$TEST_TMP/got")"' 180
	subjects >"$TEST_TMP/got"
	is "$(comm -23 "$load.sorted" "$TEST_TMP/got" | wc -l)" 0 "of $(wc -l <"$load.sorted") accepted messages none is lost"
	is "$(uniq -d <"$TEST_TMP/got")" "" "none is delivered twice"
	is "$(find "$PNEU_HOME/queue/bad" "$PNEU_HOME/queue/hold" "$PNEU_HOME/badmail" -type f)" "" "none is damaged or bounced"
	instance_stop
}

as_both body
done_testing
