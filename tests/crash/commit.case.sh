#!/bin/sh
# The accept commit: messages of one write and of many, with O_TMPFILE and with the name that begins with a dot.
. "${PNEU_TOP:-.}/tests/crash/lib.sh"

crash_instance "$CRASH_TMP/empty"
printf 'Subject: small\n\nbody\n' >"$CRASH_TMP/small"
seq 1 30000 >"$CRASH_TMP/large"
export PNEU_HOME="$CRASH_TMP/home"

for size in small large; do
	CRASH_MESSAGE=$CRASH_TMP/$size
	export CRASH_MESSAGE
	for way in tmpfile dotted token; do
		set -- "$PNEU_TESTS/tool/commit"
		test $way != token || set -- "$@" 'parent 7'
		# The second openat is that of the file: there a file system without O_TMPFILE says so.
		inject=
		test $way != dotted || inject='-e inject=openat:error=EOPNOTSUPP:when=2'
		crash_states "commit $size $way" --root "$CRASH_TMP/home/queue" --said yes --event 'yes=out:^yes' --inner \
			--setup "rm -rf $CRASH_TMP/home; cp -R $CRASH_TMP/empty $CRASH_TMP/home" --stdin "$CRASH_MESSAGE" \
			--oracle "$CRASH/oracle_queue.py" -- sh -c "exec \$CS_STRACE $inject \"\$@\"" sh "$@"
		test $way != dotted || continue # one injection a run
		crash_inject "commit $size $way" --setup 'mkdir queue queue/new queue/hold queue/wait' --stdin "$CRASH_MESSAGE" \
			--oracle "$CRASH/oracle_queue.py @DIR@" -- env PNEU_HOME=@DIR@ "$@"
	done
done
crash_done
