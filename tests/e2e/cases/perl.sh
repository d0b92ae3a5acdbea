#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Perl: fork and wait, pipes, signals, sockets, ithreads, and the SysV IPC calls that Perl has built in.
. "$(dirname -- "$0")/../lib.sh"
need perl
# shellcheck disable=SC2086 # a prefix of several words
out=$($RUN perl "$CASES/perl_workload.pl" 2>&1) || fail "status $?: $out"
contains perl "$out" "all done"
echo "$out" | while read -r line; do say "$line"; done
# shellcheck disable=SC2086
same "one-liner" "HELLO 3" "$(printf 'hello\n\n\n' | $RUN perl -ne 'print uc if $. == 1; END { print " $." }' | tr -d '\n')"
passed
