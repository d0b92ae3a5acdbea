/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a cell's log, and reads its lines. */
#include "host/cell_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define HEAD_SIZE (CELL_LOG_STAMP + sizeof(" stdout F ") - 1)

static void open_file(struct cell_log *log)
{
	struct stat st;

	log->fd = openat(log->dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		log->error = errno;
	log->size = log->fd >= 0 && fstat(log->fd, &st) == 0 ? (u64)st.st_size : 0;
}

void cell_log_open(struct cell_log *log, int dir, u64 limit)
{
	log->dir = dir;
	log->limit = limit;
	log->lost = 0;
	log->error = 0;
	for (int i = 0; i < CELL_STREAMS; i++)
		log->lines[i].length = 0;
	open_file(log);
}

static void rotate(struct cell_log *log)
{
	if (renameat(log->dir, "log", log->dir, "log.1") < 0)
		return;
	(void)close(take_fd(&log->fd));
	open_file(log);
}

/* Writes a line, or nothing of it. */
static void put(struct cell_log *log, enum cell_stream stream, char tag, const char *text, size_t size)
{
	char head[HEAD_SIZE + 32], end = '\n';
	struct iovec parts[] = { { head, HEAD_SIZE }, { (void *)(uintptr_t)text, size }, { &end, 1 } };
	struct timespec now;
	struct tm tm;
	size_t all = HEAD_SIZE + size + 1;
	ssize_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)snprintf(head, sizeof(head), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ %s %c ", tm.tm_year + 1900, tm.tm_mon + 1,
		       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec, stream == CELL_STDOUT ? "stdout" : "stderr", tag);
	if (log->fd >= 0 && log->size > 0 && log->size + all > log->limit / 2)
		rotate(log);
	if (log->fd < 0)
		open_file(log);
	n = log->fd < 0 ? -1 : writev(log->fd, parts, (int)ARRAY_SIZE(parts));
	if (n == (ssize_t)all) {
		log->size += all;
		return;
	}
	log->error = n < 0 ? errno : ENOSPC;
	log->lost += size;
	if (n > 0)
		(void)ftruncate(log->fd, (off_t)log->size);
}

void cell_log_add(struct cell_log *log, enum cell_stream stream, const char *bytes, size_t size)
{
	struct cell_log_line *line = &log->lines[stream];

	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) : size, room = CELL_LOG_LINE - line->length;
		bool whole = end && part <= room;

		if (part > room)
			part = room;
		if (whole && line->length == 0) {
			put(log, stream, 'F', bytes, part);
		} else {
			memcpy(line->text + line->length, bytes, part);
			line->length += (u32)part;
			if (whole || line->length == CELL_LOG_LINE) {
				put(log, stream, whole ? 'F' : 'P', line->text, line->length);
				line->length = 0;
			}
		}
		bytes += part + whole;
		size -= part + whole;
	}
}

void cell_log_flush(struct cell_log *log)
{
	for (int i = 0; i < CELL_STREAMS; i++) {
		if (log->lines[i].length)
			put(log, i, 'P', log->lines[i].text, log->lines[i].length);
		log->lines[i].length = 0;
	}
}

void cell_log_close(struct cell_log *log)
{
	cell_log_flush(log);
	close_fd(&log->fd);
	log->fd = FD_NONE;
}

/* Digits at fixed places. */
static bool number(const char *at, int digits, int *ret)
{
	*ret = 0;
	for (int i = 0; i < digits; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		*ret = *ret * 10 + (at[i] - '0');
	}
	return true;
}

static bool parse_stamp(const char *at, s64 *ret)
{
	struct tm tm = { 0 };
	int nanoseconds;

	if (!number(at, 4, &tm.tm_year) || !number(at + 5, 2, &tm.tm_mon) || !number(at + 8, 2, &tm.tm_mday) ||
	    !number(at + 11, 2, &tm.tm_hour) || !number(at + 14, 2, &tm.tm_min) || !number(at + 17, 2, &tm.tm_sec) ||
	    !number(at + 20, 9, &nanoseconds) || at[29] != 'Z')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*ret = (s64)timegm(&tm) * 1000000000 + nanoseconds;
	return true;
}

bool cell_log_parse(const char *line, size_t size, struct cell_log_entry *ret)
{
	const char *stream = line + CELL_LOG_STAMP + 1, *tag = stream + 7;
	bool is_stderr;

	if (size < HEAD_SIZE || line[CELL_LOG_STAMP] != ' ' || tag[-1] != ' ' || tag[1] != ' ' || (*tag != 'F' && *tag != 'P'))
		return false;
	is_stderr = memcmp(stream, "stderr", 6) == 0;
	if (!is_stderr && memcmp(stream, "stdout", 6) != 0)
		return false;
	*ret = (struct cell_log_entry){ .stream = is_stderr ? CELL_STDERR : CELL_STDOUT,
					.partial = *tag == 'P',
					.stamp = line,
					.text = line + HEAD_SIZE,
					.size = size - HEAD_SIZE };
	return parse_stamp(line, &ret->time);
}
