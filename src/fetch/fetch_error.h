/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a download failed. Functions of src/fetch return 0, or the exit status that lichen-fetch ends with (LICHEN_FETCH_* of lichen.h) after
 * filling one of these; a function that can fail in one way only returns negative errno, as everywhere.
 */
#ifndef LICHEN_FETCH_FETCH_ERROR_H
#define LICHEN_FETCH_FETCH_ERROR_H

#include "base/types.h"
#include "lichen.h"

/* One sentence without a full stop: what was asked, who said no, what to do. */
struct fetch_error {
	int status;
	char text[768];
};

/* Writes the text; control characters and bytes beyond ASCII become '?', since words of servers are in it. Returns `status`. */
int fetch_fail(struct fetch_error *ret_error, int status, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same for a file operation: the text, a colon, and what strerror says of a negative errno. The status tells a full disk from others. */
int fetch_fail_file(struct fetch_error *ret_error, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* "out of memory". */
int fetch_fail_memory(struct fetch_error *ret_error);

/* What kind of failure a status is, one word of the documented set: "not-found", "network" … */
const char *fetch_status_kind(int status);

#endif
