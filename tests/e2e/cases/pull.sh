#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lichen pull from Debian's docker-registry, both inside the environment: an image, a pull that is killed and taken up, and a second image that
# shares a layer.
. "$(dirname -- "$0")/../lib.sh"
lichen=${RUN%% *}
[ -n "$lichen" ] || skip "there is no pull without lichen"
need docker-registry
LICHEN_STATE=$WORK/state /usr/bin/python3 -B "$CASES/pull_registry.py" "$lichen" || fail "see above"
passed
