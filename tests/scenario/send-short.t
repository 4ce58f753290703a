#!/bin/sh
# pneu-send without descriptors: it waits, longer each time, loses nothing, and goes on by itself.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "${PNEU_TOP:-.}/tests/send.sh"

command -v prlimit >/dev/null || skip_all "no prlimit"
send_make "$TEST_TMP/home"
cd "$PNEU_HOME" || bail "no instance"
spawn_start local
spawn_start remote
send_start
id=$(queue_message a@sender.test b@remote.test)
hint "$id"
wait_for "logged 'end msg=$id' && send_idle" # its descriptor is free again

most=$(prlimit -p "$SEND" --nofile -o SOFT --noheadings | tr -d ' ')
free=0
while test -e "/proc/$SEND/fd/$free"; do free=$((free + 1)); done
prlimit -p "$SEND" --nofile="$free:"
ticks() { awk '{ print $14 + $15 }' "/proc/$SEND/stat"; }
before=$(ticks)
begun=$(date +%s)
queue_message -n 200 a@sender.test b%d@remote.test >ids
xargs -n 1 echo <ids >>queue/lock/trigger
ok "no descriptors: a message that cannot be opened is told" wait_for "logged 'readfailed .*Too'"
ok "tried again, and again" wait_for "test \$(log_count 'readfailed') -ge 4"
ok "with longer and longer pauses ($(($(date +%s) - begun)) s)" test $(($(date +%s) - begun)) -ge 5
ok "without turning in circles ($(($(ticks) - before)) ticks)" test $(($(ticks) - before)) -lt 100
ok "nothing ended" kill -0 "$SEND"
is "$(find queue/new -type f | wc -l)" 200 "nothing is lost"
prlimit -p "$SEND" --nofile="$most:"
ok "when there are some again, all goes by itself" wait_for "test \$(log_count 'end msg') = 201" 120
ok "the queue is empty" wait_for queue_empty
is "$(jobs_of remote | grep -c remote.test)" 201 "each once"
done_testing
