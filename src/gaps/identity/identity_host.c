// SPDX-License-Identifier: Apache-2.0
/* Gap identity, host half: may this process give files and itself to other users, and make device nodes? */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gaps/evidence.h"
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
};
