/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that are denied where a cage mounts something itself (/proc/version and /proc/sys/kernel below its new /proc, /proc/sys/net/ipv4 with another content in each network namespace), and a directory that may be written
 * in one that is denied (OUTSIDE/inner in OUTSIDE).
 */
#include "attack.h"

static int opens(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;
	int r = fd < 0 ? errno : read(fd, &byte, 1) == 1 ? 0 : errno ? errno : NOTHING;

	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int file(const struct attack *a)
{
	(void)a;
	return opens("/proc/version");
}

static int below_directory(const struct attack *a)
{
	(void)a;
	return opens("/proc/sys/kernel/hostname");
}

static int of_network(const struct attack *a)
{
	(void)a;
	return opens("/proc/sys/net/ipv4/ip_forward");
}

static int by_own_root(const struct attack *a)
{
	(void)a;
	return opens("/proc/self/root/proc/version");
}

static int by_directory(const struct attack *a)
{
	int fd = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? errno : outcome(openat(fd, "kernel/hostname", O_RDONLY | O_CLOEXEC));
}

static int inner(const struct attack *a)
{
	char path[4096];

	return write_file(below(path, sizeof(path), a->outside, "inner/made"), "inner");
}

static const struct way ways[] = {
	{ "file", file },
	{ "below_directory", below_directory },
	{ "of_network", of_network },
	{ "by_own_root", by_own_root },
	{ "by_directory", by_directory },
	{ "inner", inner },
};

ATTACK_MAIN(ways)
