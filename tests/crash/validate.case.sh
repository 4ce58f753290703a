#!/bin/sh
# Are the unit tests of the validators, of the marks and of what moves and changes queued files good enough? Each operator of them is turned, one at a time: a test must notice.
# goals: S6
. "${PNEU_TOP:-.}/tests/crash/lib.sh"
cd "$PNEU_TOP" || exit 111
test -z "${CRASH_SHORT:-}" || exit 0
built=${PNEU_TESTS%/tests}

# Turns that change nothing that anybody could see: FILE|what stands before the operator|operator|why. A place that is not there any more is a failure.
cat >"$CRASH_TMP/same" <<'SAME'
queue/change|if (i->st.st_size|> end|it is cut to the length that it has
queue/change|pread(from, block, len|<|both are the same number there
queue/envelope|netstring_take(cursor, ENVELOPE_NAME_MAX|+ 1|what is one byte longer is refused for its name or its value
queue/envelope|stralloc_readyplus(to, n + whole|+ 1|room for one more byte
queue/file|have = st.st_size|<|both are the same number there
queue/file|f->header.message|>|the header makes such a file longer than that
queue/file|size_t n = left|<|both are the same number there
queue/file|if (value.len|>|is set to what it is
queue/file|if (line.len|<|a checksum and nothing behind it has no fields, and is no line either way
queue/file|size_t len = at - begin|<|both are the same number there
queue/move|line[static ITEM_WHY_MAX|+ 1|it says how much room there must be, and makes none
queue/move|line[ITEM_WHY_MAX|+ 1|room for one more byte
queue/move|if (n|> ITEM_WHY_MAX|is set to what it is
queue/move|for (int i = 0; i|< n - 1|the last byte is made the newline in any case
queue/move|i < n|- 1|the last byte is made the newline in any case
queue/move|if ((unsigned char)line[i]|< ' '|a blank becomes a blank
queue/moves|line[ITEM_WHY_MAX|+ 1|room for one more byte
send/marks|st.st_size - begin|>|begin is set to what it is
send/marks|if (st.st_size <= begin|\|\||no bytes: none are read either way; fewer: there is no memory for so many
send/marks|if (st.st_size|<=|no bytes: none are read either way
send/marks|if (n|<=|the file would have to shrink between two calls, and its history is empty then
send/marks|st.st_size|> m->logend|it is cut to the length that it has
send/marks|if (m->low|< m->high|no bytes are written
SAME

# Every place of the file where one of these may be turned into another: LINE NUMBER, and the changed file in $CRASH_TMP/N.c.
turn() { # FILE
	/usr/bin/python3 - "$1" "$CRASH_TMP" <<'PY'
import re, sys
same = [s.rstrip("\n").replace("\\|", "\0").split("|") for s in open(sys.argv[2] + "/same")]
same = [[w.replace("\0", "|") for w in s] for s in same if s[0] + ".c" == sys.argv[1]]
lines = open(sys.argv[1]).read().split("\n")
turns = [(r" && ", " || "), (r" \|\| ", " && "), (r" == ", " != "), (r" != ", " == "), (r" < ", " <= "), (r" > ", " >= "), (r" <= ", " < "),
         (r" >= ", " > "), (r"return 0;", "return 1;"), (r"return 1;", "return 0;"), (r"return -1;", "return 0;"), (r" \+ 1\b", " + 2"),
         (r" - 1\b", " - 0")]
n = 0
for i, line in enumerate(lines):
    if line.lstrip().startswith(("/*", "*", "#", "//")):
        continue
    for what, to in turns:
        for m in re.finditer(what, line):
            found = [s for s in same if line[:m.start()].endswith(s[1]) and line[m.start():].lstrip().startswith(s[2])]
            if found:
                same.remove(found[0])
                continue
            changed = lines[:i] + [line[:m.start()] + to + line[m.end():]] + lines[i + 1:]
            n += 1
            open("%s/%d.c" % (sys.argv[2], n), "w").write("\n".join(changed))
            print(n, i + 1, m.group(0).strip().replace(" ", "_"), to.strip())
for s in same:
    sys.exit("%s: '%s %s' is not there any more" % tuple(s[:3]))
PY
}

for what in "$@" $(test $# -gt 0 || echo queue/envelope:envelope queue/file:file lib/netstring:netstring send/marks:send-marks \
	queue/move:move queue/change:change queue/moves:moves); do
	file=${what%:*} unit=${what#*:} all=0 left=0
	turn "$file.c" >"$CRASH_TMP/turns" || CRASH_BAD=$((CRASH_BAD + 1))
	"$PNEU_TESTS/unit/$unit" >"$CRASH_TMP/.log" 2>&1 || { # then the rest proves nothing
		echo "tests/unit/$unit.c fails with $file.c as it is"
		CRASH_BAD=$((CRASH_BAD + 1))
	}
	while read -r n line from to <&3; do
		flags=$(cat "$built/flags")
		# shellcheck disable=SC2086
		${flags%% | *} -w -o "$CRASH_TMP/unit" "$CRASH_TMP/$n.c" "tests/unit/$unit.c" "$built/lib.a" ${flags#* | } 2>/dev/null || continue
		all=$((all + 1)) CRASH_COUNT=$((CRASH_COUNT + 1))
		if timeout 10 "$CRASH_TMP/unit" >/dev/null 2>&1; then
			left=$((left + 1))
			echo "$file.c line $line: $from as $to: NOT NOTICED"
		fi
	done 3<"$CRASH_TMP/turns"
	crash_goal S6 "$(awk "BEGIN { printf \"%.1f\", 100 * $left / $all }")" 5 "$all mutants of $file.c, per cent not noticed"
done
crash_done
