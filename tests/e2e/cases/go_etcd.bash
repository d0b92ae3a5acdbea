#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts etcd on loopback, works with it, stops it by SIGTERM. Arguments: how many keys, two free ports. One cell: run under lichen as a whole.
set -u
keys=$1
peer=http://127.0.0.1:$3
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:$2 ETCD_UNSUPPORTED_ARCH=
etcd --data-dir "$WORK/etcd" --listen-client-urls $ETCDCTL_ENDPOINTS --advertise-client-urls $ETCDCTL_ENDPOINTS \
	--listen-peer-urls $peer --initial-advertise-peer-urls $peer \
	--initial-cluster default=$peer --heartbeat-interval 500 --election-timeout 5000 >etcd.log 2>&1 &
etcd=$!
trap 'kill -KILL $etcd 2>/dev/null' EXIT
die() {
	echo "etcd: $1: $(tail -n 3 etcd.log)" >&2
	exit 1
}
for _ in $(seq 100); do
	etcdctl endpoint health >/dev/null 2>&1 && break
	kill -0 $etcd 2>/dev/null || die "ended early"
	sleep 0.3
done
etcdctl endpoint health >/dev/null 2>&1 || die "not healthy"
for ((i = 0; i < 5; i++)); do etcdctl put "k$i" "v$i" >/dev/null || die put; done
[[ $(etcdctl get --prefix k --print-value-only | tr '\n' ' ') == 'v0 v1 v2 v3 v4 ' ]] || die get
# A transaction reads stdin: many puts in one process.
{
	echo
	for ((i = 0; i < keys && i < 100; i++)); do echo "put many$i \"$i\""; done
	echo
	echo
} | etcdctl txn >/dev/null || die txn
[[ $(etcdctl get --prefix many --keys-only | grep -c many) -ge 20 ]] || die "keys are missing"
etcdctl snapshot save snap >/dev/null 2>&1 || die snapshot
[[ -s snap ]] || die "empty snapshot"
trap - EXIT
kill -TERM $etcd
wait $etcd
status=$?
[[ $status == 143 || $status == 0 ]] || die "status $status after SIGTERM"
echo "go: etcd: put, get, transaction, snapshot, SIGTERM"
