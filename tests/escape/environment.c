/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller's environment holds: a token in ESCAPE_TOKEN. */
#include "attack.h"

static int variable(const struct attack *a)
{
	(void)a;
	return getenv("ESCAPE_TOKEN") ? 0 : NOTHING;
}

/* Whatever begins so, and also what a loader would obey. */
static int loader(const struct attack *a)
{
	(void)a;
	for (char **v = environ; *v; v++)
		if (!strncmp(*v, "LD_", 3) || !strncmp(*v, "GLIBC_TUNABLES", 14))
			return 0;
	return NOTHING;
}

static int behind_the_stack(const struct attack *a)
{
	char text[65536];
	int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	(void)a;
	return n < 0 ? errno : memmem(text, (size_t)n, "ESCAPE_TOKEN", 12) ? 0 : NOTHING;
}

static int of_the_parent(const struct attack *a)
{
	char path[64], text[65536];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)a->parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	return n < 0 ? errno : memmem(text, (size_t)n, "ESCAPE_TOKEN", 12) ? 0 : NOTHING;
}

static const struct way ways[] = {
	{ "variable", variable },
	{ "loader", loader },
	{ "own_file", behind_the_stack },
	{ "parents_file", of_the_parent },
};

ATTACK_MAIN(ways)
