// SPDX-License-Identifier: Apache-2.0
/* The layers: their names, who needs them, and what this host has, tried in scratch children. */
#include "cage/layer.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage/cage_limits.h"
#include "cage/cage_mounts.h"
#include "cage/cage_notify.h"
#include "cage/cage_proxy.h"
#include "cage/cage_view.h"
#include "cage/landlock.h"
#include "host/native.h"

static const char *const names[] = {
	[CAGE_LAYER_PROCESS] = "process",   [CAGE_LAYER_FILES] = "files",     [CAGE_LAYER_DENY] = "deny",
	[CAGE_LAYER_SYSCALLS] = "syscalls", [CAGE_LAYER_NETWORK] = "network", [CAGE_LAYER_UNIX] = "unix",
	[CAGE_LAYER_SCOPES] = "scopes",     [CAGE_LAYER_LIMITS] = "limits",
};

const char *cage_layer_name(enum cage_layer layer)
{
	return names[layer];
}

int cage_layer_find(const char *name)
{
	for (int i = 0; i < CAGE_LAYERS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -EINVAL;
}

const char *cage_state_name(enum cage_state state)
{
	return state == CAGE_PASS ? "pass" : state == CAGE_WEAKER ? "weaker" : "missing";
}

static bool has_limits(const struct cage_limits *limits)
{
	return limits->memory || limits->file_size || limits->output || limits->disk || limits->wall || limits->cpu_time ||
	       limits->cpu || limits->processes || limits->open_files;
}

u32 cage_layers_needed(const struct cage_policy *policy)
{
	u32 needed = CAGE_LAYER_BIT(CAGE_LAYER_PROCESS) | CAGE_LAYER_BIT(CAGE_LAYER_FILES) | CAGE_LAYER_BIT(CAGE_LAYER_SYSCALLS) |
		     CAGE_LAYER_BIT(CAGE_LAYER_SCOPES);

	if (policy->files.deny.count)
		needed |= CAGE_LAYER_BIT(CAGE_LAYER_DENY);
	if (policy->network.mode != CAGE_NETWORK_HOST)
		needed |= CAGE_LAYER_BIT(CAGE_LAYER_NETWORK);
	if (policy->network.sockets.count)
		needed |= CAGE_LAYER_BIT(CAGE_LAYER_UNIX);
	if (has_limits(&policy->limits))
		needed |= CAGE_LAYER_BIT(CAGE_LAYER_LIMITS);
	return needed;
}

/* --- trying ------------------------------------------------------------------------------------------------------------------------------- */

#define TRIED_MOUNTS 1
#define TRIED_IPC 2
#define TRIED_NETWORK 4
#define TRIED_USERS 8
#define TRIED_SECCOMP 16
#define TRIED_VIEW 32
#define TRIED_NOEXEC 64
#define TRIED_PIDS 128

/* Installs a filter that allows everything. */
static bool has_filters(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* A mount namespace, in a user namespace if it must be. */
static bool has_namespace(int *tried)
{
	if (unshare(CLONE_NEWNS) == 0)
		return true;
	if (cage_users_enter(CLONE_NEWNS) < 0)
		return false;
	*tried |= TRIED_USERS;
	return true;
}

/* What does not depend on mounts. */
static int try_rest(void)
{
	return (unshare(CLONE_NEWIPC) == 0 ? TRIED_IPC : 0) | (unshare(CLONE_NEWNET) == 0 ? TRIED_NETWORK : 0) |
	       (has_filters() ? TRIED_SECCOMP : 0); /* filters last: they are for good */
}

/* Bits of what works, in a process that may be spoilt. */
static int try_namespaces(void)
{
	static const struct cage_tree nothing = { .path = "/" };
	char step[192];
	int tried = 0;

	if (has_namespace(&tried) && cage_mounts_enter(&nothing, 1, !(tried & TRIED_USERS), step) == 0)
		tried |= TRIED_MOUNTS;
	return tried | try_rest();
}

/* In the first process of a pid namespace: mounts, or a root of its own. */
static bool try_mounts(bool view)
{
	static const struct cage_tree nothing = { .path = "/" };
	char step[192];

	if (view)
		return cage_view_works();
	return unshare(CLONE_NEWNS) == 0 && cage_mounts_enter(&nothing, 1, true, step) == 0;
}

static int try_inside(bool view, bool users, uid_t uid, gid_t gid)
{
	int tried = TRIED_MOUNTS | TRIED_PIDS | (users ? TRIED_USERS : 0) | (view ? TRIED_VIEW : 0);

	if (getpid() != 1 || (users && cage_users_map(uid, gid) < 0) || !try_mounts(view))
		return 0;
	if (cage_mounts_allowed())
		tried |= TRIED_NOEXEC;
	return tried | try_rest();
}

static int exit_status(pid_t pid)
{
	int status = 0;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static int try_pids(bool view)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool users = false;
	pid_t pid = native_fork(CLONE_NEWPID);

	if (pid < 0) {
		users = true;
		pid = native_fork(CLONE_NEWPID | CLONE_NEWUSER);
	}
	if (pid == 0)
		_exit(try_inside(view, users, uid, gid));
	return exit_status(pid);
}

static bool has_namespaces_of(const char *kind)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return access(path, F_OK) == 0;
}

/* The same in this process, which it leaves as it is: who may copy a mount and make it read-only may make namespaces as well; if not, cage_enter() fails.
 * Negative: it must be tried in a child. */
static int try_here(void)
{
	if (!cage_mounts_allowed())
		return -1;
	return TRIED_MOUNTS | (has_namespaces_of("pid") ? TRIED_PIDS : 0) | (has_namespaces_of("ipc") ? TRIED_IPC : 0) |
	       (has_namespaces_of("net") ? TRIED_NETWORK : 0) |
	       (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 && errno == EFAULT ? TRIED_SECCOMP : 0);
}

static int in_child(int (*try)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(try());
	return exit_status(pid);
}

static void found(struct cage_host *host, enum cage_layer layer, enum cage_state state, const char *how)
{
	host->layers[layer].state = state;
	(void)snprintf(host->layers[layer].how, sizeof(host->layers[layer].how), "%s", how);
}

static void judge_files(const struct cage_policy *policy, struct cage_host *host)
{
	char how[sizeof(host->layers[0].how)];

	if (!host->landlock && host->view) {
		found(host, CAGE_LAYER_FILES, host->noexec ? CAGE_PASS : CAGE_WEAKER,
		      host->noexec
			      ? "a root that has nothing else, in a mount namespace"
			      : "a root that has nothing else, in a mount namespace; execute is not judged for what ld.so or lichen loads");
		return;
	}
	if (!host->landlock) {
		found(host, CAGE_LAYER_FILES, CAGE_MISSING,
		      "the kernel has no Landlock, or it is switched off, and no mount namespace can be made");
		return;
	}
	(void)snprintf(
		how, sizeof(how), "Landlock, ABI %d; %s%s%s", host->landlock,
		host->mounts ? "what may not be written is mounted read-only"
		: host->notify
			? "chmod, chown, utimensat are asked of lichen (seccomp notification); setxattr is refused"
			: "there is no mount namespace: chmod, chown, utimensat, setxattr and their like are refused everywhere",
		host->mounts ? "" : "; execute is not judged for what ld.so or lichen loads",
		policy->files.tmp && !host->mounts ? "; no /dev/shm of its own" : "");
	/* before ABI 3: no right to truncate; Landlock does not judge what is mapped, mounts without execution do */
	found(host, CAGE_LAYER_FILES, host->landlock >= 3 && host->mounts ? CAGE_PASS : CAGE_WEAKER, how);
}

/* Limits that lichen looks at now and then hold between two looks only nearly. */
static void judge_limits(const struct cage_policy *policy, struct cage_host *host)
{
	const char *sampled = NULL;

	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (host->limits.by[i] == CELL_SAMPLED)
			sampled = host->limits.why;
	if (policy->limits.disk && sampled)
		found(host, CAGE_LAYER_LIMITS, CAGE_WEAKER,
		      "memory, cpu, processes (there are no control groups) and disk are sampled, ten times a second at most: bursts get through");
	else if (policy->limits.disk)
		found(host, CAGE_LAYER_LIMITS, CAGE_WEAKER,
		      "disk is sampled, ten times a second at most: what is written between two looks gets through; the others are kept by the kernel");
	else if (sampled)
		found(host, CAGE_LAYER_LIMITS, CAGE_WEAKER,
		      "memory, cpu and processes are sampled ten times a second: there are no control groups");
	else
		found(host, CAGE_LAYER_LIMITS, CAGE_PASS, "setrlimit(2), control groups, lichen's clock and pipes");
}

/* Without a namespace AF_UNIX and the internet cannot be told from each other when a guest connects. */
static const char *lacks_network(const struct cage_policy *policy, const struct cage_host *host)
{
	if (host->network)
		return NULL;
	if (!host->notify)
		return host->notify_error == -EBUSY
			     ? "lichen-proxy needs a network namespace, which cannot be made here; and user notification is in use by another's filter"
			     : "lichen-proxy needs a network namespace, which cannot be made here, or seccomp user notification (Linux 5.9)";
	return policy->network.abstract || (policy->network.sockets.count && host->view)
		     ? "lichen-proxy beside AF_UNIX sockets needs a network namespace, which cannot be made here"
		     : NULL;
}

/* What is let to some hosts needs a namespace, or to be asked of its connections; and the helper. */
static void judge_network(const struct cage_policy *policy, struct cage_host *host)
{
	char path[PATH_MAX], how[160];
	const char *lacks = lacks_network(policy, host);

	if (policy->network.mode != CAGE_NETWORK_PROXY) {
		found(host, CAGE_LAYER_NETWORK, host->seccomp ? CAGE_PASS : CAGE_MISSING,
		      host->network ? "a network namespace" : "a seccomp filter: no sockets but AF_UNIX");
	} else if (lacks) {
		found(host, CAGE_LAYER_NETWORK, CAGE_MISSING, lacks);
	} else if (cage_proxy_find(path)) {
		(void)snprintf(how, sizeof(how), "lichen-proxy is not there: it belongs beside lichen (%.80s)", path);
		found(host, CAGE_LAYER_NETWORK, CAGE_MISSING, how);
	} else {
		found(host, CAGE_LAYER_NETWORK, CAGE_PASS,
		      host->network ? "a network namespace, with lichen-proxy as its only way out"
				    : "connections are made by lichen (seccomp notification), to lichen-proxy alone");
	}
}

/* Which sockets there are is what the view has. */
static void judge_unix(struct cage_host *host)
{
	if (host->view)
		found(host, CAGE_LAYER_UNIX, CAGE_WEAKER,
		      "only the sockets that are named, and those that lie in what files.* name, are in its mount namespace");
	else
		found(host, CAGE_LAYER_UNIX, CAGE_MISSING, "sockets cannot be told from each other without a mount namespace");
}

/* Abstract sockets are those of the network namespace; without AF_UNIX there are none. */
static void judge_scopes(const struct cage_policy *policy, struct cage_host *host)
{
	bool apart = host->network && policy->network.mode != CAGE_NETWORK_HOST;

	if (host->landlock >= LANDLOCK_ABI_SCOPES)
		found(host, CAGE_LAYER_SCOPES, CAGE_PASS, "Landlock: signals and abstract sockets stay inside");
	else if (host->pids && (apart || policy->network.abstract || !policy->network.sockets.count))
		found(host, CAGE_LAYER_SCOPES, CAGE_PASS,
		      apart ? "a pid namespace; abstract sockets are those of the network namespace"
			    : "a pid namespace; abstract sockets: only where network.abstract allows them");
	else
		found(host, CAGE_LAYER_SCOPES, CAGE_MISSING,
		      host->pids ? "abstract sockets of others: Landlock of this kernel knows no scopes (Linux 6.12 does)"
				 : "Landlock of this kernel knows no scopes (Linux 6.12 does), and no pid namespace can be made");
}

static void judge(const struct cage_policy *policy, struct cage_host *host)
{
	found(host, CAGE_LAYER_PROCESS, CAGE_PASS,
	      "no_new_privs, a new session, descriptors closed, no capabilities of the machine");
	judge_files(policy, host);
	found(host, CAGE_LAYER_DENY, host->mounts ? CAGE_PASS : CAGE_MISSING,
	      host->mounts ? "masked by mounts; what is not there by placeholders, which go after the run"
			   : "paths cannot be masked without a mount namespace");
	found(host, CAGE_LAYER_SYSCALLS, host->seccomp ? CAGE_PASS : CAGE_MISSING,
	      !host->seccomp              ? "the kernel has no seccomp filters"
	      : policy->processes.profile ? "a seccomp filter, and the profile as another"
					  : "a seccomp filter");
	judge_network(policy, host);
	judge_unix(host);
	judge_scopes(policy, host);
	judge_limits(policy, host);
}

int cage_probe(const struct cage_policy *policy, u32 layers, const struct cell_enforcement *limits, struct cage_host *ret)
{
	int abi = landlock_abi(), tried = 0;

	if (!abi || (layers & CAGE_LAYER_BIT(CAGE_LAYER_UNIX)))
		tried = try_pids(true);
	if (!(tried & TRIED_VIEW))
		tried = policy->network.mode == CAGE_NETWORK_PROXY ? -1 : try_here();
	if (tried < 0)
		tried = try_pids(false);
	if (!(tried & TRIED_MOUNTS))
		tried = in_child(try_namespaces);
	*ret = (struct cage_host){
		.landlock = abi,
		.seccomp = tried & TRIED_SECCOMP,
		.users = tried & TRIED_USERS,
		.mounts = tried & TRIED_MOUNTS,
		.ipc = tried & TRIED_IPC,
		.network = tried & TRIED_NETWORK,
		.pids = tried & TRIED_PIDS,
		.view = tried & TRIED_VIEW,
		.noexec = tried & TRIED_NOEXEC,
	};
	if (ret->seccomp && ((policy->network.mode == CAGE_NETWORK_PROXY && !ret->network) || (abi && !ret->mounts))) {
		ret->notify_error = cage_notify_try();
		ret->notify = ret->notify_error == 0;
	}
	if (limits)
		ret->limits = *limits;
	else
		cage_limits_plan(&policy->limits, &ret->limits);
	judge(policy, ret);
	return 0;
}
