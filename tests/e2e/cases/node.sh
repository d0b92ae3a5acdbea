#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Node: worker_threads, child_process (spawn, exec, fork with IPC), file system, HTTP on loopback, signals, crypto.
. "$(dirname -- "$0")/../lib.sh"
need node
for part in workers children files http signals; do
	# shellcheck disable=SC2086 # a prefix of several words
	out=$($RUN node "$CASES/node_workload.js" $part "$(size 1 0)" 2>&1) || fail "$part: status $?: $out"
	case $out in
	"$part: "*) say "$out" ;;
	*) fail "$part said: $out" ;;
	esac
done
# shellcheck disable=SC2086
same "exit status" 37 "$(status_of $RUN node -e 'process.exit(37)')"
# shellcheck disable=SC2086
same "uncaught error" 1 "$(status_of $RUN node -e 'throw new Error("x")')"
passed
