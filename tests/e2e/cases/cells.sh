#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Cells: made, listed, followed, stopped, killed at any moment, removed; always by the options of the plan and with all gaps filled.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "cells are lichen's own"
/usr/bin/python3 -I "$CASES/cells_checks.py" || fail "see above"
passed
