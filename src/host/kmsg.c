/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a cell: see kmsg.h. */
#include "host/kmsg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gaps/registry.h"

const char *kmsg_parse(const char *bytes, size_t size, u32 *ret_priority, size_t *ret_size)
{
	u32 level = KMSG_DEFAULT, facility = KMSG_USER, value = 0;
	size_t at = 1;

	if (size > KMSG_WRITE_MAX)
		size = KMSG_WRITE_MAX;
	size = strnlen(bytes, size);
	if (size && bytes[0] == '<') {
		while (at < size && bytes[at] >= '0' && bytes[at] <= '9')
			value = value * 10 + (u32)(bytes[at++] - '0');
		if (at < size && bytes[at] == '>') { /* "<>" is 0, as simple_strtoul() has it */
			level = value & 7;
			facility = (value >> 3 & 0xff) ? value >> 3 & 0xff : KMSG_USER;
			bytes += at + 1;
			size -= at + 1;
		}
	}
	if (size > KMSG_TEXT_MAX)
		size = KMSG_TEXT_MAX;
	if (size && bytes[size - 1] == '\n')
		size--;
	*ret_priority = facility << 3 | level;
	*ret_size = size;
	return bytes;
}

size_t kmsg_format(char *to, u32 priority, u64 number, u64 microseconds, const char *text, size_t size)
{
	size_t at = (size_t)snprintf(to, KMSG_RECORD_MAX, "%u,%llu,%llu,-;", priority, (unsigned long long)number,
				     (unsigned long long)microseconds);

	for (size_t i = 0; i < size; i++) {
		u8 c = (u8)text[i];

		if (c < ' ' || c >= 127 || c == '\\')
			at += (size_t)snprintf(to + at, 5, "\\x%02x", c);
		else
			to[at++] = (char)c;
	}
	to[at++] = '\n';
	return at;
}

void kmsg_log_write(struct kmsg_log *log, const char *bytes, size_t size)
{
	char formatted[KMSG_RECORD_MAX], *copy;
	struct kmsg_record *record = &log->records[log->next % KMSG_RECORDS];
	struct timespec now = { 0 };
	u32 priority;
	const char *text = kmsg_parse(bytes, size, &priority, &size);

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	size = kmsg_format(formatted, priority, log->next, (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000, text, size);
	copy = malloc(size);
	if (!copy)
		return; /* as the kernel does when it has no room for a record */
	memcpy(copy, formatted, size);
	free(record->bytes);
	record->bytes = copy;
	record->size = (u32)size;
	if (++log->next - log->first > KMSG_RECORDS)
		log->first = log->next - KMSG_RECORDS;
}

const struct kmsg_record *kmsg_log_record(const struct kmsg_log *log, u64 number)
{
	return &log->records[number % KMSG_RECORDS];
}

int kmsg_log_init(struct kmsg_log *log, u32 emulate)
{
	char line[512] = "<6>lichen: this is the log of a cell, not the kernel's; gaps filled:";
	size_t at = strlen(line);

	*log = (struct kmsg_log){ .records = calloc(KMSG_RECORDS, sizeof(*log->records)) };
	if (!log->records)
		return -ENOMEM;
	for (u32 id = 0; id < GAP_COUNT; id++)
		if ((emulate & GAP_BIT(id)) && at < sizeof(line) - 32)
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %s", gap_by_id(id)->name);
	kmsg_log_write(log, line, at);
	return 0;
}

void kmsg_log_done(struct kmsg_log *log)
{
	for (u32 i = 0; log->records && i < KMSG_RECORDS; i++)
		free(log->records[i].bytes);
	free(log->records);
	log->records = NULL;
}
