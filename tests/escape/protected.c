/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that are protected inside of an allowed directory, some of which do not exist yet (CVE-2026-25725 class: a configuration file that
 * was not there to be mounted read-only, and was made): WORK/.git/hooks, WORK/.settings/policy (with its directory missing) and the file
 * WORK/protected. Each way ends by writing through the protected name.
 */
#include "attack.h"

#include <linux/fs.h>
#include <sys/mount.h>

struct names {
	char git[4096], hooks[4096], hook[4200], settings[4096], policy[4200], file[4096], mine[4096];
};

static void names_of(const struct attack *a, struct names *n)
{
	(void)below(n->git, sizeof(n->git), a->work, ".git");
	(void)below(n->hooks, sizeof(n->hooks), a->work, ".git/hooks");
	(void)below(n->hook, sizeof(n->hook), n->hooks, "pre-commit");
	(void)below(n->settings, sizeof(n->settings), a->work, ".settings");
	(void)below(n->policy, sizeof(n->policy), n->settings, "policy");
	(void)below(n->file, sizeof(n->file), a->work, "protected");
	(void)below(n->mine, sizeof(n->mine), a->work, "prepared");
}

static int create(const struct attack *a)
{
	struct names n;

	names_of(a, &n);
	(void)mkdir(n.hooks, 0755);
	return write_file(n.hook, "create");
}

static int create_missing(const struct attack *a)
{
	struct names n;

	names_of(a, &n);
	(void)mkdir(n.settings, 0755);
	return write_file(n.policy, "create_missing");
}

static int write_existing(const struct attack *a)
{
	struct names n;

	names_of(a, &n);
	return write_file(n.file, "write");
}

static int replace_existing(const struct attack *a)
{
	struct names n;
	int r;

	names_of(a, &n);
	r = write_file(n.mine, "replace");
	return r != 0 ? r : outcome(rename(n.mine, n.file));
}

static int remove_existing(const struct attack *a)
{
	struct names n;

	names_of(a, &n);
	return outcome(unlink(n.file));
}

static int exchange(const struct attack *a)
{
	struct names n;
	char other[4200];
	int r;

	names_of(a, &n);
	(void)mkdir(n.hooks, 0755);
	(void)snprintf(other, sizeof(other), "%s-exchange", n.mine);
	r = mkdir(other, 0755) < 0 ? errno : 0;
	if (r == 0)
		r = outcome(syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, n.hooks, RENAME_EXCHANGE));
	return r != 0 ? r : write_file(n.hook, "exchange");
}

static int symbolic(const struct attack *a)
{
	struct names n;
	char other[4200];

	names_of(a, &n);
	(void)snprintf(other, sizeof(other), "%s-symbolic", n.mine);
	(void)mkdir(other, 0755);
	(void)unlink(n.hook);
	(void)rmdir(n.hooks);
	return symlink(other, n.hooks) < 0 ? errno : write_file(n.hook, "symlink");
}

/* The directory above is moved away and made again: a mount on the path goes with it. */
static int parent(const struct attack *a)
{
	struct names n;
	char other[4200];

	names_of(a, &n);
	(void)snprintf(other, sizeof(other), "%s-parent", n.mine);
	if (rename(n.git, other) < 0)
		return errno;
	if (mkdir(n.git, 0755) < 0)
		return errno;
	(void)mkdir(n.hooks, 0755);
	return write_file(n.hook, "parent");
}

static int parent_exchanged(const struct attack *a)
{
	struct names n;
	char other[4200], hooks[4300];

	names_of(a, &n);
	(void)snprintf(other, sizeof(other), "%s-twin", n.mine);
	(void)snprintf(hooks, sizeof(hooks), "%s/hooks", other);
	if (mkdir(other, 0755) < 0 || mkdir(hooks, 0755) < 0)
		return errno;
	if (syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, n.git, RENAME_EXCHANGE) < 0)
		return errno;
	return write_file(n.hook, "parent_exchanged");
}

static int unmount(const struct attack *a)
{
	struct names n;

	names_of(a, &n);
	(void)mkdir(n.hooks, 0755);
	if (umount2(n.hooks, MNT_DETACH) < 0 && errno != EINVAL)
		return errno;
	return write_file(n.hook, "unmount");
}

static const struct way ways[] = {
	{ "create", create },          { "create_missing", create_missing },
	{ "write", write_existing },   { "replace", replace_existing },
	{ "unlink", remove_existing }, { "exchange", exchange },
	{ "symlink", symbolic },       { "umount", unmount },
	{ "parent", parent },          { "parent_exchanged", parent_exchanged },
};

ATTACK_MAIN(ways)
