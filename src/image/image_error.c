// SPDX-License-Identifier: Apache-2.0
/* Words for what failed. */
#include "image/image_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void PRINTF_LIKE(2, 0) write_text(struct image_error *to, const char *format, va_list args)
{
	vsnprintf(to->text, sizeof(to->text), format, args);
	for (char *at = to->text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

int image_fail(struct image_error *ret_error, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_text(ret_error, format, args);
	va_end(args);
	return error;
}

int image_fail_errno(struct image_error *ret_error, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_text(ret_error, format, args);
	va_end(args);
	size_t length = strlen(ret_error->text);
	snprintf(ret_error->text + length, sizeof(ret_error->text) - length, ": %s", strerror(-error));
	return error;
}
