/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies files between two file trees, as `docker cp` does: one end sends, the other receives, over a stream socket. One of the two runs in a cell, as a guest that
 * sees the cell's tree and cannot leave it; the other end does not trust it. Names are resolved by whoever has them.
 *
 *     sender    K KIND NAME    KIND: d directory, c what is in a directory, f anything else, t a tar archive of somebody's; NAME: how it is called
 *     receiver  P NAME         under which name the archive shall bring it ("." = the directory itself)
 *     sender    a tar archive, then the end of its direction
 *     receiver  O LOST         done; how many owners, modes, devices and attributes were lost, in all
 *     either    E TEXT         instead: it cannot, and why
 */
#ifndef LICHEN_IMAGE_COPY_H
#define LICHEN_IMAGE_COPY_H

#include "image/tar_write.h"
#include "image/unpack.h"

#define COPY_LINE 4608 /* bytes of a line: a path and some words */

struct copy_source {
	const char *path; /* "DIR/." = what is in it; NULL = a tar archive, read from `archive` */
	int archive;
	bool follow; /* if it is a symbolic link, what it leads to */
	enum tar_owners owners;
	const char *const *skip; /* absolute paths whose content is left out; NULL-terminated; NULL = none */
};

/* Sends. Returns 0 or negative errno with ret_error; -EPIPE and an empty text: the other end is gone. */
int copy_send(int peer, const struct copy_source *source, struct image_error *ret_error) MUST_CHECK;

struct copy_target {
	const char *path; /* NULL = the archive as it is, written to `archive` */
	int archive;
	const char *name; /* how the source is called, "." = what is in it is wanted; NULL = as the sender says */
	u32 flags;        /* enum unpack_flag, besides UNPACK_PLAIN */
};

/* Receives. *ret_lost: as above. Returns as copy_send(). */
int copy_receive(int peer, const struct copy_target *target, u64 *ret_lost, struct image_error *ret_error) MUST_CHECK;

/* The last component of a path; "." where that is the root or dots. NUL-terminated in `name`, cut if it is too long. */
void copy_name_of(const char *path, char name[256]);

/* copy_line.c: a line without its newline. write: 0 or negative errno. read: 0; -EPIPE at the end; -EBADMSG: too long. -EREMOTEIO: an E line, whose text is
 * then ret_error's. */
int copy_write_line(int peer, const char *format, ...) PRINTF_LIKE(2, 3);
int copy_read_line(int peer, char line[COPY_LINE], struct image_error *ret_error) MUST_CHECK;

#endif
