/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap overlay, agent half: nothing of its own. Layers are a kind of mount of the cell's tree (agent/fs_layers.h): of its root, which
 * `lichen run` lays out (--upper, --ephemeral, an image), and of what mount(2) is given where gap mounts is filled. So the calls that meet
 * them are those of agent/fs.def, and this gap is filled with the tree or with gap mounts.
 *
 * Limits: docs/limits.md, "Overlays".
 */
#include "agent/vfs.h"

enum verdict overlay_dispatch(struct call *call)
{
	(void)call;
	return CALL_PASS;
}

GAP_NO_EVENTS(overlay)
VFS_NONE(overlay)
