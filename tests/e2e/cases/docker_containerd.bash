#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts containerd with all its state in $WORK, asks it by ctr, stops it by SIGTERM. One cell: run under lichen as a whole.
set -u
address=$WORK/containerd.sock
cat >containerd.toml <<X
version = 2
root = "$WORK/root"
state = "$WORK/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
	"io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
address = "$address"
uid = $(id -u)
gid = $(id -g)
[ttrpc]
address = "$address.ttrpc"
uid = $(id -u)
gid = $(id -g)
X
containerd --config containerd.toml >containerd.log 2>&1 &
containerd=$!
trap 'kill -KILL $containerd 2>/dev/null' EXIT
die() {
	echo "docker: FAIL: containerd: $1: $(grep -E 'level=(error|fatal)|^containerd:|panic' containerd.log | tail -n 3)" >&2
	exit 1
}
ask() { ctr --address "$address" --connect-timeout 20s "$@"; }
for _ in $(seq 200); do
	[[ -S $address ]] && ask version >version.out 2>&1 && break
	kill -0 $containerd 2>/dev/null || die "ended early"
	sleep 0.2
done
grep -A1 '^Server' version.out | grep -q Version || die "no answer: $(tail -n 2 version.out)"
ask plugins ls >plugins.out 2>&1 || die "plugins: $(cat plugins.out)"
grep -E 'snapshotter.v1 +native .* ok' plugins.out >/dev/null || die "no native snapshotter: $(grep snapshotter plugins.out)"
# Content goes in and comes out: the store writes, syncs and renames files.
head -c 300000 /dev/urandom >blob
digest=sha256:$(sha256sum <blob | cut -d ' ' -f 1)
ask content ingest --expected-digest "$digest" test-ref <blob || die "ingest"
ask content get "$digest" | cmp - blob || die "content differs"
ask namespaces create test || die "namespace"
ask namespaces ls -q | grep -qx test || die "namespace is not listed"
ask images ls -q >/dev/null || die "images"
trap - EXIT
kill -TERM $containerd
wait $containerd || die "status $? after SIGTERM"
echo "docker: containerd: started, $(grep -c ' ok ' plugins.out) plugins, content stored, ended by SIGTERM"
