#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nginx with two workers under wrk: no errors; reload with new workers; graceful quit.
. "$(dirname -- "$0")/../lib.sh"
need nginx
need wrk
need curl
export PORT="${PORT-$(free_port)}"
inside "$@"
port=$PORT
url=http://127.0.0.1:$port
mkdir -p www tmp
chmod 755 . www
head -c 50000 /dev/urandom >www/blob
echo '<p>hello</p>' >www/index.html
cat >nginx.conf <<X
$([ "$(id -u)" != 0 ] || echo "user nobody nogroup;")
worker_processes 2;
pid $WORK/pid;
error_log $WORK/error.log info;
events { worker_connections 128; }
http {
	access_log off;
	sendfile on;
	aio threads;
	client_body_temp_path $WORK/tmp; proxy_temp_path $WORK/tmp; fastcgi_temp_path $WORK/tmp; uwsgi_temp_path $WORK/tmp; scgi_temp_path $WORK/tmp;
	server { listen 127.0.0.1:$port; root $WORK/www; location /proxy/ { proxy_pass $url/; } }
}
X
nginx -p "$WORK" -c "$WORK/nginx.conf" -t 2>test.out || fail "configuration: $(cat test.out)"
nginx -p "$WORK" -c "$WORK/nginx.conf" -g 'daemon off;' >nginx.out 2>&1 &
server=$!
trap 'kill -KILL $server 2>/dev/null; pkill -KILL -P $server 2>/dev/null; :' EXIT
until_true 30 curl -sf $url/ || fail "no answer: $(cat nginx.out error.log)"
same page '<p>hello</p>' "$(curl -s $url/)"
same "50 kB through the proxy" "$(sha1sum <www/blob)" "$(curl -s $url/proxy/blob | sha1sum)"
same "absent page" 404 "$(curl -s -o /dev/null -w '%{http_code}' $url/absent)"
load() {
	wrk -t2 -c16 -d"$1"s "$url/$2" >wrk.out 2>&1 || fail "wrk: $(cat wrk.out)"
	if grep -E 'Socket errors|Non-2xx' wrk.out; then fail "wrk: $(cat wrk.out)"; fi
	[ "$(awk '/requests in/ { print $1 }' wrk.out)" -gt 0 ] || fail "wrk: $(cat wrk.out)"
	say "wrk /$2: $(awk '/Requests.sec/ { print $2 " requests/s" }' wrk.out), no errors"
}
load 2 index.html
load 1 proxy/blob
old=$(pgrep -P $server | sort | tr '\n' ' ')
kill -HUP $server
renewed() { new=$(pgrep -P $server | sort | tr '\n' ' '); [ -n "$new" ] && [ "$new" != "$old" ]; }
until_true 20 renewed || fail "no new workers after SIGHUP"
same "page after reload" '<p>hello</p>' "$(curl -s $url/)"
kill -QUIT $server
wait $server || fail "status $? after SIGQUIT"
if grep -E '\[(alert|emerg|crit)\]' error.log; then fail "error.log: $(grep -E '\[(alert|emerg|crit)\]' error.log)"; fi
say "reload by SIGHUP, end by SIGQUIT"
passed
