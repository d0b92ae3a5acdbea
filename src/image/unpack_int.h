/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that unpack a layer share. */
#ifndef LICHEN_IMAGE_UNPACK_INT_H
#define LICHEN_IMAGE_UNPACK_INT_H

#include <archive_entry.h>
#include <limits.h>
#include <sys/types.h>
#include <time.h>

#include "image/override_stat.h"
#include "image/path_set.h"
#include "image/unpack.h"

/* A directory whose time is set at the end, when nothing is written to it any more. */
struct unpack_dir {
	char *path;
	struct timespec mtime;
	mode_t mode; /* of UNPACK_HOST, given at the end as well */
};

struct unpack {
	int root;
	u32 flags;        /* enum unpack_flag */
	const char *only; /* NULL = any name */
	struct archive *archive;
	struct path_set made; /* paths that this layer brought, their parents included */
	struct unpack_dir *dirs;
	size_t dir_count, dir_room;
	int parent; /* cache: the directory `parent_path`, or FD_NONE */
	char parent_path[PATH_MAX];
	struct unpack_report *report;
	struct image_error *error;
};

/* What an entry says of the file. */
struct unpack_meta {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* 07777 */
	struct timespec mtime;
};

/* --- unpack_place.c: where --------------------------------------------------------------------------------------------------------- */

/*
 * Opens the directory of a clean path's last component for an entry; *ret_base points into `clean`. The descriptor is the cache's: do not
 * close it. Returns it or negative errno with unpack->error.
 */
int unpack_parent(struct unpack *unpack, char clean[PATH_MAX], const char **ret_base) MUST_CHECK;

/* Forgets the cached directory: something was removed. */
void unpack_forget_parent(struct unpack *unpack);

/*
 * Looks for ".wh." in a clean path. Returns 0 with *ret_whiteout; 1 when the entry is aufs's own and means nothing; -EBADMSG with unpack->error when
 * it lies below a whiteout.
 */
int unpack_is_whiteout(struct unpack *unpack, const char *clean, bool *ret_whiteout) MUST_CHECK;

/* Applies a whiteout: the entry `clean`, whose last component begins with ".wh.". Returns 0 or negative errno with unpack->error. */
int unpack_whiteout(struct unpack *unpack, char clean[PATH_MAX]) MUST_CHECK;

/* --- unpack_meta.c: owner, mode, attributes, times -------------------------------------------------------------------------------- */

/* Reads them from the entry. Returns 0, or -EBADMSG when a number is out of range. */
int unpack_meta_read(struct archive_entry *entry, struct unpack_meta *ret_meta) MUST_CHECK;

/*
 * Gives them to an open regular file or directory; `device` is the device for which the file stands (type and number count), else NULL. Directories get
 * no time. Returns 0 or negative errno with unpack->error.
 */
int unpack_meta_give(struct unpack *unpack, int fd, struct archive_entry *entry, const struct unpack_meta *meta, bool is_dir,
		     const struct override_stat *device) MUST_CHECK;

/* Gives them to a symbolic link, FIFO or device by its name. */
int unpack_meta_give_name(struct unpack *unpack, int dir, const char *name, struct archive_entry *entry,
			  const struct unpack_meta *meta) MUST_CHECK;

/* Says that the machine refused something about an entry. Returns `error`. */
int unpack_refused(struct unpack *unpack, int error, const char *what, const char *name) MUST_CHECK;

#endif
