# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by every case. Gives a private folder that vanishes at the end, and words to check with.
#
#   $RUN    command prefix under test, e.g. "/work/main/build/lichen run --emulate=all --"; empty: natively
#   $SLOW   1 where system calls are slow (gVisor): cases take the smaller of two sizes
#   $WORK   private writable folder, made here unless given
#   $CASES  folder of the cases and their helpers
# A case ends with `passed`; its status is then 0. 1 is a failure, 77 a skip with a reason.

set -u
export LC_ALL=C.UTF-8 TZ=UTC
CASE=${0##*/}
CASE=${CASE%.sh}
CASES=$(cd -- "$(dirname -- "$0")" && pwd)
RUN=${RUN-}
SLOW=${SLOW-0}
BUILT=${BUILT-$(cd -- "$CASES/../../.." && pwd)/build/e2e} # what tests/e2e/prepare made
export CASES RUN SLOW BUILT
case $PATH in *sbin*) ;; *) PATH=$PATH:/usr/sbin:/sbin ;; esac
export PATH

if [ -z "${WORK-}" ]; then
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/e2e-$CASE.XXXXXX") || exit 1
	export WORK
	chmod 755 "$WORK"
	trap 'status=$?; cleanup; cd /; rm -rf "$WORK"; exit $status' EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
fi
cd "$WORK" || exit 1

# Overridden by cases that start daemons.
cleanup() { :; }

say() { printf '%s: %s\n' "$CASE" "$*"; }

fail() {
	say "FAIL: $*" >&2
	exit 1
}

skip() {
	say "skipped: $*"
	exit 77
}

# passed: the last statement of a case. The runner looks for this very line, so that an engine that
# returns 0 without having run anything is no success.
passed() {
	say passed
	exit 0
}

# same WHAT EXPECTED ACTUAL
same() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# contains WHAT TEXT PART
contains() {
	case $2 in
	*"$3"*) ;;
	*) fail "$1: '$3' is not in: $2" ;;
	esac
}

# status_of COMMAND...: prints the exit status
status_of() {
	"$@" >/dev/null 2>&1
	echo $?
}

need() {
	command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"
}

# size NORMAL SLOW
size() {
	if [ "$SLOW" = 1 ]; then echo "$2"; else echo "$1"; fi
}

# until_true SECONDS COMMAND...: tries ten times a second; 1 when the time is over
until_true() {
	end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# free_port: a TCP port of loopback that nobody uses, below the ephemeral ones
free_port() {
	/usr/bin/python3 -I -c '
import random, socket
while True:
    port = random.randrange(10000, 32000)
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", port))
        break
    except OSError:
        pass
print(port)'
}

# same_as_native SCRIPT [ARG...]: runs an output-only script natively and under $RUN, in folders of their own, and
# compares what they print and return.
same_as_native() {
	mkdir -p "$WORK/native" "$WORK/run"
	(cd "$WORK/native" && "$@") >"$WORK/native.out" 2>&1 </dev/null
	native=$?
	# shellcheck disable=SC2086 # a prefix of several words
	(cd "$WORK/run" && $RUN "$@") >"$WORK/run.out" 2>&1 </dev/null
	status=$?
	if [ $status != $native ] || ! cmp -s "$WORK/native.out" "$WORK/run.out"; then
		diff "$WORK/native.out" "$WORK/run.out" | head -n 20 >&2
		fail "$* : status $native natively, $status under '$RUN'; output compared above (< native)"
	fi
	[ $native = 0 ] || fail "$*: fails natively with status $native: $(tail -n 3 "$WORK/native.out")"
}

# as_nobody: prints the prefix of a command that servers which refuse root are started with
as_nobody() {
	[ "$(id -u)" != 0 ] || echo "setpriv --reuid=65534 --regid=65534 --clear-groups --"
}

# inside "$@": first line of cases that run as one guest tree: the rest of the file is executed under $RUN once.
inside() {
	if [ "${1-}" != inside ]; then
		# shellcheck disable=SC2086 # a prefix of several words
		$RUN sh "$CASES/$CASE.sh" inside
		exit $?
	fi
}
