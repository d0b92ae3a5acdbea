/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The space that files take which a cage's command may write: allocated blocks (st_blocks), so holes count nothing; a file with several names counts once; and
 * files without a name count as long as a process of the command's has them open or mapped. Inodes themselves are not counted.
 *
 * The walk is hostile ground: who writes there may rename, delete and make names meanwhile. It goes by descriptors of directories and never follows a link;
 * what vanishes is left out; what cannot be looked at, though the command could have written it, ends the walk with an error, as do too many levels
 * (DISK_DEPTH), too many files with several names (DISK_LINKS) and too much time. Memory: 32 KiB a level, 16 bytes twice for each file with several names.
 *
 * Other file systems mounted below count, but read-only ones and those of the kernel's that have no space (/proc). Who looks while files are moved may count one
 * twice or not at all: exact is only a look while all are stopped.
 */
#ifndef LICHEN_CAGE_DISK_USAGE_H
#define LICHEN_CAGE_DISK_USAGE_H

#include <sys/types.h>

#include "base/types.h"

#define DISK_DEPTH 512u
#define DISK_LINKS (4u << 20)

struct disk_file {
	u64 device, inode; /* inode 0: none */
};

/* A file or directory that may be written, and all below it. */
struct disk_root {
	char *path; /* canonical */
	int fd;     /* O_PATH */
};

struct disk_usage {
	struct disk_root *roots;
	size_t root_count;
	struct disk_root *masks; /* what the command cannot reach */
	size_t mask_count;
	struct disk_file *mask_files; /* of each mask */
	struct disk_file *seen;       /* files of several names, and of none: a table of seen_room places */
	size_t seen_count, seen_room;
	const bool *stop; /* set by another thread (atomic): walks end with -EINTR; NULL: nobody does */
};

struct disk_total {
	u64 bytes;
	u64 largest;     /* the size of the largest file, holes included */
	const char *why; /* of an error: half a sentence */
};

/* Opens what is there of canonical paths; of nested ones the outer. 0 or negative errno; disk_usage_close() in any case. */
int disk_usage_open(struct disk_usage *usage, const char *const *roots, size_t count, const char *const *masks,
		    size_t mask_count) MUST_CHECK;
void disk_usage_close(struct disk_usage *usage);

/* Counts what has a name. deadline: ms, monotonic, 0 = none. 0, or negative errno with ret->why. */
int disk_usage_walk(struct disk_usage *usage, s64 deadline, struct disk_total *ret) MUST_CHECK;
/* After it: adds files without a name that lay below the roots, and which a process has open; and when that is done of all processes, those that one has mapped. 0, also when it
 * has ended; negative errno likewise (-EACCES: it does not let itself be looked at). Without CAP_SYS_ADMIN what is mapped, and open nowhere, counts as far as it is mapped. */
int disk_usage_add_open(struct disk_usage *usage, pid_t pid, struct disk_total *total) MUST_CHECK;
int disk_usage_add_mapped(struct disk_usage *usage, pid_t pid, struct disk_total *total) MUST_CHECK;

/* Free bytes of the file systems that the roots are on, together. */
u64 disk_usage_free(const struct disk_usage *usage) MUST_CHECK;

#endif
