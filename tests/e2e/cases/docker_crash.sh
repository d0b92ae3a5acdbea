#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A dockerd that is killed, and a whole cell that is killed, under lichen up docker: what status and logs tell, that the next one finds its containers and
# volumes, and that nothing of the dead is left.
. "$(dirname -- "$0")/../lib.sh"
. "$CASES/docker_daemon.sh"

# fact UNIT KEY: of lichen status
fact() {
	"$lichen" status --json "$1" | /usr/bin/python3 -I -c 'import json, sys; print(json.load(sys.stdin)["units"][0].get(sys.argv[1]))' "$2"
}
state() { d inspect -f '{{.State.Status}}' "$1"; }
is() { [ "$(state "$1")" = "$2" ]; }
kept() { d run --rm --network=none -v kept:/v base cat /v/log; }

rm -rf /run/docker /run/containerd # of the machine, as this environment sees it; what was there before is left alone
note_what_is_there
docker_up
base_image sleep true
d run -d --name always --network=none --restart always -v kept:/v base sh -c 'echo once more >>/v/log; while :; do sleep 0.2; done' >/dev/null
d run -d --name plain --network=none base sh -c 'echo here; while :; do sleep 0.2; done' >/dev/null
d run -d --name stopped --network=none --restart unless-stopped base true >/dev/null
d stop -t 60 stopped >/dev/null

# --- dockerd alone ------------------------------------------------------------------------------------------------------------------
first=$(fact docker main_pid)
kill -9 "$first"
again() { [ "$(fact docker ready) $(fact docker restarts)" = 'True 1' ]; }
until_true 120 again || fail "docker.service is not started again: $("$lichen" status docker)"
contains "what status tells" "$("$lichen" status docker)" 'restarted 1 times, last because it was ended by SIGKILL'
contains "what the log tells" "$("$lichen" logs docker 2>&1)" 'lichen: docker.service was ended by SIGKILL'
until_true 60 is always running || fail "--restart always after kill -9 of dockerd: $(state always)"
same "containers found" 'always
plain
stopped' "$(d ps -a --format '{{.Names}}' | LC_ALL=C sort)"
same "who had no restart policy" exited "$(state plain)"
same "who was stopped" exited "$(state stopped)"
d start plain >/dev/null
twice() { [ "$(d logs plain)" = 'here
here' ]; }
until_true 60 twice || fail "its log: $(d logs plain)"

# --- the whole cell but its containers ---------------------------------------------------------------------------------------------------
pid=$(d inspect -f '{{.State.Pid}}' plain)
manager=$(sed -n 's/^ *"manager": \([0-9]*\).*/\1/p' "$LICHEN_STATE"/cells/*/units.json)
monitor=$("$lichen" inspect docker | sed -n 's/^ *"monitor": \([0-9]*\).*/\1/p')
kill -9 "$monitor" "$manager" "$(fact docker main_pid)" "$(fact containerd main_pid)"
gone() { ! "$lichen" status docker; }
until_true 60 gone || fail "status after kill -9 of all: $("$lichen" status docker)"
"$lichen" status docker >out
same "its status" 82 $?
contains "what status tells" "$(cat out)" 'its manager was killed'
cat >config/lichen/units/docker.service.d/once.conf <<END
[Service]
Restart=no
END
docker_up
[ ! -e "/proc/$pid" ] || ! grep -q sleep "/proc/$pid/cmdline" || fail "process $pid of the killed cell lives"
same "containers found" 'always
plain
stopped' "$(d ps -a --format '{{.Names}}' | LC_ALL=C sort)"
until_true 60 is always running || fail "--restart always after kill -9 of all: $(state always)"
same "who had no restart policy" exited "$(state plain)"
d start plain >/dev/null
same "a volume" 'once more' "$(kept | sort -u)"

# --- dockerd, which is not started again -----------------------------------------------------------------------------------------------------
kill -9 "$(fact docker main_pid)"
until_true 60 gone || fail "status after kill -9 of dockerd: $("$lichen" status docker)"
"$lichen" status docker >out
same "its status" 82 $?
contains "what status tells" "$(cat out)" 'was ended by SIGKILL'
until_true 60 nothing_left || fail "left behind: $(cat left)"
passed
