// SPDX-License-Identifier: Apache-2.0
/* Gap fstype, host half: does the root file system look like a disk, the same by every way of asking? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "gaps/evidence.h"
#include "gaps/mountinfo.h"

#define EXABYTE_SHIFT 60

/* Types that cAdvisor has no plug-in for, so that it finds no file system for '/'. The agent half has the same list (mount_rows.c). */
static bool is_foreign(const char *type)
{
	static const char *const foreign[] = { "9p", "virtiofs", "erofs", "rootfs", "ramfs" };
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (strcmp(type, foreign[i]) == 0)
			return true;
	return strncmp(type, "fuse", 4) == 0;
}

static bool try_mountinfo(struct evidence *e, struct mountinfo_row *row)
{
	evidence_try(e, "mountinfo", "the row of / in /proc/self/mountinfo");
	if (!evidence_answer(e, -mountinfo_find("/", NULL, NULL, row)))
		return false;
	if (is_foreign(row->type)) {
		char what[64];
		snprintf(what, sizeof(what), "its type is %s", row->type);
		evidence_wrong(e, what);
	}
	return true;
}

static void try_device(struct evidence *e, const struct mountinfo_row *row)
{
	struct stat st = { 0 };
	evidence_try(e, "st_dev", "stat(\"/\").st_dev against mountinfo");
	if (!evidence_answer(e, stat("/", &st) ? errno : 0) || strcmp(row->type, "btrfs") == 0)
		return;
	if (major(st.st_dev) != row->major || minor(st.st_dev) != row->minor) {
		char what[64];
		snprintf(what, sizeof(what), "%u:%u, mountinfo says %u:%u", major(st.st_dev), minor(st.st_dev), row->major,
			 row->minor);
		evidence_wrong(e, what);
	}
}

/* A size that cannot be is told, but nobody here knows a better one. */
static void try_size(struct evidence *e)
{
	struct statfs fs = { 0 };
	evidence_try_extra(e, "size", "statfs(\"/\")");
	if (evidence_answer(e, statfs("/", &fs) ? errno : 0)) {
		u64 size;
		if (__builtin_mul_overflow((u64)fs.f_blocks, (u64)fs.f_bsize, &size) || size >> EXABYTE_SHIFT)
			evidence_wrong(e, "more than an exabyte");
		else if (size == 0)
			evidence_wrong(e, "0");
	}
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "statfs, mountinfo, st_dev agree");

	struct mountinfo_row row = { 0 };
	bool found = try_mountinfo(&e, &row);
	if (found)
		try_device(&e, &row);
	struct statfs fs;
	evidence_try(&e, "statfs", "statfs(\"/proc/self/status\")"); /* runc asks it of what it opens in /proc */
	evidence_answer(&e, statfs("/proc/self/status", &fs) ? errno : 0);
	try_size(&e);
	if (found)
		evidence_note(&e, "/ is %s", row.type);
	evidence_end(&e);
}

static const char *const files[] = {
	"/proc/PID/mountinfo",
	"/proc/PID/mounts",
	"/proc/PID/task/TID/mountinfo",
	"/proc/PID/task/TID/mounts",
	"/proc/mounts",
	"/etc/mtab",
	NULL,
};

static const struct gap_symptom symptoms[] = {
	{ .program = "kubelet",
	  .message = "cannot find filesystem info for device",
	  .source = "cadvisor 0.60 lib/manager/manager.go, lib/fs/fs.go: a mount whose type no plug-in handles has no statistics; "
		    "facts/error-texts.md",
	  .cause = "cAdvisor knows no file system of the type that mountinfo gives for '/' (9p, fuse, virtiofs, erofs)",
	  .advice =
		  "'localStorageCapacityIsolation: false' in kubelet's configuration avoids the failure at its start, but leaves statistics "
		  "and eviction broken." },
	{ .program = "cadvisor",
	  .message = "cannot find filesystem info for device",
	  .source = "cadvisor 0.60 lib/manager/manager.go, lib/fs/fs.go",
	  .cause = "cAdvisor knows no file system of the type that mountinfo gives for '/' (9p, fuse, virtiofs, erofs)" },
	{ .program = "runc",
	  .call = "*statfs",
	  .error = ENOSYS,
	  .message = "function not implemented",
	  .source = "facts/docker-in-gvisor.md, row 23",
	  .cause =
		  "this kernel (gVisor before 2023) cannot tell on which file system a file in /proc lies, which runc asks of each that it "
		  "writes" },
};

const struct gap gap_fstype = {
	.name = "fstype",
	.summary = "a root file system that looks like a disk",
	.needed_by = "cAdvisor, kubelet, runc, df",
	.workloads = (const char *const[]){ "kubernetes", NULL },
	.probe = probe,
	.files = files,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.paths = GAP_PATHS_OPEN,
	.refuse_paths = true,
	.limits =
		(const char *const[]){
			"/proc/PID/mountinfo and mounts are snapshots: polling them reports no change of mounts",
			"tail -f on a file that the sandbox's host changes waits for inotify, which does not see that",
			NULL,
		},
};
