// SPDX-License-Identifier: Apache-2.0
/*
 * Gap mounts, host half: can a process arrange a file tree of its own?
 *
 * Everything happens in a scratch directory and, where there is one, in a mount namespace of the probe's own. Whether that
 * namespace isolates is seen by a witness forked before: some kernels accept unshare() and share the mounts all the same. What was
 * mounted is detached again at the end, so that not even such a kernel keeps anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/scratch.h"
#include "gaps/trial.h"

#define PATH_SIZE (SCRATCH_PATH_MAX + 16)

/* Waits for a byte, then says by its exit status whether `path` still is on the device it was on before. */
static pid_t start_witness(const char *path, int *ret_go)
{
	struct stat before, after;
	int ends[2];
	if (stat(path, &before) || pipe2(ends, O_CLOEXEC))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		close(ends[1]);
		ssize_t got = read(ends[0], &byte, 1);
		_exit(got == 1 && stat(path, &after) == 0 && after.st_dev != before.st_dev);
	}
	close(ends[0]);
	*ret_go = ends[1];
	return pid;
}

static bool witness_saw_it(pid_t pid, int go)
{
	int status;
	(void)!write(go, "", 1);
	close(go);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/*
 * In a child: its root becomes `arg`, a mount point with a directory `old` in it. In one more namespace, because pivot_root moves
 * every process of the namespace whose root is the old one, the probe itself too.
 */
static int pivot_step(void *arg)
{
	const char *root = arg;
	if (unshare(CLONE_NEWNS))
		return errno;
	if (chdir(root))
		return errno;
	if (syscall(SYS_pivot_root, ".", "old"))
		return errno;
	return umount2("/old", MNT_DETACH) ? errno : 0;
}

static int chroot_step(void *arg)
{
	return chroot(arg) ? errno : 0;
}

static void try_mounts(struct evidence *e, char *dir, bool private)
{
	char bound[PATH_SIZE], old[PATH_SIZE];
	snprintf(bound, sizeof(bound), "%s/bound", dir);
	snprintf(old, sizeof(old), "%s/old", dir);

	int go = -1;
	pid_t witness = private ? start_witness(dir, &go) : -1;
	if (private && unshare(CLONE_NEWNS) == 0) {
		evidence_try(e, "propagation", "mount(NULL, \"/\", NULL, MS_REC|MS_PRIVATE, NULL)");
		evidence_answer(e, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? errno : 0);
	}
	evidence_try(e, "tmpfs", "mount(\"tmpfs\", dir, \"tmpfs\", 0, NULL)");
	bool mounted = evidence_answer(e, mount("tmpfs", dir, "tmpfs", 0, NULL) ? errno : 0);
	if (witness > 0 && witness_saw_it(witness, go) && mounted) {
		evidence_try(e, "isolation", "unshare(CLONE_NEWNS); mount(…)");
		evidence_wrong(e, "the mount is seen outside the namespace");
	}
	if (!mounted)
		return;
	mkdir(bound, 0700);
	mkdir(old, 0700);
	evidence_try(e, "bind", "mount(dir, dir/bound, NULL, MS_BIND, NULL)");
	if (evidence_answer(e, mount(dir, bound, NULL, MS_BIND, NULL) ? errno : 0)) {
		evidence_try(e, "read-only remount", "mount(NULL, dir/bound, NULL, MS_REMOUNT|MS_BIND|MS_RDONLY, NULL)");
		evidence_answer(e, mount(NULL, bound, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) ? errno : 0);
	}
	evidence_try(e, "shared", "mount(NULL, dir, NULL, MS_REC|MS_SHARED, NULL)");
	evidence_answer(e, mount(NULL, dir, NULL, MS_REC | MS_SHARED, NULL) ? errno : 0);
	evidence_try(e, "private", "mount(NULL, dir, NULL, MS_REC|MS_PRIVATE, NULL)");
	evidence_answer(e, mount(NULL, dir, NULL, MS_REC | MS_PRIVATE, NULL) ? errno : 0);
	if (private) {
		evidence_try(e, "pivot_root", "pivot_root(dir, dir/old)");
		evidence_answer(e, trial_run(pivot_step, dir));
	}
}

static int unshare_step(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWNS) ? errno : 0;
}

static void probe(struct gap_finding *finding)
{
	char dir[SCRATCH_PATH_MAX];
	struct evidence e;
	evidence_begin(&e, finding, "tmpfs, bind, pivot_root, chroot");
	evidence_try(&e, "chroot", "chroot(\"/\")");
	evidence_answer(&e, trial_run(chroot_step, (char[]){ "/" }));
	evidence_try(&e, "namespace", "unshare(CLONE_NEWNS)");
	bool private = evidence_answer(&e, trial_run(unshare_step, NULL));

	int error = scratch_make(dir);
	if (error) {
		evidence_try(&e, "scratch directory", SCRATCH_TRIED);
		evidence_unable(&e, -error);
	} else {
		try_mounts(&e, dir, private);
		scratch_remove(getpid());
	}
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .call = "mount(*, *, *, *MS_REC|MS_SHARED*",
	  .error = EINVAL,
	  .source = "facts/gvisor.md",
	  .cause = "gVisor of 2022 does not let mounts be shared (rshared)" },
	{ .call = "mount(*",
	  .error = EPERM,
	  .source = "mount(2)",
	  .cause = "mounting takes CAP_SYS_ADMIN, and a seccomp profile that allows it" },
	{ .call = "mount(*",
	  .error = EACCES,
	  .source = "mount(2)",
	  .cause = "mounting is forbidden here: a read-only source, or a security module" },
	{ .call = "mount(*, \"devpts\", *",
	  .error = ENODEV,
	  .source = "facts/docker-in-gvisor.md 20",
	  .cause = "this kernel cannot mount devpts",
	  .advice = "Bind the one that is there: `mount --bind /dev/pts {path}`." },
	{ .call = "umount2(*", .error = EPERM, .source = "umount(2)", .cause = "unmounting takes CAP_SYS_ADMIN" },
	{ .call = "pivot_root(*",
	  .source = "facts/docker-in-gvisor.md 22",
	  .cause = "the root cannot be changed with pivot_root here",
	  .advice = "runc and podman have --no-pivot; bubblewrap and others can chroot." },
	{ .call = "chroot(*", .error = EPERM, .source = "chroot(2)", .cause = "changing the root takes CAP_SYS_CHROOT" },
	{ .call = "move_mount(*", .source = "move_mount(2)" },
	{ .call = "fsopen(*", .source = "fsopen(2)" },
	{ .call = "open_tree(*", .source = "facts/gvisor.md" },
	{ .message = "procfd verification failed",
	  .cause = "a mount on /proc/self/fd/N covered the link instead of what it stands for",
	  .source = "facts/docker-in-gvisor.md 19" },
	{ .program = "unshare",
	  .message = "cannot change root filesystem propagation",
	  .cause = "this kernel does not let mounts be made private or shared",
	  .advice = "`unshare --propagation unchanged …` does not ask for it.",
	  .source = "util-linux sys-utils/unshare.c" },
};

static const char *const files[] = { "/proc/PID/mountinfo", "/proc/PID/mounts", "/proc/PID/mountstats", "/proc/mounts", NULL };

static const char *const limits[] = {
	"what is mounted is seen by the programs of the cell alone",
	"what programs store into mappings does not count for the size of a tmpfs at once",
	NULL,
};

static const int calls[] = {
	SYS_mount,  SYS_umount2,  SYS_pivot_root, SYS_chroot, SYS_open_tree,     SYS_move_mount,
	SYS_fsopen, SYS_fsconfig, SYS_fsmount,    SYS_fspick, SYS_mount_setattr, -1,
};

const struct gap gap_mounts = {
	.name = "mounts",
	.summary = "mount, bind, pivot_root, chroot, propagation",
	.needed_by = "runc, containerd, kubelet volumes",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.paths = GAP_PATHS_OPEN,
	.on_request = true,
	.files = files,
	.limits = limits,
	.refuse_calls = calls,
	.refuse_error = EPERM,
};
