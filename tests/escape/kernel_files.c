/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files by which the kernel is told what to do, for the whole machine: a program for core dumps, a release agent (CVE-2022-0492), a disk.
 * They are opened for writing only.
 */
#include "attack.h"

#include <glob.h>
#include <sys/sysmacros.h>

static int opens(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = outcome(fd);

	if (fd >= 0)
		(void)close(fd);
	return r == ENOENT || r == ENXIO ? NOTHING : r;
}

static int core_pattern(const struct attack *a)
{
	(void)a;
	return opens("/proc/sys/kernel/core_pattern");
}

static int magic_keys(const struct attack *a)
{
	(void)a;
	return opens("/proc/sysrq-trigger");
}

static int helper(const struct attack *a)
{
	(void)a;
	return opens("/sys/kernel/uevent_helper");
}

static int release_agent(const struct attack *a)
{
	glob_t found;
	int r = NOTHING;

	(void)a;
	if (glob("/sys/fs/cgroup/*/release_agent", 0, NULL, &found) == 0)
		r = opens(found.gl_pathv[0]);
	return r;
}

static int cgroup_join(const struct attack *a)
{
	glob_t found;
	int r = NOTHING;

	(void)a;
	if (glob("/sys/fs/cgroup/cgroup.procs", 0, NULL, &found) == 0 ||
	    glob("/sys/fs/cgroup/*/cgroup.procs", 0, NULL, &found) == 0)
		r = opens(found.gl_pathv[0]);
	return r;
}

static int kernel_log(const struct attack *a)
{
	(void)a;
	return opens("/dev/kmsg");
}

static int memory(const struct attack *a)
{
	(void)a;
	return opens("/dev/mem");
}

/* The device that holds the root directory, by a node of one's own. */
static int disk(const struct attack *a)
{
	char path[4096];
	struct stat st;

	if (stat("/", &st) < 0)
		return errno;
	if (major(st.st_dev) == 0 && stat("/work", &st) < 0)
		return NOTHING;
	(void)below(path, sizeof(path), a->work, "disk");
	(void)unlink(path);
	if (mknod(path, S_IFBLK | 0600, major(st.st_dev) ? st.st_dev : makedev(7, 0)) < 0)
		return errno;
	return outcome(open(path, O_RDONLY | O_CLOEXEC));
}

/* /dev/mem's numbers: to have the node is half the way. */
static int node(const struct attack *a)
{
	char path[4096];

	(void)unlink(below(path, sizeof(path), a->work, "mem"));
	return outcome(mknod(path, S_IFCHR | 0600, makedev(1, 1)));
}

static const struct way ways[] = {
	{ "core_pattern", core_pattern },
	{ "sysrq", magic_keys },
	{ "uevent_helper", helper },
	{ "release_agent", release_agent },
	{ "cgroup_procs", cgroup_join },
	{ "kmsg", kernel_log },
	{ "dev_mem", memory },
	{ "mknod_disk", disk },
	{ "mknod_mem", node },
};

ATTACK_MAIN(ways)
