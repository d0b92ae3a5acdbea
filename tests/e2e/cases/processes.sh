#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How programs of today start and await others: asyncio by pidfds, kubectl (Go 1.23) by CLONE_PIDFD and waitid(P_PIDFD), a C library by clone3.
# The plan decides what is filled, as for any user.
. "$(dirname -- "$0")/../lib.sh"
need python3
need kubectl

# shellcheck disable=SC2086 # a prefix of several words
$RUN python3 -I -W ignore "$CASES/processes_python.py" "$(size 40 10)" >python.out || fail "python: status $?: $(cat python.out)"
contains python "$(cat python.out)" 'awaited'
say "$(cat python.out)"

# A credential plugin: what kubectl starts before it connects to a server that is not there.
cat >plugin <<'X'
#!/bin/sh
echo ran >>"${0%/*}/ran"
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"x"}}'
X
chmod 755 plugin
cat >config.yaml <<X
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: $WORK/plugin, interactiveMode: Never}}}]
X
# shellcheck disable=SC2086
out=$(HOME=$WORK $RUN kubectl --kubeconfig=config.yaml get pods 2>&1)
contains kubectl "$out" 'refused'
[ -s ran ] || fail "kubectl did not run its plugin: $out"
say "kubectl ran its plugin"
passed
