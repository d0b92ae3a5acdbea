/* SPDX-License-Identifier: Apache-2.0 */
/* How /dev/kmsg is opened and described: modes, errors, relative paths, stat, access. */
#include "kmsg.h"

#include <sys/sysmacros.h>

static void show(const char *how, int fd)
{
	say("%s: %s", how, fd < 0 ? errno_name(errno) : "open");
	if (fd >= 0) {
		FACT(!!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
		FACT(!!(fcntl(fd, F_GETFL) & O_NONBLOCK));
		close(fd);
	}
}

int main(void)
{
	struct stat st;
	int dev = (int)MUST(open("/dev", O_RDONLY | O_DIRECTORY)), fd;
	char byte;

	show("read", open("/dev/kmsg", O_RDONLY));
	show("write", open("/dev/kmsg", O_WRONLY));
	show("both", open("/dev/kmsg", O_RDWR));
	show("both, flags", open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
	show("create", open("/dev/kmsg", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	show("append", open("/dev/kmsg", O_WRONLY | O_APPEND));
	show("exclusive", open("/dev/kmsg", O_WRONLY | O_CREAT | O_EXCL, 0600));
	show("directory", open("/dev/kmsg", O_RDONLY | O_DIRECTORY));
	show("slash", open("/dev/kmsg/", O_RDONLY));
	show("below", open("/dev/kmsg/x", O_RDONLY));
	show("dots", open("/dev/../dev/./kmsg", O_RDONLY));
	show("at", openat(dev, "kmsg", O_RDONLY));
	show("not at", openat(dev, "kmsg2", O_RDONLY));
	MUST(chdir("/dev"));
	show("relative", open("kmsg", O_RDONLY));
	show("dot", open("./kmsg", O_RDONLY));
	MUST(chdir("/"));
	show("from root", open("dev/kmsg", O_RDONLY));

	OK(stat("/dev/kmsg", &st));
	say("mode %o, device %u:%u, size %ld, links %lu, owner %u:%u", st.st_mode, major(st.st_rdev), minor(st.st_rdev),
	    (long)st.st_size, (unsigned long)st.st_nlink, st.st_uid, st.st_gid);
	OK(lstat("/dev/kmsg", &st));
	say("mode %o", st.st_mode);
	OK(fstatat(dev, "kmsg", &st, 0));
	say("mode %o", st.st_mode);
	OK(access("/dev/kmsg", F_OK));
	OK(access("/dev/kmsg", R_OK | W_OK));
	OK(access("/dev/kmsg", X_OK));
	SHOW(readlink("/dev/kmsg", &byte, 1));
	SHOW(truncate("/dev/kmsg", 0));
	fd = (int)MUST(open("/dev/kmsg", O_WRONLY));
	SHOW(read(fd, &byte, 1));
	return 0;
}
