#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# network.mode proxy of a cage: what the policy names is reached, through lichen-proxy; nothing else is, in any way; denials are told, and the log has all of it.
# Where no network namespace can be made connections are made by lichen (seccomp user notification); where there is none of that either, in gVisor, nothing starts.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
need curl
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
cleanup() { [ -z "${server-}" ] || kill "$server" 2>/dev/null; }

echo served >index.html
/usr/bin/python3 -u -B -c '
import http.server
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()' >port 2>asked &
server=$!
until_true 60 test -s port || fail 'the server does not start'
port=$(cat port)

mkdir work
cat >policy.yaml <<END
version: 1
files:
  read: [/usr, /etc, /lib, /lib64, /bin, /sbin]
  execute: [/usr, /lib, /lib64, /bin, /sbin]
  write: [./work]
network:
  mode: proxy
  allow: ["*.debian.org:443"]
  private: ["127.0.0.1:$port", "localhost:$port"]
environment: {pass: [PATH, http_proxy]}
END
# caged COMMAND...: what the host lacks besides the network is not looked at here
caged() { "$lichen" run --cage policy.yaml --audit log --allow-weaker=files,deny,syscalls,unix,scopes,limits -- "$@" 2>err </dev/null; }

caged true
case $? in
0) ;;
69)
	contains 'why' "$(cat err)" 'network namespace'
	case " $(cat /proc/sys/kernel/seccomp/actions_avail 2>&1) " in *' user_notif '*) fail "connections can be made for it: $(cat err)" ;; esac
	case $(unshare --net true 2>&1 && echo made) in made) fail "one can be made: $(cat err)" ;; esac
	passed
	;;
*) fail "true: $(cat err)" ;;
esac

same 'by HTTP' served "$(caged curl -qsS "http://127.0.0.1:$port/index.html")"
same 'by CONNECT' served "$(caged curl -qsSp "http://localhost:$port/index.html")"
same 'by SOCKS' served "$(caged curl -qsS -x socks5h://127.0.0.1:3128 "http://localhost:$port/index.html")"
same 'what it was asked for' 3 "$(grep -c 'GET /index.html' asked)"

# the caller's own proxy is not handed on beside it
same 'variables' 'http_proxy=http://127.0.0.1:3128' "$(http_proxy=http://evil.example/ caged env | grep '^http_proxy=')"

# nothing else, and not without the proxy
caged curl -qsS http://evil.example/ >out
same 'status of a denial' 77 $?
contains 'the line' "$(cat err)" 'lichen: denied net.connect evil.example:80'
contains 'the answer' "$(cat out)" 'denied evil.example:80: no rule allows it'
caged curl -qsS "http://127.0.0.2:$port/" >out
same 'status of another address' 77 $?
contains 'the line' "$(cat err)" "lichen: denied net.connect 127.0.0.2:$port"
caged curl -qsS --noproxy '*' "http://127.0.0.1:$port/" >out && fail 'the machine was reached without the proxy'
same 'what it was asked for then' 3 "$(grep -c GET asked)"

# whatever others in the cage do
cp "$CASES/cage_proxy_storm.py" "$CASES/cage_proxy_handed.py" work
same 'in a storm' fetched "$(caged /usr/bin/python3 -B work/cage_proxy_storm.py "http://127.0.0.1:$port/index.html" 12)"

# limits.wall ends who asks on and on, also while its decisions are written to the log
if [ "$SLOW" = 0 ]; then
	sed '$a limits: {wall: 500ms}' policy.yaml >wall.yaml
	timeout -s KILL 30 "$lichen" run --cage wall.yaml --audit flood --allow-weaker=files,deny,syscalls,unix,scopes,limits -- /usr/bin/python3 -I -c '
import os, socket
which = (os.fork() and 1) + (os.fork() and 2)
for i in range(1000000):
    try:
        with socket.create_connection(("127.0.0.1", 3128)) as peer:
            peer.send(b"CONNECT x%d-%d.example:443 HTTP/1.0\r\n\r\n" % (which, i))
            peer.recv(64)
    except OSError:  # so many at once are refused where lichen makes the connections
        pass' >/dev/null 2>flooded </dev/null
	same "status of the wall clock in a flood ($(tail -n 3 flooded))" 77 $?
	contains 'the wall clock in a flood' "$(cat flooded)" 'limits.wall of wall.yaml ended the command'
fi

# sockets that it is handed lead nowhere else where lichen makes the connections
case $("$lichen" cage env-check --json policy.yaml) in
*'made by lichen'*)
	contains 'what the storm was refused' "$(cat err)" 'denied net.connect 192.0.2.1:80'
	same 'handed sockets' "$(printf 'SOCK_STREAM ECONNREFUSED EACCES EACCES\nSOCK_DGRAM EACCES EACCES EACCES')" \
		"$(/usr/bin/python3 -B work/cage_proxy_handed.py "$port" "$lichen" run --cage policy.yaml --allow-weaker=files,deny,syscalls,unix,scopes,limits -- 2>err)"
	;;
esac

# where there are other namespaces, but none of the network
# shellcheck disable=SC2016 # for the shell inside
apart() { unshare -Urp --fork --mount-proc sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' sh "$@" 2>err; }
if apart true; then
	contains 'by what' "$(apart "$lichen" cage env-check --json policy.yaml)" 'made by lichen'
	same 'in a pid namespace' served "$(apart "$lichen" run --cage policy.yaml --audit log2 --allow-weaker=files,deny,syscalls,unix,scopes,limits -- curl -qsS "http://127.0.0.1:$port/index.html")"
	asked=1
fi

# without the proxy there is no network: it is killed while the command runs
# shellcheck disable=SC2016 # for the shell inside
caged sh -c 'echo >work/started; until [ -e work/go ]; do sleep 0.1; done; curl -qsS "$http_proxy"' >out &
run=$!
until_true 60 test -e work/started || fail "it does not start: $(cat err)"
kill -9 "$(pgrep -P "$(pgrep -P $run -x lichen || echo $run)" -x lichen-proxy)" || fail 'the proxy is not a child of lichen'
touch work/go
wait $run
same 'status without the proxy' 7 $?
contains 'what lichen says of it' "$(cat err)" 'lichen-proxy ended before the command'

# the log
"$lichen" audit export --type=network log >network || fail 'export'
same 'allowed' 16 "$(grep -c '"event":"allowed"' network)"
same 'ended' 16 "$(grep -c '"event":"ended"' network)"
contains 'rule' "$(cat network)" "\"rule\":\"network.private localhost:$port\""
contains 'denied' "$("$lichen" audit export --type=denial log)" 'evil.example:80'
"$lichen" audit verify log >/dev/null || fail 'the log is broken'

# a step of a flow, by allowed_domains and allowed_private
mkdir flow && cd flow || fail 'no flow'
cat >config.yaml <<END
network_access_allowed: true
allowed_domains: [good.example]
allowed_private: ["localhost:$port"]
allowed_commands: [curl]
END
# flow URL
flow() {
	printf '%s\n' 'name: fetch' 'steps:' '  - agent: tool_executor' '    action: run' \
		"    parameters: {command: curl, args: [-qsS, '$1']}" >flow.yaml
	"$lichen" flow run --allow-weaker=files,deny,syscalls,unix,scopes,limits flow.yaml >out 2>err </dev/null
}
flow "http://localhost:$port/index.html"
same "status of a flow: $(cat err)" 0 $?
same 'what it was asked for by a flow' $((17 + ${asked-0})) "$(grep -c 'GET /index.html' ../asked)"
flow http://evil.example/
same "status of a flow that is denied: $(cat err)" 77 $?
contains 'the event of the first' "$("$lichen" audit export --type=network audit)" '"event":"allowed"'
contains 'its denial' "$("$lichen" audit export --type=denial audit)" 'evil.example:80'
passed
