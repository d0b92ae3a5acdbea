/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a trace file (abi/trace.h). Its bytes come from guests, or from a file that somebody names: everything is checked here, and what
 * trace_next() hands out is well-formed: kind and size are in range, the payload's strings lie inside it.
 */
#ifndef LICHEN_HOST_TRACE_FILE_H
#define LICHEN_HOST_TRACE_FILE_H

#include "abi/trace.h"
#include "base/types.h"

struct trace_reader {
	const u8 *bytes; /* the whole file */
	size_t size;
	size_t at;   /* of the next record */
	bool mapped; /* by trace_open(): trace_close() unmaps it */
	struct trace_file_header header;
};

/* Reads from memory, which stays the caller's. 0, or -EBADMSG: not a trace file, or of another version. */
int trace_reader_init(struct trace_reader *reader, const void *bytes, size_t size) MUST_CHECK;
/* Reads from a regular file (any offset; fd may be closed afterwards). As above, or another negative errno of fstat or mmap. */
int trace_open(struct trace_reader *reader, int fd) MUST_CHECK;
void trace_close(struct trace_reader *reader);

/* The next record, whole, the unused payload zeroed. 1; 0 at the end; -ENODATA: the file breaks off inside a record; -EBADMSG: malformed.
 * After an error every further call gives it again. */
int trace_next(struct trace_reader *reader, struct trace_record *ret_record) MUST_CHECK;

/* Whether a record is well-formed. */
bool trace_record_valid(const struct trace_record *record) MUST_CHECK;

/* One string of a record's payload. */
struct trace_field {
	u8 arg;   /* which argument; 0xff = none */
	u8 flags; /* enum trace_string_flag */
	u16 length;
	const char *bytes; /* inside the record; not NUL-terminated, any byte may be in it */
};
/* The string at *at (start with 0), and moves *at on. False behind the last. For records of trace_next(). */
bool trace_field_next(const struct trace_record *record, u32 *at, struct trace_field *ret_field);
/* The n-th string (from 0) that decodes argument `arg`. False when there is none. */
bool trace_field_find(const struct trace_record *record, u8 arg, u32 n, struct trace_field *ret_field);

#endif
