# shellcheck shell=sh
# Helpers of the tests of pneu-remote.
#   remote_home [SETTING VALUE]...     a home with control/ only, in $PNEU_HOME; connections are kept as long as may be
#   sink NAME ARGS...                  starts tests/tool/sink in $TEST_TMP/sink.NAME; its port in $SINK
#   sink_stop NAME
#   route_to_sink                      everything goes to 127.0.0.1:$SINK
#   jobs [KEY=VALUE]... MESSAGE RCPT...    one job in a process of its own; its results in $RESULTS
#   jobs_begin NAME; job LINE...; jobs_end    jobs of one process, one after another; results in $RESULTS
#   events NAME ERE                    how many lines of the sink's log match
#   nameserver ZONEFILE ORIGIN         starts NSD for that zone, and uses it
#   nameserver_stop

remote_home() {
	PNEU_HOME=$TEST_TMP/home
	export PNEU_HOME
	rm -rf "$PNEU_HOME"
	mkdir -p "$PNEU_HOME/control"
	echo me.pneu.test >"$PNEU_HOME/control/me"
	echo 300 >"$PNEU_HOME/control/timeoutidle"
	while test $# -ge 2; do
		printf '%s\n' "$2" >"$PNEU_HOME/control/$1"
		shift 2
	done
}

sink() {
	sink_dir=$TEST_TMP/sink.$1
	shift
	rm -rf "$sink_dir"
	mkdir -p "$sink_dir"
	"$PNEU_TESTS/tool/sink" -d "$sink_dir" "$@" 2>"$sink_dir/err" 9>&- &
	echo $! >"$sink_dir/pid"
	wait_for "test -f '$sink_dir/port'" || bail "sink: $(cat "$sink_dir/err")"
	SINK=$(cat "$sink_dir/port")
}

sink_stop() {
	sink_pid=$(cat "$TEST_TMP/sink.$1/pid")
	kill "$sink_pid" 2>/dev/null
	wait "$sink_pid" 2>/dev/null
	:
}

route_to_sink() { echo ":[127.0.0.1]:$SINK" >"$PNEU_HOME/control/smtproutes"; }

jobs() {
	RESULTS=$(printf '%s\n' "$*" | "$PNEU_TESTS/tool/remotejobs" pneu-remote -j 2>>"$TEST_TMP/remote.log")
}

jobs_begin() {
	jobs_dir=$TEST_TMP/$1
	rm -rf "$jobs_dir"
	mkdir -p "$jobs_dir"
	mkfifo "$jobs_dir/in"
	"$PNEU_TESTS/tool/remotejobs" pneu-remote -j <"$jobs_dir/in" >"$jobs_dir/out" 2>>"$TEST_TMP/remote.log" &
	jobs_pid=$!
	jobs_count=0
	exec 9>"$jobs_dir/in"
}

job() {
	printf '%s\n' "$*" >&9
	jobs_count=$((jobs_count + 1))
	wait_for "grep -q '^$jobs_count done' '$jobs_dir/out' || ! kill -0 $jobs_pid 2>/dev/null" 60
	RESULTS=$(grep "^$jobs_count " "$jobs_dir/out")
}

jobs_end() {
	exec 9>&-
	wait "$jobs_pid"
}

events() { grep -Ec -- "$2" "$TEST_TMP/sink.$1/log"; }

nameserver() {
	ns_dir=$TEST_TMP/nsd
	mkdir -p "$ns_dir"
	NS=$(free_port)
	cat >"$ns_dir/nsd.conf" <<-NSD
		server:
		  ip-address: 127.0.0.1@$NS
		  do-ip6: no
		  username: ""
		  chroot: ""
		  zonesdir: "$ns_dir"
		  database: ""
		  zonelistfile: "$ns_dir/zone.list"
		  pidfile: "$ns_dir/nsd.pid"
		  xfrdfile: "$ns_dir/xfrd.state"
		  xfrdir: "$ns_dir"
		  server-count: 1
		  rrl-ratelimit: 0
		  hide-version: yes
		remote-control:
		  control-enable: no
		zone:
		  name: "$2"
		  zonefile: "$1"
	NSD
	nsd -d -c "$ns_dir/nsd.conf" >"$ns_dir/out" 2>&1 9>&- &
	ns_pid=$!
	echo "127.0.0.1:$NS" >"$PNEU_HOME/control/nameserver"
	timeout 30 "$PNEU_TESTS/tool/dnsdiff" "$NS" "$2" >/dev/null || bail "nsd: $(tail -n 3 "$ns_dir/out")"
}

nameserver_stop() {
	kill "$ns_pid"
	wait "$ns_pid" 2>/dev/null
	:
}
