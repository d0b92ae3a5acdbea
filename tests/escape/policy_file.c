/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of the next run, which lies in a directory that this run may write to (CVE-2026-25725 class). ARG: its path. */
#include "attack.h"

static int write_it(const struct attack *a)
{
	int fd = open(a->more[0], O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? errno : outcome(write(fd, "#\n", 2));
}

static int replace(const struct attack *a)
{
	char mine[4200];
	int r;

	(void)snprintf(mine, sizeof(mine), "%s.mine", a->more[0]);
	r = write_file(mine, "version: 1\n");
	return r != 0 ? r : outcome(rename(mine, a->more[0]));
}

static const struct way ways[] = {
	{ "write", write_it },
	{ "replace", replace },
};

ATTACK_MAIN(ways)
