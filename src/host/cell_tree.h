/* SPDX-License-Identifier: Apache-2.0 */
/* The file tree of a cell as its config.json keeps it (`tree`, docs/cell-json.md): what it was laid out of, to be looked at from outside and laid out again. */
#ifndef LICHEN_HOST_CELL_TREE_H
#define LICHEN_HOST_CELL_TREE_H

#include <jansson.h>

#include "abi/commons.h"
#include "host/mount_spec.h"
#include "host/root.h"

struct cell_tree {
	const char *
		root; /* absolute path of a directory of the machine, which is not changed when there is an upper one; NULL = the machine's own tree */
	const char *upper;                /* absolute; "upper" = in the cell's directory; NULL = `root` itself is changed */
	const char *work;                 /* beside it */
	const struct mount_specs *mounts; /* what is mounted in it; of what is read, `stage` tells */
	/* What /etc/hosts and /etc/resolv.conf were asked to say; NULL-terminated, NULL: nothing. For who inspects it. */
	const char *const *hosts, *const *dns, *const *dns_search, *const *dns_options;
	bool read_only;
	struct identity_start identity; /* who the command is, where that is emulated */
	/* What it was made of, NULL = no image: its name ("" = none), its id and its manifest's digest, "sha256:HEX". */
	const char *image, *image_id, *manifest;
};

/* null for the machine's own tree. NULL without memory. */
json_t *cell_tree_json(const struct cell_tree *tree) MUST_CHECK;

/* What config.json says. */
struct cell_tree_spec {
	struct cell_tree tree;  /* its texts are the spec's; upper and work absolute */
	struct root_spec stage; /* to lay it out with root_stage() */
	char *texts[6];
};

/* dir: of the cell, opened; its path is asked of /proc. 0; -ENODATA: the cell has the machine's own tree; -EBADMSG; or negative errno. */
int cell_tree_read(const json_t *config, int dir, struct cell_tree_spec *ret) MUST_CHECK;
void cell_tree_done(struct cell_tree_spec *spec);

#endif
