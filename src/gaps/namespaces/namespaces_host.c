// SPDX-License-Identifier: Apache-2.0
/* Gap namespaces, host half: can each kind be left for a new one, and come back to with setns()? And what a cell's begin with. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/namespaces/namespaces.h"
#include "gaps/trial.h"

struct kind {
	const char *name, *flag_name, *back; /* /proc/self/ns/NAME, the flag as written, the name of the way back */
	int flag;
};

static int leave(void *arg)
{
	const struct kind *kind = arg;
	if (unshare(kind->flag))
		return errno;
	if (kind->flag != CLONE_NEWPID)
		return 0;
	/* The new pid namespace begins with the next child: its pid must be 1. */
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(getpid() == 1 ? 0 : 1);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? 0 : EINVAL;
}

static int come_back(void *arg)
{
	const struct kind *kind = arg;
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind->name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (unshare(kind->flag))
		return errno;
	return setns(fd, kind->flag) ? errno : 0;
}

static int leave_by_user_namespace(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) ? errno : 0;
}

static int leave_user(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) ? errno : 0;
}

static void probe(struct gap_finding *finding)
{
	static struct kind kinds[] = {
		{ "mnt", "CLONE_NEWNS", "setns mnt", CLONE_NEWNS },
		{ "pid", "CLONE_NEWPID", "setns pid", CLONE_NEWPID },
		{ "net", "CLONE_NEWNET", "setns net", CLONE_NEWNET },
		{ "ipc", "CLONE_NEWIPC", "setns ipc", CLONE_NEWIPC },
		{ "uts", "CLONE_NEWUTS", "setns uts", CLONE_NEWUTS },
		{ "cgroup", "CLONE_NEWCGROUP", "setns cgroup", CLONE_NEWCGROUP },
	};
	bool forbidden = false;
	struct evidence e;
	evidence_begin(&e, finding, "unshare, setns of 6 kinds");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		evidence_try(&e, kinds[i].name, "unshare(%s)", kinds[i].flag_name);
		int error = trial_run(leave, &kinds[i]);
		forbidden |= error == EPERM;
		if (evidence_answer(&e, error)) {
			evidence_try(&e, kinds[i].back, "setns(\"/proc/self/ns/%s\", %s)", kinds[i].name, kinds[i].flag_name);
			evidence_answer(&e, trial_run(come_back, &kinds[i]));
		}
	}
	evidence_try_extra(&e, "user", "unshare(CLONE_NEWUSER)");
	evidence_answer(&e, trial_run(leave_user, NULL));
	if (forbidden && trial_run(leave_by_user_namespace, NULL) == 0)
		evidence_note(&e, "they work inside a new user namespace");
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .call = "unshare(*",
	  .error = EPERM,
	  .source = "measured in a container of Docker's profile; unshare(2)",
	  .cause = "making namespaces takes CAP_SYS_ADMIN, or CLONE_NEWUSER where the sandbox allows user namespaces",
	  .advice =
		  "In Docker: `docker run --security-opt seccomp=unconfined --cap-add SYS_ADMIN …`. In Kubernetes: hostUsers: false, or a privileged pod." },
	{ .call = "unshare(*",
	  .error = EINVAL,
	  .source = "unshare(2)",
	  .cause = "this kernel is built without one of these namespaces" },
	{ .call = "unshare(*",
	  .error = ENOSPC,
	  .source = "unshare(2)",
	  .cause = "the limit on namespaces is reached, or is 0",
	  .advice = "Raise it: `sysctl -w user.max_user_namespaces=10000`." },
	{ .call = "unshare(*",
	  .error = ENOSYS,
	  .source = "unshare(2)",
	  .cause = "this kernel is built without namespaces, or a filter says so" },
	{ .call = "clone*(*CLONE_NEW*",
	  .error = EPERM,
	  .source = "clone(2)",
	  .cause = "making namespaces takes CAP_SYS_ADMIN, or CLONE_NEWUSER where the sandbox allows user namespaces" },
	{ .call = "clone*(*CLONE_NEW*",
	  .error = EINVAL,
	  .source = "clone(2)",
	  .cause = "this kernel is built without one of these namespaces" },
	{ .call = "setns(*",
	  .error = EOPNOTSUPP,
	  .source = "facts/gvisor.md",
	  .cause = "gVisor of 2022 enters no existing namespace" },
	{ .call = "setns(*",
	  .error = EINVAL,
	  .source = "facts/docker-in-gvisor.md 8, 27",
	  .cause = "this kernel does not enter such a namespace (gVisor: pid)",
	  .advice = "Take the namespace 'pid' out of the container's config.json: exec into it works then." },
	{ .call = "setns(*", .error = EPERM, .source = "setns(2)", .cause = "entering a namespace takes CAP_SYS_ADMIN in it" },
	{ .call = "open*(*\"/proc/*/ns/*",
	  .error = ENOENT,
	  .source = "facts/docker-in-gvisor.md 8",
	  .cause = "this kernel shows no such namespace in /proc/PID/ns" },
	{ .call = "open*(*\"/proc/*/setgroups\"*",
	  .error = ENOENT,
	  .source = "facts/docker-in-gvisor.md 24",
	  .cause = "this kernel has no /proc/PID/setgroups" },
	{ .message = "No usable sandbox!",
	  .cause = "Chromium finds neither user namespaces nor its set-user-ID helper",
	  .advice = "`{cmd} --no-sandbox` runs it without its own sandbox: only inside another one.",
	  .source = "chromium sandbox/linux" },
	{ .program = "bwrap",
	  .message = "No permissions to create new namespace",
	  .cause = "the sandbox or the system forbids user namespaces",
	  .advice = "`sysctl -w kernel.unprivileged_userns_clone=1` where Debian's kernel forbids them.",
	  .source = "bubblewrap bubblewrap.c" },
};

static int install(void *area, const struct commons *commons)
{
	struct namespaces_area *namespaces = area;
	struct uts_names *names = namespaces->uts[0].names;
	struct utsname machine;
	if (uname(&machine))
		return -errno;
	memcpy(names->host, machine.nodename, HOSTNAME_SIZE);
	memcpy(names->domain, machine.domainname, HOSTNAME_SIZE);
	if (commons->namespaces.hostname[0])
		memcpy(names->host, commons->namespaces.hostname, HOSTNAME_SIZE);
	namespaces->uts_used = 1;
	return 0;
}

static const int calls[] = { SYS_sethostname, SYS_setdomainname, SYS_unshare, SYS_setns, -1 };

static const char *const files[] = { "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", NULL };

static const char *const limits[] = {
	"host and domain names, IPC namespaces (with sysvipc), pid namespaces (in a tree of the agent's); the other kinds are the kernel's",
	NULL,
};

const struct gap gap_namespaces = {
	.name = "namespaces",
	.summary = "unshare, setns: mnt, pid, net, ipc, uts, cgroup",
	.needed_by = "runc, containerd, kubelet, unshare, nsenter",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.area_size = NAMESPACES_AREA_SIZE,
	.install = install,
	.paths = GAP_PATHS_OPEN | GAP_PATHS_STAT,
	.broker = true, /* the end of pid namespaces */
	.on_request = true,
	.files = files,
	.limits = limits,
	.refuse_calls = calls,
	.refuse_error = EPERM,
};
