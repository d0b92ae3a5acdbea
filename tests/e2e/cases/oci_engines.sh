#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen oci as the runtime of podman, of containerd's shim, and of dockerd: containers with seccomp, limits and terminals, exec, pause, signals.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "this is about lichen oci"
need busybox
need podman
need dockerd
need ctr
lichen=${RUN%% *}
runtime=$WORK/lichen-oci
ln -s "$lichen" "$runtime"
daemons=
cleanup() {
	for pid in $daemons; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
}

mkdir -p "$WORK/tree/bin" "$WORK/tree/etc"
cp "$(command -v busybox)" "$WORK/tree/bin/busybox"
for name in sh cat id echo grep sleep true touch hostname; do ln -s busybox "$WORK/tree/bin/$name"; done
echo root:x:0:0::/root:/bin/sh >"$WORK/tree/etc/passwd"
tar -C "$WORK/tree" -cf "$WORK/tree.tar" .
filtered='grep Seccomp: /proc/self/status | grep -o 2'

# --- podman ---------------------------------------------------------------------------------------------------------------------------------
# Its own limits for files and processes may be more than this machine lets anybody have.
pod() { podman --root "$WORK/p" --runroot "$WORK/pr" --cgroup-manager cgroupfs --events-backend file --storage-driver vfs --runtime "$runtime" "$@"; }
small='--network=none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024'
pod import -q "$WORK/tree.tar" tree >/dev/null 2>podman.err || fail "podman import: $(cat podman.err)"
# shellcheck disable=SC2086 # options
same 'podman run' '2 pod status 5' "$( (pod run --rm --hostname pod $small tree sh -c "$filtered; hostname; exit 5" 2>podman.err; echo status $?) | xargs)"
# shellcheck disable=SC2086
pod run -d --name web --init=false $small tree sh -c 'trap "exit 0" TERM; echo hello; while :; do sleep 0.1; done' >/dev/null 2>podman.err ||
	fail "podman run -d: $(cat podman.err)"
same 'podman exec' 'inside' "$(pod exec web echo inside 2>&1)"
until_true 20 sh -c "podman --root '$WORK/p' --runroot '$WORK/pr' --cgroup-manager cgroupfs --storage-driver vfs logs web | grep -q hello" || fail 'podman logs'
pod stop -t 20 web >/dev/null 2>podman.err || fail "podman stop: $(cat podman.err)"
same 'its status' 0 "$(pod inspect -f '{{.State.ExitCode}}' web)"
pod rm -f web >/dev/null 2>&1 || fail 'podman rm'

# --- dockerd --------------------------------------------------------------------------------------------------------------------------------
echo "{\"runtimes\":{\"lichen\":{\"path\":\"$lichen\",\"runtimeArgs\":[\"oci\"]}},\"default-runtime\":\"lichen\"}" >daemon.json
dockerd --config-file "$WORK/daemon.json" --data-root "$WORK/d" --exec-root "$WORK/de" -p "$WORK/dockerd.pid" -H "unix://$WORK/docker.sock" \
	--bridge=none --iptables=false --storage-driver vfs --exec-opt native.cgroupdriver=cgroupfs >dockerd.log 2>&1 &
daemons=$!
dock() { docker -H "unix://$WORK/docker.sock" "$@"; }
until_true 60 dock version || fail "dockerd: $(tail -n 3 dockerd.log)"
dock import "$WORK/tree.tar" tree >/dev/null 2>docker.err || fail "docker import: $(cat docker.err)"
same 'docker run' '2 hello' "$(dock run --rm --network=none tree sh -c "$filtered; echo hello" 2>&1 | xargs)"
dock run --rm --network=none tree nothing >docker.out 2>&1
same 'a program that is not there' 127 $?
dock run --rm --network=none tree sh -c 'exit 9'
same 'a status' 9 $?
id=$(dock run -d --network=none --memory 64m --pids-limit 50 tree sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done') || fail 'docker run -d'
same 'docker exec' 'inside' "$(dock exec "$id" echo inside 2>&1)"
contains 'docker top' "$(dock top "$id" 2>&1)" 'trap'
dock pause "$id" >/dev/null 2>&1 || fail 'docker pause'
same 'docker inspect' 'paused 67108864' "$(dock inspect -f '{{.State.Status}} {{.HostConfig.Memory}}' "$id")"
dock unpause "$id" >/dev/null 2>&1 || fail 'docker unpause'
dock update --memory 96m --memory-swap 192m "$id" >/dev/null 2>docker.err || fail "docker update: $(cat docker.err)"
dock kill -s TERM "$id" >/dev/null || fail 'docker kill'
same 'docker wait' 3 "$(dock wait "$id")"
dock rm "$id" >/dev/null || fail 'docker rm'
same 'a terminal' '/dev/console' "$(/usr/bin/python3 -I "$CASES/oci_terminal.py" docker -H "unix://$WORK/docker.sock" run --rm -t --network=none tree sh -c 'test -t 0 && test -c /dev/console && echo /dev/console' | tr -d '\r' | grep -o '/dev/console')"

# --- containerd: dockerd brought one up ------------------------------------------------------------------------------------------------------
socket=$(find "$WORK/de" -name containerd.sock | head -n 1)
if [ -n "$socket" ]; then
	same 'ctr' 'by ctr' "$(ctr -a "$socket" run --rm --rootfs --runc-binary "$runtime" "$WORK/tree" c1 /bin/sh -c 'echo by ctr' 2>&1)"
fi
passed
