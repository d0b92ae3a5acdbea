/* SPDX-License-Identifier: Apache-2.0 */
/* The options that limit what a cell uses, of `lichen run` and `lichen update`. */
#ifndef LICHEN_CLI_RESOURCE_OPTIONS_H
#define LICHEN_CLI_RESOURCE_OPTIONS_H

#include "cli/options.h"
#include "host/cell_resources.h"

struct resource_options {
	struct cell_resources limits;
	u32 given; /* bit per enum cell_resource, and RESOURCE_SWAP */
};

#define RESOURCE_SWAP (1u << CELL_RESOURCES)

/* Option rows for a command whose struct `type` has a struct resource_options `field`; is_rare: as option_row.rare. */
/* clang-format off */
#define RESOURCE_OPTIONS(type, field, is_rare) \
	{ .name = "memory", .letter = 'm', .value = "BYTES", .offset = offsetof(type, field), .rare = is_rare, .parse = resource_parse_memory, \
	  .help = "limit memory: 512m, 2g" }, \
	{ .name = "memory-swap", .value = "BYTES", .offset = offsetof(type, field), .rare = is_rare, .parse = resource_parse_swap, \
	  .help = "limit memory and swap together (twice --memory); -1: not" }, \
	{ .name = "cpus", .value = "NUMBER", .offset = offsetof(type, field), .rare = is_rare, .parse = resource_parse_cpus, \
	  .help = "limit processor time: 1.5" }, \
	{ .name = "pids-limit", .value = "NUMBER", .offset = offsetof(type, field), .rare = is_rare, .parse = resource_parse_pids, \
	  .help = "limit processes and threads; -1: not" }, \
	{ .name = "cpuset-cpus", .value = "LIST", .offset = offsetof(type, field), .rare = is_rare, .parse = resource_parse_cpuset, \
	  .help = "run on these processors: 0-2,5" }
/* clang-format on */

int resource_parse_memory(void *field, const char *value, struct option_error *error);
int resource_parse_swap(void *field, const char *value, struct option_error *error);
int resource_parse_cpus(void *field, const char *value, struct option_error *error);
int resource_parse_pids(void *field, const char *value, struct option_error *error);
int resource_parse_cpuset(void *field, const char *value, struct option_error *error);

/* What contradicts itself, as for command_usage(); NULL = nothing. */
const char *resource_conflict(const struct cell_resources *limits);

/* Says on stderr, for each limit that is not kept by a cgroup, how it is kept and why. */
void resource_say(const struct command *command, const struct cell_resources *limits, const struct cell_enforcement *by);

/* The same of every limit, for --explain. */
void resource_explain(const struct cell_resources *limits, FILE *to);

#endif
