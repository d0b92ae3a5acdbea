#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits of control groups are kept for programs that know nothing of them: memory, tasks, processor time, standing still; and runc uses the
# groups of a cell as it uses a kernel's, where it runs at all.
. "$(dirname -- "$0")/../lib.sh"
need python3
[ -n "$RUN" ] || skip "the machine's own groups are not touched"

# shellcheck disable=SC2086 # a prefix of several words
$RUN python3 -I "$CASES/groups_checks.py" || fail "checks: status $?"
# Which are used: the kernel's where all work, else the cell's alone. What is said of that before holds inside.
told=$("$LICHEN" doctor --json | python3 -Ic 'import json, sys
print(*(row["presence"] for row in json.load(sys.stdin)["features"] if row["name"] == "cgroup"))')
case ${ENVIRONMENT-}:$told in
host:present | docker:blocked | restricted:blocked | gvisor*:missing | tiny:missing) ;;
*) fail "doctor says that control groups are '$told'" ;;
esac
if [ "$told" = present ]; then
	same "without being asked" "$(cat /proc/self/cgroup)" "$("$LICHEN" run -- cat /proc/self/cgroup)"
fi
told=$("$LICHEN" run --emulate=cgroup,identity,namespaces,mounts -- sh -c 'cat /proc/self/cgroup; grep -c -e "- cgroup" /proc/self/mountinfo; sed -n "2,\$s/\t.*//p" /proc/cgroups | wc -l')
same "asked for" "0::/
1
12" "$told"
# runc asks for its limits, a cgroup namespace and a program for devices. Elsewhere it has no keys, or no user namespace.
case ${ENVIRONMENT-} in
host | gvisor24) ;;
*) passed ;;
esac
need runc
need busybox
mkdir -p bundle/rootfs/bin bundle/rootfs/proc bundle/rootfs/dev bundle/rootfs/sys
cp "$(command -v busybox)" bundle/rootfs/bin/busybox
cat >spec.py <<'END'
import json
spec = json.load(open("bundle/config.json", encoding="utf-8"))
show = "cat /proc/self/cgroup /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max"
spec["process"].update(terminal=False, args=["/bin/busybox", "sh", "-c", show.replace("cat", "busybox cat")])
spec["linux"]["resources"].update(pids={"limit": 20}, memory={"limit": 1 << 26})
spec["linux"]["namespaces"] = [space for space in spec["linux"]["namespaces"] if space["type"] != "cgroup"] + [{"type": "cgroup"}]
spec["linux"]["cgroupsPath"] = "/e2e/groups"
json.dump(spec, open("bundle/config.json", "w", encoding="utf-8"))
END
runc spec --bundle bundle && python3 -I spec.py || fail "runc spec"
told=$("$LICHEN" run --emulate=cgroup,namespaces,mounts,identity -- runc --root "$WORK/state" run --bundle bundle e2e-groups 2>&1)
same "what a container of runc sees" "0::/
20
67108864" "$told"
passed
