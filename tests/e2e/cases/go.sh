#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Static and dynamic Go programs: kubectl, runc, containerd, etcd with a client. Go's runtime starts threads, registers
# alternate signal stacks and preempts goroutines by signals.
. "$(dirname -- "$0")/../lib.sh"
need kubectl
need etcd
kubectl=$(readlink -f "$(command -v kubectl)")
# shellcheck disable=SC2086 # a prefix of several words
out=$($RUN "$kubectl" version --client -o yaml 2>&1) || fail "kubectl: status $?: $out"
contains kubectl "$out" 'gitVersion: v1.'
kind=$(file -bL "$kubectl" 2>/dev/null || echo ELF)
case $kind in *"statically linked"*) kind=static ;; *) kind=Go ;; esac
say "kubectl ($kind): $(echo "$out" | sed -n 's/ *gitVersion: //p' | head -n 1)"
cat >pod.yaml <<X
apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {containers: [{name: c, image: i}]}
X
# shellcheck disable=SC2086
out=$($RUN "$kubectl" create --dry-run=client --validate=false -f pod.yaml -o json --server=http://127.0.0.1:1 2>&1)
contains "kubectl to a dead server" "$out" 'refused'
# shellcheck disable=SC2086
out=$($RUN runc --version 2>&1) || fail "runc: status $?: $out"
contains runc "$out" 'runc version'
# shellcheck disable=SC2086
out=$($RUN runc spec 2>&1) || fail "runc spec: $out"
contains "runc spec" "$(cat config.json)" '"ociVersion"'
# shellcheck disable=SC2086
out=$($RUN containerd --version 2>&1) || fail "containerd: status $?: $out"
contains containerd "$out" 'containerd github.com/containerd'
# shellcheck disable=SC2086
out=$($RUN containerd config default 2>&1) || fail "containerd config: $out"
contains "containerd config" "$out" 'io.containerd.grpc.v1.cri'
say "runc, containerd: versions, spec, default configuration"

# A server under load: etcd, its own benchmark of puts, a watch, a snapshot.
# shellcheck disable=SC2086
$RUN bash "$CASES/go_etcd.bash" "$(size 200 20)" "$(free_port)" "$(free_port)" || fail "etcd"
passed
