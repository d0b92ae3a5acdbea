#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job, for people to watch: Debian's PostgreSQL 15 on kernels that lack shmget. It fails there by itself, and under
# lichen it starts, serves, loses a backend and its postmaster to SIGKILL, recovers, and stops cleanly.
#
# usage: tools/demo.sh              all of it; needs root and the packages in tools/demo.packages (`make demo` sees to both)
#        DEMO_SECONDS=N             length of the pgbench run (10)
# The script runs itself inside the environments: `demo.sh fail`, `why`, `fill`, `tour` and `small` are for its own use.

set -u
here=$(cd -- "$(dirname -- "$0")" && pwd)
seconds=${DEMO_SECONDS:-10}
bin=/usr/lib/postgresql/15/bin
export LC_ALL=C.UTF-8 TZ=UTC

# --- words ------------------------------------------------------------------------------------------------------------------

title() {
	printf '\n%s\n%s\n' "$1" "${1//?/=}"
}

step() {
	printf '  %-62s' "$1"
}

done_with() {
	printf '%s\n' "${1:-ok}"
}

quote() { # what a program said, indented and cut to 80 columns
	cut -c 1-74 | sed 's/^/    | /'
}

die() {
	printf 'FAILED\n\n%s\n' "$1"
	[[ -z ${2-} ]] || tail -n 8 "$2" | quote
	exit 1
}

# --- inside an environment ------------------------------------------------------------------------------------------------------

# as_nobody COMMAND...: PostgreSQL refuses to be root
as_nobody() {
	if [[ $(id -u) = 0 ]]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
	else
		"$@"
	fi
}

folder() {
	work=$(mktemp -d /tmp/lichen-demo.XXXXXX) || exit 1
	chmod 777 "$work"
	cp "$here/demo.sh" "$work/"
	trap 'rm -rf "$work"' EXIT
	cd "$work" || exit 1
}

# PostgreSQL without lichen: initdb's own words.
fail_natively() {
	folder
	step 'initdb, without lichen'
	if as_nobody $bin/initdb -D "$work/data" -U demo -A trust >initdb.out 2>&1; then
		die 'initdb works in this environment: there is nothing to show'
	fi
	done_with 'fails, as expected'
	grep -E 'FATAL|DETAIL' initdb.out | sed 's/^.*\(FATAL\|DETAIL\)/\1/' | quote
	grep -q 'could not create shared memory segment: Function not implemented' initdb.out ||
		die 'but with another message than foreseen' initdb.out
}

# The question that a user then asks.
ask_why() {
	folder
	printf '  $ lichen why --bare -- initdb …\n'
	as_nobody "$LICHEN" why --bare --output="$work/why.out" -- $bin/initdb -D "$work/data" -U demo -A trust >initdb.out 2>&1
	grep -q "gap 'sysvipc'" why.out || die 'lichen why does not find the cause' why.out
	awk '/^1\./ { found = 1 } /^2\./ { exit } found' why.out # 80 columns wide by itself
}

# What gVisor of 2022 refuses to Debian's own tools: without lichen, then with it.
small_things() {
	folder
	step 'ls -l / by itself'
	ls -l / >ls.out 2>ls.err && die 'ls works in this environment: there is nothing to show'
	done_with 'fails, as expected'
	head -n 1 ls.err | quote
	step 'ls -l / under lichen'
	"$LICHEN" run -- ls -l / >ls.out 2>&1 || die 'ls fails' ls.out
	done_with
	step 'sysctl -w kernel.panic=10, and a value that is refused'
	"$LICHEN" run -- sh -c 'sysctl -w kernel.panic=10 && sysctl kernel.panic && ! echo ten >/proc/sys/kernel/panic' >sysctl.out 2>&1 ||
		die 'sysctl fails' sysctl.out
	done_with
	quote <sysctl.out
	step 'dmesg: /dev/kmsg of the cell'
	"$LICHEN" run -- sh -c 'echo "<4>demo: hello" >/dev/kmsg && sleep 0.1 && dmesg' >dmesg.out 2>&1 || die 'dmesg fails' dmesg.out
	grep -q 'demo: hello' dmesg.out || die 'what was written is not there' dmesg.out
	done_with
	tail -n 2 dmesg.out | quote
}

# The same under lichen. Arguments: options of `lichen run`.
fill() {
	folder
	printf '  $ lichen run%s -- initdb … ; pg_ctl start ; pgbench …\n' "${*:+ $*}"
	# The row of the plan that counts here.
	"$LICHEN" run --explain "$@" -- true 2>&1 | awk '/^sysvipc/ { row = $0; next } row != "" && /^ / { sub(/^ +/, " "); row = row $0; next }
		row != "" { print row; exit }' | fold -s -w 74 | quote
	# One cell for all: SysV objects live as long as it does. The folder is handed over to the user who works in it.
	"$LICHEN" run "$@" -- setpriv --reuid=65534 --regid=65534 --clear-groups -- bash "$work/demo.sh" tour
}

sql() {
	psql -X -A -t -q -v ON_ERROR_STOP=1 -c "$1"
}

try() { # try SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

gone() { # whether a process has ended and been reaped: PostgreSQL takes a zombie for a living postmaster
	[[ ! -e /proc/$1 ]]
}

start() {
	pg_ctl -D "$PGDATA" -l log -t 120 -w start >start.out 2>&1 || die 'the server does not start' log
}

# A backend that sleeps; its pid goes to $backend.
sleeper() {
	rm -f sleeper.out
	psql -X -A -t -c 'select pg_backend_pid()' -c 'select pg_sleep(600)' >sleeper.out 2>&1 &
	try 60 test -s sleeper.out || die 'no session' sleeper.out
	backend=$(head -n 1 sleeper.out)
}

tour() {
	export PATH=$bin:/usr/bin:/bin HOME=$PWD PGDATA=$PWD/data PGHOST=$PWD PGPORT=5440 PGUSER=demo PGDATABASE=postgres
	local count before kept

	step 'initdb'
	initdb -U demo -A trust --no-locale -E UTF8 >initdb.out 2>&1 || die 'initdb fails' initdb.out
	printf "listen_addresses = ''\nunix_socket_directories = '%s'\nshared_buffers = 32MB\n" "$PWD" >>data/postgresql.conf
	done_with
	step 'server start'
	start
	done_with "PostgreSQL $(sql 'show server_version' | cut -d ' ' -f 1)"
	step 'pgbench -i: tables of 100,000 rows'
	pgbench -i -q -s 1 >pgbench.out 2>&1 || die 'pgbench -i fails' pgbench.out
	done_with
	step "pgbench: $seconds s of TPC-B, 2 clients"
	pgbench -c 2 -j 2 -T "$seconds" -n >pgbench.out 2>&1 || die 'pgbench fails' pgbench.out
	done_with "$(sed -n 's/^tps = \([0-9]*\).*/\1 tps/p' pgbench.out)"
	before=$(sql 'select count(*) from pgbench_history')

	step 'SIGKILL of a backend'
	sleeper
	kill -KILL "$backend"
	wait
	try 60 sql 'select 1' || die 'the server does not come back' log
	grep -q 'terminated by signal 9' log || die 'the server did not notice' log
	done_with 'all sessions restarted'
	step 'SIGKILL of the postmaster while a session lives'
	sleeper
	kill -STOP "$backend"
	kill -KILL "$(head -n 1 data/postmaster.pid)"
	try 10 gone "$(head -n 1 data/postmaster.pid)" || die 'it survives'
	done_with
	step 'a second server is refused: shm_nattch counts the session'
	if pg_ctl -D "$PGDATA" -l second.log -t 60 -w start >start.out 2>&1; then
		die 'two servers would write one data directory' second.log
	fi
	grep -q 'pre-existing shared memory block' second.log || die 'refused, but for another reason' second.log
	done_with
	kill -KILL "$backend"
	wait
	step 'server start: crash recovery'
	start
	grep -q 'automatic recovery in progress' log || die 'no recovery took place' log
	done_with
	step 'all that was committed is there, and the balances agree'
	count=$(sql 'select count(*) from pgbench_history')
	kept=$(sql 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)')
	[[ $count = "$before" && $kept = t ]] || die "$count of $before transactions, sums agree: $kept"
	done_with "$count transactions"
	step 'ipcs -m, by util-linux'
	ipcs -m >ipcs.out || die 'ipcs fails' ipcs.out
	[[ $(awk '$5 == 56' ipcs.out | wc -l) = 1 ]] || die "ipcs does not show the server's segment" ipcs.out
	done_with
	sed '/^$/d' ipcs.out | quote
	step 'server stop (fast)'
	pg_ctl -D "$PGDATA" -t 60 -w -m fast stop >stop.out 2>&1 || die 'the server does not stop' log
	pg_controldata | grep -q 'cluster state: *shut down$' || die 'not a clean stop' log
	[[ $(ipcs -m | awk '$5 == 56' | wc -l) = 0 ]] || die 'the segment is left behind'
	done_with 'clean'
}

case ${1-} in
fail)
	fail_natively
	exit 0
	;;
why)
	ask_why
	exit
	;;
small)
	small_things
	exit
	;;
fill)
	shift
	fill "$@"
	exit
	;;
tour)
	# lichen run starts us in the folder that its caller made.
	cd "$here" || exit 1
	tour
	exit 0
	;;
esac

# --- outside ----------------------------------------------------------------------------------------------------------------

repo=$(cd -- "$here/.." && pwd)
export LICHEN=${LICHEN:-$repo/build/lichen} DEMO_SECONDS=$seconds
envs=$repo/tests/envs
[[ -x $LICHEN ]] || die "$LICHEN does not exist: run make first"
[[ -x $bin/initdb ]] || die 'postgresql-15 is not installed: run make demo, or see tools/demo.packages'
cd "$repo" || exit 1

failed=0
results=()
# part WORDS COMMAND...
part() {
	local words=$1 began=$SECONDS
	shift
	if "$@"; then
		results+=("ok      $words ($((SECONDS - began)) s)")
	else
		results+=("FAILED  $words")
		failed=1
	fi
}

title '1. PostgreSQL on a kernel without System V IPC (environment tiny)'
part 'tiny: initdb fails by itself' "$envs/tiny" "$repo/tools/demo.sh" fail
title '1b. Why? Every call is observed, without ptrace'
part 'tiny: lichen why finds the cause' "$envs/tiny" "$repo/tools/demo.sh" why
title '2a. The same there, under lichen'
part 'tiny, under lichen: from initdb to crash recovery' "$envs/tiny" "$repo/tools/demo.sh" fill
title '2b. The same inside gVisor, whose own System V IPC is refused'
part 'gVisor, under lichen: from initdb to crash recovery' "$envs/gvisor" "$repo/tools/demo.sh" fill --refuse=sysvipc
title '2c. Smaller things that gVisor lacks'
part 'gVisor, under lichen: ls, sysctl, dmesg' "$envs/gvisor" "$repo/tools/demo.sh" small
title '3. What gVisor lacks: lichen doctor'
part "gVisor: doctor's table" "$envs/gvisor" "$LICHEN" doctor

title 'Summary'
printf '  %s\n' "${results[@]}"
exit $failed
