#!/bin/sh
# pneu-instance: what it makes, as root with users of their own and as an ordinary user; what it mends, what it refuses.
. "${PNEU_TOP:-.}/tests/lib.sh"

owner() { stat -c '%U %a' "$1"; }

# What it said, but for the warning of the file system that the tests happen to lie on.
said() { grep -v '^pneu-instance: warning: the queue lies on ' "$TEST_TMP/.out"; }

body() {
	dir=$TEST_TMP/inst$(id -u)
	code 0 "an instance from nothing" pneu-instance -f "$dir"
	like "$(cat "$TEST_TMP/.out")" '^pneu-instance: made queue/new$' "it says what it made"
	code 0 "a second time" pneu-instance -f "$dir"
	is "$(said)" "" "there is nothing to say"
	is "$(find "$dir/queue/wait" -mindepth 1 -type d | wc -l)" 256 "256 folders of waiting mail"
	ok "the trigger is a fifo" test -p "$dir/queue/lock/trigger"
	for name in new wait wait/00 wait/ff hold bad lock; do
		is "$(owner "$dir/queue/$name")" "$queue 700" "queue/$name is pneuq's alone"
	done
	is "$(owner "$dir/alias/Maildir/new")" "$virtual 700" "postmaster's mailbox is pneuv's alone"
	is "$(cat "$dir/alias/.qmail-postmaster")" "./Maildir/" "postmaster has a mailbox"
	is "$(cut -d: -f1 "$dir/users/ids" | tr '\n' ' ')" "pneud pneut pneua pneuq pneuf pneur pneuv pneul " "users/ids names all"
	ok "users/cdb is there for everybody" test "$(stat -c %a "$dir/users/cdb")" = 644
	ok "the host's name is there" test -s "$dir/control/me"
	code 0 "its settings are in order" env PNEU_HOME="$dir" pneu-control check
	for name in queued filterd authd hookd send spawn-local spawn-remote keyd; do
		ok "service $name" test -x "$dir/service/$name/run" -a -x "$dir/service/$name/log/run"
		ok "service $name is a script" sh -n "$dir/service/$name/run"
	done
	is "$(grep -c '@' "$dir"/service/*/run "$dir"/service/*/log/run | grep -vc ':0$')" 0 "no template word is left"

	# What an operator wrote stays; what is missing or wrong is mended.
	echo mx.example.org >"$dir/control/me"
	echo '&me@example.org' >"$dir/alias/.qmail-postmaster"
	rm "$dir/alias/.qmail-root"
	printf '#!/bin/sh\nexec mine\n' >"$dir/service/send/run"
	rmdir "$dir/queue/wait/7f" "$dir/queue/hold"
	chmod 755 "$dir/queue/new"
	rm "$dir/service/queued/run"
	code 0 "after somebody changed it" pneu-instance -f "$dir"
	is "$(said | sort)" "pneu-instance: changed the mode of queue/new
pneu-instance: made queue/hold
pneu-instance: made queue/wait/00 to ff
pneu-instance: made service/queued/run" "only what was wrong is mended"
	is "$(cat "$dir/control/me")" mx.example.org "control/me stayed"
	is "$(cat "$dir/alias/.qmail-postmaster")" "&me@example.org" "postmaster's file stayed"
	is "$(tail -n 1 "$dir/service/send/run")" "exec mine" "a script taken over stayed"
	is "$(owner "$dir/queue/hold")" "$queue 700" "the folder made anew is pneuq's"

	rm "$dir/queue/lock/trigger"
	: >"$dir/queue/lock/trigger"
	code 111 "a file where the fifo should be" pneu-instance -f "$dir"
	like "$(cat "$TEST_TMP/.out")" 'unable to use as a fifo queue/lock/trigger' "it says so"
	code 100 "no folder given" pneu-instance
	code 111 "a folder whose parent is not there" pneu-instance "$TEST_TMP/none/inst"
	like "$(cat "$TEST_TMP/.out")" 'unable to make folder' "it says so"
}

if test -n "$TEST_ROOT"; then
	queue=pneuq virtual=pneuv
else
	queue=$(id -un) virtual=$queue
fi
as_both body

if test -n "$TEST_ROOT"; then
	dir=$TEST_TMP/inst0
	for user in pneud pneut pneua pneuq pneuf pneur pneuv pneul; do
		is "$(grep "^$user:" "$dir/users/ids")" "$user:$(id -u $user):$(id -g $user)" "$user in users/ids is the system's"
	done
	like "$(getent passwd pneuq)" ':/nonexistent:/usr/sbin/nologin$' "they have neither home nor shell"
	like "$(cat "$dir/service/queued/run")" 's6-setuidgid pneuq pneu-queued' "the service drops root's rights"
	like "$(cat "$dir/service/send/log/run")" 's6-setuidgid pneul s6-softlimit -a 67108864 s6-log' "its logger too"
	code 111 "another user cannot mend it" as_user pneu-instance -f "$dir"
	mkdir -m 755 "$TEST_TMP/victim"
	rmdir "$dir/queue/wait/00" && ln -s "$TEST_TMP/victim" "$dir/queue/wait/00"
	rm -f "$dir/queue/lock/trigger"
	code 111 "a link in a folder of pneuq's" pneu-instance -f "$dir"
	is "$(owner "$TEST_TMP/victim")" "root 755" "what it leads to stays as it was"
	rm "$dir/queue/wait/00"
	code 0 "without it the instance is mended" pneu-instance -f "$dir"

	# File systems. A queue in memory is taken with a warning, what nobody knows is refused.
	mkdir "$TEST_TMP/memory"
	if unshare -m true 2>/dev/null; then
		code 0 "a queue in memory" unshare -m sh -c "
			mount -t tmpfs none $TEST_TMP/memory && pneu-instance -q $TEST_TMP/memory/inst"
		like "$(cat "$TEST_TMP/.out")" 'warning: the queue lies on tmpfs' "is taken with a warning"
		if unshare -m mount -t ramfs none "$TEST_TMP/memory" 2>/dev/null && grep -q 'overlay$' /proc/filesystems; then
			mkdir "$TEST_TMP/low"
			code 100 "a queue on overlayfs" unshare -m sh -c "
				mount -t tmpfs none $TEST_TMP/memory && cd $TEST_TMP/memory && mkdir up work all &&
				mount -t overlay -o lowerdir=$TEST_TMP/low,upperdir=up,workdir=work none all && pneu-instance all/inst"
			like "$(cat "$TEST_TMP/.out")" 'refused to trust a queue to this file system: overlayfs' "is refused"
		else
			skip 2 "no overlayfs here"
		fi
	else
		skip 4 "no mount namespaces here"
	fi
fi
done_testing
