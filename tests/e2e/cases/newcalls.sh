#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs of today that ask with calls and flags of today: ls (statx with AT_NO_AUTOMOUNT, EINVAL natively in gVisor of 2022), cp and Python
# (copy_file_range), test (faccessat2). The plan decides what is filled, as for any user.
. "$(dirname -- "$0")/../lib.sh"
need python3

# Processes come and go while /proc is listed: what has gone is no failure. gVisor of 2024 says EBADF to lgetxattr() of a symbolic link, which ls
# reports and lists it all the same.
# shellcheck disable=SC2086 # a prefix of several words
$RUN ls -la / /proc /sys >ls.out 2>ls.err
grep -v -e "cannot .*/proc/[0-9][0-9]*.*: No such \(file\|process\)" -e '^ls: /[a-z0-9]*: Bad file descriptor$' ls.err >ls.bad
[ ! -s ls.bad ] || fail "ls: $(head -n 3 ls.bad)"
for name in /: /proc: /sys: cpuinfo usr usr/bin; do grep -q "$name\$" ls.out || fail "ls does not list $name"; done
say "ls -la / /proc /sys: $(wc -l <ls.out) lines"

dd if=/dev/urandom of=from bs=65536 count="$(size 300 40)" 2>dd.err || fail "dd: $(cat dd.err)"
# shellcheck disable=SC2086
$RUN cp --reflink=never from to || fail "cp: status $?"
cmp from to || fail "cp made another file"
# shellcheck disable=SC2086
$RUN python3 -I - <<'PYTHON' || fail "python: status $?"
import os

with open("from", "rb") as a, open("python.out", "wb") as b:
    while os.copy_file_range(a.fileno(), b.fileno(), 1 << 30):
        pass
assert os.access("from", os.R_OK, effective_ids=True)
assert not os.access("missing", os.R_OK, effective_ids=True)
assert os.stat("from").st_size == os.stat("python.out").st_size
with os.fdopen(os.open("from", os.O_RDONLY), "rb") as a:
    assert os.preadv(a.fileno(), [bytearray(10)], 5, os.RWF_HIPRI) == 10
os.closerange(10, 1000000)
PYTHON
cmp from python.out || fail "copy_file_range made another file"
say "copied $(wc -c <from) bytes twice"
passed
