/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be mounted in a cell's tree, as the command line (-v, --mount, --tmpfs) and config.json say it. */
#ifndef LICHEN_HOST_MOUNT_SPEC_H
#define LICHEN_HOST_MOUNT_SPEC_H

#include "host/root.h"

enum mount_kind {
	MOUNT_BIND,   /* source: a path of the machine */
	MOUNT_VOLUME, /* source: a volume's name (volumes.h); NULL: a volume of this cell alone */
	MOUNT_TMPFS,  /* no source */
};

struct mount_spec {
	enum mount_kind kind;
	const char *source;
	const char *target; /* absolute, without "." and "..", slashes once; not "/" */
	bool read_only;
	bool make_source;     /* MOUNT_BIND: a directory is made where the machine has nothing */
	bool no_copy;         /* MOUNT_VOLUME: an empty volume stays empty */
	u64 size;             /* MOUNT_TMPFS: bytes, 0 = no limit */
	u32 mode;             /* MOUNT_TMPFS: of its root */
	bool exec, suid, dev; /* MOUNT_TMPFS: as docker has it, without these it is noexec, nosuid, nodev */
};

struct mount_specs {
	u32 count;
	struct mount_spec mounts[ROOT_BINDS_MAX];
};

/* "bind", "volume", "tmpfs" */
const char *mount_kind_name(enum mount_kind kind);

/*
 * Adds what one option says: -v ([SOURCE:]TARGET[:OPTION,…]), --mount (type=…,src=…,dst=…,…), --tmpfs (TARGET[:OPTION,…]), with docker's words and meaning.
 * 0; -EINVAL with a sentence in `why` (512 bytes), without a full stop; -ENOMEM. Texts are the list's.
 */
int mount_spec_volume(struct mount_specs *specs, const char *text, char *why) MUST_CHECK;
int mount_spec_mount(struct mount_specs *specs, const char *text, char *why) MUST_CHECK;
int mount_spec_tmpfs(struct mount_specs *specs, const char *text, char *why) MUST_CHECK;

/* A volume of the guest's own on a path that an image names, unless something is mounted there anyway. Likewise. */
int mount_spec_image(struct mount_specs *specs, const char *path, char *why) MUST_CHECK;

void mount_specs_done(struct mount_specs *specs);

/* "64m": a number, and b, k, m, g or t, then maybe b ("64mb"). false: it is none, or more than 2^62. */
bool mount_size(const char *text, u64 *ret);

#endif
