#!/bin/sh
# ./do install [--sendmail]: programs, pages, guides and templates into $DESTDIR$PREFIX, as package/programs says.
# With --sendmail also the names that other software calls: sendmail, mailq, newaliases.
set -eu
umask 022
cd "$(dirname "$0")/.."
prefix=${DESTDIR:-}${PREFIX:-/usr/local}
links=
case ${1:-} in
'') ;;
--sendmail) links=1 ;;
*) printf 'install: unknown option %s\n' "$1" >&2; exit 100 ;;
esac

page() { # FILE
	mkdir -p "$prefix/share/man/man${1##*.}"
	install -m 644 "$1" "$prefix/share/man/man${1##*.}/"
}

mkdir -p "$prefix/bin" "$prefix/share/pneu/service"
grep -v '^#' package/programs | while read -r name folder section mode _; do
	# Whoever starts it meanwhile gets the old one or the new one; one that runs keeps what it has open.
	install -m "$mode" "$PNEU_BIN/$name" "$prefix/bin/.new.$name"
	mv -f "$prefix/bin/.new.$name" "$prefix/bin/$name"
	page "$folder/$name.$section"
done
for file in */*.5; do page "$file"; done
install -m 644 package/service/* "$prefix/share/pneu/service/"
mkdir -p "$prefix/share/doc/pneu"
install -m 644 doc/*.md README.md CHANGES.md LICENSE "$prefix/share/doc/pneu/"
if test -n "$links"; then
	mkdir -p "$prefix/sbin"
	ln -sf ../bin/pneu-sendmail "$prefix/sbin/sendmail"
	ln -sf pneu-sendmail "$prefix/bin/mailq"
	ln -sf pneu-sendmail "$prefix/bin/newaliases"
fi
