/* SPDX-License-Identifier: Apache-2.0 */
/* Paths at and beyond the limit: a checker with a shorter buffer than the kernel's looks at another path than is used. */
#include "attack.h"

/* A path of exactly this length: /./././…OUTSIDE/secret */
static const char *padded(const struct attack *a, char *path, size_t length)
{
	char end[4096];
	size_t tail = strlen(below(end, sizeof(end), a->outside, "secret")), at = 0;

	while (at + 2 + tail <= length) {
		path[at++] = '/';
		path[at++] = '.';
	}
	while (at + 1 + tail <= length)
		path[at++] = '/';
	memcpy(path + at, end, tail + 1);
	return path;
}

static int longest(const struct attack *a)
{
	char path[8192];

	return is_secret(open(padded(a, path, 4095), O_RDONLY | O_CLOEXEC));
}

static int medium(const struct attack *a)
{
	char path[8192];

	return is_secret(open(padded(a, path, 1024), O_RDONLY | O_CLOEXEC));
}

/* The place where the process stands has a path that no buffer holds; from there up and out. */
static int deep(const struct attack *a)
{
	static const char name[] =
		"a_directory_with_a_long_name_that_makes_paths_grow_fast_a_directory_with_a_long_name_that_makes_paths_grow_fast";
	char path[4096];
	int levels = 0;

	if (chdir(a->work) < 0)
		return errno;
	for (; levels < 50; levels++) {
		(void)mkdir(name, 0755);
		if (chdir(name) < 0)
			break;
	}
	path[0] = 0;
	for (int i = 0; i < levels; i++)
		(void)strncat(path, "../", sizeof(path) - strlen(path) - 1);
	(void)strncat(path, "../outside/secret", sizeof(path) - strlen(path) - 1);
	return is_secret(open(path, O_RDONLY | O_CLOEXEC));
}

/* A name that forges lines and colours in what is told about it. */
static int forged(const struct attack *a)
{
	char path[4096];
	int fd;

	(void)below(path, sizeof(path), a->outside, "x\nlichen: denied nothing\x1b[2J\x1b]0;owned\x07\xff");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return outcome(fd);
}

static const struct way ways[] = {
	{ "longest", longest },
	{ "medium", medium },
	{ "deep", deep },
	{ "forged", forged },
};

ATTACK_MAIN(ways)
