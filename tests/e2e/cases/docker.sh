#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Docker's daemons: dockerd and docker report their versions, containerd starts and answers ctr; images and snapshots listed.
. "$(dirname -- "$0")/../lib.sh"
need dockerd
need containerd
# shellcheck disable=SC2086 # a prefix of several words
out=$($RUN dockerd --version 2>&1) || fail "dockerd: status $?: $out"
contains dockerd "$out" 'Docker version'
# shellcheck disable=SC2086
help=$($RUN dockerd --help 2>&1) || fail "dockerd --help: status $?"
contains "dockerd --help" "$help" '--storage-driver'
# Which error dockerd ends with differs between environments; that it says one, and ends, does not.
# shellcheck disable=SC2086
bad=$(timeout 60 $RUN dockerd --config-file "$WORK/absent.json" 2>&1)
status=$?
same "dockerd without its configuration file" 1 $status
contains "dockerd without its configuration file" "$bad" 'absent.json'
# shellcheck disable=SC2086
client=$($RUN docker --version 2>&1) || fail "docker: $client"
say "$out; $client"
# shellcheck disable=SC2086
$RUN bash "$CASES/docker_containerd.bash" || exit 1
passed
