#!/bin/sh
# Attacks on local delivery: deliverers that a user controls, files that change while they are opened, root's eyes.
. "${PNEU_TOP:-.}/tests/lib.sh"

test -n "$TEST_ROOT" || skip_all "needs root, for users of its own"
PNEU_HOME=$TEST_TMP/inst
export PNEU_HOME
ID=0660d04f07c5323c94550402bfa
Q=61994 V=61991 JOE=61001 ANN=61002
J=$TEST_TMP/home/joe A=$TEST_TMP/home/ann

mkdir -p "$PNEU_HOME/control" "$PNEU_HOME/users" "$PNEU_HOME/queue/lock" "$PNEU_HOME/run" "$PNEU_HOME/alias" "$PNEU_HOME/mail" \
	"$TEST_TMP/secret/new" "$TEST_TMP/secret/tmp" "$TEST_TMP/secret/cur"
echo mx.example.org >"$PNEU_HOME/control/me"
echo 1 >"$PNEU_HOME/control/concurrencylocal"
chown $Q:$Q "$PNEU_HOME/queue/lock"
for u in pneud pneut pneuq pneuf pneur pneuv; do
	case $u in pneuv) i=$V ;; *) i=$Q ;; esac
	echo "$u:$i:$i"
done >"$PNEU_HOME/users/ids"
for u in "joe $JOE" "ann $ANN"; do
	h=$TEST_TMP/home/${u% *}
	mkdir -p "$h/Maildir/tmp" "$h/Maildir/new" "$h/Maildir/cur"
	chmod 700 "$h"
	chown -R "${u#* }:${u#* }" "$h"
	echo "=${u% *}:${u% *}:${u#* }:${u#* }:$h:::"
done >"$PNEU_HOME/users/assign"
echo . >>"$PNEU_HOME/users/assign"
pneu-users -q || bail "pneu-users"
printf 'Subject: hello\n\nhello\n' >"$TEST_TMP/msg"

spawn_start() {
	rm -f "$PNEU_HOME/run/local"
	"$@" s6-ipcserver-socketbinder -a 0666 "$PNEU_HOME/run/local" pneu-spawn -L </dev/null >/dev/null 2>>"$TEST_TMP/log" &
	SPAWN=$!
	wait_for "test -S '$PNEU_HOME/run/local'" || bail "no socket"
}
spawn_stop() {
	kill -9 "$SPAWN" 2>/dev/null
	wait "$SPAWN" 2>/dev/null
}
send() {
	printf '%s\n' "$@" | setpriv --reuid=$Q --regid=$Q --clear-groups timeout 60 /usr/bin/python3 \
		"$PNEU_TOP/tests/tool/fakesend.py" "$PNEU_HOME/run/local"
}

# Deliverers a user controls
mkdir "$TEST_TMP/bin"
printf '#!/bin/sh\nexec /usr/bin/python3 %s/tests/tool/hostile.py "$(cat %s/how)"\n' "$PNEU_TOP" "$TEST_TMP" >"$TEST_TMP/bin/pneu-local"
chmod 755 "$TEST_TMP/bin/pneu-local"
spawn_start env PATH="$TEST_TMP/bin:$PATH"
# The socket is there before the program, and the program before its child.
wait_for 'pgrep -P "$SPAWN" -x pneu-spawn >/dev/null' || bail "no spawner: $(cat "$TEST_TMP/log")"
front=$(pgrep -P "$SPAWN" -x pneu-spawn)
for how in garbage other number range huge half mute; do
	echo $how >"$TEST_TMP/how"
	is "$(send "local joe ${ID}0 s@x.org $TEST_TMP/msg joe@mx.example.org")" "1 0 Z 4.3.0 The deliverer died
1 done" "a deliverer that says $how"
done
for how in twice forever; do
	echo $how >"$TEST_TMP/how"
	is "$(send "local joe ${ID}0 s@x.org $TEST_TMP/msg joe@mx.example.org" | grep -c '^1 done')" 1 "one that talks $how"
done
echo descriptors >"$TEST_TMP/how"
is "$(send "local joe ${ID}0 s@x.org $TEST_TMP/msg joe@mx.example.org" | grep -c '^1 done')" 1 "one that sends descriptors"
is "$(pgrep -P "$SPAWN" -x pneu-spawn)" "$front" "and it is still the same spawner"
is "$(find "/proc/$front/fd" -type l | wc -l | sed 's/^[0-9]$/few/')" few "with few descriptors"
spawn_stop

# What root opens
spawn_start strace -f -o "$TEST_TMP/trace" -e trace=file,setresuid,execve
send "local joe ${ID}1 s@x.org $TEST_TMP/msg joe@mx.example.org" >"$TEST_TMP/out"
is "$(head -n 1 "$TEST_TMP/out")" "1 0 K 2.0.0 did 1+0+0" "a delivery, watched"
kill -9 "$(pgrep -P "$SPAWN" | head -n 1)" 2>/dev/null
wait_for "! kill -0 $SPAWN 2>/dev/null" # strace writes what it knows, and ends with the last that it watches
spawn_stop
is "$(awk -v home="$TEST_TMP/home" '/setresuid\(/ { user[$1] = 1 } index($0, home) && !user[$1] && !/execve/ { print }' "$TEST_TMP/trace")" \
	"" "root opens, stats and changes to nothing below a home"
ok "users do" grep -q "$TEST_TMP/home" "$TEST_TMP/trace"

# Files that change under its feet: by their owner, who would like it to write where only others may
cat >"$TEST_TMP/race.py" <<'RACE'
import os, sys
home, secret, ann, stop = sys.argv[1:]
os.chdir(home)
def swap(name, target):
    try:
        os.symlink(target, "swap")
        os.rename(name, "away")
        os.rename("swap", name)
        os.rename(name, "swap")
        os.rename("away", name)
        os.unlink("swap")
    except OSError:
        for old in ("swap",):
            try: os.unlink(old)
            except OSError: pass
        try: os.rename("away", name)
        except OSError: pass
while not os.path.exists(stop):
    swap("Maildir", secret)
    swap("Maildir", ann + "/Maildir")
    swap("mbox", secret + "/file")
    swap("mbox", "/etc/passwd")
    swap(".qmail", "/etc/shadow")
    try:
        os.link("/etc/passwd", "hard")
        os.rename("hard", "mbox")
    except OSError: pass
    if not os.path.exists("mbox"): open("mbox", "w").close()
RACE
printf './Maildir/\n./mbox\n' >"$J/.qmail"
: >"$J/mbox"
echo secret >"$TEST_TMP/secret/file"
chown $JOE:$JOE "$J/.qmail" "$J/mbox"
chmod 755 "$TEST_TMP/secret"
cksum /etc/passwd /etc/shadow "$TEST_TMP/secret/file" >"$TEST_TMP/before"
spawn_start
setpriv --reuid=$JOE --regid=$JOE --clear-groups /usr/bin/python3 "$TEST_TMP/race.py" "$J" "$TEST_TMP/secret" "$A" "$TEST_TMP/stop" &
race=$!
for round in 1 2 3 4 5 6 7 8; do
	jobs=
	for n in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
		jobs="$jobs
local joe 0660d04f07c5323c9455040${round}bfa$n s@x.org $TEST_TMP/msg joe@mx.example.org"
	done
	send "$jobs" >>"$TEST_TMP/raced"
done
touch "$TEST_TMP/stop"
wait $race
is "$(grep -c ' done' "$TEST_TMP/raced")" 128 "128 deliveries into files that change"
is "$(grep -vc '^[0-9]* 0 [KZ] \|done$' "$TEST_TMP/raced")" 0 "are delivered or wait"
is "$(cksum /etc/passwd /etc/shadow "$TEST_TMP/secret/file")" "$(cat "$TEST_TMP/before")" "nothing was written elsewhere"
is "$(find "$TEST_TMP/secret" "$A" -type f ! -name file | wc -l)" 0 "nor delivered"
spawn_stop

# Size: the deliverer has 64 MiB of memory, the message 100
rm -rf "$J/Maildir" "$J/.qmail" "$J/away" "$J/mbox"
mkdir -p "$J/Maildir/tmp" "$J/Maildir/new" "$J/Maildir/cur"
chown -R $JOE:$JOE "$J"
yes 'a line of a message that is long' | head -c 104857600 >"$TEST_TMP/big"
spawn_start
is "$(send "local joe ${ID}2 s@x.org $TEST_TMP/big joe@mx.example.org" | head -n 1)" "1 0 K 2.0.0 did 1+0+0" "a message of 100 MiB"
is "$(tail -n +3 "$J/Maildir/new/${ID}2.0.0" | cksum)" "$(cksum <"$TEST_TMP/big")" "is whole"
rm -f "$TEST_TMP/big" "$J/Maildir/new"/*
spawn_stop
done_testing
