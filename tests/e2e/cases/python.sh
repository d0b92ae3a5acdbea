#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Python 3: threads, subprocess, multiprocessing by fork, spawn and forkserver, asyncio, signals, mmap.
. "$(dirname -- "$0")/../lib.sh"
PATH=/usr/bin:/bin # Debian's python3
for part in threads subprocess signals files asyncio fork spawn forkserver; do
	# shellcheck disable=SC2086 # a prefix of several words
	out=$($RUN python3 -I "$CASES/python_workload.py" $part "$(size 1 0)" 2>&1) || fail "$part: status $?: $out"
	case $out in
	"$part: "*) say "$out" ;;
	*) fail "$part said: $out" ;;
	esac
done
passed
