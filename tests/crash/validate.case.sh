#!/bin/sh
# Are the unit tests of the validators good enough? Each operator of them is turned, one at a time: a test must notice.
# goals: S6
. "${PNEU_TOP:-.}/tests/crash/lib.sh"
cd "$PNEU_TOP" || exit 111
test -z "${CRASH_SHORT:-}" || exit 0
built=${PNEU_TESTS%/tests}

# Every place of the file where one of these may be turned into another: LINE NUMBER, and the changed file in $CRASH_TMP/N.c.
turn() { # FILE
	/usr/bin/python3 - "$1" "$CRASH_TMP" <<'PY'
import re, sys
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
            changed = lines[:i] + [line[:m.start()] + to + line[m.end():]] + lines[i + 1:]
            n += 1
            open("%s/%d.c" % (sys.argv[2], n), "w").write("\n".join(changed))
            print(n, i + 1, m.group(0).strip(), to.strip())
PY
}

for what in "$@" $(test $# -gt 0 || echo queue/envelope:envelope queue/file:file lib/netstring:netstring send/marks:send-message); do
	file=${what%:*} unit=${what#*:} all=0 left=0
	turn "$file.c" >"$CRASH_TMP/turns"
	while read -r n line from to <&3; do
		all=$((all + 1)) CRASH_COUNT=$((CRASH_COUNT + 1))
		flags=$(cat "$built/flags")
		# shellcheck disable=SC2086
		${flags%% | *} -w -o "$CRASH_TMP/unit" "$CRASH_TMP/$n.c" "tests/unit/$unit.c" "$built/lib.a" ${flags#* | } 2>/dev/null || continue
		if timeout 10 "$CRASH_TMP/unit" >/dev/null 2>&1; then
			left=$((left + 1))
			echo "$file.c line $line: $from as $to: NOT NOTICED"
		fi
	done 3<"$CRASH_TMP/turns"
	crash_goal S6 "$(awk "BEGIN { printf \"%.1f\", 100 * $left / $all }")" 5 "$all mutants of $file.c, per cent not noticed"
done
crash_done
