#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is done to cells from outside: diff, commit, cp, export, stats, pause, rename, limits; as root of an image of this machine's programs.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "cells are lichen's own"
/usr/bin/python3 -I "$CASES/cell_commands.py" || fail "see above"
passed
