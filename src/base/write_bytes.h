/* SPDX-License-Identifier: Apache-2.0 */
/* Writes all of something to a descriptor, for hosted code: a call may take a part, or be interrupted. */
#ifndef LICHEN_BASE_WRITE_BYTES_H
#define LICHEN_BASE_WRITE_BYTES_H

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/types.h"

/* What a call has taken, or why it has failed: 0 for EINTR, -EIO where it would take nothing for ever. */
static inline ssize_t write_bytes_taken(ssize_t n)
{
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? n : -EIO;
}

/* 0, or negative errno of write(2); then a part may be written. */
MUST_CHECK static inline int write_bytes(int fd, const void *bytes, size_t size)
{
	for (const u8 *at = bytes; size;) {
		ssize_t n = write_bytes_taken(write(fd, at, size));

		if (n < 0)
			return (int)n;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The same at a place of a file, whose offset stays. */
MUST_CHECK static inline int write_bytes_at(int fd, const void *bytes, size_t size, off_t offset)
{
	for (const u8 *at = bytes; size;) {
		ssize_t n = write_bytes_taken(pwrite(fd, at, size, offset));

		if (n < 0)
			return (int)n;
		at += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

/* The same to a socket: -EPIPE when nobody is at its other end, and no signal. */
MUST_CHECK static inline int send_bytes(int fd, const void *bytes, size_t size)
{
	for (const u8 *at = bytes; size;) {
		ssize_t n = write_bytes_taken(send(fd, at, size, MSG_NOSIGNAL));

		if (n < 0)
			return (int)n;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

#endif
