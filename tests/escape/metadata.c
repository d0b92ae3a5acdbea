/* SPDX-License-Identifier: Apache-2.0 */
/* What Landlock does not judge: owner, mode, times and attributes of files outside. */
#include "attack.h"

#include <sys/time.h>
#include <sys/xattr.h>

static const char *secret(const struct attack *a, char *path)
{
	return below(path, 4096, a->outside, "secret");
}

static int mode(const struct attack *a)
{
	char path[4096];

	return outcome(chmod(secret(a, path), 0606));
}

static int mode_by_descriptor(const struct attack *a)
{
	char path[64];
	int fd = open_outside(a, "secret", O_PATH);

	if (fd < 0)
		return errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return outcome(chmod(path, 0616));
}

/* To the owner it has: allowed to whoever may give it away, and to whom it belongs. */
static int owner(const struct attack *a)
{
	char path[4096];

	return outcome(chown(secret(a, path), getuid(), getgid()));
}

static int times(const struct attack *a)
{
	struct timespec when[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char path[4096];

	return outcome(utimensat(AT_FDCWD, secret(a, path), when, 0));
}

static int old_times(const struct attack *a)
{
	struct timeval when[2] = { { .tv_sec = 2 }, { .tv_sec = 2 } };
	char path[4096];

	return outcome(utimes(secret(a, path), when));
}

static int attribute(const struct attack *a)
{
	char path[4096];

	return outcome(setxattr(secret(a, path), a->more[0], "x", 1, 0));
}

static const struct way ways[] = {
	{ "chmod", mode },       { "chmod_link", mode_by_descriptor },
	{ "chown", owner },      { "utimensat", times },
	{ "utimes", old_times }, { "setxattr", attribute },
};

ATTACK_MAIN(ways)
