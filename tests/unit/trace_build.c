// SPDX-License-Identifier: Apache-2.0
/* Builds trace files in memory. */
#include "trace_build.h"

#include <string.h>

#include "unit.h"
#include "why/call.h"

static void append(struct trace_build *build, const struct trace_record *record)
{
	size_t size = TRACE_HEAD + ALIGN_UP((size_t)record->size, 8);
	assert_true(build->size + size <= sizeof(build->bytes));
	memcpy(build->bytes + build->size, record, TRACE_HEAD + (size_t)record->size);
	build->size += size;
	build->time += 1000000;
}

static void put(struct trace_record *record, u8 arg, u8 flags, const void *bytes, size_t size)
{
	const struct trace_string head = { arg, flags, (u16)size };
	assert_true(record->size + sizeof(head) + ALIGN_UP(size, 2) <= TRACE_PAYLOAD);
	memcpy(record->payload + record->size, &head, sizeof(head));
	memcpy(record->payload + record->size + sizeof(head), bytes, size);
	record->size = (u16)(record->size + sizeof(head) + ALIGN_UP(size, 2));
}

static struct trace_record start(const struct trace_build *build, enum trace_kind kind, s32 pid)
{
	return (struct trace_record){ .kind = (u16)kind, .pid = pid, .tid = pid, .time = build->time };
}

void build_begin(struct trace_build *build, const char *command)
{
	const struct trace_file_header header = {
		.magic = TRACE_MAGIC, .version = TRACE_VERSION, .record_size = sizeof(struct trace_record), .monotonic = 1000000
	};
	struct trace_record record;
	memset(build, 0, sizeof(*build));
	memcpy(build->bytes, &header, sizeof(header));
	build->size = sizeof(header);
	build->time = 2000000;
	record = start(build, TRACE_START, 1);
	put(&record, 0xff, 0, command, strlen(command));
	append(build, &record);
}

void build_exec(struct trace_build *build, s32 pid, s32 parent, const char *path, const char *word)
{
	struct trace_record record = start(build, TRACE_EXEC, pid);
	record.args[0] = (u64)parent;
	put(&record, 0, 0, path, strlen(path));
	put(&record, 1, 0, word, strlen(word));
	append(build, &record);
}

void build_fork(struct trace_build *build, s32 parent, s32 child)
{
	struct trace_record record = start(build, TRACE_FORK, parent);
	record.result = child;
	append(build, &record);
}

void build_bytes(struct trace_build *build, s32 pid, const char *name, const u64 args[6], int error, u8 arg, u8 flags,
		 const void *bytes, size_t size)
{
	struct trace_record record = start(build, TRACE_CALL, pid);
	record.nr = call_number(name);
	assert_true(record.nr >= 0);
	record.result = -error;
	memcpy(record.args, args, sizeof(record.args));
	if (bytes)
		put(&record, arg, flags, bytes, size);
	append(build, &record);
}

void build_call(struct trace_build *build, s32 pid, const char *name, const u64 args[6], int error, u8 arg, const char *text)
{
	build_bytes(build, pid, name, args, error, arg, 0, text, text ? strlen(text) : 0);
}

void build_text(struct trace_build *build, s32 pid, s32 fd, const char *path, const char *text)
{
	struct trace_record record = start(build, TRACE_TEXT, pid);
	record.args[0] = (u64)fd;
	record.args[1] = strlen(text);
	put(&record, 1, 0, text, strlen(text));
	put(&record, 0, 0, path, strlen(path));
	append(build, &record);
}

void build_exit(struct trace_build *build, s32 pid, int status)
{
	struct trace_record record = start(build, TRACE_EXIT, pid);
	record.args[0] = (u64)status;
	append(build, &record);
}

void build_child(struct trace_build *build, s32 parent, s32 child, int wait_status)
{
	struct trace_record record = start(build, TRACE_CHILD, parent);
	record.result = child;
	record.args[0] = (u64)wait_status;
	append(build, &record);
}

void build_sleep(struct trace_build *build, unsigned seconds)
{
	build->time += (u64)seconds * 1000000000;
}

void build_end(struct trace_build *build, int status)
{
	struct trace_record record = start(build, TRACE_END, 1);
	record.args[0] = (u64)status;
	append(build, &record);
}

void build_load(const struct trace_build *build, struct model *model)
{
	struct trace_reader reader;
	assert_int_equal(trace_reader_init(&reader, build->bytes, build->size), 0);
	assert_int_equal(model_load(model, &reader), 0);
	trace_close(&reader);
}
