#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What namespaces.sh runs in a cell. $1: a bundle for crun.
hostname outer
unshare --fork --pid --mount-proc bash -c 'set -- /proc/[0-9]*; echo "unshare: pid $$, processes $#"'

mkfifo ready
unshare --fork --pid --mount-proc --uts bash -c 'hostname inner; echo "told: pid $$, name $(hostname)"; : >ready; exec sleep 1000' &
maker=$!
: <ready
init=1
until [[ $(ps -o comm= -p "${init:-1}") = sleep ]]; do
	init=$(ps -o pid= --ppid "$maker" | tr -d ' ')
done
nsenter -t "$init" -m -u -p bash -c 'echo "entered: $(hostname), init $(ps -o pid=,comm= -p 1 | xargs)"'
: >uts
mount --bind "/proc/$init/ns/uts" uts
echo "by a file: $(nsenter --uts=uts hostname)"
rm uts 2>/dev/null
echo "in use: $?"
umount uts
[[ $(lsns -n -o PID -t pid | tr -d ' ') == *"$init"* ]] || echo "lsns does not tell of it"
echo "parent: $(hostname)"
kill -KILL "$init"
wait "$maker" 2>/dev/null
[[ -e /proc/$init/exe ]] || echo "killed: gone"

bwrap --unshare-pid --unshare-uts --hostname bw --bind / / --proc /proc --dev /dev \
	bash -c 'echo "bwrap: $(hostname), $(ps -o pid=,comm= -p 1 | xargs), status $(bash -c "exit 4"; echo $?)"'
# A filter of its own: mkdir and mkdirat are ENOSPC.
printf '\40\0\0\0\0\0\0\0\25\0\2\0\123\0\0\0\25\0\1\0\2\1\0\0\6\0\0\0\0\0\377\177\6\0\0\0\34\0\5\0' >filter
bwrap --bind / / --proc /proc --dev /dev --seccomp 9 bash -c 'LC_ALL=C mkdir made 2>&1; [[ -e made ]] || echo "bwrap: nothing is made"' 9<filter

mount -t cgroup2 none /sys/fs/cgroup
crun --root /tmp/crun run --no-new-keyring --bundle "$1" container
echo "crun: $?"
