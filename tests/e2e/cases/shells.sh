#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a shell and its user see of a command run under lichen: statuses, streams, signals, Ctrl-C, Ctrl-Z, fg, job control.
. "$(dirname -- "$0")/../lib.sh"
/usr/bin/python3 -I "$CASES/shells_checks.py" || fail "see above"
passed
