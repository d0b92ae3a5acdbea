#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Roots and namespaces by the kernel, on the machine itself: what confines them, what they leave alone, how they end, and that the agent reads what
# they wrote.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "this is about lichen's containers"
/usr/bin/python3 -I "$CASES/native_checks.py" || fail "see above"
passed
