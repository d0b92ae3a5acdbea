/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attribute that says what a file truly is where the host refuses it: "UID:GID:MODE[:TYPE]", MODE in octal, TYPE one of file, dir,
 * symlink, pipe, socket, block-MAJ-MIN, char-MAJ-MIN; as containers/storage (pkg/idtools) and fuse-overlayfs write it.
 */
#ifndef LICHEN_IMAGE_OVERRIDE_STAT_H
#define LICHEN_IMAGE_OVERRIDE_STAT_H

#include "base/types.h"

#define OVERRIDE_STAT "user.containers.override_stat"
#define OVERRIDE_XATTR_PREFIX \
	"user.containers.override_" /* before the name of an attribute that the host refuses (fuse-overlayfs 1.14) */
#define OVERRIDE_STAT_MAX 80u       /* bytes, NUL included */

struct override_stat {
	u32 uid, gid, mode; /* mode: 07777 */
	char type;          /* 'b', 'c': a device; 0: what the file is */
	u32 major, minor;
};

/* Symbolic links and FIFOs cannot have it: their directory has it for them, under this and their name (gaps/identity/identity_name.c). */
#define OVERRIDE_OWNER_PREFIX "user.lichen.owner."

/* Writes the text. Returns its length. */
size_t override_stat_text(const struct override_stat *stat, char text[OVERRIDE_STAT_MAX]);

/* Parses it. Returns 0 or -EINVAL. */
int override_stat_parse(const char *text, struct override_stat *ret_stat) MUST_CHECK;

/* What a directory, which may be open with O_PATH, has for a name; stat NULL: nothing any more. 0 or negative errno. */
int override_owner_read(int dir, const char *name, struct override_stat *ret_stat) MUST_CHECK;
int override_owner_write(int dir, const char *name, const struct override_stat *stat) MUST_CHECK;

#endif
