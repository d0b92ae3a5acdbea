/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/mountinfo, as far as probes need it. Format: proc_pid_mountinfo(5). */
#ifndef LICHEN_GAPS_MOUNTINFO_H
#define LICHEN_GAPS_MOUNTINFO_H

#include "base/types.h"

struct mountinfo_row {
	unsigned major, minor;
	char point[256];   /* unescaped */
	char type[32];     /* file system type */
	char options[256]; /* of the super block, cut when longer (overlay's layers) */
};

/*
 * Finds the last row that has the given mount point, type and super block option, each of which may be NULL for 'any'. Rows whose
 * fields do not fit are passed over. Returns 0, -ENOENT when no row matches, or the negative errno of opening the file.
 */
int mountinfo_find(const char *point, const char *type, const char *option, struct mountinfo_row *ret_row) MUST_CHECK;

/* Takes one line apart. Returns whether it is a well-formed row that fits. */
bool mountinfo_parse(char *line, struct mountinfo_row *ret_row);

#endif
