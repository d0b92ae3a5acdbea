// SPDX-License-Identifier: Apache-2.0
/* Why a download failed, in words. */
#include "fetch/fetch_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int fetch_fail(struct fetch_error *ret_error, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(ret_error->text, sizeof(ret_error->text), format, args);
	va_end(args);
	clean(ret_error->text);
	ret_error->status = status;
	return status;
}

int fetch_fail_file(struct fetch_error *ret_error, int error, const char *format, ...)
{
	bool full = error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
	va_list args;
	va_start(args, format);
	vsnprintf(ret_error->text, sizeof(ret_error->text) / 2, format, args);
	va_end(args);
	size_t length = strlen(ret_error->text);
	snprintf(ret_error->text + length, sizeof(ret_error->text) - length, ": %s", strerror(-error));
	clean(ret_error->text);
	ret_error->status = full ? LICHEN_FETCH_DISK_FULL : LICHEN_FETCH_IO;
	return ret_error->status;
}

int fetch_fail_memory(struct fetch_error *ret_error)
{
	return fetch_fail(ret_error, LICHEN_FETCH_SOFTWARE, "out of memory");
}

const char *fetch_status_kind(int status)
{
	switch (status) {
	case LICHEN_FETCH_USAGE:
		return "usage";
	case LICHEN_FETCH_MISMATCH:
		return "mismatch";
	case LICHEN_FETCH_NOT_FOUND:
		return "not-found";
	case LICHEN_FETCH_NETWORK:
		return "network";
	case LICHEN_FETCH_DISK_FULL:
		return "disk-full";
	case LICHEN_FETCH_IO:
		return "io";
	case LICHEN_FETCH_BUSY:
		return "busy";
	case LICHEN_FETCH_PROTOCOL:
		return "protocol";
	case LICHEN_FETCH_UNAUTHORIZED:
		return "unauthorized";
	default:
		return "internal";
	}
}
