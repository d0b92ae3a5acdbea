/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a descriptor has, for hosted code. */
#ifndef LICHEN_BASE_READ_BYTES_H
#define LICHEN_BASE_READ_BYTES_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/types.h"

/*
 * Reads to the end, or so many bytes: whoever has a limit asks for one more, which tells that there are more. A NUL stands behind them. The caller frees
 * *ret_bytes. 0, -ENOMEM, or negative errno of read(2).
 */
MUST_CHECK static inline int read_bytes(int fd, size_t most, char **ret_bytes, size_t *ret_size)
{
	CLEANUP_FREE char *bytes = NULL;
	size_t size = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (size == room) {
			size_t wanted = room ? 2 * room : 65536;
			char *more = realloc(bytes, (wanted < most ? wanted : most) + 1);

			if (!more)
				return -ENOMEM;
			bytes = more;
			room = wanted < most ? wanted : most;
		}
		n = size < room ? read(fd, bytes + size, room - size) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	bytes[size] = 0;
	*ret_bytes = bytes;
	*ret_size = size;
	bytes = NULL;
	return 0;
}

/* Reads to the end, or until `to` is full. How many bytes there are, or negative errno of read(2). */
MUST_CHECK static inline ssize_t read_bytes_into(int fd, void *to, size_t size)
{
	size_t had = 0;

	while (had < size) {
		ssize_t n = read(fd, (u8 *)to + had, size - had);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		had += (size_t)n;
	}
	return (ssize_t)had;
}

#endif
