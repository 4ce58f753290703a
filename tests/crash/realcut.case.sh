#!/bin/sh
# The plug is pulled on ext4, xfs and btrfs: at each call of the accept commit and of a Maildir delivery.
# goals: R4
. "${PNEU_TOP:-.}/tests/crash/lib.sh"
test "$(id -u)" = 0 || {
	echo "only root can mount: skipped"
	exit 0
}
printf 'Subject: small\n\nbody\n' >"$CRASH_TMP/small"
seq 1 30000 >"$CRASH_TMP/large"
CRASH_ID=0660d04f07c5323c94550402bfaf CRASH_WAY=plain
export CRASH_ID CRASH_WAY
seq 1 30000 >"$CRASH_TMP/mail"
printf 'mailbox mailbox %s s@example.net %s alice@example.org;user=alice;home=@HOME@/mail/example.org/alice;dash=;ext=\n' $CRASH_ID "$CRASH_TMP/mail" \
	>"$CRASH_TMP/job"
cat >"$CRASH_TMP/deliver" <<'DELIVER'
PNEU_HOME=$1
export PNEU_HOME
sed "s,@HOME@,$1," "$2" | timeout 60 /usr/bin/python3 "$PNEU_TOP/tests/tool/fakesend.py" --all "exec:pneu-local -j"
DELIVER

cuts() { # LABEL FS ARGS...
	label="$1 on $2" fs=$2
	shift 2
	code=0
	"$CRASH/realcut.py" --fs "$fs" "$@" >"$CRASH_TMP/.log" 2>&1 || code=$?
	crash_report $code "$label" "$CRASH_TMP/.log"
}

filesystems='ext4 xfs btrfs'
test -z "${CRASH_SHORT:-}" || filesystems=ext4
for fs in $filesystems; do
	command -v "mkfs.$fs" >/dev/null || {
		echo "no mkfs.$fs: skipped"
		continue
	}
	repeat=${CRASH_REPEAT:-6}
	test -z "${CRASH_SHORT:-}" || repeat=1
	for size in small large; do
		CRASH_MESSAGE=$CRASH_TMP/$size
		export CRASH_MESSAGE
		cuts "commit $size" "$fs" --repeat "$repeat" --setup "mkdir -p @DIR@/queue/new @DIR@/queue/hold @DIR@/queue/wait" --stdin "$CRASH_MESSAGE" \
			--calls openat,write,pwrite64,fsync,linkat,close --oracle "$CRASH/oracle_cut.py @DIR@ queue" -- \
			env PNEU_HOME=@DIR@ "$PNEU_TESTS/tool/commit"
	done
	CRASH_MESSAGE=$CRASH_TMP/mail
	cuts "Maildir" "$fs" --repeat "$repeat" \
		--setup "mkdir -p @DIR@/control @DIR@/mail/example.org/alice/Maildir/new @DIR@/mail/example.org/alice/Maildir/tmp @DIR@/mail/example.org/alice/Maildir/cur; chmod -R 700 @DIR@/mail/example.org/alice" \
		--calls fsync,linkat,sendto,sendmsg,pwrite64 --oracle "$CRASH/oracle_cut.py @DIR@ maildir" -- \
		sh "$CRASH_TMP/deliver" @DIR@ "$CRASH_TMP/job"
done
crash_done
