#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# gcc and make: builds busybox, some 800 C files, from its Debian source package; the program must be the one that a native
# build makes, byte for byte, and work. All of it on the host; one folder of it where system calls are slow, and in environments
# that differ from the host by filters and users only, with which gcc and make meet the same engine and kernel.
. "$(dirname -- "$0")/../lib.sh"
need gcc
need make
[ -e "$BUILT/busybox.tar" ] || fail "no $BUILT/busybox.tar: run tests/e2e/prepare"

whole=0
[ "${ENVIRONMENT-host}" != host ] || whole=1
if [ $whole = 0 ]; then
	export BUSYBOX_PART=1
	expected=$(tail -n 1 "$BUILT/busybox.part.result")
else
	expected=$(tail -n 1 "$BUILT/busybox.result")
fi
# shellcheck disable=SC2086 # a prefix of several words
$RUN bash "$CASES/build_busybox.bash" "$WORK/run" >run.log 2>&1 || fail "status $?: $(tail -n 5 run.log)"
same "checksum of what was built" "$expected" "$(tail -n 1 run.log)"
say "built $(find run/busybox -name '*.o' | wc -l) objects; same bytes as natively"
if [ $whole = 1 ]; then
	# shellcheck disable=SC2086
	same "busybox sh" "3 a" "$(echo a b c | $RUN "$WORK/run/busybox/busybox" sh -c 'read -r x y z; echo 3 $x')"
	# shellcheck disable=SC2086
	same "busybox sha256sum" "$(sha256sum <"$CASES/build.sh")" "$($RUN "$WORK/run/busybox/busybox" sha256sum <"$CASES/build.sh")"
fi
printf '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n' >hello.c
# shellcheck disable=SC2086
$RUN gcc -static -O2 -o hello hello.c || fail "gcc -static"
# shellcheck disable=SC2086
same "a static program" hello "$($RUN ./hello)"
passed
