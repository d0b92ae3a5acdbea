/* SPDX-License-Identifier: Apache-2.0 */
/* Builds trace files in memory: what programs did, one call a record. Time advances by a millisecond a record. */
#ifndef LICHEN_TESTS_TRACE_BUILD_H
#define LICHEN_TESTS_TRACE_BUILD_H

#include "why/model.h"

struct trace_build {
	u8 bytes[1 << 16];
	size_t size;
	u64 time;
};

#define NO_ARGS ((const u64[6]){ 0 })

void build_begin(struct trace_build *build, const char *command);
void build_exec(struct trace_build *build, s32 pid, s32 parent, const char *path, const char *word);
void build_fork(struct trace_build *build, s32 parent, s32 child);
/* A refused call; `text` is what argument `arg` points to, NULL = nothing is told. */
void build_call(struct trace_build *build, s32 pid, const char *name, const u64 args[6], int error, u8 arg, const char *text);
/* The same with raw bytes, such as a socket address. */
void build_bytes(struct trace_build *build, s32 pid, const char *name, const u64 args[6], int error, u8 arg, u8 flags,
		 const void *bytes, size_t size);
void build_text(struct trace_build *build, s32 pid, s32 fd, const char *path, const char *text);
void build_exit(struct trace_build *build, s32 pid, int status);
/* wait4 told `parent` of the end of `child`. */
void build_child(struct trace_build *build, s32 parent, s32 child, int wait_status);
void build_sleep(struct trace_build *build, unsigned seconds);
void build_end(struct trace_build *build, int status);

/* Loads what was built; fails the test when that does not work. */
void build_load(const struct trace_build *build, struct model *model);

#endif
