// SPDX-License-Identifier: Apache-2.0
/* Empties the directories that stand in for a cell's tmpfs. */
#include "host/cell_scratch.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "host/tree.h"

static int remove_one(void *arg, int dir, const char *name)
{
	int *again = arg;

	if (tree_remove(dir, name) == 0)
		*again = 1;
	return 0;
}

/* What is removed while a directory is listed may hide other names: until nothing more goes. */
static void empty(int scratch, const char *name)
{
	CLEANUP_FD int dir = tree_enter(scratch, name);
	int again = dir >= 0;

	while (again) {
		again = 0;
		if (tree_each(dir, remove_one, &again) < 0)
			return;
	}
}

void cell_scratch_clear(int cell, const struct mount_specs *mounts)
{
	CLEANUP_FD int scratch = tree_enter(cell, "scratch");
	char name[32];

	if (scratch < 0)
		return;
	empty(scratch, "shm");
	for (u32 i = 0; mounts && i < mounts->count; i++) {
		(void)snprintf(name, sizeof(name), "mount%u", i);
		if (mounts->mounts[i].kind == MOUNT_TMPFS)
			empty(scratch, name);
	}
}
