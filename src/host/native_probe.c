// SPDX-License-Identifier: Apache-2.0
/*
 * Can this host give a native root? A small tree is entered in a scratch child, exactly as a guest's will be.
 *
 * The child makes the namespaces; its own child, pid 1 there, enters the tree. In between the way of `lichen exec` is tried, a pidfd and
 * setns(2): gVisor has neither, and is asked nothing more: an rmdir in an overlay there brings the sandbox of 2022 down.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gaps/evidence.h"
#include "host/native.h"
#include "host/native_plan.h"
#include "host/probe.h"
#include "host/tree.h"

#define PROBE_NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* Linux 5.3 */
#endif

/* What the child enters; set before it is forked. */
static const struct native_root *scratch_root;

/* What pid 1 of the namespace found; shared with it. */
struct entered {
	int error;
	struct native_failure failure;
};

/* A directory in the place of one that a lower layer has is opaque: that takes attributes of the upper file system. */
static int change_layers(struct native_failure *failure)
{
	if (unlink("/d/file") < 0 || rmdir("/d") < 0)
		return native_failed(failure, "removing a directory of a lower layer");
	if (mkdir("/d", 0755) < 0)
		return native_failed(failure, "making it again");
	errno = EEXIST;
	return access("/d/file", F_OK) < 0 ? 0 : native_failed(failure, "hiding what a lower layer has");
}

static NORETURN void enter(struct entered *entered, int go, int done)
{
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(1);
	entered->error = -native_root_enter(scratch_root, &native_kernel, &entered->failure);
	if (!entered->error && scratch_root->upper)
		entered->error = -change_layers(&entered->failure);
	(void)!write(done, "", 1);
	(void)!read(go, &byte, 1); /* until the probe has ended */
	_exit(0);
}

static bool try_namespaces(struct evidence *e, pid_t *ret_pid, struct entered *entered, const int go[2], const int done[2])
{
	evidence_try(e, "namespaces", "unshare(CLONE_NEWNS|NEWPID|NEWUTS|NEWIPC)");
	if (!evidence_answer(e, unshare(PROBE_NAMESPACES) < 0 ? errno : 0))
		return false;
	evidence_try(e, "first process", "fork() in a new pid namespace");
	*ret_pid = fork();
	if (*ret_pid == 0) {
		(void)close(go[1]);
		enter(entered, go[0], done[1]);
	}
	return evidence_answer(e, *ret_pid < 0 ? errno : 0);
}

static void probe_steps(struct evidence *e, struct entered *entered, const int go[2], const int done[2])
{
	CLEANUP_FD int pidfd = FD_NONE;
	pid_t pid;
	char byte;

	if (!try_namespaces(e, &pid, entered, go, done))
		return;
	evidence_try(e, "pidfd", "pidfd_open()");
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (!evidence_answer(e, pidfd < 0 ? errno : 0))
		return;
	evidence_try(e, "setns pid", "setns(pidfd, CLONE_NEWPID)");
	if (!evidence_answer(e, -native_join_pid(pidfd)))
		return;
	evidence_try(e, "root", "entering a root of its own");
	if (write(go[1], "", 1) != 1 || read(done[0], &byte, 1) != 1) {
		evidence_unable(e, EPIPE);
		return;
	}
	evidence_try(e, "root", "%s", entered->error ? entered->failure.step : "entering a root of its own");
	if (!evidence_answer(e, entered->error))
		return;
	evidence_try(e, "setns", "setns(pidfd, CLONE_NEWNS|…)");
	(void)evidence_answer(e, -native_join_rest(pidfd));
}

static void probe(struct gap_finding *finding)
{
	struct entered *entered = mmap(NULL, sizeof(*entered), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct evidence e;
	int go[2], done[2];

	evidence_begin(&e, finding, "a root in namespaces of its own");
	evidence_try(&e, "pipes", "pipe2()");
	if (entered == MAP_FAILED || pipe2(go, O_CLOEXEC) < 0 || pipe2(done, O_CLOEXEC) < 0) {
		evidence_unable(&e, errno);
	} else {
		(void)evidence_answer(&e, 0);
		probe_steps(&e, entered, go, done);
	}
	evidence_end(&e);
}

/* DIR/{lower/d/file,upper,work}. 0 or negative errno. */
static int make_tree(const char *dir, bool layers, char lower[PATH_MAX], char upper[PATH_MAX], char work[PATH_MAX])
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(lower, PATH_MAX, "%.*s/lower", PATH_MAX - 32, dir);
	(void)snprintf(upper, PATH_MAX, "%.*s/upper", PATH_MAX - 32, dir);
	(void)snprintf(work, PATH_MAX, "%.*s/work", PATH_MAX - 32, dir);
	if (mkdir(lower, 0700) < 0)
		return -errno;
	if (!layers)
		return 0;
	(void)snprintf(path, sizeof(path), "%.*s/lower/d", PATH_MAX - 32, dir);
	if (mkdir(upper, 0700) < 0 || mkdir(work, 0700) < 0 || mkdir(path, 0700) < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "%.*s/lower/d/file", PATH_MAX - 32, dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static void run_probe(const char *dir, const char *directory, bool layers, struct gap_finding *ret)
{
	char lower[PATH_MAX], upper[PATH_MAX], work[PATH_MAX], below[PATH_MAX], *end;
	struct native_root root = { .directory = lower, .workdir = (char[]){ "/" }, .member = FD_NONE };
	struct probe_job job = { .probe = probe };
	int r = make_tree(dir, layers, lower, upper, work);

	if (r == 0 && layers) {
		root.temporary = true;
		root.upper = upper;
		root.work = work;
		end = directory ? realpath(directory, below) : NULL;
		root.lowers[0] = end;
		root.lower_count = end != NULL;
	}
	scratch_root = &root;
	if (r == 0)
		r = probe_run(&job, 1, PROBE_TIMEOUT_MS, ret);
	if (r < 0) {
		*ret = (struct gap_finding){ .presence = GAP_UNKNOWN, .error = -r };
		(void)snprintf(ret->tried, sizeof(ret->tried), "making a small tree to try");
	}
	scratch_root = NULL;
}

void native_probe(const char *place, const char *directory, struct gap_finding *ret)
{
	const char *base = place ? place : getenv("TMPDIR");
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof(dir), "%s/.lichen-probe-XXXXXX", base && *base ? base : "/tmp") >= PATH_MAX - 32 ||
	    !mkdtemp(dir)) {
		*ret = (struct gap_finding){ .presence = GAP_UNKNOWN, .error = errno };
		(void)snprintf(ret->tried, sizeof(ret->tried), "making a directory in %.60s", base && *base ? base : "/tmp");
		return;
	}
	run_probe(dir, directory, place != NULL, ret);
	(void)tree_remove(AT_FDCWD, dir);
}
