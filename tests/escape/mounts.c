/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, and roots: what a privileged guest turns its view of files with. In a mount namespace of its own where it may have one. */
#include "attack.h"

#include <sched.h>
#include <sys/mount.h>

/* Without a cage nothing that a way mounts may stay; gVisor of 2022 has one mount namespace only. */
static int private(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return errno;
	return outcome(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static int unmounted(const struct attack *a, int r)
{
	(void)umount2(a->work, MNT_DETACH);
	return r;
}

static int tmpfs(const struct attack *a)
{
	int r;

	(void)private();
	r = outcome(mount("none", a->work, "tmpfs", 0, NULL));
	return r != 0 ? r : unmounted(a, 0);
}

static int bind_outside(const struct attack *a)
{
	char path[4096];

	(void)private();
	if (mount(a->outside, a->work, NULL, MS_BIND, NULL) < 0)
		return errno;
	return unmounted(a, is_secret(open(below(path, sizeof(path), a->work, "secret"), O_RDONLY | O_CLOEXEC)));
}

static int in_user_namespace(const struct attack *a)
{
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	r = outcome(mount("none", a->work, "tmpfs", 0, NULL));
	return r != 0 ? r : unmounted(a, 0);
}

static int writable_again(const struct attack *a)
{
	(void)a;
	(void)private();
	return outcome(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int file_system(const struct attack *a)
{
	(void)a;
	return outcome(syscall(430 /* fsopen */, "tmpfs", 1));
}

static int clone_tree(const struct attack *a)
{
	(void)a;
	return outcome(syscall(428 /* open_tree */, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */));
}

static int attributes(const struct attack *a)
{
	uint64_t none[4] = { 0 };

	(void)a;
	(void)private();
	return outcome(syscall(442 /* mount_setattr */, AT_FDCWD, "/", 0, none, sizeof(none)));
}

/* The old way out of a changed root: a directory that is not below it. */
static int chroot_twice(const struct attack *a)
{
	char path[4096];

	(void)below(path, sizeof(path), a->work, "jail");
	(void)mkdir(path, 0755);
	if (chroot(path) < 0)
		return errno;
	for (int i = 0; i < 60; i++)
		(void)chdir("..");
	return outcome(chroot("."));
}

static int pivot(const struct attack *a)
{
	int r;

	(void)private();
	if (mount(a->work, a->work, NULL, MS_BIND, NULL) < 0)
		return errno;
	r = chdir(a->work) < 0 ? errno : outcome(syscall(SYS_pivot_root, ".", "."));
	(void)chdir("/");
	return r == 0 ? 0 : unmounted(a, r);
}

static const struct way ways[] = {
	{ "tmpfs", tmpfs },
	{ "bind", bind_outside },
	{ "user_namespace", in_user_namespace },
	{ "remount", writable_again },
	{ "fsopen", file_system },
	{ "open_tree", clone_tree },
	{ "mount_setattr", attributes },
	{ "chroot", chroot_twice },
	{ "pivot_root", pivot },
};

ATTACK_MAIN(ways)
