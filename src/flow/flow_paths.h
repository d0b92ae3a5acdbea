/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that a flow names, confined to directories that config.yaml allows.
 *
 *   1 A path is made absolute from the base directory and clean; ".." is refused, wherever it leads.
 *   2 It must lie in one of the directories that the step allows, component by component, and these in one of config.yaml's: also those that a template has made.
 *   3 Directories of config.yaml are the operator's: links on the way to them are followed. Below them no symbolic link is, neither by open nor by a race
 *     (host/tree.h), nor on the way to what a step or another line allows there: a tool of an earlier step may have made it.
 */
#ifndef LICHEN_FLOW_FLOW_PATHS_H
#define LICHEN_FLOW_FLOW_PATHS_H

#include <jansson.h>
#include <limits.h>

#include "cage/policy.h"
#include "flow/flow_agent.h"

/* A name in an open directory; "" = the directory itself, which is an allowed one. */
struct flow_place {
	int dir;
	char name[NAME_MAX + 1];
};

/* Makes a path absolute and clean, without its leading slash. 0, -EXDEV for "..", -ENAMETOOLONG. */
int flow_path_clean(const char *base, const char *path, char clean[PATH_MAX]) MUST_CHECK;
/* Is a clean path a directory, or below it? */
bool flow_path_within(const char *clean, const char *directory);

/* A path without links as far as it is there, and what is not there behind that; without its leading slash. 0 or negative errno. */
int flow_path_real(const char *base, const char *path, char real[PATH_MAX]) MUST_CHECK;

/* Directories a step may use: its config's allowed_paths, or config.yaml's. The n-th, clean; -ENOENT behind the last; -EACCES: it is in none of
 * config.yaml's; or as flow_path_clean(). */
int flow_path_allowed(const struct flow_task *task, size_t n, char clean[PATH_MAX]) MUST_CHECK;
/* Whether a step may use all that it names: 0, or as flow_path_allowed(), with the one that it may not in *ret_wrong. */
int flow_paths_judge(const struct flow_task *task, const char **ret_wrong) MUST_CHECK;

/* What config.yaml allows as the machine has it: `real` is without links (NULL: there is none). A tool may have made links below. 0 or -ENOMEM; flow_roots_done() in any case. */
int flow_roots_find(const struct flow_task *task, struct cage_paths *ret) MUST_CHECK;
void flow_roots_done(struct cage_paths *roots);

/*
 * Finds a path's directory, and opens it. 0; -EACCES: it is in no allowed directory (also -EXDEV: it has ".."); -ENOENT, -ENOTDIR, -ELOOP (a link), or negative
 * errno. The descriptor is the caller's.
 */
int flow_path_open(const struct flow_task *task, const char *path, struct flow_place *ret) MUST_CHECK;

/* The allowed directory in which a path lies, which need not be there yet; links are followed. NULL: none. -ENOMEM counts as the first of them. */
const char *flow_paths_cover(const struct flow_config *config, const char *base, const char *path);

/* An agent's check of `config`.allowed_paths: each lies in one of config.yaml's. Without the base directory: paths are compared as they are written. */
int flow_paths_check(const struct flow_step *step, const struct flow_config *config, struct yaml_error *error) MUST_CHECK;

#endif
