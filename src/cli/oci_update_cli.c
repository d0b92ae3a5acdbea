// SPDX-License-Identifier: Apache-2.0
/* lichen oci update. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/oci_cli.h"
#include "lichen.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_spec_read.h"
#include "oci/oci_state.h"

/* Each option is a member of linux.resources. */
struct update_options {
	const char *resources, *cpus, *mems;
	s64 blkio_weight, cpu_period, cpu_quota, cpu_share, rt_period, rt_runtime, memory, reservation, swap, pids;
};

/* Bytes may have a suffix, as docker has it. */
static int parse_number(void *field, const char *value, struct option_error *error)
{
	static const char suffixes[] = "bkmgt";
	char *end;
	const char *suffix;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	suffix = *end ? strchr(suffixes, *end | 0x20) : suffixes;
	if (errno || end == value || !suffix || (*end && end[1]) ||
	    __builtin_mul_overflow(number, (s64)1 << 10 * (suffix - suffixes), (s64 *)field))
		return options_refuse(error, "'%s' is no number that can be", value);
	return 0;
}

#define NUMBER(option, field, words)                                                                                     \
	{                                                                                                                \
		.name = (option), .value = "N", .offset = offsetof(struct update_options, field), .parse = parse_number, \
		.help = (words)                                                                                          \
	}
#define WORD(option, field, what, words)                                                                             \
	{                                                                                                            \
		.name = (option), .value = (what), .offset = offsetof(struct update_options, field), .help = (words) \
	}
static const struct option_row rows[] = {
	{ .name = "resources",
	  .letter = 'r',
	  .value = "FILE",
	  .offset = offsetof(struct update_options, resources),
	  .help = "a file with linux.resources, - for standard input; nothing else counts then" },
	NUMBER("blkio-weight", blkio_weight, "weight for disks, 10 to 1000"),
	NUMBER("cpu-period", cpu_period, "period of the limit of processor time, in microseconds"),
	NUMBER("cpu-quota", cpu_quota, "processor time in a period, in microseconds"),
	NUMBER("cpu-share", cpu_share, "share of processor time"),
	NUMBER("cpu-rt-period", rt_period, "the same for realtime processes"),
	NUMBER("cpu-rt-runtime", rt_runtime, "the same for realtime processes"),
	WORD("cpuset-cpus", cpus, "LIST", "processors to use"),
	WORD("cpuset-mems", mems, "LIST", "nodes of memory to use"),
	NUMBER("memory", memory, "limit of memory, in bytes"),
	NUMBER("memory-reservation", reservation, "what it is brought down to when memory is short"),
	NUMBER("memory-swap", swap, "limit of memory and swap, -1 for none"),
	NUMBER("pids-limit", pids, "how many processes there may be"),
};

static void put_number(json_t *object, const char *name, s64 number)
{
	if (number)
		json_object_set_new(object, name, json_integer(number));
}

static json_t *by_options(const struct update_options *given)
{
	json_t *memory = json_object(), *cpu = json_object(), *io = json_object(), *pids = json_object();

	put_number(memory, "limit", given->memory);
	put_number(memory, "reservation", given->reservation);
	put_number(memory, "swap", given->swap);
	put_number(cpu, "period", given->cpu_period);
	put_number(cpu, "quota", given->cpu_quota);
	put_number(cpu, "shares", given->cpu_share);
	put_number(cpu, "realtimePeriod", given->rt_period);
	put_number(cpu, "realtimeRuntime", given->rt_runtime);
	if (given->cpus)
		json_object_set_new(cpu, "cpus", json_string(given->cpus));
	if (given->mems)
		json_object_set_new(cpu, "mems", json_string(given->mems));
	put_number(io, "weight", given->blkio_weight);
	put_number(pids, "limit", given->pids);
	return json_pack("{s:o, s:o, s:o, s:o}", "memory", memory, "cpu", cpu, "blockIO", io, "pids", pids);
}

static json_t *by_file(const char *path, struct oci_error *error)
{
	struct oci_reader reader = { .error = error };
	CLEANUP_FREE char *text = NULL;
	size_t size;

	return oci_read_file(path, &text, &size, error) < 0 ? NULL : oci_read_json(&reader, "file of resources", text, size);
}

static int update(const struct oci_global *global, const char *id, json_t *resources, struct oci_notes *notes,
		  struct oci_error *error)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	int r = oci_container_open(global->root, id, true, &container, error);

	if (r == 0 && oci_container_status(&container) == OCI_STOPPED)
		r = oci_fail(error, -ESRCH, "container not running");
	if (r == 0)
		r = oci_cgroup_limit(json_object_get(container.data, "cgroup"), resources, false, notes, error);
	oci_container_done(&container);
	return r;
}

static int run_update(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct update_options given = { 0 };
	struct oci_error error = { 0 };
	struct oci_notes notes = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, &given, false, &first), r;
	json_t *resources;

	if (status >= 0)
		return status;
	resources = given.resources ? by_file(given.resources, &error) : by_options(&given);
	r = resources ? update(global, argv[first], resources, &notes, &error) : -EINVAL;
	json_decref(resources);
	oci_warn(global, &notes);
	return r < 0 ? oci_failed(global, "", &error) : 0;
}

const struct oci_verb oci_verb_update = { { .name = "oci update",
					    .synopsis = "[OPTION…] CONTAINER",
					    .summary = "Changes the limits of a container",
					    .options = rows,
					    .option_count = ARRAY_SIZE(rows),
					    .usage_status = LICHEN_EXIT_USAGE },
					  run_update };
