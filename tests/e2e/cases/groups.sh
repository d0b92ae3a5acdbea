#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits of control groups are kept for programs that know nothing of them: memory, tasks, processor time, standing still; and runc uses the
# groups of a cell as it uses a kernel's, where it runs at all.
. "$(dirname -- "$0")/../lib.sh"
need python3
[ -n "$RUN" ] || skip "the machine's own groups are not touched"

# shellcheck disable=SC2086 # a prefix of several words
$RUN python3 -I "$CASES/groups_checks.py" || fail "checks: status $?"
passed
