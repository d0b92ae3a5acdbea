/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log: written so that they are durable when a call returns, by calls that tests can let fail; and why something failed, in words. */
#ifndef LICHEN_AUDIT_AUDIT_FILE_H
#define LICHEN_AUDIT_AUDIT_FILE_H

#include <sys/types.h>

#include "base/types.h"

#define AUDIT_NO_ENTRY UINT64_MAX

/*
 * One sentence without a full stop, and the first entry that is bad, if it is known. The negative errno beside it says of what kind it is:
 *
 *     -EBADMSG   the log is broken: what is there is not what was signed
 *     -ENOENT    there is no log, or no such entry
 *     -EBUSY     another writer has had it for too long
 *     -ENOKEY    a note is not signed by the key that it should be signed by
 *     -EINVAL    a key, checkpoint or event is malformed
 *     other      the machine said no
 */
struct audit_error {
	char text[512];
	u64 entry; /* AUDIT_NO_ENTRY = unknown */
};

/* Writes the text. Returns `code`, a negative errno. */
int audit_fail(struct audit_error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same for a system call: the text, a colon, and what strerror says. */
int audit_fail_errno(struct audit_error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* The calls that change files. Each returns what the system call does, with errno set. */
struct audit_io {
	int (*create)(int dir, const char *path, int flags, mode_t mode); /* openat(2) with O_CREAT, O_CLOEXEC */
	ssize_t (*write)(int fd, const void *bytes, size_t size);
	int (*sync)(int fd);
	int (*truncate)(int fd, off_t size);
	int (*rename)(int dir, const char *from, const char *to);
	int (*mkdir)(int dir, const char *path, mode_t mode);
};

extern const struct audit_io audit_io_system;

/* Writes all, at the descriptor's place. 0 or negative errno. */
int audit_write(const struct audit_io *io, int fd, const void *bytes, size_t size) MUST_CHECK;

/* Writes a file anew, without syncing it or its directory. Returns a descriptor for that, or negative errno. */
int audit_file_write(const struct audit_io *io, int dir, const char *path, const void *bytes, size_t size, mode_t mode) MUST_CHECK;
/* Puts a file with these bytes in place of another: at each moment one of the two is there, whole. Syncs the directory. 0 or negative errno. */
int audit_file_replace(const struct audit_io *io, int dir, const char *name, const void *bytes, size_t size,
		       mode_t mode) MUST_CHECK;

/* Reads a regular file of at most `most` bytes, with a NUL behind them, into memory that is the caller's. 0; -EFBIG, -EINVAL, or negative errno. */
int audit_file_read(int dir, const char *path, size_t most, char **ret_bytes, size_t *ret_size) MUST_CHECK;

#endif
