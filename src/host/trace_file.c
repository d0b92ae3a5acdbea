/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a trace file. */
#include "host/trace_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int trace_reader_init(struct trace_reader *reader, const void *bytes, size_t size)
{
	struct trace_reader new = { .bytes = bytes, .size = size, .at = sizeof(new.header) };

	if (size < sizeof(new.header))
		return -EBADMSG;
	memcpy(&new.header, bytes, sizeof(new.header));
	if (memcmp(new.header.magic, TRACE_MAGIC, sizeof(new.header.magic)) != 0 || new.header.version != TRACE_VERSION ||
	    new.header.record_size != sizeof(struct trace_record))
		return -EBADMSG;
	*reader = new;
	return 0;
}

int trace_open(struct trace_reader *reader, int fd)
{
	struct stat st;
	void *map;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return -EBADMSG;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = trace_reader_init(reader, map, (size_t)st.st_size);
	if (r < 0)
		(void)munmap(map, (size_t)st.st_size);
	else
		reader->mapped = true;
	return r;
}

void trace_close(struct trace_reader *reader)
{
	if (reader->mapped)
		(void)munmap((void *)(uintptr_t)reader->bytes, reader->size);
	*reader = (struct trace_reader){ 0 };
}

bool trace_record_valid(const struct trace_record *record)
{
	u32 at = 0;

	if (record->kind < TRACE_CALL || record->kind > TRACE_USED || record->size > TRACE_PAYLOAD)
		return false;
	while (at < record->size) {
		struct trace_string head;

		if (record->size - at < sizeof(head))
			return false;
		memcpy(&head, record->payload + at, sizeof(head));
		at += (u32)sizeof(head);
		if (head.length > record->size - at)
			return false;
		at += ALIGN_UP((u32)head.length, 2u);
	}
	return at == record->size;
}

int trace_next(struct trace_reader *reader, struct trace_record *ret_record)
{
	struct trace_record record = { 0 };
	size_t left = reader->size - reader->at;

	if (!left)
		return 0;
	if (left < TRACE_HEAD)
		return -ENODATA;
	memcpy(&record, reader->bytes + reader->at, TRACE_HEAD);
	if (record.size > TRACE_PAYLOAD)
		return -EBADMSG;
	if (left - TRACE_HEAD < ALIGN_UP((size_t)record.size, 8))
		return -ENODATA;
	memcpy(record.payload, reader->bytes + reader->at + TRACE_HEAD, record.size);
	if (!trace_record_valid(&record))
		return -EBADMSG;
	reader->at += TRACE_HEAD + ALIGN_UP((size_t)record.size, 8);
	*ret_record = record;
	return 1;
}

bool trace_field_next(const struct trace_record *record, u32 *at, struct trace_field *ret_field)
{
	struct trace_string head;

	if (*at >= record->size || record->size - *at < sizeof(head))
		return false;
	memcpy(&head, record->payload + *at, sizeof(head));
	*ret_field = (struct trace_field){ head.arg, head.flags, head.length, (const char *)record->payload + *at + sizeof(head) };
	*at += (u32)sizeof(head) + ALIGN_UP((u32)head.length, 2u);
	return true;
}

bool trace_field_find(const struct trace_record *record, u8 arg, u32 n, struct trace_field *ret_field)
{
	struct trace_field field;

	for (u32 at = 0; trace_field_next(record, &at, &field);) {
		if (field.arg != arg || n--)
			continue;
		*ret_field = field;
		return true;
	}
	return false;
}
