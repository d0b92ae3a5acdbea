/* SPDX-License-Identifier: Apache-2.0 */
/* The options that give a guest a file tree of its own. */
#ifndef LICHEN_CLI_GUEST_ROOT_H
#define LICHEN_CLI_GUEST_ROOT_H

#include <limits.h>

#include "cli/options.h"
#include "host/native.h"
#include "host/root.h"

/* A tree that has been laid out: by who makes it; both NULL: the machine's. */
struct guest_tree {
	struct fs_state *agent;
	struct native_root *native;
};

struct guest_root {
	const char *directory; /* NULL: the machine's own tree */
	const char *upper;     /* directory for what is changed; NULL: `directory` itself */
	const char *work;      /* beside it; NULL: its path and ".work" */
	bool ephemeral;        /* a temporary one */
	bool native;           /* the kernel makes the tree */
	char temporary[4096];  /* which; "": none was made */
	const char *hostname; /* NULL: /etc/hostname and /etc/hosts are the tree's and the machine's; else they name the guest … */
	const char *names;    /* … and lie in this directory; NULL: in the temporary one */
	struct {
		u32 count;
		struct root_bind binds[ROOT_BINDS_MAX];
	} volumes;
};

/* An option_row.parse for guest_root.volumes: HOST:GUEST[:ro|rw]. */
int guest_parse_volume(void *field, const char *value, struct option_error *error);

/* Option rows for a command whose struct `type` has a struct guest_root `field`. */
/* clang-format off */
#define GUEST_ROOT_OPTIONS(type, field) \
	{ .name = "rootfs", \
	  .value = "DIR", \
	  .offset = offsetof(type, field.directory), \
	  .help = "run the command with this directory as its root, as chroot does, but without any privilege" }, \
	{ .name = "upper", \
	  .value = "DIR", \
	  .offset = offsetof(type, field.upper), \
	  .help = "keep what is changed in this directory, as overlayfs does; the one of --rootfs stays as it is" }, \
	{ .name = "ephemeral", \
	  .offset = offsetof(type, field.ephemeral), \
	  .help = "forget what is changed in the tree of --rootfs when the command ends" }, \
	{ .name = "volume", \
	  .letter = 'v', \
	  .value = "HOST:GUEST[:ro]", \
	  .offset = offsetof(type, field.volumes), \
	  .parse = guest_parse_volume, \
	  .help = "show a file or directory of this machine in the tree of --rootfs; ro: read-only" }
/* clang-format on */

/* Lays out the tree that was asked for; guest_tree_done() releases it. Returns -1, or the exit status after saying what is wrong. In either case
 * guest_root_end() follows, once the guest has ended. */
int guest_root_stage(const struct command *command, struct guest_root *given, const char *workdir, struct guest_tree *ret);
void guest_tree_done(struct guest_tree *tree);
/* The directory on whose file system changes of the tree will be kept, and NULL when there are none to be kept apart: that of --upper, of what is
 * temporary, of cells. */
const char *guest_root_place(const struct guest_root *given, bool cell, char path[PATH_MAX]);
/* Removes what was temporary. */
void guest_root_end(struct guest_root *given);

#endif
