/* SPDX-License-Identifier: Apache-2.0 */
/* Two slots, written in turn. */
#include "host/cell_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"

/* Of all before the check. */
static u64 check_of(const struct cell_state *state)
{
	return hash_bytes(HASH_BEGIN, state, offsetof(struct cell_state, check));
}

int cell_state_write(int fd, struct cell_state *state)
{
	ssize_t n;

	state->sequence++;
	state->check = check_of(state);
	n = pwrite(fd, state, sizeof(*state), (off_t)(state->sequence % 2 * CELL_SLOT));
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*state) ? 0 : -ENOSPC;
}

int cell_state_create(int dir, const struct cell_state *state)
{
	struct cell_state both = *state;
	CLEANUP_FD int fd = openat(dir, "state", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = cell_state_write(fd, &both);
	return r < 0 ? r : cell_state_write(fd, &both);
}

int cell_state_read(int dir, struct cell_state *ret)
{
	struct cell_state slots[2], *best = NULL;
	CLEANUP_FD int fd = openat(dir, "state", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, slots, sizeof(slots), 0);
	if (n < 0)
		return -errno;
	for (size_t i = 0; i < (size_t)n / CELL_SLOT; i++)
		if (slots[i].check == check_of(&slots[i]) && slots[i].status < CELL_DEAD &&
		    (!best || slots[i].sequence > best->sequence))
			best = &slots[i];
	if (!best)
		return -EBADMSG;
	best->error[sizeof(best->error) - 1] = '\0';
	*ret = *best;
	return 0;
}

const char *cell_status_name(enum cell_status status)
{
	static const char *const names[] = { [CELL_CREATED] = "created",
					     [CELL_RUNNING] = "running",
					     [CELL_RESTARTING] = "restarting",
					     [CELL_EXITED] = "exited",
					     [CELL_DEAD] = "dead" };

	return names[status];
}
