// SPDX-License-Identifier: Apache-2.0
/* Figures of a container's cgroups, in the form of runc's `events --stats`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/oci_cgroup.h"

#define TEXT 16384
#define UNLIMITED INT64_MAX /* jansson's largest */
#define TICK_NS 10000000    /* USER_HZ is 100 */

/* A file of one number; "max" and what is larger than all memory: no limit. 0 = not there. */
static s64 number(const char *dir, const char *file)
{
	char text[64];

	if (!dir || oci_cgroup_read(dir, file, text, sizeof(text)) < 0)
		return 0;
	return strcmp(text, "max") == 0 ? UNLIMITED : strtoll(text, NULL, 10);
}

/* A line "KEY NUMBER". */
static s64 keyed(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = text; at && *at; at = strchr(at, '\n'), at += at != NULL)
		if (strncmp(at, key, length) == 0 && at[length] == ' ')
			return strtoll(at + length, NULL, 10);
	return 0;
}

static json_t *raw_of(const char *text)
{
	json_t *raw = json_object();
	char key[128];
	long long value;

	for (const char *at = text; at && *at; at = strchr(at, '\n'), at += at != NULL)
		if (sscanf(at, "%127s %lld", key, &value) == 2)
			json_object_set_new(raw, key, json_integer(value));
	return raw;
}

static json_t *per_cpu(const char *dir)
{
	char text[TEXT], *at = text, *end;
	json_t *list = json_array();

	if (!dir || oci_cgroup_read(dir, "cpuacct.usage_percpu", text, sizeof(text)) < 0)
		return list;
	for (;;) {
		unsigned long long value = strtoull(at, &end, 10);

		if (end == at)
			return list;
		json_array_append_new(list, json_integer((s64)value));
		at = end;
	}
}

static json_t *cpu(json_t *cgroup)
{
	const char *dir = oci_cgroup_place(cgroup, "cpu"), *account = oci_cgroup_place(cgroup, "cpuacct");
	char text[TEXT] = "";
	s64 total, user, kernel;

	if (oci_cgroup_is_v2(cgroup)) {
		dir = json_string_value(json_object_get(cgroup, "")); /* cpu.stat is there without the controller */
		(void)!oci_cgroup_read(dir, "cpu.stat", text, sizeof(text));
		total = keyed(text, "usage_usec") * 1000;
		user = keyed(text, "user_usec") * 1000;
		kernel = keyed(text, "system_usec") * 1000;
	} else {
		if (account)
			(void)!oci_cgroup_read(account, "cpuacct.stat", text, sizeof(text));
		total = number(account, "cpuacct.usage");
		user = keyed(text, "user") * TICK_NS;
		kernel = keyed(text, "system") * TICK_NS;
		text[0] = '\0';
		if (dir)
			(void)!oci_cgroup_read(dir, "cpu.stat", text, sizeof(text));
	}
	return json_pack("{s:{s:I, s:o, s:I, s:I}, s:{s:I, s:I, s:I}}", "usage", "total", total, "percpu", per_cpu(account),
			 "kernel", kernel, "user", user, "throttling", "periods", keyed(text, "nr_periods"), "throttledPeriods",
			 keyed(text, "nr_throttled"), "throttledTime",
			 oci_cgroup_is_v2(cgroup) ? keyed(text, "throttled_usec") * 1000 : keyed(text, "throttled_time"));
}

static json_t *memory_row(const char *dir, const char *usage, const char *limit, const char *max, const char *failures)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "limit", number(dir, limit), "usage", number(dir, usage), "max", number(dir, max),
			 "failcnt", number(dir, failures));
}

static json_t *memory(json_t *cgroup)
{
	const char *dir = oci_cgroup_place(cgroup, "memory");
	bool v2 = oci_cgroup_is_v2(cgroup);
	char text[TEXT] = "";

	if (!dir)
		return json_object();
	(void)!oci_cgroup_read(dir, "memory.stat", text, sizeof(text));
	return json_pack(
		"{s:I, s:o, s:o, s:o, s:o}", "cache", keyed(text, v2 ? "file" : "cache"), "usage",
		v2 ? memory_row(dir, "memory.current", "memory.max", "memory.peak", "-")
		   : memory_row(dir, "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes",
				"memory.failcnt"),
		"swap",
		v2 ? memory_row(dir, "memory.swap.current", "memory.swap.max", "-", "-")
		   : memory_row(dir, "memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes",
				"memory.memsw.max_usage_in_bytes", "memory.memsw.failcnt"),
		"kernel",
		memory_row(dir, v2 ? "-" : "memory.kmem.usage_in_bytes", v2 ? "-" : "memory.kmem.limit_in_bytes", "-", "-"), "raw",
		raw_of(text));
}

json_t *oci_cgroup_stats(json_t *cgroup)
{
	const char *pids = oci_cgroup_place(cgroup, "pids");
	s64 limit = number(pids, "pids.max");

	return json_pack("{s:o, s:o, s:{s:I, s:I}, s:{}, s:{}, s:{}}", "cpu", cpu(cgroup), "memory", memory(cgroup), "pids",
			 "current", number(pids, "pids.current"), "limit", limit == UNLIMITED ? (s64)0 : limit, "blkio", "hugetlb",
			 "intel_rdt");
}
