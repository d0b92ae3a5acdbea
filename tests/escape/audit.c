/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log of this very run, and the key that signs it. ARG: its directory. */
#include "attack.h"

static int opens(const struct attack *a, const char *name, int flags)
{
	char path[4096];
	int fd = open(below(path, sizeof(path), a->more[0], name), flags | O_CLOEXEC, 0600);
	char byte;

	if (fd < 0)
		return errno;
	return (flags & O_ACCMODE) == O_RDONLY ? outcome(read(fd, &byte, 1)) : 0;
}

static int read_key(const struct attack *a)
{
	return opens(a, "key", O_RDONLY);
}

static int read_log(const struct attack *a)
{
	return opens(a, "journal", O_RDONLY);
}

static int write_log(const struct attack *a)
{
	return opens(a, "journal", O_WRONLY | O_APPEND);
}

static int write_checkpoint(const struct attack *a)
{
	return opens(a, "checkpoint", O_RDWR);
}

static int create(const struct attack *a)
{
	return opens(a, "forged", O_WRONLY | O_CREAT);
}

static int move(const struct attack *a)
{
	char path[4096], away[4200];

	(void)below(path, sizeof(path), a->more[0], "key.pub");
	(void)snprintf(away, sizeof(away), "%s.away", path);
	if (rename(path, away) < 0)
		return errno;
	return outcome(rename(away, path));
}

static int move_directory(const struct attack *a)
{
	char away[4200];

	(void)snprintf(away, sizeof(away), "%s.away", a->more[0]);
	if (rename(a->more[0], away) < 0)
		return errno;
	return outcome(rename(away, a->more[0]));
}

static const struct way ways[] = {
	{ "read_key", read_key },
	{ "read_log", read_log },
	{ "write_log", write_log },
	{ "write_checkpoint", write_checkpoint },
	{ "create", create },
	{ "rename", move },
	{ "rename_directory", move_directory },
};

ATTACK_MAIN(ways)
