#!/bin/sh
# The build. The tree is the list: every .c without a main goes into lib.a, every one with a main becomes a program.
# ./do help tells the verbs. From the environment: CC, CFLAGS, JOBS, PNEU_BUILD (default ./build), DESTDIR, PREFIX, and
# PROGRAMS=musl to run, test, measure or install what ./do build musl makes.
set -eu
LC_ALL=C; export LC_ALL
cd "$(dirname "$0")"
top=$(pwd)
out=${PNEU_BUILD:-$top/build}
JOBS=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
PREFIX=${PREFIX:-/usr/local}

warnings='-Wall -Wextra -Wshadow -Wvla -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes
	-Wwrite-strings -Wformat=2 -Wcast-qual -Wno-unused-parameter'
libraries='-ls6 -lskarnet -lresolv -lbearssl -lcrypt'
variant=static compiler=${CC:-cc}
hard='-fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections'
cflags="${CFLAGS:--O2 -g} -fPIE $hard" ldflags='-static-pie -Wl,--gc-sections,-z,now,-z,relro'

say() { printf '%s\n' "$*" >&2; }
die() { code=$1; shift; say "do: $*"; exit "$code"; }

use() { # VARIANT: another set of flags, in a folder of its own
	variant=$1
	case $1 in
	static) ;;
	asan)
		cflags='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DPNEU_UNCONFINED'
		ldflags='-fsanitize=address,undefined' ;;
	fuzz)
		compiler=clang
		cflags='-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
			-DPNEU_UNCONFINED'
		ldflags='-fsanitize=fuzzer,address,undefined' ;;
	musl)
		crt=/usr/lib/$(uname -m)-linux-musl
		skalibs=$out/skalibs-musl/usr
		compiler=musl-gcc libraries="$out/bearssl-musl/libbearssl.a -L$skalibs/lib/skalibs -lskarnet"
		cflags="${CFLAGS:--O2 -g} -fPIE $hard -isystem $skalibs/include -idirafter /usr/include -idirafter /usr/include/$(uname -m)-linux-gnu"
		ldflags="-nostartfiles $crt/rcrt1.o $crt/crti.o $crt/crtn.o -Wl,-static,-pie,--no-dynamic-linker,--gc-sections,-z,now,-z,relro"
		test -f "$skalibs/lib/skalibs/libskarnet.a" || skalibs_musl
		test -f "$out/bearssl-musl/libbearssl.a" || bearssl_musl ;;
	*) die 100 "no variant $1" ;;
	esac
}

debian_source() { # PACKAGE DIR: its source, unpacked there; Debian has no package of it for musl
	rm -rf "$2"
	mkdir -p "$2/parts" "$2/lists/partial"
	sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/*.sources >"$2/parts/src.sources" 2>/dev/null || :
	sed -n 's/^deb /deb-src /p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list >"$2/parts/src.list" 2>/dev/null || :
	cd "$2"
	apt="apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$2/parts -o Dir::State::lists=$2/lists"
	{ $apt update && $apt source "$1"; } >&2 || die 111 "the source of $1 cannot be had"
	cd "$1"-*/
}

skalibs_musl() ( # Debian's skalibs, compiled for musl
	dir=$out/skalibs-musl
	debian_source skalibs "$dir"
	{ CC=musl-gcc ./configure --disable-shared && make -j "$JOBS" && make install DESTDIR="$dir"; } >"$dir/log" 2>&1 ||
		die 111 "skalibs does not build with musl; see $dir/log"
)

bearssl_musl() ( # and BearSSL: a library without configuration, whose only needs are a few functions on memory
	dir=$out/bearssl-musl
	debian_source bearssl "$dir"
	{ make -j "$JOBS" lib CC=musl-gcc CFLAGS='-O2 -fPIE -fstack-protector-strong' && cp build/libbearssl.a "$dir/"; } >"$dir/log" 2>&1 ||
		die 111 "BearSSL does not build with musl; see $dir/log"
)

sources() { # all; for musl without the tests, which compare with glibc's functions, and what is built on libs6 or libxcrypt
	find ./* -path ./build -prune -o -path ./demo -prune -o -name '*.c' -print | sed 's,^\./,,' | sort |
		if test "$variant" = musl; then grep -vE '^tests/|^access/(admit|rules|pneu-access)\.c$|^auth/|^control/(passwordmake|pneu-mailbox)\.c$|^lib/secret\.c$'; else cat; fi
}

stale() { # the sources to compile: changed, new, or including a changed file
	find . -path ./build -prune -o -path ./.git -prune -o -path ./demo -prune -o \
		-type f \( -name '*.[ch]' -o -name '*.def' \) -newer "$b/built" -print | sed 's,^\./,,' >"$b/changed"
	if test -s "$b/changed"; then
		sed 's,[.],\\.,g; s,^,(^|[ /]),; s,$,( |$),' "$b/changed" >"$b/pattern"
		find "$b" -name '*.d' -exec grep -lEf "$b/pattern" {} + | sed "s,^$b/\(.*\)\.d\$,\1.c," |
			while read -r c; do test ! -f "$c" || echo "$c"; done
		grep '\.c$' "$b/changed" | sort | comm -12 - "$b/sources" || :
	fi
	while read -r c; do test -f "$b/${c%.c}.o" || echo "$c"; done <"$b/sources"
}

build() { # everything that is not built yet, or not any more
	b=$out/$variant
	mkdir -p "$b/bin"
	flags="$compiler -std=c11 -D_GNU_SOURCE -I. $warnings $cflags | $ldflags $libraries"
	if ! printf '%s\n' "$flags" | cmp -s - "$b/flags"; then # other flags: from the beginning
		rm -rf "$b"
		mkdir -p "$b/bin"
		printf '%s\n' "$flags" >"$b/flags"
	fi
	test -f "$b/built" || touch -d @0 "$b/built"
	touch "$b/begun"
	sources >"$b/sources.now"
	if ! cmp -s "$b/sources.now" "$b/sources"; then # one came or went: forget the objects of those that went
		find "$b" -name '*.o' | sed "s,^$b/\(.*\)\.o\$,\1.c," | sort | comm -23 - "$b/sources.now" |
			while read -r c; do rm -f "$b/${c%.c}.o" "$b/${c%.c}.d"; done
		rm -rf "${b:?}/bin" "$b/lib.a"
		test ! -d "$b/tests" || find "$b/tests" -type f ! -name '*.[od]' -exec rm -f {} +
		mkdir -p "$b/bin"
		mv "$b/sources.now" "$b/sources"
	fi
	stale | sort -u >"$b/stale"
	if test ! -s "$b/stale" && test -f "$b/lib.a"; then return; fi
	sed 's,[^/]*$,,' "$b/sources" | sort -u | while read -r d; do mkdir -p "$b/$d"; done
	# shellcheck disable=SC2086
	xargs -P "$JOBS" -I{} sh -c 'c=$1; shift; o=$0/${c%.c}.o; exec "$@" -MMD -c -o "$o" "$c"' \
		"$b" {} $compiler -std=c11 -D_GNU_SOURCE -I. $warnings $cflags <"$b/stale" || die 111 "it does not compile"
	# shellcheck disable=SC2046
	grep -lE '^(main|LLVMFuzzerTestOneInput)\(' $(cat "$b/sources") >"$b/mains" || :
	comm -23 "$b/sources" "$b/mains" | sed "s,^\(.*\)\.c\$,$b/\1.o," >"$b/objects"
	rm -f "$b/lib.a"
	xargs ar crsD "$b/lib.a" <"$b/objects"
	if test "$variant" = fuzz; then which='^tests/fuzz/'; else which='^tests/[^f]|^[^t]|^t[^e]'; fi
	# shellcheck disable=SC2086
	grep -E "$which" "$b/mains" | xargs -P "$JOBS" -I{} sh -c '
		c=$1 b=$0; shift
		case $c in tests/*) to=$b/${c%.c} ;; *) to=$b/bin/$(basename "${c%.c}") ;; esac
		exec "$@" -o "$to" "$b/${c%.c}.o" "$b/lib.a" '"$ldflags $libraries" \
		"$b" {} $compiler || die 111 "it does not link"
	mv "$b/begun" "$b/built"
}

build_all() { # the programs that no library for musl is there for come from the other variant
	build
	test "$variant" = musl || return 0
	(unset CC CFLAGS; "$top/do" build)
	for p in "$out"/static/bin/*; do
		grep -q "/${p##*/}\.c$" "$b/mains" || cp -f "$p" "$b/bin/"
	done
}

needs() { # what the build, or with "tests" also the tests, need from Debian
	echo gcc libc6-dev skalibs-dev libs6-dev libbearssl-dev libcrypt-dev s6 execline ucspi-tcp-ipv6 openssl
	test "${1:-}" != tests || echo perl procps python3 strace swaks postfix curl msmtp nsd netcat-openbsd iproute2 e2fsprogs spin
	test "${1:-}" != tests || echo postgrey postfix-policyd-spf-python # pneu-policy asks them
	test "${1:-}" != tests || echo s-nail node-nodemailer # clients that log in; the latter brings nodejs, 20 MB
	test "${1:-}" != crash || echo xfsprogs btrfs-progs # file systems whose power is cut
	test "${1:-}" != lint || echo clang clang-format clang-tidy clang-tools cppcheck shellcheck mandoc binutils bsdextrautils
	test "${1:-}" != musl || echo musl-tools dpkg-dev make
	test "${1:-}" != fuzz || echo clang libclang-rt-14-dev
}

deps() { # install what is missing (root), or print the line that does (exit 100)
	missing=
	for p in $(needs) $(needs "${1:-}"); do
		case " $missing " in *" $p "*) continue ;; esac
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
	done
	test -n "$missing" || return 0
	if test "$(id -u)" != 0; then
		say "do: missing packages; let root run:"
		say "    apt-get install -y --no-install-recommends$missing"
		exit 100
	fi
	say "do: installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	# No daemon of these packages shall start: the tests start their own.
	policy=/usr/sbin/policy-rc.d
	if test ! -e $policy; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	else
		policy=
	fi
	# shellcheck disable=SC2086
	{ apt-get install -y -qq --no-install-recommends $missing ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; }; } >&2 || die 111 "apt-get failed"
	test -z "$policy" || rm -f "$policy" # now: an exec that follows knows no trap
	trap - EXIT
}

programs() { # those that are run: of the same variant, or of $PROGRAMS
	PNEU_BIN=$out/${PROGRAMS:-$variant}/bin PNEU_TOP=$top
	export PNEU_BIN PNEU_TOP
	test -z "${PROGRAMS:-}" || (deps "$PROGRAMS" && use "$PROGRAMS" && build_all)
}

run_tests() { # [NAME]: unit tests, then scenarios; all, or those whose path holds NAME
	PNEU_TESTS=$out/$variant/tests PNEU_VARIANT=$variant
	export PNEU_TESTS PNEU_VARIANT
	programs
	# Short programs leave their memory to exit; what matters is every byte out of bounds.
	export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
	{
		find "$out/$variant/tests/unit" -type f ! -name '*.[od]' | sort
		find tests -name '*.t' | sort
	} | grep -F -- "${1:-/}" >"$out/$variant/tests.list" || die 100 "no test is named ${1:-}"
	grep . "$out/$variant/tests.list" | prove -j "$((JOBS * 3))" --timer --exec '' - # they wait more than they work
}

case ${1:-help} in
build)
	deps "${2:-}"
	test -z "${2:-}" || use "$2"
	build_all ;;
test) shift; deps tests; build; run_tests "$@" ;;
asan) shift; deps tests; use asan; build; run_tests "$@" ;;
lint) deps lint; build; sh tests/lint.sh ;;
fuzz) shift; deps fuzz; use fuzz; build; PNEU_TESTS=$out/fuzz/tests sh tests/fuzz/run.sh "$@" ;;
bench) shift; deps tests; build; programs; sh tests/bench/run.sh "$@" ;;
crash) shift; deps tests; deps crash; build; programs; PNEU_TESTS=$out/static/tests sh tests/crash/run.sh "$@" ;;
run) shift; deps; build; programs; exec sh package/run.sh "$@" ;;
demo) shift; deps; build; programs; sh package/demo.sh "$@" ;;
deps) deps "${2:-}" ;;
install) shift; deps; build; programs; PREFIX=$PREFIX sh package/install.sh "$@" ;;
where) deps; build; programs; printf '%s\n' "$PNEU_BIN${2:+/$2}" ;;
clean) rm -rf "$out" ;;
help)
	cat <<'HELP'
./do build [VARIANT]    compile everything into build/static; or build/asan, or build/musl: programs that start faster
./do run                an instance in ./demo, in the foreground: SMTP on 127.0.0.1:2525, mailbox you@pneu.test
./do demo               the same in a temporary folder: sends one mail, shows it delivered, stops
./do test [NAME]        all tests, or those whose path holds NAME
./do lint               warnings as errors, clang-format, clang-tidy, cppcheck, shellcheck, mandoc, the arrows between folders
./do asan [NAME]        the tests under the address and undefined behaviour sanitizers
./do fuzz [NAME...] [SEC]  the fuzz targets
./do crash [NAME]       faults, power cuts, kills, the model, in full (all: every case); without a name: what there is
./do bench [NAME]       speed, beside Postfix and OpenSMTPD where they are installed
./do install [--sendmail]  into $DESTDIR$PREFIX (PREFIX is /usr/local); also as sendmail, mailq, newaliases
./do deps [tests]       install the packages that are missing (root), or print the line that does
./do where [CMD]        the folder, or the path, of the built programs
./do clean              remove build/
HELP
	;;
*) die 100 "no verb $1; ./do help tells them" ;;
esac
