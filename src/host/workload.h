/* SPDX-License-Identifier: Apache-2.0 */
/* What a workload cannot do without: a set of gaps, by a known name or read from a file. */
#ifndef LICHEN_HOST_WORKLOAD_H
#define LICHEN_HOST_WORKLOAD_H

#include "gaps/registry.h"

#define WORKLOAD_FILE_MAX (64u * 1024u) /* bytes of a workload file that are read; a longer one is refused */

/* The known names, NULL-terminated: "docker", "containerd", "kubernetes", "postgres", "flow". */
extern const char *const workload_names[];

/* The gaps that name this workload in gap->workloads. Returns 0 or -ENOENT when it is not a known name. */
int workload_by_name(const char *name, u32 *ret_needs) MUST_CHECK;

/*
 * Takes a workload's text apart: one gap name a line, '#' starts a comment, blanks around a name and empty lines are skipped. Returns 0;
 * or -EINVAL, with *ret_line the number of the line (from 1) whose name is no gap, and that name, cut if long, in `word`.
 */
int workload_parse(const char *text, size_t size, u32 *ret_needs, unsigned *ret_line, char word[64]) MUST_CHECK;

/* The same for a file. Returns also the negative errno of reading it, -EFBIG when it is longer than WORKLOAD_FILE_MAX. */
int workload_from_file(const char *path, u32 *ret_needs, unsigned *ret_line, char word[64]) MUST_CHECK;

#endif
