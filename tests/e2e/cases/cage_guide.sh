#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/cage.md: its commands do what it says, from the policy to the verified log; where this machine lacks a layer, nothing starts and the layer is named.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
page=$CASES/../../../docs/cage.md
LICHEN_STATE=$WORK/state
PATH=$(dirname -- "$lichen"):$PATH
export LICHEN_STATE PATH
mkdir guide
cd guide || fail 'guide'
if ! /usr/bin/python3 -I "$CASES/cage_guide.py" "$page" >../report; then
	case ${ENVIRONMENT-} in host | tiny) fail "the page: $(cat ../report)" ;; esac
	lichen run --cage policy.yaml -- true 2>../missing
	same "the page: $(cat ../report)" 69 $?
	contains 'what is missing' "$(cat ../missing)" 'which this host lacks'
	same 'env-check' 69 "$(status_of lichen cage env-check policy.yaml)"
fi
passed
