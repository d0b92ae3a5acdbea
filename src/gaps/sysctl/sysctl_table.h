/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sysctls (sysctl_table.def) as the agent sees it, and what of it needs no cell: looking paths up, listing directories, the form
 * of values. Builds hosted, too, for tests. */
#ifndef LICHEN_GAPS_SYSCTL_TABLE_H
#define LICHEN_GAPS_SYSCTL_TABLE_H

#include "base/types.h"
#include "gaps/sysctl/sysctl.h"

enum sysctl_kind {
	SYSCTL_INT,     /* `count` numbers, each min … max; what follows them is not taken (proc_dointvec_minmax) */
	SYSCTL_UINT,    /* one number; what follows it is taken and ignored (proc_douintvec_minmax, proc_dou8vec_minmax) */
	SYSCTL_ULONG,   /* as INT, 64 bits without sign; max -1 = none (proc_doulongvec_minmax) */
	SYSCTL_MS,      /* INT, rounded up to the tick of 4 ms (proc_dointvec_ms_jiffies) */
	SYSCTL_USERHZ,  /* INT in 1/100 s, rounded down to the tick (proc_dointvec_userhz_jiffies) */
	SYSCTL_FLAG,    /* INT that reads as 0 or 1 */
	SYSCTL_RANGE,   /* two numbers, the second not below the first */
	SYSCTL_GROUPS,  /* two group ids; an empty range reads as 1 0 */
	SYSCTL_PIPE,    /* UINT, rounded up to a power of two of at least a page */
	SYSCTL_STRING,  /* one line; longer ones are cut (proc_dostring) */
	SYSCTL_CHOICE,  /* one of sysctl_choices() */
	SYSCTL_WORDS,   /* any of sysctl_choices(), told in their order */
	SYSCTL_KEY,     /* tcp_fastopen_key: one or two keys of four hexadecimal words */
	SYSCTL_BITMAP,  /* numbers and ranges below max: 1,5-7 (proc_do_large_bitmap) */
	SYSCTL_ACTION,  /* INT, validated and forgotten */
	SYSCTL_IGNORED, /* anything is taken and forgotten */
};

#define SYSCTL_NUMBERS_MAX 5u

struct sysctl_row {
	char path[60]; /* below /proc/sys/; "*" stands for an interface */
	u16 mode;
	u8 kind; /* enum sysctl_kind */
	u8 count;
	char initial[64];
	s64 min, max;
};

u32 sysctl_rows(void);
const struct sysctl_row *sysctl_row_at(u32 row);

/* What a path below /proc/sys/ is. */
struct sysctl_found {
	u32 row; /* of the file; of a directory: the first row below it */
	bool directory;
	char instance[SYSCTL_INSTANCE_SIZE]; /* the interface, empty where the path has none */
};

/* Finds a path below /proc/sys/ ("" is /proc/sys itself). Whether the interface exists is not asked. */
bool sysctl_lookup(const char *path, struct sysctl_found *found) MUST_CHECK;
/* The row of a path as it stands in the table, which must have it. */
u32 sysctl_row_of(const char *path);

/* The n-th different name in a directory of the table; `path` as it stands in the table, "" or "net/ipv4/conf/<*>". Copies it to
 * name[64] and says whether it is a directory. False behind the last. */
bool sysctl_child(const char *path, u32 n, char *name, bool *directory) MUST_CHECK;

/* --- values (sysctl_value.c) -------------------------------------------------------------------------------------------------------- */

/* Limits and surroundings of a write, which may depend on other values. */
struct sysctl_write {
	const char *bytes;
	u64 size;
	u64 offset; /* of the write in the file */
	s64 min, max;
	u64 *bits; /* BITMAP: room for `max` bits */
};

/*
 * Applies a write: text[room] holds the value as it reads and receives the new one, also when a vector's later number is refused.
 * Returns the number of bytes taken, or negative errno as the kernel's handler of that kind. Room: SYSCTL_WIDE_SIZE for BITMAP, else
 * SYSCTL_TEXT_SIZE.
 */
long sysctl_value_write(const struct sysctl_row *row, const struct sysctl_write *write, char *text, u64 room) MUST_CHECK;

/* The first number of a value's text, 0 when there is none. */
s64 sysctl_value_number(const char *text);
/* Appends a number in decimal; returns the new length. text has room for 21 bytes more. */
u64 sysctl_value_put(char *text, u64 length, u64 magnitude, bool negative);

/* The words that a CHOICE or WORDS may hold, separated by spaces; and the errno for others. */
const char *sysctl_choices(const struct sysctl_row *row, int *ret_error);

#endif
