/* SPDX-License-Identifier: Apache-2.0 */
/* Writes tar archives, POSIX.1-2001 (pax): ustar headers, and extended ones where those do not suffice. */
#ifndef LICHEN_IMAGE_TAR_WRITE_H
#define LICHEN_IMAGE_TAR_WRITE_H

#include <limits.h>

#include "base/types.h"

struct tar_xattr {
	const char *name;
	const void *value;
	size_t size;
};

struct tar_entry {
	const char *name; /* relative; a directory's ends with a slash */
	const char *link; /* target of a symbolic or hard link, else NULL */
	char type; /* '0' file, '1' hard link, '2' symbolic link, '3' character device, '4' block device, '5' directory, '6' FIFO */
	u32 mode, uid, gid, major, minor;
	s64 mtime;
	u64 size; /* bytes of data that follow; 0 unless it is a file */
	const struct tar_xattr *xattrs;
	size_t xattr_count;
};

/* Where the archive goes. */
struct tar_sink {
	int (*write)(void *arg, const void *data, size_t size); /* returns 0 or negative errno */
	void *arg;
};

/* Writes an entry's header. The caller writes `size` bytes to the sink, then calls tar_pad(). Returns 0 or negative errno. */
int tar_header(const struct tar_sink *sink, const struct tar_entry *entry) MUST_CHECK;

/* Fills the last block of an entry's data. */
int tar_pad(const struct tar_sink *sink, u64 size) MUST_CHECK;

/* Ends the archive. */
int tar_end(const struct tar_sink *sink) MUST_CHECK;

/* Objects of one archive: names of one file become hard links. */
enum tar_owners {
	TAR_OWNERS_SEEN, /* without root, the caller's own files become root's */
	TAR_OWNERS_ROOT, /* all become root's */
	TAR_OWNERS_REAL, /* as the machine says */
};

struct tar_objects {
	const struct tar_sink *sink;
	enum tar_owners owners;
	struct tar_linked *linked;
	size_t linked_count;
	u8 *buffer;
};

int tar_objects_init(struct tar_objects *objects, const struct tar_sink *sink) MUST_CHECK;
void tar_objects_done(struct tar_objects *objects);

/*
 * Writes the object `base` of a directory under a name, without what lies below it; sockets come out not at all. What the attributes of
 * OVERRIDE_STAT say counts (unpack.h). Without root, the caller's own files become root's. Returns 0 or negative errno.
 */
int tar_object(struct tar_objects *objects, int dir, const char *base, const char *name) MUST_CHECK;
/* The same for an open directory, whose name ends with a slash, or file. */
int tar_object_opened(struct tar_objects *objects, int fd, const char *name) MUST_CHECK;

/*
 * Writes what lies below an open directory, sorted. `where` (PATH_MAX bytes) holds the directory's name with a slash behind it, or nothing; after an error it is
 * the path in question. `skip`: paths relative to the directory, NULL-terminated, that come out empty; NULL = none. Returns 0 or negative errno.
 */
int tar_below(struct tar_objects *objects, int dir, const char *const *skip, char *where) MUST_CHECK;

/*
 * Writes a directory tree, sorted by name, "./" first. Mount points below it and the directory `not_this` (an open descriptor, or FD_NONE)
 * come out empty. Returns 0 or negative errno; `where` (PATH_MAX bytes) is then the path in question.
 */
int tar_directory(const struct tar_sink *sink, int root, int not_this, char *where) MUST_CHECK;

#endif
