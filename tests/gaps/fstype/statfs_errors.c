/* SPDX-License-Identifier: Apache-2.0 */
/* statfs and fstatfs: errors in the kernel's order, the edge of memory, descriptors of all kinds. */
#include "difftest.h"
#include <sys/socket.h>
#include <sys/statfs.h>

static void type_of(const char *what, int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0)
		say("%s: type %lx", what, (unsigned long)fs.f_type);
	else
		say("%s: %s", what, errno_name(errno));
	close(fd);
}

static void of_paths(struct statfs *fs)
{
	char longer[5000], loop[64];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	OK(statfs("", fs));
	OK(statfs("/no/such/file", fs));
	OK(statfs("/etc/passwd/x", fs));
	OK(statfs(longer, fs));
	OK(statfs(bad_pointer(), fs));
	OK(statfs("/no/such/file", bad_pointer()));
	OK(statfs(bad_pointer(), bad_pointer()));
	OK(statfs("/", bad_pointer()));
	OK(statfs("/", read_only_copy("", 1)));
	OK(statfs("/etc/mtab", fs)); /* follows */
	say("of a link into /proc: type %lx", (unsigned long)fs->f_type);
	snprintf(loop, sizeof(loop), "/tmp/statfs-loop-%d", getpid());
	MUST(symlink(loop, loop));
	OK(statfs(loop, fs));
	unlink(loop);
	MUST(chdir("/proc/self"));
	OK(statfs("status", fs));
	say("of a relative path: type %lx", (unsigned long)fs->f_type);
	MUST(chdir("/"));
}

int main(void)
{
	struct statfs *fs = tail(sizeof(*fs));
	int pair[2];

	OK(statfs("/", fs)); /* the last byte of a page */
	OK(fstatfs(MUST(open("/", O_PATH)), fs));
	of_paths(fs);
	OK(fstatfs(-1, fs));
	OK(fstatfs(-100, fs));
	OK(fstatfs(999, fs));
	OK(fstatfs(999, bad_pointer()));
	OK(fstatfs(0, bad_pointer()));
	MUST(pipe2(pair, O_CLOEXEC));
	close(pair[1]);
	type_of("pipe", pair[0]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pair[1]);
	type_of("socket", pair[0]);
	type_of("memfd", (int)MUST(memfd_create("x", MFD_CLOEXEC)));
	type_of("file of /proc", (int)MUST(open("/proc/self/status", O_RDONLY)));
	type_of("file of /proc, O_PATH", (int)MUST(open("/proc/self/status", O_PATH)));
	type_of("directory of /proc", (int)MUST(open("/proc/sys/kernel", O_RDONLY)));
	type_of("file of /sys", (int)MUST(open("/sys/devices/system/cpu/online", O_RDONLY)));
	return 0;
}
