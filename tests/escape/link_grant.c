/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier run of the same policy left: a symbolic link to OUTSIDE at a name that the policy grants or protects (WORK/granted,
 * WORK/.git). Whoever follows it in making the cage opens, or writes to, what the link's maker chose (CVE-2026-39861 class).
 */
#include "attack.h"

static int granted(const struct attack *a)
{
	char path[4096];

	return write_file(below(path, sizeof(path), a->work, "granted/by_grant"), "x");
}

static int protected(const struct attack *a)
{
	char path[4096];

	(void)mkdir(below(path, sizeof(path), a->work, ".git/hooks"), 0755);
	return write_file(below(path, sizeof(path), a->work, ".git/hooks/by_mask"), "x");
}

static const struct way ways[] = {
	{ "granted", granted },
	{ "protected", protected },
};

ATTACK_MAIN(ways)
