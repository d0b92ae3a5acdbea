/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the log of a cell that may be written, and turned over, meanwhile. */
#ifndef LICHEN_HOST_CELL_LOG_READ_H
#define LICHEN_HOST_CELL_LOG_READ_H

#include "host/cell_log.h"

#define CELL_LOG_BUFFER (2 * CELL_LOG_LINE + 1024)

struct cell_log_reader {
	int dir, fd, next; /* next: the file to go on with, negative = whatever `log` is then */
	char buffer[CELL_LOG_BUFFER];
	size_t start, end; /* what is in it, not given out yet */
};

/* Begins with the oldest line that is there. 0, or negative errno: -ENOENT, the cell has no log. */
int cell_log_reader_open(struct cell_log_reader *reader, int dir) MUST_CHECK;
/* The next line; *ret points into the reader until the next call. 1; 0: there is none yet; or negative errno. */
int cell_log_reader_next(struct cell_log_reader *reader, struct cell_log_entry *ret) MUST_CHECK;
void cell_log_reader_close(struct cell_log_reader *reader);

#endif
