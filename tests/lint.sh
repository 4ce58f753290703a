#!/bin/sh
# ./do lint: everything that can be said about the tree without running it. Prints a line a check, and behind a failed one
# what is wrong; ends with 1 if one failed. LINT=name runs one of them.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 111
top=$(pwd)
built=${PNEU_BUILD:-$top/build}/static
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
out=$(mktemp -d "${TMPDIR:-/tmp}/pneu-lint.XXXXXX") || exit 111
trap 'rm -rf "$out"' EXIT
trap 'exit 111' HUP INT TERM

# The flags of the build, without the compiler and the linker's.
flags=$(sed 's/^[^ ]* //; s/ | .*//' "$built/flags")
find . -path ./build -prune -o -path ./demo -prune -o -path ./.git -prune -o -type f -print | sed 's,^\./,,' | sort >"$out/files"
grep '\.c$' "$out/files" >"$out/c"
grep '\.[ch]$' "$out/files" >"$out/ch"
{ grep -E '\.(sh|t)$' "$out/files"; printf 'do\n.ci/run\n'; ls package/service/*; } | sort -u |
	while read -r f; do head -n 1 "$f" | grep -q '^#.*\<sh$\|shellcheck shell=sh' && echo "$f"; done >"$out/sh"
grep '\.[1-8]$' "$out/files" >"$out/pages"
grep -v '^tests/' "$out/c" | grep '/pneu-[^/]*\.c$' >"$out/programs"

each() { # LIST COMMAND... : the command for each file of the list, parallel
	list=$1
	shift
	xargs -P "$jobs" -n 4 "$@" <"$list"
}

compile() { # COMPILER FLAG
	# shellcheck disable=SC2086
	xargs -P "$jobs" -I{} $1 $flags $2 -Werror -c -o /dev/null {} <"$out/c"
}

lint_gcc() { compile gcc ''; }
lint_clang() { compile clang -Wno-format-nonliteral; }
lint_format() { each "$out/ch" clang-format --dry-run -Werror; }
lint_shell() { each "$out/sh" shellcheck -x -S warning; }
lint_pages() { each "$out/pages" mandoc -Tlint -W warning; }

lint_tidy() {
	# shellcheck disable=SC2086
	grep -v '^tests/' "$out/c" | xargs -P "$jobs" -I{} clang-tidy --quiet {} -- -std=c11 -D_GNU_SOURCE -I. 2>"$out/tidy.err" ||
		{ grep -v 'warnings generated\|^Suppressed\|^Use -header' "$out/tidy.err"; return 1; }
}

lint_cppcheck() {
	grep -v '^tests/' "$out/c" >"$out/c.own"
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 --inline-suppr -j "$jobs" -I. \
		-D_GNU_SOURCE --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=unknownMacro --suppress=varFuncNullUB --suppress=autoVariables \
		--suppress=checkersReport --suppress=funcArgOrderDifferent --suppress=uninitvar --file-list="$out/c.own"
}

# lib <- control <- queue <- components, which include nothing of each other.
lint_arrows() {
	good=0
	while read -r f; do
		case $f in
		lib/*) may='lib' ;;
		control/*) may='lib|control' ;;
		queue/*) may='lib|control|queue' ;;
		tests/*) continue ;;
		*/*) may="lib|control|queue|${f%%/*}" ;;
		*) echo "$f: no source belongs here"; good=1; continue ;;
		esac
		grep -n '#include "' "$f" | grep -vE "\"($may)/" | sed "s,^,$f:," | grep . && good=1
	done <"$out/ch"
	return $good
}

# Nothing outlives a function but skalibs' PROG and crc's tables, which are the same whoever makes them. What a component's
# process has once in its life may be a static of that function; what others link may not.
lint_globals() {
	grep -v '^tests/' "$out/c" | sed "s,\(.*\)\.c\$,$built/\1.o," | xargs objdump -t | awk '
		/file format/ { object = $1; sub(/:$/, "", object) }
		/ O \.(bss|data)/ && !/\.data\.rel\.ro/ && !(object !~ /\/(lib|control)\/[^\/]*$/ && $NF ~ /\.[0-9]+$/) &&
			!(object ~ /\/lib\/crc\.o$/) {
			print object ": variable " $NF
		}' | sed "s,^$built/,," >"$out/globals"
	cat "$out/globals"
	test ! -s "$out/globals"
}

# Programs, pages and the table say the same.
lint_table() {
	good=0
	grep -v '^#' package/programs | awk '{ print $2 "/" $1 ".c" }' | sort >"$out/table"
	diff "$out/table" "$out/programs" | sed -n 's/^</package\/programs has no source: /p; s/^>/not in package\/programs: /p' |
		grep . && good=1
	grep -v '^#' package/programs | awk '{ print $2 "/" $1 "." $3 }' | sort >"$out/table"
	sed 's,^,,' "$out/pages" | grep '/pneu-[^/]*\.[1-8]$' >"$out/have"
	diff "$out/table" "$out/have" | sed -n 's/^</no page: /p; s/^>/a page of no program: /p' | grep . && good=1
	grep -vE '^#|^pneu-[a-z0-9-]+ +[a-z]+ +[1-8] +0[0-7]{3} +[a-z-]+ +[^ ]+ +[a-zA-Z]' package/programs && good=1
	return $good
}

# Two of BearSSL's decoders write past their end: one file calls them.
lint_fence() {
	! grep -v '^lib/tlsfence\.[ch]$' "$out/ch" | xargs grep -nE 'br_(x509|skey)_decoder_(init|push)'
}

normal() { tr -s '[:space:]' ' ' | sed 's/\[ /[/g; s/ \]/]/g; s/ | /|/g; s/|pneu-/ pneu-/g; s/^ //; s/ $//'; }

# SYNOPSIS is USAGE; and every page has its sections.
lint_usage() {
	good=0
	while read -r c; do
		page=$(ls "${c%.c}".[1-8] 2>/dev/null) || continue
		grep -q '^#define USAGE' "$c" || continue
		awk '/^#define USAGE/ { on = 1; sub(/^#define USAGE/, "") } on { more = sub(/\\$/, ""); print; on = more }' "$c" |
			tr -d '\n' | sed 's/" *"//g; s/^ *"//; s/" *$//' | normal >"$out/usage"
		mandoc -Tascii -Owidth=1000 "$page" | col -bx | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | normal >"$out/synopsis"
		if ! cmp -s "$out/usage" "$out/synopsis"; then
			echo "$c says:    $(cat "$out/usage")"
			echo "$page says: $(cat "$out/synopsis")"
			good=1
		fi
		for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES SECURITY; do
			grep -q "^\.Sh $section\$" "$page" || { echo "$page: no section $section"; good=1; }
		done
	done <"$out/programs"
	return $good
}

# The settings' page is what the program prints.
lint_settings() {
	"$built/bin/pneu-control" doc -m >"$out/settings"
	sed -n '/^\.\\" The table/,/^\.\\" End of the table/p' control/control.5 | sed '1d;$d' | diff - "$out/settings" ||
		{ echo "sh package/control5.sh renews control/control.5"; return 1; }
}

failed=0
for check in ${LINT:-format shell pages arrows fence globals table usage settings gcc clang cppcheck tidy}; do
	begun=$(date +%s)
	if "lint_$check" >"$out/said" 2>&1; then
		printf 'lint: %s ok (%d s)\n' "$check" $(($(date +%s) - begun))
	else
		printf 'lint: %s FAILED\n' "$check"
		head -n 200 "$out/said"
		failed=1
	fi
done
exit $failed
