#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A cell of an image with tini as first process, and runit below it: PostgreSQL, Redis and nginx as Debian packages them, each as its own user, used from
# outside and inside; one stopped and started again. s6 does the same in another cell.
. "$(dirname -- "$0")/../lib.sh"
[ -e "$BUILT/servers.tar" ] || fail "no $BUILT/servers.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "this is about lichen's own images"
need redis-cli
need curl
LICHEN_STATE=$WORK/state
export LICHEN_STATE
lichen=${RUN%% *}
for psql in /usr/lib/postgresql/*/bin/psql; do :; done
[ -x "$psql" ] || skip 'no psql'
cleanup() { "$lichen" rm -f supervised services >/dev/null 2>&1; }
"$lichen" image import "$BUILT/servers.tar" servers >import.out 2>import.err || fail "import: $(tail -n 3 import.err)"

redis=$(free_port) http=$(free_port) sql=$(free_port)
service() { # service NAME: its run script from standard input
	mkdir -p "sv/$1"
	cat >"sv/$1/run"
	chmod 755 "sv/$1/run"
}
service redis <<X
#!/bin/sh
exec chpst -u redis:redis redis-server --port $redis --bind 127.0.0.1 --dir /var/lib/redis --unixsocket /run/redis.d/socket
X
service nginx <<X
#!/bin/sh
echo 'events {} http { server { listen 127.0.0.1:$http; root /var/www/html; index index.nginx-debian.html; } }' >/etc/nginx/own.conf
exec nginx -c /etc/nginx/own.conf -g 'daemon off; user www-data;'
X
service postgres <<X
#!/bin/sh
exec setpriv --reuid=postgres --regid=postgres --init-groups -- /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main \
	-c config_file=/etc/postgresql/15/main/postgresql.conf -c port=$sql -c hba_file=/sv/hba
X
printf 'local all all peer\nhost all all 127.0.0.1/32 trust\n' >sv/hba
chmod -R go+rX sv

start() { # start NAME CMD...: a cell
	name=$1
	shift
	# shellcheck disable=SC2016 # for the shell inside
	"$lichen" run -d --name "$name" -v "$WORK/sv:/from:ro" servers -- sh -c '
		cp -r /from /sv; chmod 755 /sv; install -d -o redis -g redis /run/redis.d; install -d -m 2775 -o postgres -g postgres /run/postgresql
		exec "$@"' sh "$@" >cell.out 2>&1 || fail "run -d: $(cat cell.out)"
}
inside() { "$lichen" exec supervised "$@" 2>&1; }
logs() { "$lichen" logs supervised 2>&1 | tail -n 40; }
pong() { [ "$(redis-cli -p "$redis" ping 2>/dev/null)" = PONG ]; }
sql() { "$psql" -h 127.0.0.1 -p "$sql" -U postgres -Atc "$1" 2>&1; }
answers() { [ "$(sql 'select 6*7')" = 42 ]; }
served() { curl -fs "http://127.0.0.1:$http/" >page; }

start supervised tini -- runsvdir /sv
until_true 30 pong || fail "redis: $(logs)"
until_true 30 served || fail "nginx: $(logs)"
until_true 30 answers || fail "postgres: $(logs)"
same 'redis from outside' 'OK b' "$(redis-cli -p "$redis" set a b) $(redis-cli -p "$redis" get a)"
contains "nginx's page" "$(cat page)" 'Welcome to nginx'
same 'a table' 'SELECT 1000' "$(sql 'create table t as select generate_series(1, 1000) x')"
same 'its sum' 500500 "$(sql 'select sum(x) from t')"
# shellcheck disable=SC2016
same "redis by its socket, which is redis's" 'b redis:redis' \
	"$(inside sh -c 'echo $(redis-cli -s /run/redis.d/socket get a) $(stat -c %U:%G /run/redis.d/socket)')"
same 'who postgres takes its own user for' 'postgres 1000' \
	"$(inside su postgres -c "psql -p $sql -Atc \"select current_user || ' ' || count(*) from t\"")"
if [ "$SLOW" = 0 ]; then # gVisor tells each process that its peer is itself
	contains 'and root' "$(inside psql -p "$sql" -U postgres -Atc 'select 1')" 'Peer authentication failed'
fi
same 'owners of what they wrote' 'redis postgres' \
	"$(inside sh -c 'redis-cli -s /run/redis.d/socket save >/dev/null; stat -c %U /var/lib/redis/dump.rdb /var/lib/postgresql/15/main/postmaster.pid' | xargs)"
same 'users of the processes' 'postgres redis www-data' \
	"$(inside ps -eo user:20,comm | awk '$2 ~ /^(redis-server|nginx|postgres)$/ && $1 != "root" { print $1 }' | sort -u | xargs)"
inside sv -w 30 down /sv/redis >/dev/null || fail "sv down: $(inside sv status /sv/redis)"
pong && fail 'redis was stopped'
inside sv -w 30 up /sv/redis >/dev/null || fail "sv up: $(inside sv status /sv/redis)"
until_true 30 pong || fail "redis, started again: $(logs)"
same 'what it kept' b "$(redis-cli -p "$redis" get a)"
"$lichen" stop -t 30 supervised >/dev/null || fail 'stop'
pong && fail 'redis is still there'
"$lichen" rm supervised >/dev/null || fail 'rm'

rm -rf sv/nginx sv/postgres
start services s6-svscan /sv
until_true 30 pong || fail "redis below s6: $("$lichen" logs services 2>&1 | tail -n 4)"
same 'another cell' '' "$(redis-cli -p "$redis" get a)"
"$lichen" exec services s6-svc -wD -T 30000 -d /sv/redis || fail 's6-svc -d'
pong && fail 's6 did not stop redis'
"$lichen" stop -t 20 services >/dev/null || fail 'stop of services'
passed
