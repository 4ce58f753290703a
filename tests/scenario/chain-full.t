#!/bin/sh
# A full disk: no mail is taken that has no room, none that was taken is lost, and all goes on when there is room again.
. "${PNEU_TOP:-.}/tests/lib.sh"

test -n "$TEST_ROOT" || skip_all "only root can mount"
if test -z "${CHAIN_FULL:-}"; then # again, in a mount namespace of its own, which takes the mount along when it ends
	unshare -m true 2>/dev/null || skip_all "no mount namespaces here"
	CHAIN_FULL=1 unshare -m "$TEST_SELF"
	exit
fi
disk=$TEST_TMP/disk
mkdir "$disk"
truncate -s 48M "$TEST_TMP/image"
if mkfs.ext4 -q -m 0 "$TEST_TMP/image" 2>/dev/null && mount -o loop "$TEST_TMP/image" "$disk" 2>/dev/null; then
	note "on ext4"
else
	mount -t tmpfs -o size=48m none "$disk" || skip_all "nothing can be mounted"
	note "on tmpfs"
fi
chmod 755 "$disk"

send() { swaks --server "127.0.0.1:$PORT" --helo client.test --from me@far.test --to you@pneu.test --silent 2 "$@"; }
fill() { dd if=/dev/zero of="$disk/fill" bs=64k 2>/dev/null; dd if=/dev/zero of="$disk/fill.rest" bs=1k 2>/dev/null; }

instance_make "$disk/inst" you@pneu.test
pneu-control set retryfirst 1
pneu-control set retrymax 1
instance_start
head -c 3000000 /dev/zero | tr '\0' a | fold -w 70 >"$TEST_TMP/large"

code 0 "with room a mail is taken" send
ok "and delivered" wait_for 'test "$(mails you@pneu.test)" = 1 && queue_empty'
fill
send >"$TEST_TMP/.out" 2>&1
like "$(cat "$TEST_TMP/.out")" '452 4\.3\.1' "without room it is refused for now, with 452"
printf 'To: you@pneu.test\n\nx\n' >"$TEST_TMP/letter"
code 111 "pneu-inject too" pneu-inject <"$TEST_TMP/letter"
is "$(find "$PNEU_HOME/queue/new" -type f | wc -l)" 0 "nothing half is left"

# No floor: the disk is full while the message is written.
rm -f "$disk/fill.rest"
pneu-control set minfree 0
pneu-control set minfreeinodes 0
is "$(pneu-control get minfree) $(pneu-control get minfreeinodes)" "0 0" "without a floor"
dd if=/dev/zero of="$disk/fill" bs=1M count=48 2>/dev/null
truncate -s -1M "$disk/fill"
send --data "@$TEST_TMP/large" >"$TEST_TMP/.out" 2>&1
like "$(cat "$TEST_TMP/.out")" '452 4\.3\.1' "a mail larger than what is left is refused for now, with 452"
is "$(find "$PNEU_HOME/queue/new" -type f | wc -l)" 0 "nothing half is left"

# Mail that was taken, and whose mailbox's disk is full when it is to be delivered.
rm -f "$disk/fill"
kill -STOP "$(service_pid send)"
accepted=0
for n in 1 2 3 4 5; do
	send --header "Subject: number-$n" >/dev/null 2>&1 && accepted=$((accepted + 1))
done
is $accepted 5 "five more are taken"
fill
kill -CONT "$(service_pid send)"
ok "while the disk is full the daemons run on" wait_for 'pid=$(service_pid send) && kill -0 "$pid"'
rm -f "$disk/fill" "$disk/fill.rest"
pneu-control unset minfree
pneu-control unset minfreeinodes
ok "when there is room again all are delivered" wait_for 'test "$(mails you@pneu.test)" = 6' 120
is "$(cat "$(maildir you@pneu.test)"/new/* | grep '^Subject: number' | sort | uniq -c | awk '{ print $1 $3 }' | tr '\n' ' ')" \
	"1number-1 1number-2 1number-3 1number-4 1number-5 " "each once"
ok "the queue is empty" wait_for queue_empty
code 0 "and mail is taken" send
is "$(find "$PNEU_HOME/queue/bad" "$PNEU_HOME/badmail" -type f)" "" "nothing is damaged"
instance_stop
cd /
umount "$disk"
done_testing
