#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input and poor surroundings: each ends soon, with the status and the message that is promised.
. "$(dirname -- "$0")/../lib.sh"
need gcc
gcc -O1 -Wall -o attack "$CASES/badinput_attack.c" || fail "gcc"
/usr/bin/python3 -I "$CASES/badinput_checks.py" "$(size 60 12)" || fail "see above"
passed
