/* SPDX-License-Identifier: Apache-2.0 */
/* A /proc that is mounted in a directory which may be read, as in that of a chroot (the first argument): a stranger (the second) seen, and gone through. */
#include "attack.h"

static int open_of(const struct attack *a, const char *name)
{
	char path[8400];

	(void)snprintf(path, sizeof(path), "%s/%s/%s", a->more[0], a->more[1], name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int cmdline(const struct attack *a)
{
	return outcome(open_of(a, "cmdline"));
}

static int root(const struct attack *a)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "root%s/secret", a->outside);
	return is_secret(open_of(a, name));
}

static const struct way ways[] = {
	{ "cmdline", cmdline },
	{ "root", root },
};

ATTACK_MAIN(ways)
