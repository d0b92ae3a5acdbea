#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Group oci in one cell whose tree, identities, namespaces and control groups are the agent's: where the kernel has none of them.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "this is about cells"
lichen=${RUN%% *}
"$lichen" run --emulate=mounts,identity,namespaces,cgroup,sysvipc -- env -u WORK CELL=1 RUN="$lichen run --" TMPDIR="$WORK" sh "$CASES/oci.sh" ||
	fail 'group oci in a cell'
passed
