// SPDX-License-Identifier: Apache-2.0
/* Into the namespaces of a native guest, by a descriptor of its process: setns(2). */
#include <errno.h>
#include <sched.h>

#include "host/native.h"

int native_join_pid(int pidfd)
{
	return setns(pidfd, CLONE_NEWPID) < 0 ? -errno : 0;
}

int native_join_rest(int pidfd)
{
	/* those that the guest shares with us are entered again, which changes nothing */
	int all = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWNET;

	if (setns(pidfd, all) == 0)
		return 0;
	return errno == EINVAL && setns(pidfd, all & ~CLONE_NEWCGROUP) == 0 ? 0 : -errno;
}
