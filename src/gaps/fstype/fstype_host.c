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

/* Types that cAdvisor has no plug-in for, so that it finds no file system for '/'. */
static bool is_foreign(const char *type)
{
	static const char *const foreign[] = { "9p", "virtiofs", "erofs", "rootfs", "ramfs" };
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (strcmp(type, foreign[i]) == 0)
			return true;
	return strncmp(type, "fuse", 4) == 0;
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "statfs, mountinfo, st_dev agree");

	struct mountinfo_row row = { 0 };
	evidence_try(&e, "mountinfo", "the row of / in /proc/self/mountinfo");
	bool found = evidence_answer(&e, -mountinfo_find("/", NULL, NULL, &row));
	if (found && is_foreign(row.type)) {
		char what[64];
		snprintf(what, sizeof(what), "its type is %s", row.type);
		evidence_wrong(&e, what);
	}

	struct stat st = { 0 };
	evidence_try(&e, "st_dev", "stat(\"/\").st_dev against mountinfo");
	if (evidence_answer(&e, stat("/", &st) ? errno : 0) && found && strcmp(row.type, "btrfs") != 0 &&
	    (major(st.st_dev) != row.major || minor(st.st_dev) != row.minor)) {
		char what[64];
		snprintf(what, sizeof(what), "%u:%u, mountinfo says %u:%u", major(st.st_dev), minor(st.st_dev), row.major,
			 row.minor);
		evidence_wrong(&e, what);
	}

	struct statfs fs = { 0 };
	evidence_try(&e, "statfs", "statfs(\"/\")");
	if (evidence_answer(&e, statfs("/", &fs) ? errno : 0)) {
		u64 size;
		if (__builtin_mul_overflow((u64)fs.f_blocks, (u64)fs.f_bsize, &size) || size >> 60)
			evidence_wrong(&e, "a size of more than an exabyte");
		else if (size == 0)
			evidence_wrong(&e, "a size of 0");
	}
	if (found)
		evidence_note(&e, "/ is %s", row.type);
	evidence_end(&e);
}

const struct gap gap_fstype = {
	.name = "fstype",
	.summary = "a root file system that looks like a disk",
	.needed_by = "cAdvisor, kubelet, df",
	.workloads = (const char *const[]){ "kubernetes", NULL },
	.probe = probe,
};
