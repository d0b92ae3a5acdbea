#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job, for people to watch. Debian's PostgreSQL 15 on a kernel that lacks shmget: it fails there by itself, and under
# lichen it starts, serves, loses a backend and its postmaster to SIGKILL, recovers, and stops cleanly. Debian's Docker inside
# gVisor: it fails there by itself, and after `lichen up docker` it runs a container and a stack of three services. A command in a cage.
#
# usage: tools/demo.sh              all of it; needs root and the packages in tools/demo.packages (`make demo` sees to both)
#        DEMO_SECONDS=N             length of the pgbench run (5)
# The script runs itself inside the environments: `demo.sh fail`, `why`, `fill`, `tour`, `small`, `cage` and `docker` are for its own use.

set -u
here=$(cd -- "$(dirname -- "$0")" && pwd)
seconds=${DEMO_SECONDS:-5}
bin=/usr/lib/postgresql/15/bin
export LC_ALL=C.UTF-8 TZ=UTC

# --- words ------------------------------------------------------------------------------------------------------------------

title() {
	printf '\n%s\n%s\n' "$1" "${1//?/=}"
}

step() {
	printf '  %-58s' "$1"
}

done_with() {
	printf '%s\n' "${1:-ok}"
}

quote() { # what a program said, indented and cut to 80 columns
	cut -c 1-74 | sed 's/ *$//; s/^/    | /'
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
	done_with 'sessions restarted'
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

# --- Docker ---------------------------------------------------------------------------------------------------------------------

# say COMMAND...: shows a command and what it says
say() {
	printf '  $ %s\n' "$*"
	"$@" >said.out 2>&1 || die "status $?" said.out
	sed 's/\r$//; / \.\.\. *$/d' said.out | quote # docker-compose says of each step that it begins, and then that it is done
}

lichen() {
	"$LICHEN" "$@"
}

# dockerd with a folder of its own: what the machine has in /var/lib/docker may be part of a lower layer here.
drop_in() {
	mkdir -p config/lichen/units/docker.service.d
	printf '[Service]\nExecStart=\nExecStart=%s --data-root %s\n' \
		'/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock' "$work/data" >config/lichen/units/docker.service.d/demo.conf
	export XDG_CONFIG_HOME=$work/config LICHEN_STATE=$work/state HOME=$work
	unset DOCKER_HOST DOCKER_CONTEXT
}

# A command that does what its policy does not say, in a cage; and the log that proves it.
caged_command() {
	folder
	export LICHEN_STATE=$work/state
	mkdir project
	cd project || exit 1
	printf '%s\n' 'version: 1' 'files: {execute: [/usr, /bin, /lib, /lib64], write: [./data]}' 'network: {mode: none}' >policy.yaml
	mkdir data
	quote <policy.yaml
	step 'a script that reads /etc/shadow, calls home, and works'
	"$LICHEN" run --cage policy.yaml -- python3 -I -c '
import socket
for attack in (lambda: open("/etc/shadow"), lambda: open("/tmp/left", "w"), lambda: socket.create_connection(("192.0.2.1", 443), 1)):
    try: attack(); print("it did!")
    except OSError: pass
open("data/result", "w").write("worked")' >cage.out 2>&1
	[[ $? = 77 && $(cat data/result) = worked ]] || die 'it is not told as a denial (77)' cage.out
	if grep -q 'it did' cage.out || [[ $(grep -c 'lichen: denied' cage.out) != 3 ]]; then
		die 'not all is refused' cage.out
	fi
	done_with 'status 77'
	quote <cage.out
	step 'lichen audit verify'
	"$LICHEN" audit verify >verify.out 2>&1 || die 'the log is broken' verify.out
	done_with
	grep -E '^(entries|runs)' verify.out | quote
	step 'one byte of the log is changed, by root; verify again'
	sed -i 's/shadow/shadov/' "$LICHEN_STATE"/audit/journal
	"$LICHEN" audit verify >verify.out 2>&1 && die 'nobody notices' verify.out
	done_with 'it shows, status 65'
	fold -s -w 74 verify.out | quote
}

# dockerd without lichen: its own last words.
fail_dockerd() {
	step 'dockerd, without lichen'
	if timeout -s KILL 60 dockerd -H "unix://$work/docker.sock" --data-root "$work/bare" --exec-root "$work/exec" -p "$work/pid" >dockerd.out 2>&1; then
		die 'dockerd works in this environment: there is nothing to show'
	fi
	grep -q '^failed to start daemon: ' dockerd.out || die 'it fails, but not as foreseen' dockerd.out
	done_with 'fails, as expected'
	tail -n 1 dockerd.out | fold -s -w 74 | quote
	umount "$work/bare" 2>umount.out # which it has mounted on itself, and leaves so
}

docker_tour() {
	folder
	drop_in
	fail_dockerd
	say lichen up docker
	trap '"$LICHEN" down docker >/dev/null 2>&1; rm -rf "$work"' EXIT
	step 'an image of programs of this machine, and docker load'
	"$here/../tests/e2e/stack/prepare" stack >prepare.out 2>&1 || die 'no images can be made' prepare.out
	docker load -i stack/base.tar >load.out 2>&1 || die 'docker load fails' load.out
	done_with
	say docker run --rm --network=none stack-base echo hello from a container
	cd stack || exit 1
	export WEB_PORT=8080 APP_PORT=8081 DB_PORT=5440
	step 'docker-compose build: nginx, a Python service, PostgreSQL'
	docker-compose build -q >build.out 2>&1 || die 'it fails' build.out
	done_with
	say docker-compose up -d
	try 60 curl -sf http://127.0.0.1:8080/health || die 'nginx does not answer'
	say curl -s http://127.0.0.1:8080/
	say docker-compose ps
	say docker-compose down -v
	cd "$work" || exit 1
	say lichen down docker
}

case ${1-} in
docker)
	docker_tour
	exit
	;;
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
cage)
	caged_command
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
for program in dockerd docker-compose nginx curl; do
	PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || die "$program is not installed: run make demo, or see tools/demo.packages"
done
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
title '2. Why? Every call is observed, without ptrace'
part 'tiny: lichen why finds the cause' "$envs/tiny" "$repo/tools/demo.sh" why
title '3. The same there, under lichen'
part 'tiny, under lichen: from initdb to crash recovery' "$envs/tiny" "$repo/tools/demo.sh" fill
title '4. Docker inside gVisor (of 2024)'
part 'gVisor, under lichen: dockerd, a container, three services' "$envs/gvisor24" "$repo/tools/demo.sh" docker
title "5. A caged command, in a container of Docker's profile"
part 'in a container: a cage, its denials, their log' "$envs/docker" "$repo/tools/demo.sh" cage
title '6. Smaller things that gVisor (of 2022) lacks'
part 'gVisor, under lichen: ls, sysctl, dmesg' "$envs/gvisor" "$repo/tools/demo.sh" small
title '7. What gVisor (of 2022) lacks: lichen doctor'
part "gVisor: doctor's table" "$envs/gvisor" "$LICHEN" doctor

title 'Summary'
printf '  %s\n' "${results[@]}"
exit $failed
