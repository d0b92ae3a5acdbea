/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the log of a cell. */
#include "host/cell_log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_log(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

int cell_log_reader_open(struct cell_log_reader *reader, int dir)
{
	CLEANUP_FD int newer = open_log(dir, "log"), older = open_log(dir, "log.1");

	if (newer < 0 && older < 0)
		return newer;
	reader->dir = dir;
	reader->start = reader->end = 0;
	reader->next = FD_NONE;
	/* turned over between the two calls: what was opened as `log` is the older one */
	if (older < 0 || (newer >= 0 && same_file(newer, older))) {
		reader->fd = take_fd(&newer);
		return 0;
	}
	reader->fd = take_fd(&older);
	reader->next = take_fd(&newer);
	return 0;
}

void cell_log_reader_close(struct cell_log_reader *reader)
{
	close_fd(&reader->fd);
	close_fd(&reader->next);
	reader->fd = reader->next = FD_NONE;
}

/* At the end of a file: goes on with the one that has taken its place. Returns whether there is one. */
static bool turn_over(struct cell_log_reader *reader)
{
	CLEANUP_FD int newer = reader->next >= 0 ? take_fd(&reader->next) : open_log(reader->dir, "log");

	if (newer < 0 || same_file(newer, reader->fd))
		return false;
	(void)close(reader->fd);
	reader->fd = take_fd(&newer);
	reader->start = reader->end = 0;
	return true;
}

/* More bytes behind those that are there. 1, 0 at the end, or negative errno. */
static int fill(struct cell_log_reader *reader)
{
	ssize_t n;

	memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
	reader->end -= reader->start;
	reader->start = 0;
	if (reader->end == sizeof(reader->buffer)) /* no line is so long: damaged */
		reader->end = 0;
	n = read(reader->fd, reader->buffer + reader->end, sizeof(reader->buffer) - reader->end);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	reader->end += (size_t)n;
	return n > 0;
}

int cell_log_reader_next(struct cell_log_reader *reader, struct cell_log_entry *ret)
{
	bool last_look = false;

	for (;;) {
		const char *line = reader->buffer + reader->start;
		const char *end = memchr(line, '\n', reader->end - reader->start);
		int r;

		if (end) {
			reader->start += (size_t)(end - line) + 1;
			if (cell_log_parse(line, (size_t)(end - line), ret))
				return 1;
			continue;
		}
		r = fill(reader);
		if (r < 0)
			return r;
		if (r > 0) {
			last_look = false;
			continue;
		}
		/* What is written before a file loses its name is seen by one more look after that. */
		if (!last_look && reader->next < 0) {
			CLEANUP_FD int newer = open_log(reader->dir, "log");

			if (newer < 0 || same_file(newer, reader->fd))
				return 0;
			last_look = true;
			continue;
		}
		if (!turn_over(reader))
			return 0;
		last_look = false;
	}
}
