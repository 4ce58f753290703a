#!/bin/sh
# The operator's verbs: whatever is cut short, the message is there once, whole, and what the operator was told is true.
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

CRASH_MESSAGE=$CRASH_TMP/message
export CRASH_MESSAGE
printf 'Subject: x\n\nbody\n' >"$CRASH_MESSAGE"

run() { # VERB COMMAND...
	CRASH_VERB=$1
	export CRASH_VERB
	shift
	first=$CRASH_TMP/empty
	rm -rf "$first"
	crash_instance "$first"
	mv "$first/queue/lock" "$first/lock"
	ln -s ../lock "$first/queue/lock"
	id=$(PNEU_HOME=$first "$PNEU_TESTS/tool/mkqueue" -w a@sender.test joe@one.test ann@two.test <"$CRASH_MESSAGE")
	ids=$id
	case $CRASH_VERB${CRASH_SHORT:+.} in # their moves go together; a redirection of two has 10,000 states
	hold* | release* | return* | redirect) ids="$id $(PNEU_HOME=$first "$PNEU_TESTS/tool/mkqueue" -w a@sender.test joe@one.test ann@two.test <"$CRASH_MESSAGE")" ;;
	esac
	case $CRASH_VERB in
	release) for held in $ids; do mv "$first/queue/wait/"*"/$held" "$first/queue/hold/" && echo why >"$first/queue/hold/$held.why"; done ;;
	fsck) truncate -s 130 "$first/queue/wait/"*"/$id" && echo 0 >"$first/control/copytime" && sleep 1.1 ;;
	esac
	CRASH_IDS=$ids
	export CRASH_IDS
	# shellcheck disable=SC2086 # several
	test "$CRASH_VERB" = fsck || set -- "$@" $ids
	crash_states "$CRASH_VERB" --root "$CRASH_TMP/home/queue" --said yes --event "yes=out:$id|put right" \
		--setup "rm -rf $CRASH_TMP/home; cp -a $first $CRASH_TMP/home; sleep ${settle:-0}" \
		--oracle "$CRASH/oracle_operator.py" -- env PNEU_HOME="$CRASH_TMP/home" "$@"
	test "$CRASH_VERB" = fsck || test -n "${CRASH_SHORT:-}" -a "$CRASH_VERB" = release || crash_inject "$CRASH_VERB" --setup "cp -a $first/. ." --timeout 20 --allow-refusal --no-sync-check \
		--oracle "$CRASH/oracle_operator.py @DIR@" -- env PNEU_HOME=@DIR@ "$@"
}
run hold pneu-hold
run release pneu-release
run remove pneu-remove
run return pneu-return -t joe@one.test
run redirect pneu-redirect -t joe@one.test new@three.test
settle=1.1 run fsck pneu-fsck
crash_done
