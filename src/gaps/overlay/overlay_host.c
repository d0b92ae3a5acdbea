// SPDX-License-Identifier: Apache-2.0
/*
 * Gap overlay, host half: does overlayfs mount and copy up, and on what may its upper directory lie?
 *
 * First on a tmpfs, in a mount namespace of the probe's own. Then with the upper on the scratch directory's own file system, which is
 * where dockerd wants it; that one is mounted and detached, nothing is done inside (in gVisor of 2022 an rmdir there brings
 * the whole sandbox down).
 *
 * Filled with a tree of the agent's own that has layers, and with gap mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/scratch.h"

#define PATH_SIZE (SCRATCH_PATH_MAX + 32)

/* Mounts an overlay of base/{lower,upper,work} on base/merged. Returns 0 or a positive errno. */
static int mount_overlay(const char *base)
{
	static const char *const parts[] = { "lower", "upper", "work", "merged" };
	char path[PATH_SIZE], options[4 * PATH_SIZE];
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", base, parts[i]);
		if (mkdir(path, 0700) && errno != EEXIST)
			return errno;
	}
	snprintf(path, sizeof(path), "%s/lower/file", base);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", base, base, base);
	snprintf(path, sizeof(path), "%s/merged", base);
	return mount("overlay", path, "overlay", 0, options) ? errno : 0;
}

/* Writing to a file of the lower layer must make a copy in the upper one and leave the lower one alone. */
static int copy_up(const char *base)
{
	char path[PATH_SIZE];
	struct stat st;
	snprintf(path, sizeof(path), "%s/merged/file", base);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = write(fd, "up", 2) == 2 ? 0 : errno;
	close(fd);
	snprintf(path, sizeof(path), "%s/upper/file", base);
	if (!error && stat(path, &st))
		error = errno;
	return error;
}

static void unmount(const char *base, const char *below)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s%s", base, below);
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static void try_on_tmpfs(struct evidence *e, const char *dir)
{
	evidence_try(e, "tmpfs", "mount(\"tmpfs\", dir, \"tmpfs\", 0, NULL)");
	if (!evidence_answer(e, mount("tmpfs", dir, "tmpfs", 0, NULL) ? errno : 0))
		return;
	evidence_try(e, "overlay", "mount(\"overlay\", dir, \"overlay\", 0, {upper on tmpfs})");
	if (evidence_answer(e, mount_overlay(dir))) {
		evidence_try(e, "copy-up", "open a lower file for writing in an overlay");
		evidence_answer(e, copy_up(dir));
		unmount(dir, "/merged");
	}
	unmount(dir, "");
}

static void probe(struct gap_finding *finding)
{
	char dir[SCRATCH_PATH_MAX];
	struct evidence e;
	evidence_begin(&e, finding, "mount(\"overlay\"), copy-up");
	int error = scratch_make(dir);
	if (error) {
		evidence_try(&e, "scratch directory", SCRATCH_TRIED);
		evidence_unable(&e, -error);
	} else {
		/* Without a namespace of our own the mounts are tried all the same: they are detached a moment later. */
		if (unshare(CLONE_NEWNS) == 0)
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		try_on_tmpfs(&e, dir);
		evidence_try_extra(&e, "an upper in TMPDIR", "mount(\"overlay\", dir, \"overlay\", 0, {upper in TMPDIR})");
		error = mount_overlay(dir);
		if (evidence_answer(&e, error))
			unmount(dir, "/merged");
		scratch_remove(getpid());
	}
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .message = "failed to mount overlay",
	  .call = "mount(*, \"overlay\", *",
	  .error = EINVAL,
	  .cause =
		  "the kernel has overlayfs, but not with an upper layer on this file system: gVisor wants it on tmpfs, and none takes an overlay",
	  .advice = "Put dockerd's data on a tmpfs: `mount -t tmpfs tmpfs /var/lib/docker`. Or take a driver that copies: `dockerd "
		    "--storage-driver=vfs`.",
	  .source = "facts/error-texts.md; facts/docker-in-gvisor.md 6b" },
	{ .call = "mount(*, \"overlay\", *",
	  .error = EINVAL,
	  .cause =
		  "the kernel has overlayfs, but not with these layers: the upper one must lie on a file system that it takes (gVisor: tmpfs; never another overlay), and workdir beside it",
	  .advice = "Put upper and work directory on a tmpfs: `mount -t tmpfs tmpfs {dir}`.",
	  .source = "facts/gvisor.md; Documentation/filesystems/overlayfs.rst" },
	{ .call = "mount(*, \"overlay\", *",
	  .error = ENODEV,
	  .source = "mount(2)",
	  .cause = "this kernel has no overlayfs (CONFIG_OVERLAY_FS)",
	  .advice =
		  "`lichen run --emulate=mounts,identity -- {cmd}` mounts it by lichen's own overlay. Programs that can copy layers do "
		  "without: dockerd --storage-driver=vfs, containerd with the snapshotter native." },
	{ .call = "mount(*, \"overlay\", *",
	  .error = EPERM,
	  .cause = "overlayfs takes CAP_SYS_ADMIN, or a user namespace whose seccomp profile allows mount",
	  .advice =
		  "`lichen run --emulate=mounts,identity -- {cmd}` mounts it by lichen's own overlay. "
		  "fuse-overlayfs does the same in user space where /dev/fuse is there: `fuse-overlayfs -o lowerdir=…,upperdir=…,workdir=… {path}`.",
	  .source = "mount(2); measured in a container of Docker's profile" },
	{ .call = "fsopen(\"overlay\"*", .source = "fsopen(2)" },
	{ .message = "work: no such file",
	  .program = "dockerd",
	  .cause = "mounting an overlay did not make workdir/work",
	  .source = "facts/docker-in-gvisor.md 6" },
};

static const char *const limits[] = {
	"what is open for reading before a file is copied up goes on showing the lower file",
	"a directory that lower layers have a part in is not renamed (EXDEV)",
	NULL,
};

const struct gap gap_overlay = {
	.name = "overlay",
	.summary = "overlayfs: layers, copy-up, whiteouts",
	.needed_by = "dockerd (overlay2), containerd, podman",
	.workloads = (const char *const[]){ NULL }, /* dockerd and containerd copy whole layers without it (vfs, native) */
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.limits = limits,
	.on_request = true,
};
