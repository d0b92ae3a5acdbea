/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a cell: what its /dev/kmsg shows. Records are kept in the form that a read of /dev/kmsg gives them
 * (Documentation/ABI/testing/dev-kmsg): "priority,sequence number,microseconds since boot,-;text\n".
 */
#ifndef LICHEN_HOST_KMSG_H
#define LICHEN_HOST_KMSG_H

#include "base/types.h"

#define KMSG_RECORDS 2048u   /* kept; older ones are gone */
#define KMSG_WRITE_MAX 1024u /* PRINTKRB_RECORD_MAX: a longer write is EINVAL to the kernel; here the rest is cut off */
#define KMSG_TEXT_MAX (KMSG_WRITE_MAX - 1)
#define KMSG_RECORD_MAX (64u + 4 * KMSG_TEXT_MAX) /* bytes of one record as read: head, escaped text, newline */

#define KMSG_USER 1u    /* LOG_USER */
#define KMSG_DEFAULT 4u /* CONSOLE_LOGLEVEL_DEFAULT's neighbour: default_message_loglevel */

struct kmsg_record {
	char *bytes; /* as read, without NUL */
	u32 size;
};

struct kmsg_log {
	struct kmsg_record *records; /* KMSG_RECORDS, by sequence number modulo that */
	u64 first, next;             /* sequence numbers: the oldest kept, the next to come */
};

/* The first record says which gaps of `emulate` (bit per gap_id) are filled. 0 or negative errno. */
int kmsg_log_init(struct kmsg_log *log, u32 emulate) MUST_CHECK;
void kmsg_log_done(struct kmsg_log *log);

/* Adds what was written to /dev/kmsg, as devkmsg_write() of the kernel takes it: "<N>" in front is level and facility (user when
 * it is 0), a newline at the end is not part of the text, a NUL ends it. */
void kmsg_log_write(struct kmsg_log *log, const char *bytes, size_t size);

/* A record that is kept: first <= number < next. */
const struct kmsg_record *kmsg_log_record(const struct kmsg_log *log, u64 number);

/* The priority and the text of a write of `size` bytes (at most KMSG_WRITE_MAX are looked at). Returns where the text begins and, in *ret_size, its length. */
const char *kmsg_parse(const char *bytes, size_t size, u32 *ret_priority, size_t *ret_size);
/* Writes a record as it is read to `to` (KMSG_RECORD_MAX bytes). Returns its length. */
size_t kmsg_format(char *to, u32 priority, u64 number, u64 microseconds, const char *text, size_t size);

#endif
