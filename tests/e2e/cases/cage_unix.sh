#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# network.unix: the sockets that a policy names can be connected to, others are not there; and what a root of its own has and lacks.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir work served
echo data >work/data
cat >serve.py <<'E2'
import os, socket, threading
def serve(address):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    while True:
        peer = listener.accept()[0]
        peer.sendall(b"hello")
        peer.close()
name = "\0lichen-test-%d" % os.getpid()
for address in "served/named", "served/other", name:
    threading.Thread(target=serve, args=(address,)).start()
while not os.path.exists("served/named") or not os.path.exists("served/other"):
    pass
open("ready", "w").write(name[1:] + "\n")
E2
/usr/bin/python3 -I serve.py >/dev/null 2>&1 </dev/null &
server=$!
cleanup() { kill "$server" 2>/dev/null; }
until_true 60 test -s ready
cat >work/inside.py <<'E2'
import os, socket, sys
def say(name, address):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(address)
            print(name, s.recv(5).decode())
    except OSError as e:
        print(name, "refused" if e.errno in (1, 2, 13, 111) else e)
where, abstract = sys.argv[1:]
say("named", where + "/served/named")
say("other", where + "/served/other")
say("abstract", "\0" + abstract)
print(open("work/data").read(), end="")
print([name for name in ("work", "served/named", "served/other", "data") if os.path.lexists(where + "/" + name)])
E2
policy() {
	{
		printf '%s\n' 'version: 1' 'files:' "  read: [$(echo /etc/python3.* | sed 's/ /, /g; s/\*/9/')]" '  execute: [/usr, /bin, /lib, /lib64]' '  write: [./work]'
		printf '%s\n' "$@"
	} >policy.yaml
}
inside() { "$lichen" run "$@" --cage policy.yaml -- /usr/bin/python3 -I work/inside.py "$WORK" "$(cat ready)" </dev/null 2>err; }

policy 'network: {unix: [./served/named]}'
if "$lichen" cage env-check policy.yaml | grep -q 'missing'; then
	inside >out
	same 'status where sockets cannot be told from each other' 69 $?
	contains 'why' "$(cat err)" 'which this host lacks'
	passed
fi
for options in --native=all --emulate=sysvipc; do
	inside $options >out
	status=$?
	same "sockets $options ($(cat err))" "$(printf '%s\n' 'named hello' 'other refused' 'abstract refused' data "['work', 'served/named']")" "$(cat out)"
	same 'status of what was refused' 77 $status
	contains 'what is told' "$(cat err)" "denied net.unix $WORK/served/other"
done

# the first process of its pid namespace: signals mean to the command what they do elsewhere; all that it leaves ends with it
same 'a signal that it sends to itself' 143 "$(status_of "$lichen" run --cage policy.yaml -- sh -c 'kill $$')"
same 'a status' 5 "$(status_of "$lichen" run --cage policy.yaml -- sh -c '(exit 1) & exit 5')"
[ "$("$lichen" run --cage policy.yaml -- readlink /proc/self/ns/pid)" != "$(readlink /proc/self/ns/pid)" ] || fail 'its pids are those of the machine'
"$lichen" run --cage policy.yaml -- sh -c 'trap "echo caught >work/caught; exit 9" TERM; echo >work/begun; while :; do sleep 0.1; done' </dev/null &
running=$!
until_true 60 test -e work/begun
kill "$running"
wait "$running"
same 'a signal that is passed on' 9 $?
same 'who caught it' caught "$(cat work/caught)"
passed
