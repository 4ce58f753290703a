#!/bin/sh
# The operator's programs on a queue that nobody works on: filters, verbs, what they print, and that nothing is lost or doubled.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/queue.sh"
. "$PNEU_TOP/tests/send.sh"

owned() { # mkqueue writes as we are
	test -z "$TEST_ROOT" || chown -R 60003:60003 "$PNEU_HOME/queue"
}
put() {
	queue_message "$@"
	owned
}
folder_of() { find "$PNEU_HOME/queue" -name "$1" -printf '%P\n' | sed 's,/[^/]*$,,' | tr '\n' ' '; }
ids() { sed 's/ .*//' | sort | tr '\n' ' '; }
sorted() { printf '%s\n' "$@" | sort | tr '\n' ' '; }
locked() { # FILE COMMAND...: somebody else holds its lock meanwhile
	flock -o "$1" sh -c 'touch "$1"; exec sleep 100' sh "$TEST_TMP/locked" &
	holder=$!
	shift
	wait_for "test -e $TEST_TMP/locked"
	got=0
	"$@" >"$TEST_TMP/said" 2>&1 || got=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
	rm -f "$TEST_TMP/locked"
}

operator() {
	bare_instance "$TEST_TMP/home"
	chmod 755 "$TEST_TMP"
	cd "$TEST_TMP" || exit 111
	a=$(put -w -t -10 -m +1000 alice@sender.test joe@one.test ann@two.test)
	b=$(put -w -t -7200 -m +500 bob@Sender.Test joe@two.test)
	c=$(put -t -172800 '' "$(printf 'j\303\266rg@three.test')" +notify=NEVER)
	d=$(put -w -s D -t -60 alice@sender.test joe@four.test ann@two.test)
	e=$(put -w -s DT -t -60 eve@other.test joe@four.test ann@five.test)

	# ---- filters ----
	all=$(sorted "$a" "$b" "$c" "$d" "$e")
	is "$(pneu-list -b | ids)" "$all" "no filter: all"
	is "$(pneu-list -b -f 'ALICE@sender.test' | ids)" "$(sorted "$a" "$d")" "-f, of either case"
	is "$(pneu-list -b -f '*@sender.test' | ids)" "$(sorted "$a" "$b" "$d")" "-f with a pattern"
	is "$(pneu-list -b -f '<>' | ids)" "$(sorted "$c")" "-f of the null sender"
	is "$(pneu-list -b -f alice@sender.test -f eve@other.test | ids)" "$(sorted "$a" "$d" "$e")" "twice: or"
	is "$(pneu-list -b -t 'joe@*' | ids)" "$(sorted "$a" "$b")" "-t, and who is done does not count"
	is "$(pneu-list -b -d two.test | ids)" "$(sorted "$a" "$b" "$d")" "-d"
	is "$(pneu-list -b -d '*.test' -f 'bob*' | ids)" "$(sorted "$b")" "-d and -f: and"
	is "$(pneu-list -b -t 'joe@*' -d two.test | ids)" "$(sorted "$b")" "-t and -d mean one recipient"
	is "$(pneu-list -b -a 1h | ids)" "$(sorted "$b" "$c")" "-a: older"
	is "$(pneu-list -b -a 1h -a -1d | ids)" "$(sorted "$b")" "-a: and younger"
	is "$(pneu-list -b -i "$a" -i "$c" | ids)" "$(sorted "$a" "$c")" "-i"
	is "$(pneu-list -b -i "?${a#?}" | ids)" "$a " "-i with a pattern"
	is "$(pneu-list -b -q new | ids)" "$c " "-q"
	for bad in '-a soon' '-a 3y' '-q old' '-i nonsense' '-o colour'; do
		# shellcheck disable=SC2086
		code 100 "wrong: $bad" pneu-list $bad
	done

	# ---- order, summary, JSON ----
	is "$(pneu-list -b -o age | sed 's/ .*//' | head -n 2 | tr '\n' ' ')" "$c $b " "the oldest first"
	is "$(pneu-list -b -r -o age | sed 's/ .*//' | tail -n 1)" "$c" "and last"
	is "$(pneu-list -b -o next | sed 's/ .*//' | tail -n 1)" "$a" "the soonest first"
	is "$(pneu-list -b -o from | sed 's/ .*//' | head -n 1)" "$c" "by sender"
	like "$(pneu-list -s | head -n 1)" '^3 3 [0-9]+ 7[0-9]+ 0 two.test -$' "the summary: most recipients first"
	is "$(pneu-list -s | awk '{ n += $1 } END { print n }')" 6 "who is done is not counted"
	is "$(pneu-list -j | python3 -c '
import json, sys
all = [json.loads(line) for line in sys.stdin]
print(len(all), sum(len(m["recipients"]) for m in all), ascii([m["recipients"][0]["address"] for m in all if m["sender"] == ""]))')" \
		"5 8 ['j\\xf6rg@three.test']" "JSON, an object a line"
	f=$(put -w "$(printf '\377\233]0;"x\134@b')" "$(printf 'x\342\200\256y\302\205\303\251@c')")
	is "$(pneu-list "$f" | LC_ALL=C tr -d '\n -~')" "" "a list is printable"
	is "$(pneu-list -b "$f" | cut -d ' ' -f 8)" '<\xff\x9b]0;"x\x5c@b>' "what is not, is escaped"
	is "$(pneu-list -j "$f" | python3 -c '
import json, sys
m = json.load(sys.stdin)
print(m["sender"] == "\\xff\\x9b]0;\"x\\@b", m["recipients"][0]["address"] == "x\u202ey\x85\xe9@c")')" "True True" "JSON of any bytes"
	is "$(pneu-list -j "$f" | LC_ALL=C tr -d '\n -~' | od -An -tx1)" " c3 a9" "with nothing but what is plain in it"
	is "$(pneu-list -s -j | python3 -c 'import json, sys; print(len([json.loads(l) for l in sys.stdin]))')" 5 "the summary, too"
	code 0 "it goes" pneu-remove "$f"

	# ---- show ----
	shown=$(pneu-show "$e")
	like "$shown" '^  1 todo to=ann@five.test$' "show: the envelope"
	like "$shown" '^Subject: test$' "and the header"
	is "$(pneu-show -b "$e")" hello "the body alone"
	is "$(pneu-show -H "$e" | head -n 1)" 'From: a@sender.test' "the header alone"
	is "$(pneu-show -m "$e" | wc -c)" "$(message_of "$PNEU_HOME/queue/$(folder_of "$e" | tr -d ' ')/$e" | wc -c)" "all of the message"
	like "$(pneu-show -j "$e" | python3 -c 'import json, sys; print(json.load(sys.stdin)["history"])')" '^\[\]$' "JSON"
	code 100 "what is not there" pneu-show 0123456789abcdef0123456789ab
	code 100 "no ID" pneu-show
	evil=$(printf 'Subject: \033]0;x\007\n\nb\233\n' | "$PNEU_TESTS/tool/mkqueue" a@b c@d)
	owned
	is "$(script -qec "pneu-show $evil; pneu-show -m $evil" /dev/null | tr -d '\r\n -~')" "" "nothing moves a terminal"
	is "$(pneu-show -m "$evil" | od -An -c | grep -c '033')" 1 "a pipe gets the bytes"
	code 0 "it goes" pneu-remove "$evil"

	# ---- hold, release ----
	for verb in hold release remove return 'redirect a@b'; do
		# shellcheck disable=SC2086
		code 100 "$verb without a filter" pneu-$verb
	done
	like "$(pneu-hold -n -d two.test)" "^$a wait " "a dry run prints the list's lines"
	is "$(pneu-list -b -q hold)" "" "and does nothing"
	mtime=$(stat -c %Y "$PNEU_HOME/queue/$(folder_of "$a" | tr -d ' ')/$a")
	is "$(pneu-hold -r 'too many' -f alice@sender.test | sort)" "$(printf '%s held <alice@sender.test>\n' "$a" "$d" | sort)" "hold"
	is "$(folder_of "$a")" "hold " "it lies in hold/"
	is "$(pneu-list -s -q hold | awk '{ print $5 }' | sort -u)$(pneu-list -s -j -q hold | grep -c '"next"')" "-0" "and is not said to be tried"
	like "$(cat "$PNEU_HOME/queue/hold/$a.why")" '^held by the operator \(uid [0-9]+\): too many$' "with the reason"
	like "$(pneu-list "$a")" '^  why held by .*: too many' "which the list shows"
	like "$(pneu-show -l "$a")" 'operator' "and the history"
	is "$(stat -c %Y "$PNEU_HOME/queue/hold/$a")" "$mtime" "the next attempt's time is kept"
	is "$(stat -c %U "$PNEU_HOME/queue/hold/$a" "$PNEU_HOME/queue/hold/$a.why" | sort -u)" \
		"$(stat -c %U "$PNEU_HOME/queue")" "the owner is the queue's"
	code 100 "hold what is held" pneu-hold "$a"
	is "$(cat "$TEST_TMP/.out")" "pneu-hold: fatal: no such message in new, wait" "is told"
	is "$(pneu-release -k "$a")" "$a released <alice@sender.test>" "release"
	is "$(folder_of "$a") $(stat -c %Y "$PNEU_HOME/queue/$(folder_of "$a" | tr -d ' ')/$a")" \
		"wait/${a#??????????????????????????}  $mtime" "-k: back at its time"
	ok "without the reason" test ! -e "$PNEU_HOME/queue/hold/$a.why"
	pneu-hold "$c" >/dev/null
	pneu-release "$c" >/dev/null
	is "$(folder_of "$c")" "wait/${c#??????????????????????????} " "what was never tried goes to wait/, too"
	code 100 "release what is not held" pneu-release "$c"
	is "$(pneu-release -A)" "$d released <alice@sender.test>" "-A: all"
	cp -p "$PNEU_HOME/queue/$(folder_of "$b" | tr -d ' ')/$b" "$PNEU_HOME/queue/hold/$b"
	owned
	code 111 "another file of that name" pneu-hold "$b"
	like "$(cat "$TEST_TMP/.out")" 'another file has that name there' "is told"
	is "$(folder_of "$b" | wc -w)" 2 "and not replaced"
	rm "$PNEU_HOME/queue/hold/$b"

	# ---- the lock ----
	file=$PNEU_HOME/queue/$(folder_of "$b" | tr -d ' ')/$b
	for verb in hold remove return 'redirect x@y'; do
		# shellcheck disable=SC2086
		locked "$file" pneu-$verb "$b"
		is "$got $(cat "$TEST_TMP/said")" "111 pneu-${verb% *}: warning: queue/$(folder_of "$b" | tr -d ' ')/$b: is being tried" \
			"$verb of one that is being tried"
	done
	locked "$file" pneu-flush "$b"
	is "$got" 0 "flush of one that is being tried has what it wants"
	flock -o "$file" sh -c 'touch "$1"; exec sleep 100' sh "$TEST_TMP/locked" &
	holder=$!
	wait_for "test -e $TEST_TMP/locked"
	pneu-hold -w "$b" >"$TEST_TMP/held" &
	waiting=$!
	ok "-w waits" wait_for "grep -q -- '-> FLOCK .* $waiting ' /proc/locks || grep -q 'flock\|locks' /proc/$waiting/wchan"
	is "$(cat "$TEST_TMP/held")" "" "and does nothing"
	kill "$holder"
	wait
	is "$(cat "$TEST_TMP/held")" "$b held <bob@Sender.Test>" "until it is let go"
	pneu-release "$b" >/dev/null

	# ---- flush ----
	file=$PNEU_HOME/queue/$(folder_of "$a" | tr -d ' ')/$a
	like "$(pneu-flush -d two.test -f 'alice*')" "^$a due" "flush"
	ok "it is due now" test "$(stat -c %Y "$file")" -le "$(date +%s)"
	touch -d '+1000 seconds' "$file"
	code 0 "-A is what it means without a filter" pneu-flush -A -n
	is "$(ids <"$TEST_TMP/.out")" "$(pneu-flush -n | ids)" "the same"
	pneu-flush >/dev/null
	ok "all, where no pneu-send runs" test "$(stat -c %Y "$file")" -le "$(date +%s)"

	# ---- return ----
	is "$(pneu-return -r 'no such project' -t 'ann@*' -f alice@sender.test -i "$a")" "$a returned <alice@sender.test>" "return"
	is "$(pneu-list "$a" | tail -n 2 | tr '\n' '|')" "  todo <joe@one.test>|  failed <ann@two.test>|" "only whom the filter means"
	like "$(pneu-show -l "$a" | tr '\n' ' ')" 'failed 5.0.0 recipients 1 +no such project' "the history has the reason"
	pneu-return "$c" >/dev/null
	like "$(pneu-list "$c")" '  done <j' "who wants no report gets none"
	h=$(put -w alice@sender.test joe@one.test ann@two.test)
	pneu-hold "$h" >/dev/null
	code 111 "of a held message nobody is returned alone" pneu-return -t 'joe@*' "$h"
	is "$(folder_of "$h")$(pneu-list "$h" | grep -c '^  todo ')" "hold 2" "for the others would be tried"
	pneu-return "$h" >/dev/null
	like "$(pneu-list "$h" | tail -n 1)" 'failed <ann@two.test>' "all of it is"
	like "$(folder_of "$h")" wait "and its report can be made"
	rm -f "$PNEU_HOME/queue/wait/"*"/$h"

	# ---- redirect ----
	pneu-redirect -d one.test new@home.test >/dev/null
	is "$(pneu-list "$a" | tail -n 3 | tr '\n' '|')" "  done <joe@one.test>|  failed <ann@two.test>|  todo <new@home.test>|" "redirect"
	like "$(pneu-show -l "$a")" 'redirected to <new@home.test> by the operator' "the history knows"
	like "$(pneu-show -l "$a")" 'no such project' "and has not forgotten"
	is "$(pneu-list -c | grep -c damaged)" 0 "checksums are right"
	is "$(pneu-show -b "$a")" hello "the message is the same"
	n=$(put -w a@b 'x@y' +notify=SUCCESS,FAILURE '+orcpt=rfc822;x@y' z@y +notify=NEVER)
	pneu-redirect both@home.test "$n" >/dev/null
	is "$(pneu-show -e "$n" | tail -n 3 | tr -s ' ' | tr '\n' '|')" \
		" 2 todo to=both@home.test| notify=SUCCESS,FAILURE| orcpt=rfc822;x@y|" "two become one, with the first one's records"
	is "$(pneu-redirect both@home.test "$n" 2>&1)" "pneu-redirect: fatal: there is nothing to be done for it" "again: there is nobody to redirect"
	is "$(find "$PNEU_HOME/queue" -type f -name '.*' | wc -l)" 0 "no debris"
	code 100 "no address" pneu-redirect
	code 100 "an address without a domain" pneu-redirect joe "$n"
	is "$(cat "$TEST_TMP/.out")" "pneu-redirect: fatal: joe is no address: it has no domain" "is told"
	code 100 "or with an empty one" pneu-redirect joe@ "$n"
	code 100 "and an ID where the address should be" pneu-redirect "$n" new@home.test
	code 100 "an address that is none" pneu-redirect "$(printf 'a\nb')" "$n"

	# ---- remove, and a move that was cut short ----
	ln "$PNEU_HOME/queue/$(folder_of "$n" | tr -d ' ')/$n" "$PNEU_HOME/queue/new/$n"
	pneu-hold "$n" >/dev/null
	is "$(folder_of "$n")" "hold " "a move of pneu-send that was cut short is brought to its end"
	ln "$PNEU_HOME/queue/hold/$n" "$PNEU_HOME/queue/wait/${n#??????????????????????????}/$n"
	pneu-remove "$n" >/dev/null
	is "$(folder_of "$n")" "" "so is an operator's"
	is "$(pneu-remove -f '*' | wc -l)" 5 "remove"
	is "$(find "$PNEU_HOME/queue" -type f)" "" "nothing is left"
	code 100 "no such message" pneu-remove "$a"
	PNEU_HOME=/nonexistent code 111 "no instance" pneu-hold "$a"
}
as_both operator
done_testing
