#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real servers in cages of a few lines: PostgreSQL (initdb, start, a parallel query by its UNIX socket, stop), Redis, Python's multiprocessing. Shared memory is the run's own:
# nothing of the machine's is seen, nothing is left. What the environment cannot give is refused, with what to do. And what --learn learns of them runs them.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
bin=/usr/lib/postgresql/15/bin
[ -x $bin/initdb ] || skip "postgresql-15 is not installed"
need redis-server
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir data
# they refuse root
user=
[ "$(id -u)" != 0 ] || user='processes: {user: "65534:65534"}'
[ "$(id -u)" != 0 ] || chown 65534:65534 data || fail chown
# policy NAME [FILES…]: of a server whose files and sockets lie in ./data
policy() {
	cat >"$1.yaml" <<Y
version: 1
files:
  read: [/etc]
  execute: [/usr, /bin, /lib, /lib64]
  write: [./data]
${2-  tmp: true}
network: {unix: [./data]}
environment:
  set: {PATH: "$bin:/usr/bin:/bin", PGHOST: "$WORK/data", PGDATABASE: postgres, PGUSER: test, PGDATA: "$WORK/data/pg", LC_ALL: C.UTF-8, TMPDIR: "$WORK/data"}
$user
${3-}
Y
}
policy server
caged() { "$lichen" run --cage "$@" </dev/null; }

if "$lichen" cage env-check offline | grep -q 'missing'; then
	case ${ENVIRONMENT-} in gvisor | '') ;; *) fail "no cage: $("$lichen" cage env-check offline)" ;; esac
	same 'status where there is no cage' 69 "$(status_of caged server.yaml -- true)"
	passed
fi
weaker=
own=1 # a /dev/shm and System V objects of its own
if "$lichen" cage env-check server.yaml | grep -q '^unix *missing'; then
	case ${ENVIRONMENT-} in docker | restricted | '') ;; *) fail 'no layer unix' ;; esac
	weaker=--allow-weaker=unix
	own=
fi
# the machine's: what the cage must neither see nor change
others=$(ls /dev/shm)
objects() { for kind in shm sem msg; do [ ! -r /proc/sysvipc/$kind ] || sed 1d /proc/sysvipc/$kind; done | awk '{ print $1, $2 }' | sort; }
before=$(objects)

# Python: semaphores and memory with names, memory of its own
cat >memory.py <<'E2'
import multiprocessing, multiprocessing.shared_memory, os
if __name__ == "__main__":
    print(multiprocessing.get_context("fork").Pool(2).map(abs, [-1, 2]))
    print(sorted(n for n in os.listdir("/dev/shm") if not n.startswith("sem.mp-")))
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=4096)
    print(os.listdir("/dev/shm").count(memory.name))
    memory.close()
    memory.unlink()
    os.open("/dev/shm/left", os.O_CREAT | os.O_RDWR)
E2
mkdir python && mv memory.py python && cd python || fail python
expected=$(printf '%s\n' '[1, 2]' '[]' 1)
if [ -n "$own" ]; then
	same 'multiprocessing' "$expected" "$(caged offline -- /usr/bin/python3 -I memory.py 2>../err || cat ../err)"
	"$lichen" run --learn ../learnt.yaml -- /usr/bin/python3 -I memory.py >/dev/null 2>&1 </dev/null || fail '--learn of multiprocessing'
	rm -f /dev/shm/left
	contains 'learnt' "$(cat ../learnt.yaml)" '  tmp: true'
	[ "$SLOW" = 0 ] || sed -i 's|^  read:|&\n    - /etc|' ../learnt.yaml # of a root of its own: Python looks there without reading
	case $(cat ../learnt.yaml) in */dev/shm*) fail "learnt: $(cat ../learnt.yaml)" ;; esac
	same 'multiprocessing, as learnt' "$expected" "$(caged ../learnt.yaml -- /usr/bin/python3 -I memory.py 2>../err || cat ../err)"
	# bounded, by what limits allow; nothing in it is executed; who has a rule for the machine's has the machine's
	printf 'version: 1\nfiles:\n  read: [/etc]\n  execute: [/usr, /bin, /lib, /lib64]\n  tmp: true\nlimits: {disk: 1m, memory: 200m}\n' >../small.yaml
	same 'a size' 1024 "$(caged ../small.yaml -- sh -c 'df -k --output=size /dev/shm | tail -n 1' 2>&1 | tr -d ' ')"
	caged ../small.yaml -- sh -c 'dd if=/dev/zero of=/dev/shm/x bs=64k count=17' 2>../err && fail 'more than fits'
	contains 'more than fits' "$(cat ../err)" 'No space left'
	"$lichen" cage env-check offline --json | grep -q 'execute is not judged' || same 'a program in it' 126 "$(status_of caged ../small.yaml -- sh -c 'cp /bin/true /dev/shm/x && /dev/shm/x')"
	: >/dev/shm/lichen-test-$$
	sed -i 's|^  tmp: true|  tmp: true\n  read: [/dev/shm]|; /^  read: .*etc/d' ../small.yaml
	same "the machine's" "/dev/shm/lichen-test-$$" "$(caged ../small.yaml -- sh -c "ls /dev/shm/lichen-test-$$" 2>&1)"
	rm -f /dev/shm/lichen-test-$$
else
	caged offline -- /usr/bin/python3 -I memory.py >../out 2>../err
	same 'multiprocessing without a place for memory' 77 $?
	contains 'why' "$(cat ../err)" "no /dev/shm of the run's own can be made here (files.tmp); a rule for /dev/shm shares this one"
	printf 'version: 1\nfiles:\n  read: [/etc, .]\n  execute: [/usr, /bin, /lib, /lib64]\n  write: [/dev/shm]\n' >../shared.yaml
	(cd .. && sed -i 's|, \.\]|, ./python]|' shared.yaml)
	same 'multiprocessing in what is shared' "$expected" "$(caged ../shared.yaml -- /usr/bin/python3 -I memory.py 2>../err || cat ../err)"
	rm -f /dev/shm/left
	contains 'the layer' "$("$lichen" cage env-check offline --json)" 'no /dev/shm of its own'
fi
cd ..

# PostgreSQL; what it needs of System V lichen answers where no IPC namespace can be had
cat >data/database.sh <<'E2'
initdb -U test -A trust --no-sync >/dev/null || exit 1
cat >>"$PGDATA/postgresql.conf" <<C
unix_socket_directories = '$PGHOST'
listen_addresses = ''
shared_buffers = 16MB
max_connections = 20
fsync = off
C
start() { pg_ctl -w -l "$PGDATA/log" start >/dev/null || { cat "$PGDATA/log"; exit 2; }; }
start
psql -X -A -t -q -v ON_ERROR_STOP=1 -c 'create table t as select generate_series(1, 5000) n' -c 'set force_parallel_mode = on' -c 'set min_parallel_table_scan_size = 0' \
	-c 'set parallel_setup_cost = 0' -c 'set parallel_tuple_cost = 0' -c 'select sum(n) from t' || exit 3
pg_ctl -w -m fast stop >/dev/null || exit 4
E2
options=
[ -n "$own" ] || options="--emulate=sysvipc $weaker"
[ -n "$own" ] || policy server '' 'report: {quiet: [fs.write /dev/shm]}'
# shellcheck disable=SC2086 # words
caged server.yaml $options -- sh data/database.sh >out 2>err
status=$?
same "a database: $(cat err)" "0 12502500" "$status $(cat out)"
[ -n "$own" ] || {
	policy plain ''
	caged plain.yaml $weaker -- ipcmk -M 4096 >out 2>err
	same 'System V memory where it would be shared' 77 $?
	contains 'why' "$(cat err)" "denied syscall shmget: no IPC namespace can be made here; 'run --emulate=sysvipc' gives the run objects of its own"
}

# Redis, with a child that saves
cat >data/cache.sh <<'E2'
redis-server --port 0 --unixsocket "$PGHOST/redis" --dir "$PGHOST" --save '' >/dev/null &
tries=0
until [ "$(redis-cli -s "$PGHOST/redis" ping 2>/dev/null)" = PONG ]; do
	tries=$((tries + 1))
	[ $tries -lt 600 ] || exit 1
	sleep 0.1
done
redis-cli -s "$PGHOST/redis" set key value >/dev/null && redis-cli -s "$PGHOST/redis" get key && redis-cli -s "$PGHOST/redis" shutdown save
wait && [ -s "$PGHOST/dump.rdb" ]
E2
caged server.yaml $weaker -- sh data/cache.sh >out 2>err
status=$?
same "a cache: $(cat err)" '0 value' "$status $(cat out)"

# a policy that is learnt of the database, as who it runs as; in slow environments of the cache alone, above all
if [ "$SLOW" = 0 ] && [ "${ENVIRONMENT-}" != tiny ]; then # a user has no namespaces in tiny, and there initdb's chmod is refused
	rm -rf data/pg learnt
	mkdir -m 777 learnt
	chmod 755 .
	variables="PATH=$bin:/usr/bin:/bin PGHOST=$WORK/data PGDATABASE=postgres PGUSER=test PGDATA=$WORK/data/pg LC_ALL=C.UTF-8"
	words=
	for variable in $variables; do words="$words -e $variable"; done
	# shellcheck disable=SC2086,SC2046 # words
	env $variables LICHEN_STATE="$WORK/learnt/state" $(as_nobody) "$lichen" run --learn learnt/policy.yaml -- sh data/database.sh >out 2>err </dev/null
	status=$?
	same "a database, learnt: $(cat err)" "0 12502500" "$status $(cat out)"
	rm -rf data/pg
	# shellcheck disable=SC2086,SC2046 # words
	env LICHEN_STATE="$WORK/learnt/state" $(as_nobody) "$lichen" run --cage learnt/policy.yaml $weaker $words -- sh data/database.sh >out 2>err </dev/null
	status=$?
	same "a database, as learnt: $(cat err learnt/policy.yaml)" "0 12502500" "$status $(cat out)"
fi

[ -z "$own" ] || same 'System V objects of the machine' "$before" "$(objects)"
same 'shared memory of the machine' "$others" "$(ls /dev/shm)"
passed
