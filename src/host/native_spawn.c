// SPDX-License-Identifier: Apache-2.0
/* A native guest's process: in namespaces of its own, and then no more than who the guest is. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/native.h"

#define CAPABILITIES 64

pid_t native_fork(int namespaces)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)(namespaces & ~CLONE_NEWCGROUP) | SIGCHLD, 0, 0, 0, 0);
}

int native_groups_begin(int namespaces, struct native_failure *failure)
{
	return !(namespaces & CLONE_NEWCGROUP) || unshare(CLONE_NEWCGROUP) == 0
		     ? 0
		     : native_failed(failure, "making a cgroup namespace");
}

/* What is not in the bounding set no program can get, whatever its file says. */
int native_drop_bounding(u64 capabilities)
{
	for (unsigned cap = 0; cap < CAPABILITIES; cap++) {
		if ((capabilities & UINT64_C(1) << cap) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno != EINVAL)
			return -errno;
		break; /* their numbers have no gaps: the kernel knows none from here on */
	}
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL ? -errno : 0;
}

int native_set_capabilities(u64 capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		u32 wanted = (u32)(capabilities >> (32 * i));

		data[i].permitted &= wanted;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int native_become(const struct identity_start *identity, u64 capabilities, struct native_failure *failure)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return native_failed(failure, "taking a keyring of its own");
	if (native_drop_bounding(capabilities) < 0)
		return native_failed(failure, "dropping capabilities");
	if (setgroups(identity->group_count, identity->groups) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) < 0)
		return native_failed(failure, "becoming user %u, group %u", identity->uid, identity->gid);
	if (native_set_capabilities(capabilities) < 0)
		return native_failed(failure, "dropping capabilities");
	return 0;
}
