/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap fstype, agent half: what its files call of each other. */
#ifndef LICHEN_GAPS_FSTYPE_INT_H
#define LICHEN_GAPS_FSTYPE_INT_H

#include "agent/vfs.h"
#include "gaps/fstype/mount_rows.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/fstype/fstype.def"
#undef GAP_CALL

#define FSTYPE_PATH 128u /* of a file below /proc, with room for what replaces its name */

/* A mountinfo file in memory of its own. */
struct mounts_text {
	struct field text;
	char *told; /* MOUNTS_ROOM(text.size) bytes */
	u64 mapped;
	struct mount_view view;
};

/* Reads the mountinfo file at `path` (FSTYPE_PATH bytes), and asks what is behind its root. 0 or negative errno; then nothing is held. */
long mounts_text_read(const char *path, struct mounts_text *ret) MUST_CHECK;
void mounts_text_free(struct mounts_text *mounts);

/* The parts of a device number as stat(2) has it (new_encode_dev()). */
static inline u32 device_major(u64 dev)
{
	return (u32)(dev >> 8) & 0xfff;
}

static inline u32 device_minor(u64 dev)
{
	return (u32)(dev & 0xff) | ((u32)(dev >> 12) & 0xfff00);
}

/* Asks for st_dev of a path, or of a descriptor when path is 0. 0 or negative errno. */
long device_of(s32 fd, u64 path, u64 *ret_dev) MUST_CHECK;

#endif
