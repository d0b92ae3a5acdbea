/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing a file into an allowed directory, or taking one out of it, under another name: rename, exchange, hard and symbolic links. */
#include "attack.h"

#include <linux/fs.h>

struct paths {
	char outside[4096], work[4096], mine[4096];
};

static struct paths *paths_of(const struct attack *a, struct paths *p, const char *name)
{
	(void)below(p->outside, sizeof(p->outside), a->outside, name);
	(void)snprintf(p->work, sizeof(p->work), "%s/%s-taken", a->work, name);
	(void)snprintf(p->mine, sizeof(p->mine), "%s/%s-mine", a->work, name);
	(void)write_file(p->mine, "mine");
	return p;
}

static int rename_in(const struct attack *a)
{
	struct paths p;

	paths_of(a, &p, "renamed");
	return rename(p.outside, p.work) < 0 ? errno : is_secret(open(p.work, O_RDONLY | O_CLOEXEC));
}

static int rename_out(const struct attack *a)
{
	struct paths p;

	paths_of(a, &p, "brought");
	return outcome(rename(p.mine, p.outside));
}

static int exchange(const struct attack *a)
{
	struct paths p;

	paths_of(a, &p, "exchanged");
	return syscall(SYS_renameat2, AT_FDCWD, p.outside, AT_FDCWD, p.mine, RENAME_EXCHANGE) < 0
		     ? errno
		     : is_secret(open(p.mine, O_RDONLY | O_CLOEXEC));
}

static int link_in(const struct attack *a)
{
	struct paths p;

	paths_of(a, &p, "secret");
	return link(p.outside, p.work) < 0 ? errno : is_secret(open(p.work, O_RDONLY | O_CLOEXEC));
}

static int link_out(const struct attack *a)
{
	struct paths p;

	paths_of(a, &p, "linked");
	return outcome(link(p.mine, p.outside));
}

static int link_by_descriptor(const struct attack *a)
{
	struct paths p;
	char name[64];
	int fd;

	paths_of(a, &p, "named");
	fd = open(p.mine, O_RDWR | O_CLOEXEC);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return outcome(linkat(AT_FDCWD, name, AT_FDCWD, p.outside, AT_SYMLINK_FOLLOW));
}

static int symbolic(const struct attack *a)
{
	struct paths p;

	paths_of(a, &p, "secret");
	(void)strncat(p.work, "-link", 6);
	return symlink(p.outside, p.work) < 0 ? errno : is_secret(open(p.work, O_RDONLY | O_CLOEXEC));
}

static const struct way ways[] = {
	{ "rename_in", rename_in }, { "rename_out", rename_out }, { "exchange", exchange },
	{ "link_in", link_in },     { "link_out", link_out },     { "link_descriptor", link_by_descriptor },
	{ "symlink", symbolic },
};

ATTACK_MAIN(ways)
