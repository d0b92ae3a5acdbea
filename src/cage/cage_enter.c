// SPDX-License-Identifier: Apache-2.0
/* The layers, put in force in the guest's first process. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_init.h"
#include "cage/cage_int.h"
#include "cage/cage_mounts.h"
#include "cage/cage_seccomp.h"
#include "cage/landlock.h"
#include "host/close_from.h"
#include "host/native.h"
#include "host/network.h"

/* CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE: what root may still do, to its own files and processes. */
#define CAPABILITIES UINT64_C(0x4fb)

static int failed(char *stage, const char *what, int error)
{
	(void)snprintf(stage, LAUNCH_STAGE, "%s", what);
	return error;
}

/* --- namespaces and mounts ---------------------------------------------------------------------------------------------------------------- */

/* A root of its own, which has nothing else. */
static int enter_view(const struct cage *cage, char *stage)
{
	const struct cage_view view = { .trees = cage->trees,
					.count = cage->tree_count,
					.names = cage->names,
					.name_count = cage->name_count,
					.masks = cage->masks,
					.mask_count = cage_has(cage, CAGE_LAYER_DENY) ? cage->mask_count : 0,
					.workdir = cage->workdir };
	char step[192];
	int r = cage_view_enter(&view, step);

	return r < 0 ? failed(stage, step, r) : 0;
}

static int enter_mounts(const struct cage *cage, char *stage)
{
	char step[192];
	int r = cage_mounts_enter(cage->trees, cage->tree_count, cage_new_proc(cage), step);

	for (size_t i = 0; i < cage->mask_count && r == 0 && cage_has(cage, CAGE_LAYER_DENY); i++)
		r = cage_mounts_mask(cage->masks[i], FD_NONE, step);
	return r < 0 ? failed(stage, step, r) : 0;
}

int cage_enter(void *data, char *stage)
{
	struct cage *cage = data;
	const struct cage_host *host = &cage->host;
	int namespaces = (host->mounts ? CLONE_NEWNS : 0) | (host->ipc ? CLONE_NEWIPC : 0), r = 0;

	cage->highest = close_highest(); /* while there is a /proc */
	if (host->pids && host->users)
		r = cage_users_map(cage->uid, cage->gid);
	if (namespaces && r == 0)
		r = host->users && !host->pids ? cage_users_enter(namespaces) : unshare(namespaces) < 0 ? -errno : 0;
	if (r < 0)
		return failed(stage, "making namespaces for the cage", r);
	/* before mounts: what is below /proc/sys/net are other directories in each */
	if (cage_has(cage, CAGE_LAYER_NETWORK) && !cage_makes_connections(cage))
		cage->separate = network_none_begin(0);
	r = host->view ? enter_view(cage, stage) : host->mounts ? enter_mounts(cage, stage) : 0;
	if (r < 0)
		return r;
	if (cage_uses_proxy(cage) && !cage_makes_connections(cage)) {
		r = cage->separate ? cage_proxy_listen(&cage->proxy) : -EPERM;
		if (r < 0)
			return failed(stage, "listening for lichen-proxy in a network namespace", r);
	}
	r = host->pids ? cage_init_begin(cage->highest) : 0;
	return r < 0 ? failed(stage, "starting the command below the first process of its pid namespace", r) : 0;
}

/* --- what it has ------------------------------------------------------------------------------------------------------------------------------- */

/* A directory as standard stream would be a way out of any tree (CVE-2024-21626). */
static int check_streams(char *stage)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode)))
			return failed(stage, "a standard stream is a directory or a disk, which no cage can hold", -EINVAL);
	return 0;
}

static int close_descriptors(const struct cage *cage, const int *keep, u32 count, char *stage)
{
	int r = close_on_exec_from(3, cage->highest);

	if (r < 0)
		return failed(stage, "closing descriptors (close_range(2), /proc/self/fd)", r);
	for (u32 i = 0; i < count; i++)
		if (keep[i] >= 0 && fcntl(keep[i], F_SETFD, 0) < 0)
			return failed(stage, "keeping the cell's descriptors", -errno);
	return 0;
}

/* --- what it may ------------------------------------------------------------------------------------------------------------------------------- */

/* A ruleset, while all paths can still be opened. */
static int make_ruleset(const struct cage *cage, char *stage)
{
	int abi = cage->host.landlock;
	bool scopes = cage_has(cage, CAGE_LAYER_SCOPES);
	CLEANUP_FD int ruleset =
		landlock_new(abi, cage_has(cage, CAGE_LAYER_FILES), scopes, scopes && !cage->policy->network.abstract);

	if (ruleset < 0)
		return failed(stage, "making a ruleset of Landlock", ruleset);
	for (size_t i = 0; i < cage->grant_count && cage_has(cage, CAGE_LAYER_FILES); i++) {
		CLEANUP_FD int fd = cage_grant_implied(cage, i) ? -ENOENT : cage_open_path(cage->grants[i].path);
		int r = fd < 0 ? fd : landlock_allow(ruleset, abi, fd, cage->grants[i].access);

		if (r == -ENOENT || r == -EACCES || r == -ENOTDIR) /* nothing there that it could reach */
			continue;
		if (r < 0) {
			(void)snprintf(stage, LAUNCH_STAGE, "a rule of Landlock for '%.160s'", cage->grants[i].path);
			return r;
		}
	}
	return take_fd(&ruleset);
}

static int become(const struct cage *cage, char *stage)
{
	const struct cage_policy *policy = cage->policy;
	uid_t uid = policy->processes.user_given ? policy->processes.uid : geteuid();
	gid_t gid = policy->processes.user_given ? policy->processes.gid : getegid();
	u64 kept = uid == 0 ? CAPABILITIES : 0;
	int r;

	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL); /* one of its own, which it cannot ask for either */
	r = native_drop_bounding(kept);
	if (r < 0 && r != -EPERM) /* who may not drop them has none, and no_new_privs keeps it so */
		return failed(stage, "dropping capabilities", r);
	if (policy->processes.user_given &&
	    (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		return failed(stage, "becoming the user that the policy names", -errno);
	r = native_set_capabilities(kept);
	if (r < 0)
		return failed(stage, "dropping capabilities", r);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* another identity has taken it away */
	return getppid() == (cage->host.pids ? 1 : cage->parent) ? 0 : failed(stage, "lichen has ended", -ESRCH);
}

static int filter(const struct cage *cage, int agent, char *stage)
{
	const struct cage_policy *policy = cage->policy;
	bool none = cage_has(cage, CAGE_LAYER_NETWORK);
	struct cage_seccomp spec = { .policy = policy,
				     .internet = !none || cage->separate || cage_makes_connections(cage),
				     .netlink = !none || cage->separate,
				     .local = policy->network.sockets.count || policy->network.abstract,
				     .attributes = cage_attributes_of(cage),
				     .ipc = cage->host.ipc,
				     .agent = agent };
	int r = 0;

	if (cage_is_asked(cage))
		r = cage_notify_enter(&cage->notify);
	if (r < 0)
		return failed(stage, "letting lichen be asked (seccomp user notification)", r);
	if (none && !cage_makes_connections(cage) && (!cage->separate || !cage_has(cage, CAGE_LAYER_SYSCALLS)))
		r = network_none_end(cage->separate);
	if (r < 0)
		return failed(stage, "taking the network away", r);
	r = cage_has(cage, CAGE_LAYER_SYSCALLS) ? cage_seccomp_install(&spec) : 0;
	if (r == 0 && cage_has(cage, CAGE_LAYER_SYSCALLS))
		r = oci_seccomp_install(&cage->profile);
	return r < 0 ? failed(stage, "installing the cage's filter (seccomp)", r) : 0;
}

int cage_confine(void *data, const int *keep, u32 count, char *stage)
{
	struct cage *cage = data;
	CLEANUP_FD int ruleset = FD_NONE;
	int r = check_streams(stage);

	if (r == 0)
		r = close_descriptors(cage, keep, count, stage);
	if (r == 0 && cage->host.landlock) {
		ruleset = make_ruleset(cage, stage);
		r = ruleset < 0 ? ruleset : 0;
	}
	if (r == 0)
		r = become(cage, stage);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = failed(stage, "setting no_new_privs", -errno);
	if (r == 0 && ruleset >= 0) {
		r = landlock_enforce(ruleset);
		if (r < 0)
			(void)failed(stage, "restricting itself (Landlock)", r);
	}
	return r < 0 ? r : filter(cage, count > 0 ? keep[0] : FD_NONE, stage);
}
