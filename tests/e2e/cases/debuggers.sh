#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# gdb and strace as guests on other guests: they work, or end with an error that says why; they never hang or crash, and the
# program that was debugged goes on. Also from outside: strace and gdb of the host on a guest.
. "$(dirname -- "$0")/../lib.sh"
need gdb
need strace
need gcc
limit=$(size 40 120)
# gdb sees each SIGSYS, by which the engine works, before the guest does: it must be told to pass it on.
printf 'handle SIGSYS nostop noprint pass\n' >gdbinit
gdb="gdb -nx -batch -x $WORK/gdbinit"
export DEBUGINFOD_URLS=
cat >prog.c <<'X'
#include <stdio.h>
#include <string.h>
#include <unistd.h>
volatile int go_on = 1;
int answer(int n) { return n * 2; }
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "loop"))
		for (puts("ready"), fflush(stdout); go_on;)
			usleep(20000);
	printf("answer %d\n", answer(21));
	return 7;
}
X
# -no-pie: gdb learns where a position-independent program lies from /proc/PID/auxv, which is the agent's.
gcc -g -O0 -no-pie -o prog prog.c || fail "gcc"

# outcome NAME WANTED COMMAND...: runs with a time-out; output with WANTED, or a clear error.
# Under lichen an error is clear if it names what was refused; natively only WANTED counts.
outcome() {
	name=$1 wanted=$2
	shift 2
	out=$(timeout --foreground -k 5 "$limit" "$@" 2>&1 </dev/null)
	status=$?
	case $status in
	124 | 137) fail "$name: no end after $limit s: $(echo "$out" | tail -n 3)" ;;
	139 | 134 | 132 | 135) fail "$name: crashed with status $status: $(echo "$out" | tail -n 3)" ;;
	esac
	if grep -qE "$wanted" <<<"$out"; then
		say "$name: works"
	elif [ -n "$RUN" ] && grep -qE "$error" <<<"$out"; then
		say "$name: a clear error: $(grep -m 1 -E "$error" <<<"$out" | cut -c 1-150)"
	else
		fail "$name: status $status, neither '$wanted' nor an error that says why: $(echo "$out" | tail -n 8)"
	fi
}
error='lichen:|ptrace.*(not permitted|not implemented|Input/output)|Operation not permitted|Function not implemented'

# shellcheck disable=SC2086 # a prefix of several words
{
	outcome "strace of a new guest" 'exited with 7' $RUN strace -f -e trace=exit_group,write ./prog
	outcome "strace -f of a shell" 'exited with 3' $RUN strace -f sh -c 'true | true; ./prog; exit 3'
	outcome "strace -c" 'total' $RUN strace -c ./prog
	outcome "gdb: run, breakpoint, backtrace" 'answer \(n=21\)' \
		$RUN $gdb -ex 'set startup-with-shell off' -ex 'break answer' -ex run -ex backtrace -ex continue ./prog
	outcome "gdb: run by a shell to the end" 'exited with code 07' $RUN $gdb -ex run ./prog
}

# attach NAME WANTED TRACER...: attaches to a looping guest inside the cell; it must go on and end well afterwards
cat >attach.sh <<'X'
./prog loop >loop.out &
pid=$!
until grep -q ready loop.out 2>/dev/null; do sleep 0.05; done
"$@" $pid
echo "tracer: status $?"
kill -0 $pid || { echo "the program is gone"; exit 1; }
kill -TERM $pid
wait $pid
echo "program: status $?"
X
# shellcheck disable=SC2086
{
	outcome "gdb attaches to a guest" 'program: status 143' \
		$RUN sh attach.sh $gdb -ex backtrace -ex detach ./prog
	# In a call that is recorded the pc is the agent's, and gdb finds no way from there.
	[ "${UNDER-}" = why ] || grep -qE "main|$error" <<<"$out" || fail "gdb on a guest shows no main: $(echo "$out" | tail -n 5)"
	outcome "strace attaches to a guest" 'program: status 143' \
		$RUN sh attach.sh timeout -s INT 2 strace -p
}

# From outside: natively running tracers on a guest.
if [ -n "$RUN" ]; then
	# shellcheck disable=SC2086
	strace -f -o trace.out $RUN ./prog >prog.out 2>&1
	status=$?
	if [ $status = 7 ]; then
		same "output of a guest under the host's strace" "answer 42" "$(cat prog.out)"
		say "host's strace on lichen: works"
	else
		contains "host's strace on lichen" "$(cat prog.out)" 'lichen:'
		say "host's strace on lichen: status $status: $(head -n 1 prog.out)"
	fi
fi
passed
