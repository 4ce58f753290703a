#!/bin/sh
# Delivery into a Maildir: by a file without a name, by one in tmp/ where there are no such files, into a Maildir that
# is missing, at a second attempt, and outside of the home.
# goals: R1 R2 R3
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

crash_instance "$CRASH_TMP/home"
export PNEU_HOME="$CRASH_TMP/home"
CRASH_ID=0660d04f07c5323c94550402bfaf
CRASH_MESSAGE=$CRASH_TMP/message
export CRASH_ID CRASH_MESSAGE
seq 1 30000 >"$CRASH_MESSAGE"
box=$PNEU_HOME/mail/example.org/alice
said="--said yes --event yes=out:class=K"

job() { # [again=1] : one job for that mailbox
	printf '%s ' mailbox mailbox $CRASH_ID s@example.net "$CRASH_MESSAGE" ${1:-} \
		"alice@example.org;user=alice;home=@HOME@/mail/example.org/alice;dash=;ext="
}
whole="{ printf 'Return-Path: <s@example.net>\nDelivered-To: alice@example.org\n'; cat $CRASH_MESSAGE; }"
# run HOME INJECT PROGRAM... : the job, for an instance there, under the tool's strace
cat >"$CRASH_TMP/run" <<'RUN'
home=$1 inject=$2
shift 2
PNEU_HOME=$home
export PNEU_HOME
sed "s,@HOME@,$home," "$CRASH_TMP/job" |
	timeout 60 /usr/bin/python3 "$PNEU_TOP/tests/tool/fakesend.py" --all "exec:${FI_STRACE:-}${CS_STRACE:-} $inject $*"
RUN

ways='plain named missing again moved'
# Outside of the home it is the helper that delivers. It lets nobody of its own uid look into it, which strace would
# have to: only root sees what it does.
test "$(id -u)" != 0 || ways="$ways elsewhere"
for way in $ways; do
	inject='' again='' box=mail/example.org/alice
	setup="rm -rf mail; mkdir -p control $box/Maildir/tmp $box/Maildir/new $box/Maildir/cur"
	case $way in
	named) inject='-e inject=openat:error=EOPNOTSUPP:when=6' ;;
	missing) setup="rm -rf mail; mkdir -p control $box" ;;
	again) again=again=1 setup="$setup; $whole >$box/Maildir/new/$CRASH_ID.0.0" ;;
	moved) again=again=1 setup="$setup; $whole >$box/Maildir/cur/$CRASH_ID.0.0:2,S" ;;
	elsewhere)
		setup="$setup; mv $box/Maildir mail/else; ln -s ../../else $box/Maildir"
		;;
	esac
	job $again >"$CRASH_TMP/job"
	export CRASH_WAY=$way
	case $way in elsewhere) there="$PNEU_HOME/$box" ;; *) there='' ;; esac
	# shellcheck disable=SC2086
	crash_states "Maildir $way" --root "$PNEU_HOME/mail" --said yes --event 'yes=out:class=K' --inner \
		--setup "cd $PNEU_HOME; $setup" --oracle "$CRASH/oracle_maildir.py" -- \
		sh "$CRASH_TMP/run" "$PNEU_HOME" "$inject" pneu-local -j $there
	test "$way" != named || continue # one injection a run
	case ${CRASH_SHORT:-}$way in 1missing | 1again | 1elsewhere) continue ;; esac
	case $way in elsewhere) there=@DIR@/$box ;; esac
	# shellcheck disable=SC2086
	crash_inject "Maildir $way" --inner --setup "$setup" --oracle "$CRASH/oracle_maildir.py @DIR@/mail" -- \
		sh "$CRASH_TMP/run" @DIR@ '' pneu-local -j $there
done
crash_done
