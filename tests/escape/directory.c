/* SPDX-License-Identifier: Apache-2.0 */
/* A working directory outside of what the policy allows, chosen by whoever starts the command (CVE-2025-59532 class): relative paths. */
#include "attack.h"

static int read_relative(const struct attack *a)
{
	(void)a;
	return is_secret(open("secret", O_RDONLY | O_CLOEXEC));
}

static int write_relative(const struct attack *a)
{
	(void)a;
	return write_file("made_here", "relative");
}

static int climb(const struct attack *a)
{
	const char *name = strrchr(a->outside, '/');
	char path[4096];

	(void)snprintf(path, sizeof(path), "..%s/secret", name);
	return is_secret(open(path, O_RDONLY | O_CLOEXEC));
}

static const struct way ways[] = {
	{ "read", read_relative },
	{ "write", write_relative },
	{ "dotdot", climb },
};

ATTACK_MAIN(ways)
