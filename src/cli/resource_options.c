// SPDX-License-Identifier: Apache-2.0
/* Parses the options that limit what a cell uses, and says how limits are kept. */
#include "cli/resource_options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "host/cell_sampler.h"

#define BYTES_MAX (INT64_C(1) << 50)

static int refuse(struct option_error *error, const char *name, const char *needs, const char *value)
{
	snprintf(error->text, sizeof(error->text), "option '--%s' needs %s, not '%.100s'", name, needs, value);
	return -EINVAL;
}

/* 512m, 1.5g, 1073741824b. False: it is none of that. */
static bool parse_bytes(const char *value, s64 *ret)
{
	char *end;
	if (!isdigit((unsigned char)*value))
		return false;
	double number = strtod(value, &end);
	if (value[strspn(value, "0123456789.")] && end != value + strspn(value, "0123456789.")) /* 0x10, 1e5 */
		return false;
	const char *units = "bkmgt", *unit = *end ? strchr(units, tolower((unsigned char)*end)) : units;
	if (!unit || !*unit || (*end && end[1]))
		return false;
	number = ldexp(number, (int)(10 * (unit - units)));
	*ret = (s64)number;
	return number >= 1 && number <= (double)BYTES_MAX;
}

int resource_parse_memory(void *field, const char *value, struct option_error *error)
{
	struct resource_options *given = field;
	s64 bytes;
	if (!parse_bytes(value, &bytes) || (u64)bytes < CELL_MEMORY_MIN)
		return refuse(error, "memory", "a size of at least 6m: a number, and b, k, m or g", value);
	given->limits.memory = (u64)bytes;
	given->given |= 1u << CELL_MEMORY;
	return 0;
}

int resource_parse_swap(void *field, const char *value, struct option_error *error)
{
	struct resource_options *given = field;
	s64 bytes = -1;
	if (strcmp(value, "-1") != 0 && !parse_bytes(value, &bytes))
		return refuse(error, "memory-swap", "a size or -1", value);
	given->limits.memory_swap = bytes;
	given->given |= RESOURCE_SWAP;
	return 0;
}

int resource_parse_cpus(void *field, const char *value, struct option_error *error)
{
	struct resource_options *given = field;
	char *end = NULL, needs[64];
	int most = get_nprocs();
	double number = isdigit((unsigned char)*value) || *value == '.' ? strtod(value, &end) : -1;
	if (number < 0.01 || number > most || !end || *end || strspn(value, "0123456789.") != strlen(value)) {
		snprintf(needs, sizeof(needs), "a number from 0.01 to %d", most);
		return refuse(error, "cpus", needs, value);
	}
	given->limits.cpus = (u32)(number * 1000 + 0.5);
	given->given |= 1u << CELL_CPUS;
	return 0;
}

int resource_parse_pids(void *field, const char *value, struct option_error *error)
{
	struct resource_options *given = field;
	char *end;
	errno = 0;
	long number = strtol(value, &end, 10);
	if (end == value || *end || errno || number < -1 || number > INT32_MAX)
		return refuse(error, "pids-limit", "a number, or -1", value);
	given->limits.pids = number > 0 ? (u32)number : 0;
	given->given |= 1u << CELL_PIDS;
	return 0;
}

int resource_parse_cpuset(void *field, const char *value, struct option_error *error)
{
	struct resource_options *given = field;
	cpu_set_t wanted, have;
	if (strlen(value) >= sizeof(given->limits.cpuset) || cell_cpuset_parse(value, &wanted))
		return refuse(error, "cpuset-cpus", "a list like 0-2,5", value);
	if (sched_getaffinity(0, sizeof(have), &have) == 0) {
		CPU_AND(&have, &have, &wanted);
		if (!CPU_EQUAL(&have, &wanted))
			return refuse(error, "cpuset-cpus", "processors that we may use", value);
	}
	snprintf(given->limits.cpuset, sizeof(given->limits.cpuset), "%s", value);
	given->given |= 1u << CELL_CPUSET;
	return 0;
}

const char *resource_conflict(const struct cell_resources *limits)
{
	if (limits->memory_swap && !limits->memory)
		return "--memory-swap needs --memory";
	if (limits->memory_swap > 0 && (u64)limits->memory_swap < limits->memory)
		return "--memory-swap is of both together: it cannot be less than --memory";
	return NULL;
}

void resource_say(const struct command *command, const struct cell_resources *limits, const struct cell_enforcement *by)
{
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (cell_resource_given(limits, i) && by->by[i] == CELL_SAMPLED)
			fprintf(stderr, "lichen %s: --%s is sampled every %d ms here: %s\n", command->name, cell_resource_name(i),
				SAMPLER_PERIOD_MS, by->why);
}

void resource_explain(const struct cell_resources *limits, FILE *to)
{
	struct cell_enforcement by;
	cell_resources_plan(limits, &by);
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (cell_resource_given(limits, i))
			fprintf(to, "--%-12s %s%s%s\n", cell_resource_name(i), cell_mechanism_name(by.by[i]),
				by.by[i] == CELL_SAMPLED ? ": " : "", by.by[i] == CELL_SAMPLED ? by.why : "");
}
