/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of /proc/PID/mountinfo, taken apart and told anew: nothing here asks the kernel, so it is tested and fuzzed as it is
 * (tests/unit/test_mount_rows.c, tests/fuzz/fuzz_mounts.c). Format: proc_pid_mountinfo(5); of mounts: fstab(5), fs/proc_namespace.c.
 *
 * Mount names may be chosen by anybody. The kernel writes blank, tab, newline and backslash in them as \ooo, so a row is one line and a
 * field has no blank; fields are handled as they are written, and only mount_field_path() turns escapes back.
 */
#ifndef LICHEN_GAPS_FSTYPE_MOUNT_ROWS_H
#define LICHEN_GAPS_FSTYPE_MOUNT_ROWS_H

#include "base/mem.h"
#include "base/types.h"

/* A part of the text. */
struct field {
	const char *at;
	u64 size;
};

struct mount_row {
	u32 major, minor;
	struct field ids;     /* "36 35" */
	struct field root;    /* of the mount within its file system */
	struct field point;   /* where it is mounted */
	struct field options; /* per mount, with the optional fields behind it: "rw,noatime shared:1" */
	struct field flags;   /* the options alone: "rw,noatime" */
	struct field type;
	struct field source;
	struct field super; /* per super block: "rw,errors=continue" */
};

/* What is to be told of the root's file system. Filled by mounts_look(), but for `forced`. */
struct mount_view {
	bool forced; /* the root's file system counts as foreign whatever it is (--refuse) */
	bool has_root;
	u32 major, minor;           /* of the root, as the text says */
	u32 told_major, told_minor; /* as stat(2) says; set by whoever has asked it, before anything is told */
	bool root_foreign;          /* no disk file system that readers know */
};

#define MOUNT_TOLD_TYPE "ext4"
#define MOUNT_TOLD_MAGIC 0xef53

/* Takes the next line off *text. Returns whether there was one; *ret_row is valid when *ret_valid. *ret_line is without its newline. */
bool mount_row_next(struct field *text, struct field *ret_line, struct mount_row *ret_row, bool *ret_valid) MUST_CHECK;

/* Finds the root's row (the last whose mount point is "/": the topmost). */
void mounts_look(struct field text, struct mount_view *view);

/* Whether this row's mount is to be told as a disk file system. */
bool mount_row_told(const struct mount_row *row, const struct mount_view *view) MUST_CHECK;

/* The row of a device number, as stat(2) tells it: the first; false when there is none. `after`: rows up to it are passed over, NULL = none. */
bool mounts_by_device(struct field text, const struct mount_view *view, u32 major, u32 minor, const char *after,
		      struct mount_row *ret_row) MUST_CHECK;

/* Whether something of the file is to be told otherwise than the kernel does. mounts: of /proc/PID/mounts, else of mountinfo. */
bool mounts_differ(struct field text, const struct mount_view *view, bool mounts) MUST_CHECK;

/* Room for what is told of `size` bytes. */
#define MOUNTS_ROOM(size) (4 * (size) + 64)

/* Writes what is told: mountinfo, or mounts made from it. Returns the bytes written, at most MOUNTS_ROOM(text.size). */
u64 mounts_tell(struct field text, const struct mount_view *view, bool mounts, char *to);

/* The path that a field stands for. to: size bytes. Returns its length, or 0 when it does not fit. */
u64 mount_field_path(struct field field, char *to, u64 size);

#endif
