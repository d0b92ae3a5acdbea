#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every way through the command line once, for the sanitizers: smoke.sh LICHEN. Statuses only; the texts are asserted elsewhere.
set -u
lichen=$1
failed=0

# expect STATUS ARG…
expect() {
	wanted=$1
	shift
	output=$("$lichen" "$@" 2>&1 </dev/null)
	status=$?
	case $output in
	*Sanitizer* | *'runtime error'*) status="$status with a sanitizer's report" ;;
	esac
	[ "$status" = "$wanted" ] && return
	failed=1
	printf 'lichen %s: status %s, wanted %s\n%s\n' "$*" "$status" "$wanted" "$output"
}

expect 64
expect 64 frob
expect 64 --bogus
expect 64 doctor --for nope
expect 0 --version
expect 0 --help
expect 0 help run
expect 0 help doctor
expect 0 doctor --json
expect 0 doctor --for /bin/sh
expect 0 doctor --for ipcs --json
expect 0 doctor --for "$0" --html /dev/null
expect 0 doctor --kernel-config "$(dirname "$0")/../fuzz/corpus/kernel_config/gzip" --html /dev/null
expect 69 doctor --kernel-config "$(dirname "$0")/../fuzz/corpus/kernel_config/fragment" --for kubernetes --json
expect 64 doctor --kernel-config "$(dirname "$0")/../fuzz/corpus/kernel_config/cut"
expect 0 run --explain
expect 0 run --explain --json
expect 125 run
expect 125 run --bogus
expect 125 run --emulate=nope true
expect 125 run --emulate=all --native=all true
expect 125 run --emulate=all -w /nonexistent true
expect 127 run nonexistent
expect 127 run --emulate=all -- nonexistent
expect 126 run --emulate=all -- /etc/passwd
expect 0 run true
expect 0 run --explain -- true
expect 3 run --emulate=all -- sh -c 'exit 3'
# shellcheck disable=SC2016
expect 137 run --emulate=all -- sh -c 'kill -9 $$'
expect 0 run --refuse=all -- true
# shellcheck disable=SC2016 # for the guest's shell
expect 0 run -e A=1 -e B=2 --env=A=3 -- sh -c 'test $A$B = 32'
exit $failed
