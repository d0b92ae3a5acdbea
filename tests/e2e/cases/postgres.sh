#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL 15 as Debian ships it: initdb, start, psql, pgbench, fast shutdown, SIGKILL of a backend and of the postmaster
# with crash recovery, and the data-directory interlock that rests on shm_nattch. One cell: SysV objects live as long as it.
# PG_STEPS=initdb stops after initdb (used where the rest would take too long).
. "$(dirname -- "$0")/../lib.sh"
bin=/usr/lib/postgresql/15/bin
[ -x $bin/initdb ] || skip "postgresql-15 is not installed"

if [ "${1-}" != inside ]; then
	# The folder that this file lies in may be closed to nobody; the guest, not lichen, changes to that user.
	mkdir cases && cp "$CASES/postgres.sh" cases/ && cp "$CASES/../lib.sh" . || fail "cp"
	[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$WORK" || fail "chown"
	# shellcheck disable=SC2086,SC2046 # a prefix of several words
	$RUN $(as_nobody) bash "$WORK/cases/postgres.sh" inside
	exit $?
fi

export PATH=$bin:/usr/bin:/bin HOME=$WORK PGHOST=$WORK PGPORT=5439 PGDATABASE=postgres PGUSER=test PGCONNECT_TIMEOUT=60
data=$WORK/data
patience=$(size 60 600)
seconds=$(size 3 5)
scale=1

cleanup() { [ ! -s "$data/postmaster.pid" ] || kill -QUIT "$(head -n 1 "$data/postmaster.pid")" 2>/dev/null || :; }
trap cleanup EXIT

start() { pg_ctl -D "$data" -l "$WORK/log" -t "$patience" -w start >start.out 2>&1 || fail "pg_ctl start: $(cat start.out; tail -n 5 "$WORK/log")"; }
sql() { psql -X -A -t -q -v ON_ERROR_STOP=1 -c "$1"; }
# one connection of its own that answers
answers() { psql -X -A -t -c 'select 1' >/dev/null 2>&1; }

initdb -D "$data" -U test -A trust --no-locale -E UTF8 --no-sync ${PG_INITDB_OPTIONS-} >initdb.out 2>&1 || fail "initdb: $(tail -n 8 initdb.out)"
contains initdb "$(cat initdb.out)" 'Success'
say "initdb: done"
[ "${PG_STEPS-}" != initdb ] || { passed; }

cat >>"$data/postgresql.conf" <<X
listen_addresses = ''
unix_socket_directories = '$WORK'
shared_buffers = $(size 32MB 4MB)
dynamic_shared_memory_type = ${PG_DSM-sysv}
max_connections = 20
autovacuum = off
fsync = off
X
start
say "server: $(sql 'show server_version'), dynamic_shared_memory_type $(sql 'show dynamic_shared_memory_type')"
same "select" 5050 "$(sql 'select sum(n) from generate_series(1, 100) n')"

# A parallel query: workers attach the dynamic shared memory segment.
sql "create table t as select n, md5(n::text) m from generate_series(1, $(size 50000 2000)) n; analyze t" || fail "create table"
same "parallel query" "$(size 50000 2000)" "$(sql "set force_parallel_mode = on; set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0;
	set parallel_tuple_cost = 0; set max_parallel_workers_per_gather = 2; select count(distinct m) from t")"
say "parallel query: ok"

pgbench -i -q -s $scale >pgbench.out 2>&1 || fail "pgbench -i: $(tail -n 5 pgbench.out)"
pgbench -c 2 -j 2 -T "$seconds" -n >pgbench.out 2>&1 || fail "pgbench: $(tail -n 5 pgbench.out)"
contains pgbench "$(cat pgbench.out)" 'number of failed transactions: 0'
same "pgbench balance" t "$(sql 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)
	and (select sum(bbalance) from pgbench_branches) = (select sum(tbalance) from pgbench_tellers)')"
say "pgbench TPC-B: $(grep -E '^tps' pgbench.out)"

# A second server on the same data directory must be refused.
if postgres -D "$data" >second.out 2>&1; then fail "a second postmaster started"; fi
contains "second postmaster" "$(cat second.out)" 'lock file "postmaster.pid" already exists'

# SIGKILL of a backend: everybody restarts, crash recovery, the committed row stays.
sql "create table kept (n int); insert into kept values (42)" || fail "insert"
psql -X -A -t -c 'select pg_backend_pid()' -c 'select pg_sleep(600)' >sleeper.out 2>&1 &
sleeper=$!
until_true "$patience" test -s sleeper.out || fail "no sleeping backend"
kill -KILL "$(head -n 1 sleeper.out)" || fail "kill of the backend"
wait $sleeper
until_true "$patience" answers || fail "no recovery after SIGKILL of a backend: $(tail -n 5 "$WORK/log")"
until_true "$patience" grep -q 'database system is ready to accept connections' "$WORK/log"
same "after SIGKILL of a backend" 42 "$(sql 'select n from kept')"
contains log "$(cat "$WORK/log")" 'was terminated by signal 9'
say "SIGKILL of a backend: recovered"

# SIGKILL of the postmaster while a backend lives on: a new one must refuse (shm_nattch > 0), then start when it is gone.
rm -f sleeper.out # else the first one's number is read
psql -X -A -t -c 'select pg_backend_pid()' -c 'select 1 from pg_sleep(600)' >sleeper.out 2>&1 &
sleeper=$!
until_true "$patience" test -s sleeper.out || fail "no sleeping backend"
orphan=$(head -n 1 sleeper.out)
kill -STOP "$orphan" || fail "stop of the backend"
postmaster=$(head -n 1 "$data/postmaster.pid")
kill -KILL "$postmaster" || fail "kill of the postmaster"
# Ended and reaped: PostgreSQL takes a zombie for a living postmaster.
gone() { [ ! -e "/proc/$postmaster" ]; }
until_true "$patience" gone || fail "the postmaster survives SIGKILL"
rm -f "$data/postmaster.opts"
if pg_ctl -D "$data" -l second.log -t "$patience" -w start >second.out 2>&1; then
	fail "a postmaster started while a backend of the dead one is attached"
fi
contains "interlock" "$(cat second.log)" 'pre-existing shared memory block'
say "SIGKILL of the postmaster: a new one is refused while an old backend lives"
kill -KILL "$orphan"
wait $sleeper
start
same "after SIGKILL of the postmaster" 42 "$(sql 'select n from kept')"
contains log "$(cat "$WORK/log")" 'automatic recovery in progress'
say "crash recovery: ok"

# Debian's own ipcs must see the segment of the running server (natively, gVisor shows none).
if [ -n "$RUN" ] || [ -e /proc/sysvipc/shm ]; then
	ids=$(ipcs -m | awk -v me="$(id -un)" '$3 == me && $4 == 600 && $5 == 56' | wc -l)
	[ "$ids" -ge 1 ] || fail "ipcs -m does not list the server's 56-byte segment: $(ipcs -m)"
fi
pg_ctl -D "$data" -t "$patience" -w -m fast stop >stop.out 2>&1 || fail "fast shutdown: $(cat stop.out; tail -n 5 "$WORK/log")"
contains log "$(tail -n 3 "$WORK/log")" 'database system is shut down'
pg_controldata -D "$data" | grep -q 'cluster state: *shut down$' || fail "not cleanly shut down"
say "fast shutdown: clean"
passed
