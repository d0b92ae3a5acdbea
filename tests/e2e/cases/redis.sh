#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Redis: server, redis-benchmark without errors, persistence by a forked child (BGSAVE, AOF rewrite), restart, shutdown.
. "$(dirname -- "$0")/../lib.sh"
need redis-server
need redis-benchmark
export PORT="${PORT-$(free_port)}"
inside "$@"
port=$PORT
count=$(size 5000 2000)
cli() { redis-cli -p $port "$@"; }
cleanup() { [ -z "${server-}" ] || kill -KILL "$server" 2>/dev/null || :; }
trap cleanup EXIT
start() {
	redis-server --port $port --bind 127.0.0.1 --dir "$WORK" --save '' --appendonly yes --daemonize no --io-threads 2 \
		--unixsocket "$WORK/redis.sock" >>redis.log 2>&1 &
	server=$!
	until_true 60 cli ping || fail "no answer: $(tail -n 5 redis.log)"
}
start
same ping PONG "$(cli ping)"
redis-benchmark -p $port -n "$count" -c 20 -q -t set,get,incr,lpush,mset >bench.out 2>&1 || fail "redis-benchmark: $(cat bench.out)"
for test in SET GET INCR LPUSH; do contains redis-benchmark "$(tr '\r' '\n' <bench.out)" "$test: "; done
[ "$(cli get counter:__rand_int__)" = "$count" ] || fail "INCR count: $(cli get counter:__rand_int__), expected $count"
redis-benchmark -s "$WORK/redis.sock" -n "$count" -c 10 -P 8 -q -t set,get >bench.out 2>&1 || fail "by unix socket: $(cat bench.out)"
say "redis-benchmark: $(tr '\r' '\n' <bench.out | grep -E '^GET: [0-9.]+ requests' | tail -n 1 | sed 's/ *$//')"
cli set kept "a value" >/dev/null
cli eval 'for i = 1, 500 do redis.call("set", "k" .. i, i) end return redis.call("dbsize")' 0 >/dev/null
size=$(cli dbsize)
cli bgsave >/dev/null
saved() { [ "$(cli info persistence | tr -d '\r' | sed -n 's/^rdb_bgsave_in_progress://p')" = 0 ]; }
until_true 60 saved || fail "BGSAVE does not end"
same "BGSAVE" ok "$(cli info persistence | tr -d '\r' | sed -n 's/^rdb_last_bgsave_status://p')"
[ -s "$WORK/dump.rdb" ] || fail "no dump.rdb"
cli bgrewriteaof >/dev/null
rewritten() { cli info persistence | grep -q 'aof_rewrite_in_progress:0'; }
until_true 60 rewritten || fail "BGREWRITEAOF does not end"
kill -KILL "$server"
wait "$server" 2>/dev/null
start
same "after SIGKILL and restart" "a value" "$(cli get kept)"
same "keys after restart" "$size" "$(cli dbsize)"
cli shutdown >/dev/null 2>&1
wait "$server" || fail "status $? of shutdown"
server=
say "BGSAVE, AOF, SIGKILL and restart: $size keys kept"
passed
