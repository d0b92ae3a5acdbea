#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that make namespaces find theirs, without privilege: unshare, nsenter, lsns, ps, bubblewrap; and crun runs a container, which is pid 1 in its own
# root. What they say is what they say on a kernel that lets them. Both install filters for what they run.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "the machine's own namespaces are not touched"
for program in unshare nsenter lsns ps bwrap crun busybox; do
	command -v "$program" >/dev/null || fail "no $program"
done
cp "$CASES/namespaces_inside.bash" inside.bash
bundle=$WORK/bundle
mkdir -p "$bundle/rootfs/bin" "$bundle/rootfs/proc" "$bundle/rootfs/tmp" "$bundle/rootfs/dev"
cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
for name in sh ps cat hostname mkdir mount; do
	ln -s busybox "$bundle/rootfs/bin/$name"
done
cat >"$bundle/config.json" <<'X'
{ "ociVersion": "1.0.2", "hostname": "container", "root": { "path": "rootfs" },
  "process": { "user": { "uid": 0, "gid": 0 }, "cwd": "/", "env": [ "PATH=/bin" ],
    "args": [ "sh", "-c", "set -- /proc/[0-9]*; echo container: pid $$ of $(hostname), $1; mkdir /tmp/made 2>&1; exit 7" ] },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" }, { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs" } ],
  "linux": { "seccomp": { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    { "names": [ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 95 } ] }, "namespaces": [ { "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" } ] } }
X

# shellcheck disable=SC2086 # a prefix of several words
timeout 120 ${RUN% --} --emulate=mounts,identity,namespaces,cgroup,sysvipc,processes -- bash inside.bash "$bundle" >out 2>err ||
	fail "inside.bash: status $?, $(tail -n 3 err)"
diff -u - out <<'X' || fail "what programs say; stderr: $(tail -n 5 err)"
unshare: pid 1, processes 1
told: pid 1, name inner
entered: inner, init 1 sleep
by a file: inner
in use: 1
parent: outer
killed: gone
bwrap: bw, 1 bwrap, status 4
mkdir: cannot create directory 'made': No space left on device
bwrap: nothing is made
container: pid 1 of container, /proc/1
mkdir: can't create directory '/tmp/made': Operation not supported
crun: 7
X
passed
