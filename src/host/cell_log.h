/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a cell in the background, or whose terminal can be detached from: what its command wrote, in the format that the kubelet reads (CRI logging:
 * kubernetes/design-proposals-archive, kubelet-cri-logging.md), one line of output a line:
 *
 *     2026-11-22T23:16:37.123456789Z stdout F text
 *
 * stdout or stderr; F: the line is complete, P: the next one of this stream goes on with it. At most CELL_LOG_LINE bytes of text a line.
 * When `log` has reached half of its size it becomes `log.1`, whose place it takes. When it cannot be written (a full disk), output is dropped and
 * counted: whoever writes it is never kept waiting by that.
 */
#ifndef LICHEN_HOST_CELL_LOG_H
#define LICHEN_HOST_CELL_LOG_H

#include "base/types.h"

#define CELL_LOG_LINE 16384u
#define CELL_LOG_SIZE_MIN (UINT64_C(64) << 10)
#define CELL_LOG_SIZE_DEFAULT (UINT64_C(16) << 20)

enum cell_stream { CELL_STDOUT, CELL_STDERR, CELL_STREAMS };

struct cell_log {
	int dir, fd; /* fd negative: it could not be opened, and is tried again */
	u64 size, limit;
	u64 lost;
	int error; /* positive errno of the last failure */
	struct cell_log_line {
		char text[CELL_LOG_LINE];
		u32 length;
	} lines[CELL_STREAMS]; /* what is not a whole line yet */
};

/* Opens the log in a cell's directory, which stays the caller's, for appending. */
void cell_log_open(struct cell_log *log, int dir, u64 limit);
/* Takes what was written to a stream. */
void cell_log_add(struct cell_log *log, enum cell_stream stream, const char *bytes, size_t size);
/* Writes what is left without an end of line. */
void cell_log_flush(struct cell_log *log);
void cell_log_close(struct cell_log *log);

/* One line of a log. */
struct cell_log_entry {
	s64 time; /* nanoseconds since 1970 */
	enum cell_stream stream;
	bool partial;
	const char *stamp; /* the time as it was written, CELL_LOG_STAMP bytes */
	const char *text;  /* without its end of line */
	size_t size;
};
#define CELL_LOG_STAMP 30u

/* Reads a line (without its end of line). False: it is damaged. */
bool cell_log_parse(const char *line, size_t size, struct cell_log_entry *ret);

#endif
