#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hundred containers, ten at a time, leave nothing behind: no processes, no files below the data root, no control groups, no mounts.
. "$(dirname -- "$0")/../lib.sh"
. "$CASES/docker_daemon.sh"
rounds=${ROUNDS-$(size 10 1)}
docker_up
base_image sleep
run_one() { /usr/bin/docker run -d --name "many$1" --network=none base sh -c 'echo here; while :; do sleep 0.5; done'; }
# ten ROUND COMMAND…: for ten numbers at a time; status 0 if all were
ten() {
	for i in 0 1 2 3 4 5 6 7 8 9; do
		"$2" "$1$i" >"ten$i" 2>&1 &
		eval "job$i=$!"
	done
	bad=0
	for i in 0 1 2 3 4 5 6 7 8 9; do
		eval "wait \$job$i" || { bad=1 && cat "ten$i" >&2; }
	done
	return $bad
}
end_one() { /usr/bin/docker rm -f "many$1"; }
what_containers_leave() {
	find data -name local-kv.db -prune -o -print | LC_ALL=C sort
	"$lichen" exec docker -- find /sys/fs/cgroup -type d
	"$lichen" exec docker -- cut -d ' ' -f 5- /proc/self/mountinfo
	pgrep -fa '^[^ ]*(containerd-shim|runc) ' || true
}
run_one first >out 2>&1 || fail "docker run: $(cat out)"
end_one first >out 2>&1 || fail "docker rm: $(cat out)"
what_containers_leave >before
round=0
while [ $round -lt "$rounds" ]; do
	ten $round run_one || fail "docker run of ten, the $round. time"
	same "how many run" 10 "$(d ps -q | wc -l)"
	ten $round end_one || fail "docker rm of ten, the $round. time"
	round=$((round + 1))
done
nothing() {
	what_containers_leave >after
	diff before after >left
}
until_true 60 nothing || fail "left behind (< before): $(head -20 left)"
docker_down
passed
