// SPDX-License-Identifier: Apache-2.0
/* Makes pseudo terminals: the machine's, or those of a member of a cell. */
#include "host/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The multiplexer of the /dev/pts that a process sees, found in its root without following a way out of it. */
static int open_master_of(pid_t member)
{
	struct open_how how = { .flags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char path[32];
	CLEANUP_FD int root = FD_NONE;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", member);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, "dev/pts/ptmx", &how, sizeof(how));
}

static int open_slave(int master)
{
	char name[64];

	if (grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof(name)) != 0)
		return -ENOTTY;
	return open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static int open_slave_of_member(int master)
{
	int unlocked = 0;

	return ioctl(master, TIOCSPTLCK, &unlocked) < 0 ? -1 : ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int pty_new(pid_t member, int *ret_master, int *ret_slave)
{
	CLEANUP_FD int master = member ? open_master_of(member) : posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int slave;

	if (master < 0)
		return -errno;
	slave = member ? open_slave_of_member(master) : open_slave(master);
	if (slave < 0)
		return slave == -1 ? -errno : slave;
	*ret_slave = slave;
	*ret_master = take_fd(&master);
	return 0;
}
