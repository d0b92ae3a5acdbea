/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a cell: which mechanism, and config.json. */
#include "host/cell_resources.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cell_cgroup.h"

const char *cell_mechanism_name(enum cell_mechanism mechanism)
{
	static const char *const names[] = {
		[CELL_UNLIMITED] = "none", [CELL_BY_CGROUP] = "cgroup", [CELL_SAMPLED] = "sampled", [CELL_BY_AFFINITY] = "affinity"
	};

	return names[mechanism];
}

const char *cell_resource_name(enum cell_resource resource)
{
	static const char *const names[] = {
		[CELL_MEMORY] = "memory", [CELL_CPUS] = "cpus", [CELL_PIDS] = "pids-limit", [CELL_CPUSET] = "cpuset-cpus"
	};

	return names[resource];
}

bool cell_resource_given(const struct cell_resources *resources, enum cell_resource resource)
{
	switch (resource) {
	case CELL_MEMORY:
		return resources->memory != 0;
	case CELL_CPUS:
		return resources->cpus != 0;
	case CELL_PIDS:
		return resources->pids != 0;
	case CELL_CPUSET:
		return resources->cpuset[0] != '\0';
	default:
		return false;
	}
}

void cell_resources_plan(const struct cell_resources *resources, struct cell_enforcement *ret)
{
	*ret = (struct cell_enforcement){ 0 };
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++) {
		int r;

		if (!cell_resource_given(resources, i))
			continue;
		r = i == CELL_CPUSET ? -EOPNOTSUPP : cell_cgroup_probe(i, ret->why);
		ret->by[i] = r == 0 ? CELL_BY_CGROUP : i == CELL_CPUSET ? CELL_BY_AFFINITY : CELL_SAMPLED;
	}
}

static json_t *number_or_null(u64 value)
{
	return value ? json_integer((json_int_t)value) : json_null();
}

json_t *cell_resources_json(const struct cell_resources *resources, const struct cell_enforcement *by)
{
	static const struct cell_resources none;
	static const struct cell_enforcement unlimited;
	const struct cell_resources *r = resources ? resources : &none;
	json_t *mechanisms = json_object();

	by = by ? by : &unlimited;
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (json_object_set_new(mechanisms, cell_resource_name(i), json_string(cell_mechanism_name(by->by[i]))) < 0) {
			json_decref(mechanisms);
			return NULL;
		}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "memory", number_or_null(r->memory), "memory_swap",
			 r->memory_swap ? json_integer(r->memory_swap) : json_null(), "cpus",
			 r->cpus ? json_real(r->cpus / 1000.0) : json_null(), "pids_limit", number_or_null(r->pids), "cpuset_cpus",
			 r->cpuset[0] ? json_string(r->cpuset) : json_null(), "kept_by", mechanisms);
}

void cell_resources_read(const json_t *config, struct cell_resources *ret, struct cell_enforcement *ret_by)
{
	const json_t *from = json_object_get(config, "resources"), *mechanisms = json_object_get(from, "kept_by");
	const char *cpuset = json_string_value(json_object_get(from, "cpuset_cpus"));

	*ret = (struct cell_resources){
		.memory = (u64)json_integer_value(json_object_get(from, "memory")),
		.memory_swap = json_integer_value(json_object_get(from, "memory_swap")),
		.cpus = (u32)(json_number_value(json_object_get(from, "cpus")) * 1000 + 0.5),
		.pids = (u32)json_integer_value(json_object_get(from, "pids_limit")),
	};
	if (cpuset)
		(void)snprintf(ret->cpuset, sizeof(ret->cpuset), "%s", cpuset);
	*ret_by = (struct cell_enforcement){ 0 };
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++) {
		const char *name = json_string_value(json_object_get(mechanisms, cell_resource_name(i)));

		for (enum cell_mechanism m = CELL_UNLIMITED; name && m <= CELL_BY_AFFINITY; m++)
			if (strcmp(name, cell_mechanism_name(m)) == 0)
				ret_by->by[i] = m;
	}
}

int cell_cpuset_parse(const char *text, cpu_set_t *ret)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	do {
		char *end;
		unsigned long first, last;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		first = last = strtoul(text, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (first > last || last >= CPU_SETSIZE || (*end && *end != ','))
			return -EINVAL;
		for (; first <= last; first++)
			CPU_SET(first, &set);
		text = end + (*end == ',');
		if (*end == ',' && !*text)
			return -EINVAL;
	} while (*text);
	*ret = set;
	return 0;
}

int cell_cpuset_choose(const char *text)
{
	cpu_set_t cpus;
	int r = text && *text ? cell_cpuset_parse(text, &cpus) : 0;

	if (r < 0 || !text || !*text)
		return r;
	return sched_setaffinity(0, sizeof(cpus), &cpus) < 0 ? -errno : 0;
}
