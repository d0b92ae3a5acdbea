/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New namespaces, in which a user has all capabilities over what the kernel thinks is his own: clone3, whose flags lie in memory where no
 * filter sees them; clone with bits above the 32 that the kernel reads; unshare; setns.
 */
#include "attack.h"

#include <linux/sched.h>
#include <sched.h>

static int reap(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	(void)waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int with_clone3(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	return reap(syscall(SYS_clone3, &args, sizeof(args)));
}

static int clone3_user(const struct attack *a)
{
	(void)a;
	return with_clone3(CLONE_NEWUSER);
}

static int clone3_all(const struct attack *a)
{
	(void)a;
	return with_clone3(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET);
}

static int clone_user(const struct attack *a)
{
	(void)a;
	return reap(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int clone_64(const struct attack *a)
{
	(void)a;
	return reap(syscall(SYS_clone, 1UL << 40 | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int unshare_user(const struct attack *a)
{
	(void)a;
	return outcome(unshare(CLONE_NEWUSER));
}

static int unshare_mount(const struct attack *a)
{
	(void)a;
	return outcome(unshare(CLONE_NEWNS));
}

/* Joins the namespace it is in: harmless, and allowed by the same right as any other. */
static int join(const struct attack *a)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? errno : outcome(setns(fd, 0));
}

static const struct way ways[] = {
	{ "clone3_user", clone3_user },
	{ "clone3_all", clone3_all },
	{ "clone_user", clone_user },
	{ "clone_64", clone_64 },
	{ "unshare_user", unshare_user },
	{ "unshare_mount", unshare_mount },
	{ "setns", join },
};

ATTACK_MAIN(ways)
