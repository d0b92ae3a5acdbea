// SPDX-License-Identifier: Apache-2.0
/* Lines of the two ends of a copy. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/copy.h"

void copy_name_of(const char *path, char name[256])
{
	size_t end = strlen(path), start;
	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	(void)snprintf(name, 256, "%.*s", (int)(end - start), path + start);
	if (!*name || strcmp(name, "..") == 0)
		(void)snprintf(name, 256, ".");
}

int copy_write_line(int peer, const char *format, ...)
{
	char line[COPY_LINE];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof(line) - 1 ? (size_t)n : sizeof(line) - 2;
	for (size_t i = 0; i < length; i++)
		if (line[i] == '\n') /* a name may have one; then it is not found, and not another is */
			line[i] = '?';
	line[length++] = '\n';
	return send(peer, line, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -EPIPE;
}

int copy_read_line(int peer, char line[COPY_LINE], struct image_error *ret_error)
{
	size_t length = 0;
	ret_error->text[0] = '\0';
	for (;;) {
		ssize_t n = read(peer, line + length, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		if (line[length] == '\n')
			break;
		if (++length == COPY_LINE)
			return image_fail(ret_error, -EBADMSG, "the other end said too much");
	}
	line[length] = '\0';
	if (strncmp(line, "E ", 2) == 0)
		return image_fail(ret_error, -EREMOTEIO, "%.480s", line + 2);
	return 0;
}
