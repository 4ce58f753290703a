#!/bin/sh
# doc/operating.md is true: the queue it speaks of is made, its commands are run in order, and what they print is compared, without
# IDs, times and numbers.
. "${PNEU_TOP:-.}/tests/lib.sh"

instance_make "$TEST_TMP/home" you@pneu.test
cd "$PNEU_HOME" || bail "no instance"
closed=$(free_port)
pneu-control set smtproutes "example.org:127.0.0.1:$closed" "example.net:127.0.0.1:$closed" "exmaple.org:127.0.0.1:$closed"
instance_start
mail() { # SENDER SUBJECT RECIPIENT...
	sender=$1 subject=$2
	shift 2
	printf 'From: %s\nSubject: %s\n\nHello.\n' "$sender" "$subject" | pneu-inject -f "$sender" "$@"
}
mail you@pneu.test 'Lunch?' friend@example.org other@example.org
mail you@pneu.test 'Your host is down' postmaster@example.net joe@example.net
mail you@pneu.test 'A slip of the pen' friend@exmaple.org
for n in 1 2 3; do mail script@pneu.test "Alarm $n" "ops$n@example.org"; done
quiet() { # nothing is new, nothing is being tried
	! find queue/new -type f | grep -q . && ! find queue/wait -type f ! -exec flock -n {} true \; -print | grep -q .
}
ok "a stuck queue" wait_for "test \$(pneu-list -b -q wait | wc -l) = 6 && quiet" 120

normal() { # what two runs have in common
	sed "/^ *\$/d;s/ *\$//;s/Not tried, for its hosts could not be reached lately: //" |
		sed 's/[0-9a-f]\{28\}/ID/g; s/wait\/[0-9a-f][0-9a-f]/wait\/XX/; s/, in [0-9dhms ]*$/, in SPAN/; s/, [0-9dhms ]* ago$/, SPAN ago/
			s/[A-Z][a-z][a-z], [0-9]* [A-Z][a-z][a-z] [0-9]* [0-9:]*/DATE/g; s/[0-9][0-9]*/N/g' | sort
}
before() { # what happened meanwhile, as the page tells it
	case $1 in
	pneu-fsck)
		pneu-hold -w -t friend@example.org >/dev/null
		file=$(find queue/hold -type f ! -name '*.why')
		printf 'overwritten' | dd of="$file" bs=1 seek=150 conv=notrunc 2>/dev/null
		echo x >queue/hold/notes
		pneu-control set copytime 1
		changed=$(stat -c %Z "$file")
		wait_for 'test "$(date +%s)" -gt $((changed + 1))' # copytime is over
		;;
	esac
}
grep -n '^    \$ ' "$PNEU_TOP/doc/operating.md" | sed 's/:.*//' >"$TEST_TMP/lines"
: >"$TEST_TMP/now"
while read -r line; do
	command=$(sed -n "${line}s/^    \\\$ //p" "$PNEU_TOP/doc/operating.md")
	case $command in
	*minfreeinodes* | *pneu-inject*) test "$(stat -f -c %c queue)" != 0 || continue ;; # a file system without a number of them
	esac
	wait_for quiet 60
	before "$command"
	sh -c "$command" >"$TEST_TMP/got" 2>&1 </dev/null
	for _ in 1 2 3 4 5; do # pneu-send's turn came between: what is being tried was left alone
		grep -q 'is being tried' "$TEST_TMP/got" || break
		wait_for quiet 60
		sh -c "$command" >"$TEST_TMP/got" 2>&1 </dev/null
	done
	{
		printf '    $ %s\n' "$command"
		sed 's/^/    /; s/ *$//' "$TEST_TMP/got"
	} >>"$TEST_TMP/now"
	awk -v line="$line" 'NR > line { if (/^    \$ / || /^[^ ]/) exit; sub(/^    /, ""); print }' "$PNEU_TOP/doc/operating.md" >"$TEST_TMP/wanted"
	is "$(normal <"$TEST_TMP/got")" "$(normal <"$TEST_TMP/wanted")" "$command" </dev/null
done <"$TEST_TMP/lines"
ok "who was redirected has his mail" wait_for "test \$(mails you@pneu.test) -ge 2" 60
like "$(cat "$(maildir you@pneu.test)"/new/*)" 'is it example.org' "the report says why"
test "$TEST_FAILED" = 0 || note "what the page should say: $(cat "$TEST_TMP/now")"
instance_stop
done_testing
