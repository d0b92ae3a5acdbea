#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen up, status, logs, reload, restart, down: real daemons by the unit files of their Debian packages, and units made for what goes wrong.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "units are lichen's own"
/usr/bin/python3 -I "$CASES/units_checks.py" || fail "see above"
passed
