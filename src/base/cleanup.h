/* SPDX-License-Identifier: Apache-2.0 */
/* Scope cleanup for hosted code: values that are always valid to clean up, ownership that leaves through take_fd(). */
#ifndef LICHEN_BASE_CLEANUP_H
#define LICHEN_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FD_NONE (-EBADF)

static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void free_pointer(void *at)
{
	free(*(void **)at);
}

/* Hands the descriptor over; the variable is empty afterwards. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = FD_NONE;
	return taken;
}

#define CLEANUP_FD __attribute__((cleanup(close_fd)))
#define CLEANUP_FREE __attribute__((cleanup(free_pointer)))

#endif
