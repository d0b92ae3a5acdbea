/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input is the directory OUTSIDE (CVE-2024-21626 by a descriptor that no cage closes). */
#include "attack.h"

static int below_it(const struct attack *a)
{
	(void)a;
	return is_secret(openat(STDIN_FILENO, "secret", O_RDONLY | O_CLOEXEC));
}

static int above_it(const struct attack *a)
{
	const char *name = strrchr(a->outside, '/');
	char path[4096];

	(void)snprintf(path, sizeof(path), "..%s/secret", name);
	return is_secret(openat(STDIN_FILENO, path, O_RDONLY | O_CLOEXEC));
}

static const struct way ways[] = {
	{ "below", below_it },
	{ "above", above_it },
};

ATTACK_MAIN(ways)
