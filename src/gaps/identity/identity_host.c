// SPDX-License-Identifier: Apache-2.0
/* Gap identity, host half: may this process give files and itself to other users, and make device nodes? And who a cell starts as. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/identity/identity.h"
#include "gaps/scratch.h"

/* Returns 0, mknod's positive errno, or the negative errno of finding a place for the node. */
static int make_null_node(void)
{
	char dir[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 8];
	int error = scratch_make(dir);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/node", dir);
	error = mknod(path, S_IFCHR | 0600, makedev(1, 3)) ? errno : 0;
	unlink(path);
	rmdir(dir);
	return error;
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	uid_t uid = geteuid();
	uid_t other = uid == 1 ? 2 : 1;
	evidence_begin(&e, finding, "chown, mknod, set*id to others");

	int fd = scratch_file();
	if (fd >= 0) {
		evidence_try(&e, "chown", "fchown(fd, %u, %u)", other, other);
		evidence_answer(&e, fchown(fd, other, other) ? errno : 0);
	} else {
		evidence_try(&e, "scratch file", SCRATCH_TRIED);
		evidence_unable(&e, -fd);
	}
	evidence_try(&e, "mknod", "mknod(path, S_IFCHR|0600, makedev(1, 3))");
	int error = make_null_node();
	if (error < 0)
		evidence_unable(&e, -error);
	else
		evidence_answer(&e, error);

	int ends[2];
	evidence_try_extra(&e, "chown of a pipe", "fchown(pipe, %u, -1)", uid);
	evidence_answer(&e, pipe2(ends, O_CLOEXEC) || fchown(ends[0], uid, (gid_t)-1) ? errno : 0);

	gid_t group = other;
	evidence_try(&e, "setgroups", "setgroups(1, {%u})", group);
	evidence_answer(&e, setgroups(1, &group) ? errno : 0);
	evidence_try(&e, "setresgid", "setresgid(%u, %u, %u)", group, group, group);
	evidence_answer(&e, setresgid(group, group, group) ? errno : 0);
	evidence_try(&e, "setresuid", "setresuid(%u, %u, %u)", other, other, other);
	evidence_answer(&e, setresuid(other, other, other) ? errno : 0);
	if (uid != 0)
		evidence_note(&e, "uid %u", uid);
	evidence_end(&e);
}

/* CAP_LAST_CAP of this kernel; that of Linux 5.9 to 6.18 where it does not say. */
static u32 last_cap(void)
{
	unsigned int cap = 40;
	FILE *file = fopen("/proc/sys/kernel/cap_last_cap", "re");
	if (file) {
		if (fscanf(file, "%u", &cap) != 1 || cap > 62)
			cap = 40;
		(void)fclose(file);
	}
	return cap;
}

static int by_gid(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	return (x > y) - (x < y);
}

static int install(void *area, const struct commons *commons)
{
	struct identity_area *identity = area;
	const struct identity_start *start = &commons->identity;
	struct identity_cred cred = { .uid = { start->uid, start->uid, start->uid, start->uid },
				      .gid = { start->gid, start->gid, start->gid, start->gid } };
	if (start->group_count > IDENTITY_GROUPS_MAX)
		return -EINVAL;
	identity->last_cap = last_cap();
	identity->host_uid = geteuid();
	identity->host_gid = getegid();
	cred.caps.bounding = (UINT64_C(2) << identity->last_cap) - 1;
	if (start->uid == 0)
		cred.caps.permitted = cred.caps.effective = cred.caps.bounding;
	if (start->group_count) {
		memcpy(identity->gid, start->groups, start->group_count * sizeof(u32));
		qsort(identity->gid, start->group_count, sizeof(u32), by_gid);
		identity->list[1] = (struct identity_list){ .state = IDENTITY_READY, .count = start->group_count };
		identity->gids_used = start->group_count;
		cred.groups = 1;
	}
	identity->row[0] = (struct identity_row){ .state = IDENTITY_READY, .cred = cred };
	return 0;
}

static const int calls[] = {
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_capset, -1,
};

static const char *const files[] = { "/proc/PID/status", "/proc/PID/uid_map", "/proc/PID/gid_map", NULL };

static const char *const limits[] = {
	"who a process is, is known inside the cell alone: the kernel sees who runs lichen, and so do its permission checks",
	"links, FIFOs and sockets have no owner of their own; devices can be opened where everybody may use the machine's",
	NULL,
};

static const struct gap_symptom symptoms[] = {
	{ .call = "*chown*(*",
	  .error = EPERM,
	  .source = "chown(2); measured in a pod of profile 'restricted'",
	  .cause = "only root with CAP_CHOWN gives files to other users" },
	{ .call = "*chown*(*",
	  .error = EINVAL,
	  .source = "user_namespaces(7)",
	  .cause = "the user or group has no number in this user namespace" },
	{ .call = "mknod*(*", .error = EPERM, .source = "mknod(2)", .cause = "making device files takes CAP_MKNOD" },
	{ .call = "set*uid(*",
	  .error = EPERM,
	  .source = "setuid(2)",
	  .cause = "becoming another user takes CAP_SETUID",
	  .advice = "If the program can be told to stay the user that it is, tell it so." },
	{ .call = "set*gid(*", .error = EPERM, .source = "setgid(2)", .cause = "becoming another group takes CAP_SETGID" },
	{ .call = "setgroups(*",
	  .error = EPERM,
	  .source = "setgroups(2)",
	  .cause = "setting groups takes CAP_SETGID; in a user namespace also a setgroups file that says allow",
	  .advice = "apt does without by `apt-get -o APT::Sandbox::User=root …`." },
	{ .call = "capset(*",
	  .error = EPERM,
	  .source = "facts/docker-in-gvisor.md 14",
	  .cause = "a capability that the program wants to have is not permitted to it",
	  .advice = "gVisor: `runsc --net-raw …` gives CAP_NET_RAW, which runc asks for." },
	{ .call = "chmod*(*", .error = EPERM, .source = "chmod(2)", .cause = "only the owner and root change a mode" },
	{ .call = "fchmod*(*", .error = EPERM, .source = "chmod(2)", .cause = "only the owner and root change a mode" },
};

const struct gap gap_identity = {
	.name = "identity",
	.summary = "root and other users: chown, set*id, mknod",
	.needed_by = "dpkg, apt, apk, tar, dockerd",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.area_size = IDENTITY_AREA_SIZE,
	.install = install,
	.paths = GAP_PATHS_OPEN,
	.on_request = true,
	.files = files,
	.limits = limits,
	.refuse_calls = calls,
	.refuse_error = EPERM,
};
