#!/bin/sh
# Called by ./do bench [-n RUNS] [WORK ...]. As root in a mount namespace of its own, so that file systems and
# configurations of the peers come and go unseen.
set -eu
cd "$(dirname "$0")"
if test "$(id -u)" = 0; then exec unshare -m --propagation private /usr/bin/python3 bench.py "$@"; fi
exec /usr/bin/python3 bench.py "$@"
