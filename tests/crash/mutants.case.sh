#!/bin/sh
# Are the tests good enough? Each line below takes one safeguard out: of queue/commit.c, which faults and power cuts are tried on
# then, or of what moves and changes queued files, whose unit tests see each step. The tests must notice every one.
# goals: S6
. "${PNEU_TOP:-.}/tests/crash/lib.sh"
cd "$PNEU_TOP" || exit 111
test -z "${CRASH_SHORT:-}" || exit 0

mutants() {
	cat <<-'EOF'
		unchanged|
		file-not-synced|s/sync_fd(c->dir) \&\& sync_fd(c->fd)/sync_fd(c->dir)/
		failed-fsync-of-the-file-ignored|s/sync_fd(c->dir) \&\& sync_fd(c->fd)/sync_fd(c->dir) \&\& (sync_fd(c->fd), 1)/
		folder-not-synced|s/sync_fd(c->dir) \&\& sync_fd(c->fd)/sync_fd(c->fd)/
		failed-fsync-of-the-folder-ignored|s/sync_fd(c->dir) \&\& sync_fd(c->fd)/(sync_fd(c->dir), 1) \&\& sync_fd(c->fd)/
		named-before-the-data-is-on-its-way|s/if (sync_file_range.* == -1 || !name_it(c))/if (!name_it(c))/
		failed-write-to-the-device-ignored|s/if (sync_file_range(\(.*\)) == -1 || !name_it(c))/if ((sync_file_range(\1), 0) || !name_it(c))/
		large-file-not-synced|s/return sync_fd(c->fd) \&\& (c->token/return (c->token/
		failed-fsync-of-the-large-file-ignored|s/return sync_fd(c->fd) \&\& (c->token/return (sync_fd(c->fd), 1) \&\& (c->token/
		folder-of-the-large-file-not-synced|s/ : name_it(c)) \&\& durable_syncfd(c->dir);/ : name_it(c));/
		failed-fsync-of-its-folder-ignored|s/ : name_it(c)) \&\& durable_syncfd(c->dir);/ : name_it(c)) \&\& (durable_syncfd(c->dir), 1);/
		large-file-named-before-it-is-synced|s/return c->token || c->dotted || c->written || c->buffer.len > FILE_WHOLE ?/return 0 ?/
		any-error-of-fsync-is-EINTR|s/    return r == 0;/    return r == 0 || errno == ENOSPC;/
		fsync-is-tried-again|s/while (r == -1 \&\& errno == EINTR)/while (r == -1)/
		failed-link-ignored|s/== -1 || !name_it(c))/== -1 || (name_it(c), 0))/
		failed-link-of-the-large-file-ignored|s/ : name_it(c)) / : (name_it(c), 1)) /
		header-not-written|s/return flush(c) \&\& file_write(c->fd, header, FILE_HEADER, 0);/return flush(c);/
		rest-not-flushed|s/return flush(c) \&\& file_write/return file_write/
		status-of-done|s/STATUS_TODO, recipients/STATUS_DONE, recipients/
		no-fallback|s/if (errno != EOPNOTSUPP \&\& .*/if (1)/
		token-not-looked-up|s/known(c, [01])/0/
		crc-of-the-first-piece|s/c->crc = crc32c(c->crc, s, len);/if (!c->message) c->crc = crc32c(c->crc, s, len);/
	EOF
}

others() { # NAME|FILE|UNIT TEST|CHANGE
	cat <<-'EOF'
		write-error-ignored|queue/file|file|s/            return n == 0 ? (errno = ENOSPC, 0) : 0;/            return 1;/
		short-write-is-enough|queue/file|file|s/^        len -= (size_t)n;/        len = 0;/
		cut-off-move-ended-unsynced|queue/move|move|s/!durable_sync(folder) || !durable_unlink(i->path)/!durable_unlink(i->path)/
		kept-name-unsynced|queue/move|move|s/!durable_syncparent(i->path) || !durable_unlink(other)/!durable_unlink(other)/
		lock-not-asked-for|queue/move|move|s/r = flock(i->fd, .*/r = 0;/
		name-not-looked-at|queue/move|move|s/    if (r != 1)/    if (0)/
		not-read-again|queue/move|move|s/return finish_move(i) \&\& item_read(i, 0);/return finish_move(i);/
		cut-off-move-left|queue/move|move|s/return finish_move(i) \&\& /return /
		cannot-look-is-not-there|queue/move|move|s/return errno == ENOENT ? 0 : -1;/return 0;/
		moved-unsynced|queue/move|move|s/ || !durable_sync(folder) || !durable_unlink(from)/ || !durable_unlink(from)/
		failed-link-of-a-move-ignored|queue/move|move|s/if (!move_link(i->path, &i->st, folder, to) || /if ((move_link(i->path, \&i->st, folder, to), 0) || /
		another-file-taken-for-it|queue/move|move|s/return same(st, to) == 1 ? 1 : (errno = EEXIST, 0);/return 1;/
		no-reason-beside-it|queue/move|move|s/return move_why(folder, i->id, why) \&\&/return 1 \&\&/
		reason-where-another-lies|queue/move|move|s/^        return (errno = EEXIST, 0);/        ;/
		reason-not-written|queue/change|change|s/^        add_note(i, fd, &line);/        ;/
		another-file-marked|queue/change|change|s/if (fd != -1 \&\& (fstat.*/if (0) {/
		settled-ones-too|queue/change|change|s/return item_open_status(status) \&\& status != STATUS_FAILED;/return status != STATUS_FAILED;/
		unwanted-report-owed|queue/change|change|s/status == STATUS_FAILED \&\& !envelope_notify(cursor, "FAILURE", 1) ? STATUS_DONE : status/status/
		new-file-unlocked|queue/change|change|s/w->fd == -1 || flock(w->fd, LOCK_EX | LOCK_NB) == -1/w->fd == -1/
		written-unsynced|queue/moves|moves|s/fsync(m->list\[i\].written) == -1/0/
		not-in-one-step|queue/change|change|s/path, RENAME_EXCHANGE) == 0/path, RENAME_NOREPLACE) == 0/
		targets-unsynced|queue/moves|moves|s/sync_target(&targets, m->list + i, to);/;/
		reasons-unsynced|queue/moves|moves|s/sync_target(&synced, m->list + i, to);/;/
		sources-unsynced|queue/moves|moves|s/sync_for(&sources, m->list + i, .*/;/
		failed-sync-of-many-ignored|queue/moves|moves|s/one->e = s->of\[step\] - 1;/;/
		reason-unsynced|queue/moves|moves|s/ == len \&\& fsync(fd) == 0;/ == len;/
		two-names-settled-unlocked|send/message|send-message|s/ \&\& flock(file, LOCK_EX | LOCK_NB) == 0;/;/
		found-failure-unsynced|send/message|send-message|s/if (flags \& ENTRY_AGAIN || m->failed)/if (flags \& ENTRY_AGAIN)/
		success-is-tried-again|send/attempt|send-message|s/ || status == STATUS_SUCCEEDED || status == STATUS_FAILED/ || status == STATUS_FAILED/
	EOF
}

noticed() { # false if all is well with it; a writer that does not work at all is noticed too
	for size in small large; do
		CRASH_MESSAGE=$CRASH_TMP/$size
		export CRASH_MESSAGE
		for inject in '' '-e inject=openat:error=EOPNOTSUPP:when=2'; do
			"$CRASH/crashstates.py" --root "$CRASH_TMP/home/queue" --said yes --event 'yes=out:^yes' --inner \
				--model posix,ordered --setup "rm -rf $CRASH_TMP/home; cp -R $CRASH_TMP/empty $CRASH_TMP/home" \
				--stdin "$CRASH_MESSAGE" --oracle "$CRASH/oracle_queue.py" \
				-- sh -c "exec \$CS_STRACE $inject $CRASH_TMP/mutant" >"$CRASH_TMP/.log" 2>&1 || return 0
			grep -q 'said whole' "$CRASH_TMP/.log" || return 0
		done
		"$CRASH/inject.py" --calls write,pwrite64,sync_file_range,fsync,linkat,openat --setup 'mkdir queue queue/new queue/hold queue/wait' \
			--stdin "$CRASH_MESSAGE" --oracle "$CRASH/oracle_queue.py @DIR@" --timeout 5 -- env PNEU_HOME=@DIR@ "$CRASH_TMP/mutant" \
			>"$CRASH_TMP/.log" 2>&1 || return 0
	done
	"$CRASH/inject.py" --sweep fsize=100000:170000:9973 --setup 'mkdir queue queue/new queue/hold queue/wait' \
		--stdin "$CRASH_MESSAGE" --oracle "$CRASH/oracle_queue.py @DIR@" -- env PNEU_HOME=@DIR@ "$CRASH_TMP/mutant" \
		>"$CRASH_TMP/.log" 2>&1 || return 0
	"$CRASH_TMP/unit" >"$CRASH_TMP/.log" 2>&1 || return 0
	return 1
}

compile() { # TO SOURCE...: with the build's own flags
	to=$1
	shift
	flags=$(cat "$built/flags")
	# shellcheck disable=SC2086
	${flags%% | *} -o "$to" "$@" "$built/lib.a" ${flags#* | }
}

built=${PNEU_TESTS%/tests}
crash_instance "$CRASH_TMP/empty"
printf 'Subject: small\n\nbody\n' >"$CRASH_TMP/small"
seq 1 30000 >"$CRASH_TMP/large"
PNEU_HOME=$CRASH_TMP/home
export PNEU_HOME
mutants >"$CRASH_TMP/mutants"
while IFS='|' read -r name change <&3; do
	CRASH_COUNT=$((CRASH_COUNT + 1))
	sed "$change" queue/commit.c >"$CRASH_TMP/commit.c"
	if test "$name" != unchanged && cmp -s queue/commit.c "$CRASH_TMP/commit.c"; then
		echo "$name: the line to change is not there any more"
		CRASH_BAD=$((CRASH_BAD + 1))
		continue
	fi
	if ! { compile "$CRASH_TMP/mutant" "$CRASH_TMP/commit.c" tests/tool/commit.c &&
		compile "$CRASH_TMP/unit" "$CRASH_TMP/commit.c" tests/unit/commit.c; } 2>"$CRASH_TMP/.log"; then
		echo "$name: does not compile"
		CRASH_BAD=$((CRASH_BAD + 1))
	elif noticed; then
		echo "$name: noticed"
		test "$name" != unchanged || CRASH_BAD=$((CRASH_BAD + 1)) # then the rest proves nothing
	elif test "$name" = unchanged; then
		echo "unchanged: passes"
	else
		echo "$name: NOT NOTICED"
		CRASH_BAD=$((CRASH_BAD + 1))
	fi
done 3<"$CRASH_TMP/mutants"
crash_goal S6 "$CRASH_BAD" 0 "$CRASH_COUNT mutants of queue/commit.c, not noticed"

others >"$CRASH_TMP/mutants"
all=0 left=0
while IFS='|' read -r name file unit change <&3; do
	all=$((all + 1)) CRASH_COUNT=$((CRASH_COUNT + 1))
	sed "$change" "$file.c" >"$CRASH_TMP/mutant.c"
	what=noticed
	if cmp -s "$file.c" "$CRASH_TMP/mutant.c"; then
		what="the line to change is not there any more"
	elif ! compile "$CRASH_TMP/unit" -w "$CRASH_TMP/mutant.c" "tests/unit/$unit.c" 2>"$CRASH_TMP/.log"; then
		what="does not compile"
	elif timeout 60 "$CRASH_TMP/unit" >"$CRASH_TMP/.log" 2>&1; then
		what="NOT NOTICED"
	fi
	test "$what" = noticed || left=$((left + 1))
	echo "$name: $what"
done 3<"$CRASH_TMP/mutants"
for unit in file move moves change send-message; do
	"$PNEU_TESTS/unit/$unit" >"$CRASH_TMP/.log" 2>&1 || left=$((left + 1)) # then the rest proves nothing
done
crash_goal S6 "$left" 0 "$all mutants of what moves and changes queued files, not noticed"
crash_done
