#!/bin/sh
# The accept commit: messages of one write and of many, with O_TMPFILE and with the name that begins with a dot.
# goals: R1 R2 R3
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

# A message of several blocks, in one write: what is not whole of it is told by a checksum.
seq 1 8000 >"$CRASH_TMP/middle"
export CRASH_MESSAGE="$CRASH_TMP/middle"
crash_states "commit middle tmpfile" --root "$CRASH_TMP/home/queue" --said yes --event 'yes=out:^yes' --inner \
	--setup "rm -rf $CRASH_TMP/home; cp -R $CRASH_TMP/empty $CRASH_TMP/home" --stdin "$CRASH_MESSAGE" \
	--oracle "$CRASH/oracle_queue.py" -- sh -c "exec \$CS_STRACE $PNEU_TESTS/tool/commit"

# Two writers of one token: while the second is between its look and its name, the first one's message goes to wait/.
rm -rf "$PNEU_HOME"
cp -R "$CRASH_TMP/empty" "$PNEU_HOME"
strace -qq -o "$CRASH_TMP/trace" -e trace=flock -e inject=flock:delay_enter=2000000:when=1 \
	"$PNEU_TESTS/tool/commit" 'parent 8' <"$CRASH_TMP/small" >"$CRASH_TMP/second" &
second=$!
until test -s "$CRASH_TMP/trace" || ! kill -0 $second 2>/dev/null; do sleep 0.02; done
"$PNEU_TESTS/tool/commit" 'parent 8' <"$CRASH_TMP/small" >"$CRASH_TMP/first"
id=$(ls "$PNEU_HOME/queue/new")
mv "$PNEU_HOME/queue/new/$id" "$PNEU_HOME/queue/wait/${id#??????????????????????????}/"
wait $second
crash_goal R1 "$(find "$PNEU_HOME/queue" -type f | wc -l)" 1 "files of $(cat "$CRASH_TMP/first" "$CRASH_TMP/second" | grep -c yes) writers of one token, one overtaken"
crash_done
