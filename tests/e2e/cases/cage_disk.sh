#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# limits.disk: what is written below files.write may grow by so much; who writes more is ended, and that is told.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
export LICHEN_STATE
mkdir work
cat >policy.yaml <<'E2'
version: 1
files: {execute: [/usr, /bin, /lib, /lib64], write: [./work]}
limits: {disk: 2m}
audit: {directory: ./log}
E2
inside() { "$lichen" run --cage policy.yaml -- "$@" </dev/null 2>err; }

"$lichen" cage env-check policy.yaml >layers
if grep -q 'missing' layers; then
	inside true
	same 'status where a layer is missing' 69 $?
	passed
fi
grep -q '^limits *weaker .*disk' layers || fail "env-check does not say that it is sampled: $(cat layers)"

# what is there already does not count, and may be changed; names, moving and holes take no space
head -c 4194304 /dev/zero >work/there
if [ "$SLOW" = 1 ]; then hole=0; else hole=5m; fi # gVisor counts holes
inside sh -c 'head -c 1048576 /dev/zero >work/a; for i in 1 2 3 4 5; do ln work/a work/$i; mv work/a work/b; mv work/b work/a; done
	echo more >>work/there; truncate -s "$1" work/hole; rm work/there; head -c 4194304 /dev/zero >work/there; echo fine' sh "$hole" >out
same "what stays below the limit ($(cat err))" '0 fine' "$? $(cat out)"
rm work/*

# the open files of another user's processes can be looked at (root of a container has no CAP_SYS_PTRACE)
if [ "$(id -u)" = 0 ]; then
	sed '$a processes: {user: "65534:65534"}' policy.yaml >user.yaml
	"$lichen" run --cage user.yaml -- sleep 0.7 </dev/null 2>err
	same "status of another user's ($(cat err))" 0 $?
	chmod 777 work
	"$lichen" run --cage user.yaml -- sh -c 'for fd in 3 4 5; do eval "exec $fd>work/open"; rm work/open; head -c 1048576 /dev/zero >&$fd; done; exec sleep 60' </dev/null 2>err
	same "status of who writes to files without names, as another user ($(cat err))" 137 $?
fi

# it would go on for ever
inside sh -c 'i=0; while :; do head -c 65536 /dev/zero >work/$i; i=$((i+1)); [ $((i%8)) != 0 ] || sleep 0.1; done'
same 'status of who writes on and on' 137 $?
contains 'what is told' "$(cat err)" 'limits.disk of policy.yaml ended the command'
contains 'the log' "$("$lichen" audit show log)" 'limits.disk ended it'
rm work/*

# it has ended before anybody looked; one file alone does not get far
inside sh -c 'for i in 1 2 3; do head -c 1048576 /dev/zero >work/$i; done'
same 'status of who was faster' 137 $?
contains 'what is told of who was faster' "$(cat err)" 'limits.disk'
rm work/*
[ "$SLOW" = 0 ] || passed
# files without a name that are mapped, by who let its first thread end: /proc/PID/maps is empty then
inside /usr/bin/python3 -I -c '
import ctypes, os, threading, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
def use():
    time.sleep(0.2)
    for name in "1234":
        file = os.open("work/" + name, os.O_CREAT | os.O_RDWR)
        os.ftruncate(file, 1 << 20)
        at = libc.mmap(None, ctypes.c_size_t(1 << 20), 3, 1, file, ctypes.c_long(0))
        os.unlink("work/" + name)
        os.close(file)
        ctypes.memset(at, 1, 1 << 20)
        libc.msync(ctypes.c_void_p(at), ctypes.c_size_t(1 << 20), 4)
    time.sleep(5)
    os._exit(0)
threading.Thread(target=use).start()
libc.pthread_exit(None)'
same "status of who maps files without names, without a first thread ($(cat err))" 137 $?
inside sh -c 'head -c 67108864 /dev/zero >work/one; sleep 60'
same 'status with one file' 137 $?
[ "$(stat -c %s work/one)" -le 2200000 ] || fail "one file has grown to $(stat -c %s work/one) bytes"
passed
