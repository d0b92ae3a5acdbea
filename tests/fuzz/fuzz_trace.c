/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of trace files: input is a file, behind a right header when its first byte is even. */
#include <errno.h>

#include "fuzz.h"
#include "host/trace_file.h"

static void check(const struct trace_record *record)
{
	struct trace_field field, found;
	u32 at = 0, strings = 0;

	MUST(record->kind >= TRACE_CALL && record->kind <= TRACE_USED && record->size <= TRACE_PAYLOAD);
	for (u32 i = record->size; i < TRACE_PAYLOAD; i++)
		MUST(record->payload[i] == 0);
	while (trace_field_next(record, &at, &field)) {
		MUST(field.bytes >= (const char *)record->payload &&
		     field.bytes + field.length <= (const char *)record->payload + record->size);
		MUST(trace_field_find(record, field.arg, 0, &found) && found.arg == field.arg);
		strings++;
	}
	MUST(at == record->size && strings <= TRACE_PAYLOAD / sizeof(struct trace_string));
	MUST(!trace_field_next(record, &at, &field));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct trace_file_header header = { .version = TRACE_VERSION, .record_size = sizeof(struct trace_record) };
	struct trace_reader reader;
	struct trace_record record;
	size_t records = 0, head = size && !(data[0] & 1) ? sizeof(header) : 0;
	u8 *bytes = malloc(head + size);
	int r;

	memcpy(header.magic, TRACE_MAGIC, sizeof(header.magic));
	memcpy(bytes, &header, head);
	if (size > 1)
		memcpy(bytes + head, data + 1, size - 1);
	size = size ? head + size - 1 : 0;
	r = trace_reader_init(&reader, bytes, size);
	MUST(r == 0 || r == -EBADMSG);
	if (r == 0) {
		while ((r = trace_next(&reader, &record)) > 0) {
			check(&record);
			records++;
		}
		MUST(records * TRACE_HEAD <= size);
		MUST(r == 0 || r == -ENODATA || r == -EBADMSG);
		MUST(trace_next(&reader, &record) == r);
	}
	free(bytes);
	return 0;
}
