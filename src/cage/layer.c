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
#include "cage/cage_proxy.h"
#include "cage/landlock.h"

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

/* Bits of what works, in a process that may be spoilt. */
static int try_namespaces(void)
{
	static const struct cage_tree nothing = { .path = "/" };
	char step[192];
	int tried = 0;

	if (has_namespace(&tried) && cage_mounts_enter(&nothing, 1, step) == 0 &&
	    ((tried & TRIED_USERS) || cage_mounts_proc(step) == 0))
		tried |= TRIED_MOUNTS;
	if (unshare(CLONE_NEWIPC) == 0)
		tried |= TRIED_IPC;
	if (unshare(CLONE_NEWNET) == 0)
		tried |= TRIED_NETWORK;
	if (has_filters())
		tried |= TRIED_SECCOMP;
	return tried;
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
	return TRIED_MOUNTS | (has_namespaces_of("ipc") ? TRIED_IPC : 0) | (has_namespaces_of("net") ? TRIED_NETWORK : 0) |
	       (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 && errno == EFAULT ? TRIED_SECCOMP : 0);
}

static int in_child(int (*try)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try());
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void found(struct cage_host *host, enum cage_layer layer, enum cage_state state, const char *how)
{
	host->layers[layer].state = state;
	(void)snprintf(host->layers[layer].how, sizeof(host->layers[layer].how), "%s", how);
}

static void judge_files(struct cage_host *host)
{
	char how[160];

	if (!host->landlock) {
		found(host, CAGE_LAYER_FILES, CAGE_MISSING, "the kernel has no Landlock, or it is switched off");
		return;
	}
	(void)snprintf(
		how, sizeof(how), "Landlock, ABI %d; %s", host->landlock,
		host->mounts
			? "what may not be written is mounted read-only"
			: "there is no mount namespace: chmod, chown, utimensat, setxattr and their like are refused everywhere");
	found(host, CAGE_LAYER_FILES, host->landlock >= 3 ? CAGE_PASS : CAGE_WEAKER, how); /* before: no right to truncate */
}

/* Limits that lichen looks at now and then hold between two looks only nearly. */
static void judge_limits(const struct cage_policy *policy, struct cage_host *host)
{
	const char *sampled = NULL;

	cage_limits_plan(&policy->limits, &host->limits);
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (host->limits.by[i] == CELL_SAMPLED)
			sampled = host->limits.why;
	if (policy->limits.disk)
		found(host, CAGE_LAYER_LIMITS, CAGE_MISSING,
		      "limits.disk: nothing here counts what a command writes; file_size limits each file");
	else if (sampled)
		found(host, CAGE_LAYER_LIMITS, CAGE_WEAKER,
		      "memory, cpu and processes are sampled ten times a second: there are no control groups");
	else
		found(host, CAGE_LAYER_LIMITS, CAGE_PASS, "setrlimit(2), control groups, lichen's clock and pipes");
}

/* What is let to some hosts needs a namespace, and the helper. */
static void judge_network(const struct cage_policy *policy, struct cage_host *host)
{
	char path[PATH_MAX], how[160];

	if (policy->network.mode != CAGE_NETWORK_PROXY) {
		found(host, CAGE_LAYER_NETWORK, host->seccomp ? CAGE_PASS : CAGE_MISSING,
		      host->network ? "a network namespace" : "a seccomp filter: no sockets but AF_UNIX");
	} else if (!host->network) {
		found(host, CAGE_LAYER_NETWORK, CAGE_MISSING, "lichen-proxy needs a network namespace, which cannot be made here");
	} else if (cage_proxy_find(path)) {
		(void)snprintf(how, sizeof(how), "lichen-proxy is not there: it belongs beside lichen (%.80s)", path);
		found(host, CAGE_LAYER_NETWORK, CAGE_MISSING, how);
	} else {
		found(host, CAGE_LAYER_NETWORK, CAGE_PASS, "a network namespace, with lichen-proxy as its only way out");
	}
}

static void judge(const struct cage_policy *policy, struct cage_host *host)
{
	found(host, CAGE_LAYER_PROCESS, CAGE_PASS,
	      "no_new_privs, a new session, descriptors closed, no capabilities of the machine");
	judge_files(host);
	found(host, CAGE_LAYER_DENY, host->mounts ? CAGE_PASS : CAGE_MISSING,
	      host->mounts ? "masked by mounts; what is not there by placeholders, which go after the run"
			   : "paths cannot be masked without a mount namespace");
	found(host, CAGE_LAYER_SYSCALLS, host->seccomp ? CAGE_PASS : CAGE_MISSING,
	      !host->seccomp              ? "the kernel has no seccomp filters"
	      : policy->processes.profile ? "a seccomp filter, and the profile as another"
					  : "a seccomp filter");
	judge_network(policy, host);
	found(host, CAGE_LAYER_UNIX, CAGE_MISSING, "sockets cannot be told from each other");
	found(host, CAGE_LAYER_SCOPES, host->landlock >= LANDLOCK_ABI_SCOPES ? CAGE_PASS : CAGE_MISSING,
	      host->landlock >= LANDLOCK_ABI_SCOPES ? "Landlock: signals and abstract sockets stay inside"
						    : "Landlock of this kernel knows no scopes (Linux 6.12 does)");
	judge_limits(policy, host);
}

int cage_probe(const struct cage_policy *policy, u32 layers, struct cage_host *ret)
{
	bool strictly = policy->network.mode == CAGE_NETWORK_PROXY || (layers & CAGE_LAYER_BIT(CAGE_LAYER_UNIX));
	int tried = strictly ? -1 : try_here();

	if (tried < 0)
		tried = in_child(try_namespaces);
	*ret = (struct cage_host){
		.landlock = landlock_abi(),
		.seccomp = tried & TRIED_SECCOMP,
		.users = tried & TRIED_USERS,
		.mounts = tried & TRIED_MOUNTS,
		.ipc = tried & TRIED_IPC,
		.network = tried & TRIED_NETWORK,
	};
	judge(policy, ret);
	return 0;
}
