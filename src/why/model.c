// SPDX-License-Identifier: Apache-2.0
/* A recorded run as people think of it. */
#include "why/model.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "why/call.h"
#include "why/lines.h"
#include "why/pool.h"

#define RECORDS_MAX (UINT32_MAX - 1)

const char *model_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *model_comm(const struct trace_record *record, char text[17])
{
	memcpy(text, record->comm, sizeof(record->comm));
	text[16] = '\0';
	return text;
}

int model_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool model_descends(const struct model *model, u32 process, u32 ancestor)
{
	for (size_t depth = 0; process != MODEL_NONE && depth <= model->process_count; depth++) {
		if (process == ancestor)
			return true;
		process = model->processes[process].parent;
	}
	return false;
}

/* Begins a process. Returns its index, MODEL_NONE without memory. */
static u32 process_new(struct model *model, s32 pid, u64 time)
{
	void *array = array_grow(model->processes, model->process_count, sizeof(*model->processes));
	if (!array || model->process_count >= MODEL_NONE)
		return MODEL_NONE;
	model->processes = array;
	model->processes[model->process_count] =
		(struct model_process){ .pid = pid, .parent = MODEL_NONE, .began = time, .ended = time, .program = "" };
	return (u32)model->process_count++;
}

/* The present life of a pid; MODEL_NONE: there is none. */
static u32 process_find(const struct model *model, s32 pid)
{
	for (size_t i = model->process_count; i-- > 0;)
		if (model->processes[i].pid == pid)
			return model->processes[i].reaped ? MODEL_NONE : (u32)i;
	return MODEL_NONE;
}

static u32 process_get(struct model *model, s32 pid, u64 time)
{
	u32 process = process_find(model, pid);
	return process != MODEL_NONE ? process : process_new(model, pid, time);
}

static void set_parent(struct model *model, u32 child, u32 parent)
{
	if (child == parent || model->processes[child].parent != MODEL_NONE || model_descends(model, parent, child))
		return;
	model->processes[child].parent = parent;
	if (!*model->processes[child].program)
		model->processes[child].program = model->processes[parent].program;
}

static int take_fork(struct model *model, u32 parent, const struct trace_record *record)
{
	if (record->result <= 0 || (record->args[0] & CLONE_THREAD))
		return 0;
	u32 child = process_get(model, (s32)record->result, record->time);
	if (child == MODEL_NONE)
		return -ENOMEM;
	set_parent(model, child, parent);
	return 0;
}

/* An execve that worked: what the same process searched for before it, under this name, was found. */
static void settle_search(struct model *model, u32 process, const char *path)
{
	for (size_t i = model->refusal_count; i-- > 0 && model->refusal_count - i <= 64;) {
		struct model_refusal *refusal = &model->refusals[i];
		if (refusal->process == process && refusal->path && refusal->error == ENOENT &&
		    strcmp(model_name(refusal->path), model_name(path)) == 0)
			refusal->found_later = true;
	}
}

static int note_start(struct model *model, u32 process, const struct trace_record *record)
{
	void *array = array_grow(model->starts, model->start_count, sizeof(*model->starts));
	if (!array)
		return -ENOMEM;
	model->starts = array;
	model->starts[model->start_count++] =
		(struct model_start){ .process = process, .time = record->time, .command = model->processes[process].command };
	return 0;
}

static int take_exec(struct model *model, u32 process, const struct trace_record *record)
{
	struct model_process *p = &model->processes[process];
	struct trace_field field;
	char command[2048] = "";
	size_t used = 0;
	if (trace_field_find(record, 0, 0, &field))
		p->program = pool_text(model->pool, field.bytes, field.length);
	for (u32 n = 0; trace_field_find(record, 1, n, &field) && used + field.length + 2 < sizeof(command); n++)
		used += (size_t)snprintf(command + used, sizeof(command) - used, "%s%.*s", used ? " " : "", (int)field.length,
					 field.bytes);
	p->command = pool_text(model->pool, command, used);
	settle_search(model, process, p->program);
	u32 parent = record->args[0] ? process_find(model, (s32)record->args[0]) : MODEL_NONE;
	if (parent != MODEL_NONE)
		set_parent(model, process, parent);
	if (model->first == MODEL_NONE)
		model->first = process;
	return note_start(model, process, record);
}

/* The first path among the arguments, or the path of a Unix socket; NULL = none. */
static const char *first_path(struct model *model, const struct trace_record *record)
{
	const struct call_form *form = call_form(record->nr);
	struct trace_field field;
	/* Of these the second path is what people talk of: the mount point, the link. */
	bool second = record->nr == SYS_mount || record->nr == SYS_symlink || record->nr == SYS_symlinkat;
	for (u8 i = second; form && i < CALL_ARGS; i++) {
		if (form->args[i] == ARG_PATH && trace_field_find(record, i, 0, &field))
			return pool_text(model->pool, field.bytes, field.length);
		if (form->args[i] == ARG_SOCKADDR && trace_field_find(record, i, 0, &field) && field.length > 3 &&
		    field.bytes[0] == AF_UNIX && field.bytes[1] == 0 && field.bytes[2])
			return pool_text(model->pool, field.bytes + 2, strnlen(field.bytes + 2, field.length - 2u));
	}
	/* A call on a descriptor: what that stands for. */
	if (form && form->args[0] == ARG_FD && trace_field_find(record, 0, 0, &field) && field.length > 0 && field.bytes[0] == '/')
		return pool_text(model->pool, field.bytes, field.length);
	return NULL;
}

/* getsockopt(SO_ERROR) tells how a connect ended that was in progress: that is the call people know. The record is changed to it. */
static void settle_connect(const struct model *model, u32 process, struct trace_record *record)
{
	if (record->nr != SYS_getsockopt || (u32)record->args[1] != SOL_SOCKET || (u32)record->args[2] != SO_ERROR)
		return;
	for (size_t i = model->refusal_count; i-- > 0;) {
		const struct model_refusal *connecting = &model->refusals[i];
		if (connecting->process != process || connecting->record->nr != SYS_connect ||
		    connecting->record->args[0] != record->args[0])
			continue;
		const struct trace_record answer = *record;
		memcpy(record, connecting->record, TRACE_HEAD + (size_t)connecting->record->size);
		record->tid = answer.tid;
		record->time = answer.time;
		record->result = answer.result;
		return;
	}
}

static int take_call(struct model *model, u32 process, struct trace_record *record, u32 order)
{
	settle_connect(model, process, record);
	size_t size = TRACE_HEAD + (size_t)record->size;
	void *array = array_grow(model->refusals, model->refusal_count, sizeof(*model->refusals));
	struct trace_record *kept = pool_take(model->pool, size);
	if (array)
		model->refusals = array;
	if (!array || !kept)
		return -ENOMEM;
	memcpy(kept, record, size);
	model->refusals[model->refusal_count++] = (struct model_refusal){
		.record = kept,
		.process = process,
		.order = order,
		.error = (int)-record->result,
		.program = model->processes[process].program,
		.path = first_path(model, record),
	};
	return 0;
}

static void take_child(struct model *model, const struct trace_record *record)
{
	u32 child = process_find(model, (s32)record->result);
	int status = (int)record->args[0];
	if (child == MODEL_NONE || WIFSTOPPED(status) || status == 0xffff) /* it goes on */
		return;
	struct model_process *p = &model->processes[child];
	p->over = p->reaped = p->status_known = true;
	p->status = status;
	if (p->ended < record->time && p->ended == p->began)
		p->ended = record->time;
}

static int take_start(struct model *model, const struct trace_record *record)
{
	struct trace_field field;
	for (u32 at = 0; trace_field_next(record, &at, &field);) {
		void *array = array_grow(model->argv, model->argc, sizeof(*model->argv));
		if (!array)
			return -ENOMEM;
		model->argv = array;
		model->argv[model->argc++] = pool_text(model->pool, field.bytes, field.length);
	}
	return 0;
}

static void take_end(struct model *model, const struct trace_record *record)
{
	model->ended = true;
	model->status = (int)(record->args[0] & 0xff);
	model->lost = record->args[1];
	if (model->first == MODEL_NONE)
		return;
	struct model_process *p = &model->processes[model->first];
	if (!p->status_known) /* it did not say exit_group(): a signal */
		p->status = model->status > 128 ? (model->status - 128) & 0x7f : (model->status & 0xff) << 8;
	p->over = p->status_known = true;
}

static int take(struct model *model, struct lines *lines, struct trace_record *record)
{
	u32 order = (u32)model->records++;
	if (record->kind == TRACE_START)
		return take_start(model, record);
	if (record->kind == TRACE_END) {
		take_end(model, record);
		return 0;
	}
	u32 process = process_get(model, record->pid, record->time);
	if (process == MODEL_NONE)
		return -ENOMEM;
	struct model_process *p = &model->processes[process];
	p->ended = record->time;
	switch ((enum trace_kind)record->kind) {
	case TRACE_CALL:
		return take_call(model, process, record, order);
	case TRACE_TEXT:
		return lines_take(lines, model, process, record, order);
	case TRACE_EXEC:
		return take_exec(model, process, record);
	case TRACE_FORK:
		return take_fork(model, process, record);
	case TRACE_EXIT:
		p->over = true;
		if (!p->status_known)
			p->status = (int)((record->args[0] & 0xff) << 8);
		p->status_known = true;
		return lines_flush(lines, model, process);
	case TRACE_CHILD:
		take_child(model, record);
		break;
	default:
		break;
	}
	return 0;
}

int model_empty(struct model *model)
{
	*model = (struct model){ .first = MODEL_NONE, .pool = pool_new() };
	return model->pool ? 0 : -ENOMEM;
}

int model_load(struct model *model, struct trace_reader *reader)
{
	struct lines lines = { 0 };
	struct trace_record record;
	int result = 0, more = 0;
	if (model_empty(model))
		return -ENOMEM;
	model->header = reader->header;
	while (result == 0 && model->records < RECORDS_MAX && (more = trace_next(reader, &record)) > 0)
		result = take(model, &lines, &record);
	if (result == 0)
		result = lines_flush(&lines, model, MODEL_NONE);
	lines_done(&lines);
	if (result == 0 && more == -EBADMSG)
		result = more;
	if (result == 0 && pool_failed(model->pool))
		result = -ENOMEM;
	if (result)
		model_done(model);
	return result;
}

void model_done(struct model *model)
{
	free(model->processes);
	free(model->refusals);
	free(model->lines);
	free(model->starts);
	free(model->argv);
	pool_free(model->pool);
	*model = (struct model){ .first = MODEL_NONE };
}
