/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded run as people think of it: processes with their programs, calls that were refused, lines that were printed. Made from the
 * records of a trace file (abi/trace.h) in one pass; everything in it is owned by the model and lives until model_done().
 *
 * A process is one life of a pid: once it was waited for, the same pid begins another. Pids are those that the processes see
 * themselves: in a run that makes pid namespaces two processes may share one, and are then taken for one.
 * Text is put together from pieces into lines, per process and descriptor, since many programs write a message in several pieces.
 */
#ifndef LICHEN_WHY_MODEL_H
#define LICHEN_WHY_MODEL_H

#include "host/trace_file.h"

#define MODEL_NONE UINT32_MAX

struct model_process {
	s32 pid;
	u32 parent;          /* index; MODEL_NONE = the first, or not known */
	u64 began, ended;    /* time of its first and of its last record, or of its death as far as known */
	const char *program; /* path of what it runs; what its parent ran until it executes something; "" unknown */
	char *command;       /* argv joined by blanks; NULL before its first execve */
	bool over;           /* it has ended */
	bool reaped;         /* its pid may be used again */
	bool status_known;
	int status; /* wait status, as wait4 gives it */
};

/* A call that the kernel, or what stands in for it, refused. */
struct model_refusal {
	const struct trace_record *record;
	u32 process;
	u32 order;           /* records before this one */
	int error;           /* positive errno */
	const char *program; /* path of the program at that time */
	const char *path;    /* the first path, or socket path, of its arguments; NULL = none */
	bool found_later;    /* an execve that searches along PATH, or the like, and then found it */
};

enum model_severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_FATAL,
};

struct model_line {
	u32 process;
	u32 order; /* records before its first piece */
	u64 time;  /* of its first piece */
	s32 fd;
	s32 tid;
	const char *program;
	const char *path; /* of the descriptor, "" unknown */
	char *text;       /* one line without control characters; ends with … when there was more */
	enum model_severity severity;
	bool alarm; /* has a word that something is wrong */
};

/* A program that began. */
struct model_start {
	u32 process;
	u64 time;
	const char *command; /* argv joined by blanks */
};

struct model {
	struct trace_file_header header;
	char **argv; /* of the command; count words */
	size_t argc;
	bool ended; /* the record is whole: it has its end */
	int status; /* exit status of the run, 128+n for signal n */
	u64 records, lost;
	u32 first; /* process of the command; MODEL_NONE = none began */
	struct model_process *processes;
	struct model_refusal *refusals;
	struct model_line *lines;
	struct model_start *starts;
	size_t process_count, refusal_count, line_count, start_count;
	struct pool *pool; /* strings and records */
};

/* Reads all records. Returns 0; -ENOMEM; or the reader's -EBADMSG. A file that breaks off gives the model of what is there (ended is false). */
int model_load(struct model *model, struct trace_reader *reader) MUST_CHECK;
void model_done(struct model *model);

/* A model of nothing. Returns 0 or -ENOMEM. */
int model_empty(struct model *model) MUST_CHECK;

/* The last part of a path. */
const char *model_name(const char *path);

/* The comm of a record as a string. Returns `text`. */
const char *model_comm(const struct trace_record *record, char text[17]);

/* Whether `ancestor` is the process itself or above it. */
bool model_descends(const struct model *model, u32 process, u32 ancestor);

/* Exit status as a shell has it: 128+n for signal n. */
int model_exit_status(int wait_status);

#endif
