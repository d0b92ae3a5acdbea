#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen attach, and the keys that detach: with and without a terminal, several at once, the status, signals, what is refused.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "cells are lichen's own"
LICHEN_STATE=$WORK/state
export LICHEN_STATE
/usr/bin/python3 -I "$CASES/attach_checks.py" "${RUN%% *}" || fail "see above"
passed
