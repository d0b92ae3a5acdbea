// SPDX-License-Identifier: Apache-2.0
/*
 * linux.resources: one row a member and version of cgroups. As with runc, 0 is "not told". A limit that cannot be set is refused; a share, a weight or a
 * hint, which never bounds anything, is left away and said.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "oci/oci_cgroup.h"
#include "oci/oci_spec_read.h"

enum row_kind {
	LIMIT, /* must be kept; -1 is "max" or -1 */
	HINT,
	SHARES,    /* 2…262144 becomes a weight 1…10000 */
	IO_WEIGHT, /* 10…1000 becomes a weight 1…10000 */
};

struct row {
	const char *object, *member;      /* of linux.resources */
	const char *controller, *v1, *v2; /* files; NULL = there is none, nothing is asked for */
	enum row_kind kind;
};

/* What depends on another member is done by code: memory.swap, cpu.quota and cpu.period of v2. */
static const struct row rows[] = {
	{ "memory", "reservation", "memory", "memory.soft_limit_in_bytes", "memory.low", HINT },
	{ "memory", "swappiness", "memory", "memory.swappiness", NULL, HINT },
	{ "memory", "kernelTCP", "memory", "memory.kmem.tcp.limit_in_bytes", NULL, HINT },
	{ "cpu", "shares", "cpu", "cpu.shares", "cpu.weight", SHARES },
	{ "cpu", "idle", "cpu", "cpu.idle", "cpu.idle", HINT },
	{ "cpu", "burst", "cpu", "cpu.cfs_burst_us", "cpu.max.burst", HINT },
	{ "cpu", "realtimePeriod", "cpu", "cpu.rt_period_us", NULL, HINT },
	{ "cpu", "realtimeRuntime", "cpu", "cpu.rt_runtime_us", NULL, HINT },
	{ "pids", "limit", "pids", "pids.max", "pids.max", LIMIT },
	{ "blockIO", "weight", "blkio", "blkio.weight", "io.weight", IO_WEIGHT },
	{ "blockIO", "leafWeight", "blkio", "blkio.leaf_weight", NULL, HINT },
	{ "network", "classID", "net_cls", "net_cls.classid", NULL, HINT },
};

struct limiting {
	json_t *cgroup;
	bool v2;
	struct oci_notes *notes;
	struct oci_reader read;
};

/* Writes one file; strict: it must be. */
static void put(struct limiting *l, const char *controller, const char *file, const char *text, bool strict)
{
	const char *dir = oci_cgroup_place(l->cgroup, l->v2 && strcmp(controller, "blkio") == 0 ? "io" : controller);
	int r = dir ? oci_cgroup_write(dir, file, text) : -ENOENT;

	if (r == 0 || l->read.status)
		return;
	if (!strict) {
		oci_note(l->notes, "%s is not set to %s: %s", file, text, dir ? strerror(-r) : "there is no such cgroup");
		return;
	}
	if (dir)
		l->read.status = oci_fail(l->read.error, r, "unable to set %s to %s: %s", file, text, strerror(-r));
	else
		l->read.status = oci_fail(
			l->read.error, -EOPNOTSUPP,
			"cannot set %s: this machine has no cgroup of '%s' that the container could join, so the limit would not be kept",
			file, controller);
}

static void put_number(struct limiting *l, const char *controller, const char *file, s64 number, bool strict)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, number);
	put(l, controller, file, number < 0 && (l->v2 || strncmp(file, "pids", 4) == 0) ? "max" : text, strict);
}

/* A number; beyond 2^63-1 there is no limit. */
static s64 number_of(struct limiting *l, json_t *object, const char *member)
{
	json_t *value = json_object_get(object, member);
	s64 number = 0;
	u64 big = 0;

	if (json_is_string(value) && oci_read_u64(&l->read, object, member, &big))
		return -1;
	(void)oci_read_s64(&l->read, object, member, &number);
	return number;
}

static void set_row(struct limiting *l, json_t *resources, const struct row *row)
{
	s64 number = number_of(l, oci_read_object(&l->read, resources, row->object), row->member);
	const char *file = l->v2 ? row->v2 : row->v1;

	if (!number || !file)
		return;
	if (l->v2 && row->kind == SHARES)
		number = 1 + (number - 2) * 9999 / 262142;
	if (l->v2 && row->kind == IO_WEIGHT)
		number = 1 + (number - 10) * 9999 / 990;
	put_number(l, row->controller, file, number, row->kind == LIMIT);
}

/* v1: the limit of both must never be below that of memory, so the order depends on which way they go. */
static void set_memory(struct limiting *l, json_t *resources)
{
	json_t *memory = oci_read_object(&l->read, resources, "memory");
	s64 limit = number_of(l, memory, "limit"), swap = number_of(l, memory, "swap");

	if (l->v2) {
		if (limit)
			put_number(l, "memory", "memory.max", limit, true);
		if (swap)
			put_number(l, "memory", "memory.swap.max", swap < 0 || limit < 0 ? -1 : swap - limit, false);
	} else {
		if (limit && oci_cgroup_place(l->cgroup, "memory") &&
		    oci_cgroup_write(oci_cgroup_place(l->cgroup, "memory"), "memory.memsw.limit_in_bytes", "-1") == 0 && !swap)
			swap = -1;
		if (limit)
			put_number(l, "memory", "memory.limit_in_bytes", limit, true);
		if (swap && (limit || swap > 0))
			put_number(l, "memory", "memory.memsw.limit_in_bytes", swap, false);
	}
	if (oci_read_bool(&l->read, memory, "disableOOMKiller") && !l->v2)
		put(l, "memory", "memory.oom_control", "1", false);
}

static void set_cpu(struct limiting *l, json_t *resources)
{
	static const char *const lists[][2] = { { "cpus", "cpuset.cpus" }, { "mems", "cpuset.mems" } };
	json_t *cpu = oci_read_object(&l->read, resources, "cpu");
	s64 quota = number_of(l, cpu, "quota"), period = number_of(l, cpu, "period");
	char text[64], quota_text[32] = "max";

	if (l->v2 && (quota || period)) {
		if (quota > 0)
			(void)snprintf(quota_text, sizeof(quota_text), "%" PRId64, quota);
		(void)snprintf(text, sizeof(text), "%s %" PRId64, quota_text, period ? period : 100000);
		put(l, "cpu", "cpu.max", text, quota > 0);
	} else {
		if (period)
			put_number(l, "cpu", "cpu.cfs_period_us", period, quota > 0);
		if (quota)
			put_number(l, "cpu", "cpu.cfs_quota_us", quota, quota > 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *list = oci_read_text(&l->read, cpu, lists[i][0]);

		if (list && *list)
			put(l, "cpuset", lists[i][1], list, true);
	}
}

/* Limits of devices: v1 has a file each, v2 one for all four. */
static void set_throttles(struct limiting *l, json_t *resources)
{
	static const struct {
		const char *member, *v1, *v2;
	} throttles[] = { { "throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps" },
			  { "throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps" },
			  { "throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops" },
			  { "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops" } };
	json_t *io = oci_read_object(&l->read, resources, "blockIO");

	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
		json_t *rates = oci_read_array(&l->read, io, throttles[i].member);

		for (size_t j = 0; j < json_array_size(rates); j++) {
			json_t *row = json_array_get(rates, j);
			u32 major = oci_read_u32(&l->read, row, "major"), minor = oci_read_u32(&l->read, row, "minor");
			s64 rate = number_of(l, row, "rate");
			char text[96];

			if (l->v2)
				(void)snprintf(text, sizeof(text), "%u:%u %s=%" PRId64, major, minor, throttles[i].v2, rate);
			else
				(void)snprintf(text, sizeof(text), "%u:%u %" PRId64, major, minor, rate);
			put(l, "blkio", l->v2 ? "io.max" : throttles[i].v1, text, true);
		}
	}
}

static void set_huge_pages(struct limiting *l, json_t *resources)
{
	json_t *limits = oci_read_array(&l->read, resources, "hugepageLimits");

	for (size_t i = 0; i < json_array_size(limits); i++) {
		json_t *row = json_array_get(limits, i);
		const char *size = oci_read_needed(&l->read, row, "pageSize");
		char file[128];

		(void)snprintf(file, sizeof(file), "hugetlb.%.64s.%s", size, l->v2 ? "max" : "limit_in_bytes");
		if (!strchr(size, '/'))
			put_number(l, "hugetlb", file, number_of(l, row, "limit"), true);
	}
}

/* Files of v2 as they are called. */
static void set_unified(struct limiting *l, json_t *resources)
{
	json_t *unified = oci_read_object(&l->read, resources, "unified"), *value;
	const char *file;

	json_object_foreach(unified, file, value)
	{
		char controller[64];

		if (strchr(file, '/') || !strchr(file, '.') || !json_is_string(value)) {
			oci_read_wrong(&l->read, "config: unified resource '%s' must be a file name of cgroups with a text", file);
			return;
		}
		if (!l->v2) {
			oci_read_wrong(&l->read, "config: unified resources need cgroups v2, which this machine has not: '%s'",
				       file);
			return;
		}
		(void)snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(file, "."), file);
		put(l, controller, file, json_string_value(value), true);
	}
}

int oci_cgroup_limit(json_t *cgroup, json_t *resources, bool devices, struct oci_notes *notes, struct oci_error *error)
{
	struct limiting l = { .cgroup = cgroup, .v2 = oci_cgroup_is_v2(cgroup), .notes = notes, .read = { .error = error } };
	json_t *rules;

	if (!resources)
		return 0;
	set_memory(&l, resources);
	set_cpu(&l, resources);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		set_row(&l, resources, &rows[i]);
	set_throttles(&l, resources);
	set_huge_pages(&l, resources);
	set_unified(&l, resources);
	rules = devices ? oci_read_array(&l.read, resources, "devices") : NULL;
	if (l.read.status || json_array_size(rules) == 0)
		return l.read.status;
	return oci_cgroup_devices(cgroup, rules, notes, error);
}
