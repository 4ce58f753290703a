#!/bin/sh
# ./do run: an instance in the foreground. $PNEU_HOME (./demo) is where, $PNEU_PORT (2525) the port on 127.0.0.1.
# The first time it is made, with the mailbox you@pneu.test; later it is taken up as it was. $PNEU_BIN has the programs.
set -u
umask 022
top=$(cd "$(dirname "$0")/.." && pwd)
home=${PNEU_HOME:-$top/demo}
port=${PNEU_PORT:-}
bin=$PNEU_BIN
case $home in /*) ;; *) home=$(pwd)/$home ;; esac

say() { printf '%s\n' "$*" >&2; }
die() { code=$1; shift; say "run: $*"; exit "$code"; }

reached() { # FILE: can the users of an instance of root get there?
	setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$1"
}

listening() { # PORT
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v p=":$(printf '%04X' "$1")\$" '$4 == "0A" && $2 ~ p { found = 1 } END { exit !found }'
}

case ${port:-2525} in *[!0-9]* | ??????*) die 100 "PNEU_PORT is no port: $port" ;; esac

# An instance of root has users of its own, and they must reach the programs and the mail.
if test "$(id -u)" = 0; then
	if ! reached "$bin/pneu-queued" || ! reached "$(dirname "$home")"; then
		test -z "${PNEU_HOME:-}" || reached "$(dirname "$home")" ||
			die 111 "the instance's users cannot enter $(dirname "$home"): choose another PNEU_HOME"
		test -n "${PNEU_HOME:-}" || home=/var/pneu-demo
		say "run: $top is closed to the users of the instance: it is in $home, with a copy of the programs"
		mkdir -p "$home" && rm -rf "$home/.bin.new" && cp -R "$bin" "$home/.bin.new" && rm -rf "$home/.bin" &&
			mv "$home/.bin.new" "$home/.bin" || die 111 "the programs cannot be copied to $home"
		bin=$home/.bin
	fi
fi
PATH=$bin:$PATH PNEU_HOME=$home PNEU_SHARE=$top/package
export PATH PNEU_HOME PNEU_SHARE

s6-svscanctl -a "$home/service" 2>/dev/null && die 111 "the instance in $home runs already"
fresh=
test -d "$home/queue" || fresh=1
# The demonstration may lie on any file system; pneu-instance says what that one is worth.
pneu-instance -fq "$home" || exit
if test -n "$fresh"; then
	pneu-control set me mx.pneu.test && pneu-mailbox -q add you@pneu.test </dev/null || exit
fi
if test -z "$port"; then
	port=$(pneu-control -s in get listen 2>/dev/null) && port=${port##* } || port=2525
fi
listening "$port" && die 111 "port $port of 127.0.0.1 is taken: choose another, PNEU_PORT=2526 ./do run"
pneu-server -q add in smtp 127.0.0.1 "$port" || exit

# In a session of its own, so that ^C reaches this script alone and the instance comes down in order.
svscan=
stop() {
	trap '' HUP INT TERM
	say "run: stopping"
	test -z "$svscan" || kill -TERM "$svscan" 2>/dev/null
	wait
	exit 0
}
trap stop HUP INT TERM
# Sockets of an earlier run are no sign that this one is up.
rm -f "$home/run/intake" "$home/run/local" "$home/run/remote"
setsid s6-svscan "$home/service" </dev/null &
svscan=$!

tries=0
until listening "$port" && test -S "$home/run/intake" -a -S "$home/run/local" -a -S "$home/run/remote"; do
	tries=$((tries + 1))
	if test $tries -gt 200 || ! kill -0 "$svscan" 2>/dev/null; then
		say "run: it does not come up; the logs in $home/log say:"
		tail -n 3 "$home"/log/*/current >&2
		kill -TERM "$svscan" 2>/dev/null
		wait
		exit 111
	fi
	sleep 0.05
done

if test "$(id -u)" = 0; then who="under users of its own"; else who="as $(id -un)"; fi
swaks=
command -v swaks >/dev/null || swaks=" (with Debian's package swaks)"
cat <<END

pneu runs $who, in $home. SMTP: 127.0.0.1 port $port.

Send the first mail, in another terminal, over SMTP$swaks:
    swaks --server 127.0.0.1:$port --to you@pneu.test --from me@pneu.test
or from a script:
    printf 'To: you@pneu.test\nSubject: hello\n\nHello.\n' | PNEU_HOME=$home PATH=$bin:\$PATH pneu-inject
It lands here:
    $home/mail/pneu.test/you/Maildir/new/
The logs are in $home/log/, the settings in $home/control/.
Stop with ^C; ./do run takes it up again as it was.

END
while kill -0 "$svscan" 2>/dev/null; do wait "$svscan"; done
die 111 "s6-svscan has ended"
