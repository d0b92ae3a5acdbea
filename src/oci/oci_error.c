// SPDX-License-Identifier: Apache-2.0
/* Sentences about failures and omissions. */
#include "oci/oci_error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int oci_fail(struct oci_error *error, int number, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return number;
}

/* As Go has them, which callers of runc search for: "no such process". */
int oci_fail_errno(struct oci_error *error, const char *format, ...)
{
	int number = errno ? errno : EIO;
	size_t length;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	length = strlen(error->text);
	(void)snprintf(error->text + length, sizeof(error->text) - length, ": %s", strerror(number));
	if (length + 2 < sizeof(error->text))
		error->text[length + 2] = (char)tolower((unsigned char)error->text[length + 2]);
	return -number;
}

void oci_note(struct oci_notes *notes, const char *format, ...)
{
	char line[512];
	size_t length = strlen(notes->text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!strstr(notes->text, line) && length + strlen(line) + 2 < sizeof(notes->text))
		(void)snprintf(notes->text + length, sizeof(notes->text) - length, "%s\n", line);
}

void oci_last_words(const char *format, ...)
{
	char line[1200];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (length < 0)
		return;
	length = length < (int)sizeof(line) - 1 ? length : (int)sizeof(line) - 2;
	line[length] = '\n';
	(void)!write(2, line, (size_t)length + 1);
}
