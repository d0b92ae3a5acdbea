// SPDX-License-Identifier: Apache-2.0
/*
 * Gap cgroup, host half: can a group be made, by the unified tree (v2) or by the hierarchies (v1) that container managers use?
 *
 * v2 will do when its tree has the controllers cpu, memory and pids. Else each v1 hierarchy is one step: where it is mounted, or
 * mounted for the moment in a scratch directory, a group is made, must come with its cgroup.procs, and is removed.
 *
 * All or nothing: where one hierarchy is missing, all are supplied, and those that the kernel has are not used beside them. A process would be told of two
 * trees by one /proc/PID/cgroup; and the kernels that have some, gVisor's, keep settings there which limit nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/cgroup_state.h"
#include "gaps/evidence.h"
#include "gaps/mountinfo.h"
#include "gaps/scratch.h"

#define PATH_SIZE (SCRATCH_PATH_MAX + 64)

/* Makes and removes a group under `root`. Returns 0 or a positive errno; ENOENT when it came without cgroup.procs. */
static int try_group(const char *root)
{
	char group[PATH_SIZE], file[PATH_SIZE + 16];
	snprintf(group, sizeof(group), "%s/lichen-probe-%d", root, (int)getpid());
	if (mkdir(group, 0700))
		return errno;
	snprintf(file, sizeof(file), "%s/cgroup.procs", group);
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (rmdir(group) && !error)
		error = errno;
	return error;
}

/* Whether the v2 tree at `root` has the controllers that container managers insist on. */
static bool has_controllers(const char *root)
{
	static const char *const wanted[] = { "cpu", "memory", "pids" };
	char path[PATH_SIZE], line[256];
	snprintf(path, sizeof(path), "%s/cgroup.controllers", root);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	unsigned found = 0;
	if (fgets(line, sizeof(line), file)) {
		char *rest = line, *word;
		while ((word = strsep(&rest, " \n")))
			for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
				found += strcmp(word, wanted[i]) == 0;
	}
	fclose(file);
	return found == ARRAY_SIZE(wanted);
}

/* Tries v2. Answers the evidence and returns true when v2 decides: it is what this host uses. */
static bool try_unified(struct evidence *e, const char *dir)
{
	struct mountinfo_row row;
	if (mountinfo_find(NULL, "cgroup2", NULL, &row) == 0) {
		if (!has_controllers(row.point)) {
			evidence_note(e, "v2 has no controllers");
			return false;
		}
		evidence_try(e, "v2 group", "mkdir(\"%s/group\")", row.point);
		evidence_answer(e, try_group(row.point));
		return true;
	}
	int error = mount("cgroup2", dir, "cgroup2", 0, NULL) ? errno : 0;
	if (error) {
		evidence_note(e, "mount cgroup2: %s", strerrorname_np(error));
		return false;
	}
	bool decides = has_controllers(dir);
	if (decides) {
		evidence_try(e, "v2 group", "mount(\"cgroup2\"); mkdir(group)");
		evidence_answer(e, try_group(dir));
	}
	umount2(dir, MNT_DETACH);
	return decides;
}

static bool try_hierarchy(struct evidence *e, const char *controller, const char *dir)
{
	struct mountinfo_row row;
	if (mountinfo_find(NULL, "cgroup", controller, &row) == 0) {
		evidence_try(e, controller, "mkdir(\"%s/group\")", row.point);
		return evidence_answer(e, try_group(row.point));
	}
	evidence_try(e, controller, "mount(\"cgroup\", dir, \"cgroup\", 0, \"%s\")", controller);
	if (!evidence_answer(e, mount("cgroup", dir, "cgroup", 0, controller) ? errno : 0))
		return false;
	int error = try_group(dir);
	umount2(dir, MNT_DETACH);
	evidence_try(e, controller, "mkdir(group) in hierarchy %s", controller);
	return evidence_answer(e, error);
}

/* v1: some of the hierarchies are none. */
static void try_hierarchies(struct evidence *e, const char *dir)
{
	static const char *const hierarchies[] = { "devices", "freezer", "cpu", "cpuacct", "cpuset", "memory", "pids" };
	unsigned work = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hierarchies); i++)
		work += try_hierarchy(e, hierarchies[i], dir);
	if (work && work < ARRAY_SIZE(hierarchies))
		evidence_note(e, "%u of %zu work, which is not enough", work, ARRAY_SIZE(hierarchies));
}

static void probe(struct gap_finding *finding)
{
	char dir[SCRATCH_PATH_MAX] = "/";
	struct evidence e;
	evidence_begin(&e, finding, "make and remove a group");
	int error = scratch_make(dir);
	if (error) {
		evidence_try(&e, "scratch directory", SCRATCH_TRIED);
		evidence_unable(&e, -error);
	} else {
		if (unshare(CLONE_NEWNS) == 0)
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		if (!try_unified(&e, dir))
			try_hierarchies(&e, dir);
		scratch_remove(getpid());
	}
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .program = "dockerd",
	  .message = "Devices cgroup isn't mounted",
	  .cause =
		  "dockerd reads /proc/self/mountinfo and finds no v1 hierarchy 'devices'; it does not ask for it inside a user namespace",
	  .advice =
		  "Where the kernel has the hierarchy, mount it: `mkdir -p /sys/fs/cgroup/devices && mount -t cgroup -o devices cgroup "
		  "/sys/fs/cgroup/devices && {cmd}`. gVisor of 2024 has cpu, cpuacct, cpuset, memory, pids and devices; that of 2022 has no devices.",
	  .source = "facts/docker-in-gvisor.md 1; moby 20.10 daemon/daemon_unix.go" },
	{ .program = "dockerd",
	  .message = "cgroup in mounts",
	  .cause = "dockerd finds no v1 hierarchy of this controller in /proc/self/mountinfo; its limits will not work",
	  .source = "moby 20.10 pkg/sysinfo" },
	{ .program = "dockerd",
	  .message = "Your kernel does not support cgroup",
	  .cause = "dockerd finds no controller for this in /proc/self/mountinfo; its limits will not work",
	  .source = "moby 20.10 pkg/sysinfo" },
	{ .program = "kubelet",
	  .message = "mountpoint for cpu not found",
	  .cause = "no control group hierarchy is mounted",
	  .advice =
		  "Mount the v1 hierarchies: `for c in cpu cpuacct cpuset memory pids devices; do mkdir -p /sys/fs/cgroup/$c && mount -t cgroup "
		  "-o $c cgroup /sys/fs/cgroup/$c; done`.",
	  .source = "facts/kubernetes-in-gvisor.md 1" },
	{ .message = "cannot find cgroup mount destination",
	  .cause = "no control group hierarchy is mounted where the program looks",
	  .source = "facts/kubernetes-in-gvisor.md; opencontainers/runc libcontainer/cgroups" },
	{ .message = "no cgroup mount found",
	  .cause = "no control group hierarchy is mounted",
	  .source = "facts/docker-in-gvisor.md 15; runc libcontainer/cgroups/v1_utils.go" },
	{ .message = "not a cgroup file",
	  .cause = "fstatfs of the file tells neither 0x27e0eb (v1) nor 0x63677270 (v2); checked only where openat2 is not there",
	  .source = "facts/error-texts.md; runc libcontainer/cgroups/file.go" },
	{ .message = "cgroup.procs: no such file",
	  .cause = "a new control group was made, and the kernel did not fill it with files",
	  .source = "facts/error-texts.md" },
	{ .message = "cgroup namespaces aren't enabled in the kernel",
	  .cause = "/proc/self/ns/cgroup is not there",
	  .advice = "Take the namespace 'cgroup' out of the container's config.json.",
	  .source = "facts/error-texts.md; runc libcontainer/configs/validate" },
	{ .call = "mount(*, \"cgroup2\", *",
	  .error = ENODEV,
	  .source = "facts/gvisor.md",
	  .cause = "this kernel has no control groups v2" },
	{ .call = "mount(*, \"cgroup\", *",
	  .error = ENODEV,
	  .source = "mount(2)",
	  .cause = "this kernel has no control groups v1" },
	{ .call = "mount(*, \"cgroup\", *",
	  .error = EINVAL,
	  .cause = "this kernel has not all the hierarchies that were asked for, or has them mounted in another combination",
	  .source = "facts/gvisor.md; kernel/cgroup/cgroup-v1.c" },
	{ .call = "open*(*\"/sys/fs/cgroup/*", .source = "cgroups(7)" },
	{ .call = "mkdir*(*\"/sys/fs/cgroup/*", .source = "cgroups(7)", .cause = "control groups cannot be made here" },
};

static const char *const files[] = { "/proc/PID/cgroup", "/proc/cgroups", "/proc/stat", "/sys/fs/cgroup", NULL };

static const char *const limits[] = {
	"pids.max is exact; memory.max, cpu.max, the freezer and their names in v1 are enforced by looks every 100 ms, SIGKILL and SIGSTOP",
	"all other limits and weights, cpusets and rules for devices are kept and told, and have no effect; pressure is told as 0",
	"a thread is in the group of its process",
	"all hierarchies are supplied: those that this kernel has are not used beside them",
	NULL,
};

static int install(void *area, const struct commons *commons)
{
	struct cgroup_state *state = area;

	(void)commons;
	state->group[0].generation = 1;
	return 0;
}

const struct gap gap_cgroup = {
	.name = "cgroup",
	.summary = "control groups: v1 hierarchies or the v2 tree",
	.needed_by = "dockerd, runc, kubelet, systemd-run",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.area_size = ALIGN_UP(sizeof(struct cgroup_state), LAYOUT_PAGE),
	.install = install,
	.paths = GAP_PATHS_OPEN | GAP_PATHS_STAT,
	.on_request = true,
	.broker = true, /* cgroup.event_control */
	.files = files,
	.limits = limits,
};
