// SPDX-License-Identifier: Apache-2.0
/*
 * Puts pieces of text together into lines. What is kept: what went to standard output, standard error, a terminal, a pipe, a socket or a
 * file that looks like a log, and is text. What went to /dev/null nobody read; what went into other files is data.
 */
#include "why/lines.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "why/pool.h"

struct lines_open {
	u32 process, order;
	s32 fd, tid;
	u64 time;
	const char *path;
	size_t used;
	bool escape; /* inside a terminal's escape sequence */
	bool binary;
	char text[LINE_MAX_BYTES + 4];
};

static bool has_word(const char *text, const char *word)
{
	for (const char *at = text; (at = strcasestr(at, word)); at++)
		if ((at == text || !isalpha((u8)at[-1])) && !isalpha((u8)at[strlen(word)]))
			return true;
	return false;
}

static bool has_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (has_word(text, *words))
			return true;
	return false;
}

enum model_severity line_severity(const char *text, bool *ret_alarm)
{
	static const char *const fatal[] = { "fatal",    "panic",           "emerg",        "critical",      "level=fatal",
					     "aborting", "failed to start", "cannot start", "failed to run", "startup failed",
					     NULL };
	static const char *const warning[] = { "warning", "warn", "level=warning", "deprecated", NULL };
	static const char *const error[] = {
		"error",       "errors",       "err",     "failed",          "failure",        "fail",          "cannot",
		"couldn't",    "could not be", "can not", "unavailable",     "unsupported",    "timed out",     "aborted",
		"undefined",   "illegal",      "can't",   "could not",       "unable",         "denied",        "not found",
		"invalid",     "missing",      "no such", "refused",         "not permitted",  "not supported", "killed",
		"isn't",       "unknown",      "must",    "not implemented", "already in use", "no space",      "exception",
		"memoryerror", "traceback",    "bad",     "not allowed",     "full",           "doesn't",       "does not",
		NULL
	};
	bool alarm = has_any(text, error) || has_any(text, fatal);
	*ret_alarm = alarm || has_any(text, warning);
	/* klog: one letter, then month and day */
	if (strchr("IWEF", text[0]) && text[0] && isdigit((u8)text[1]) && isdigit((u8)text[2]) && isdigit((u8)text[3]) &&
	    isdigit((u8)text[4]))
		return text[0] == 'I' ? SEVERITY_INFO
		     : text[0] == 'W' ? SEVERITY_WARNING
		     : text[0] == 'E' ? SEVERITY_ERROR
				      : SEVERITY_FATAL;
	if (strstr(text, "level=info") || strstr(text, "level=debug"))
		return SEVERITY_INFO;
	if (has_any(text, fatal))
		return SEVERITY_FATAL;
	if (has_any(text, warning))
		return SEVERITY_WARNING;
	return alarm ? SEVERITY_ERROR : SEVERITY_INFO;
}

/* Whether somebody reads what is written there. */
static bool is_message_place(s32 fd, const char *path)
{
	static const char *const kept[] = { "/dev/tty", "/dev/pts/", "/dev/console", "/dev/kmsg",
					    "/dev/std", "pipe:",     "socket:",      "/dev/log" };
	if (strcmp(path, "/dev/null") == 0)
		return false;
	if (fd == 1 || fd == 2 || !*path)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (strncmp(path, kept[i], strlen(kept[i])) == 0)
			return true;
	return strcasestr(path, "log") || strstr(path, ".err") || strstr(path, ".out");
}

/* The line is complete: keeps it, if it is one. */
static int finish(struct lines_open *open, struct model *model)
{
	size_t length = open->used;
	char *text = open->text;
	while (length > 0 && isspace((u8)text[length - 1]))
		length--;
	text[length] = '\0';
	open->used = 0;
	open->escape = false;
	bool binary = open->binary, alarm;
	open->binary = false;
	if (binary || length < 2)
		return 0;
	enum model_severity severity = line_severity(text, &alarm);
	if (!alarm && open->fd != 2) /* ordinary output */
		return 0;
	void *array = array_grow(model->lines, model->line_count, sizeof(*model->lines));
	if (!array)
		return -ENOMEM;
	model->lines = array;
	model->lines[model->line_count++] = (struct model_line){
		.process = open->process,
		.order = open->order,
		.time = open->time,
		.fd = open->fd,
		.tid = open->tid,
		.program = model->processes[open->process].program,
		.path = open->path,
		.text = pool_text(model->pool, text, length),
		.severity = severity,
		.alarm = alarm,
	};
	return 0;
}

static void add(struct lines_open *open, u8 c)
{
	if (open->escape) {
		open->escape = !isalpha(c);
	} else if (c == 033) {
		open->escape = true;
	} else if (c == '\t') {
		add(open, ' ');
	} else if (c < ' ' && c != '\r') {
		open->binary = true;
	} else if (c != '\r' && open->used < LINE_MAX_BYTES) {
		open->text[open->used++] = (char)c;
	}
}

/* The unfinished line of a process and descriptor; NULL without memory. */
static struct lines_open *find_open(struct lines *lines, u32 process, s32 fd)
{
	struct lines_open *unused = NULL;
	for (size_t i = 0; i < lines->count; i++) {
		struct lines_open *open = &lines->open[i];
		if (open->process == process && open->fd == fd)
			return open;
		if (open->used == 0)
			unused = open;
	}
	if (!unused) {
		void *array = array_grow(lines->open, lines->count, sizeof(*lines->open));
		if (!array)
			return NULL;
		lines->open = array;
		unused = &lines->open[lines->count++];
	}
	*unused = (struct lines_open){ .process = process, .fd = fd };
	return unused;
}

int lines_take(struct lines *lines, struct model *model, u32 process, const struct trace_record *record, u32 order)
{
	struct trace_field bytes, path;
	s32 fd = (s32)record->args[0];
	if (!trace_field_find(record, 1, 0, &bytes))
		return 0;
	char place[TRACE_PAYLOAD + 1] = "";
	if (trace_field_find(record, 0, 0, &path))
		snprintf(place, sizeof(place), "%.*s", (int)path.length, path.bytes);
	if (!is_message_place(fd, place))
		return 0;
	struct lines_open *open = find_open(lines, process, fd);
	if (!open)
		return -ENOMEM;
	for (u16 i = 0; i < bytes.length; i++) {
		if (open->used == 0) {
			open->order = order;
			open->time = record->time;
			open->tid = record->tid;
			open->path = pool_text(model->pool, place, strlen(place));
		}
		if (bytes.bytes[i] != '\n')
			add(open, (u8)bytes.bytes[i]);
		else if (finish(open, model))
			return -ENOMEM;
	}
	if (record->args[1] > bytes.length && open->used > 0) {
		memcpy(open->text + open->used, "…", strlen("…"));
		open->used += strlen("…");
		return finish(open, model);
	}
	return 0;
}

int lines_flush(struct lines *lines, struct model *model, u32 process)
{
	for (size_t i = 0; i < lines->count; i++)
		if ((process == MODEL_NONE || lines->open[i].process == process) && lines->open[i].used > 0 &&
		    finish(&lines->open[i], model))
			return -ENOMEM;
	return 0;
}

void lines_done(struct lines *lines)
{
	free(lines->open);
	*lines = (struct lines){ 0 };
}
