/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that several gaps want, all gaps refused and filled at once: virtual files answer first, then the gaps in the order of gaps.def, then the
 * engine. Each fact is one that only holds if the right one answered.
 */
#include "difftest.h"

#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/vfs.h>

#define PROC_MAGIC 0x9fa0
#define SYSCTL "/proc/sys/kernel/panic"

static int open_how(int dir, const char *path, unsigned long flags, unsigned long resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* statx: a sysctl's (virtual file), a disk file's (newcalls), a device's. */
static void stats(void)
{
	struct statx x;

	SHOW(syscall(SYS_statx, AT_FDCWD, SYSCTL, 0, STATX_BASIC_STATS | 0x40000000u, &x));
	FACT(x.stx_mode == (S_IFREG | 0644));
	SHOW(syscall(SYS_statx, AT_FDCWD, "/proc/self", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	FACT(S_ISLNK(x.stx_mode));
	SHOW(syscall(SYS_statx, AT_FDCWD, "/dev/kmsg", 0, STATX_BASIC_STATS, &x));
	FACT(S_ISCHR(x.stx_mode) && x.stx_rdev_major == 1 && x.stx_rdev_minor == 11);
	SHOW(syscall(SYS_statx, AT_FDCWD, "/nowhere", 0, STATX_BASIC_STATS, &x));
	SHOW(syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_BASIC_STATS, (void *)8));
}

/* openat2 and faccessat2: the same three. */
static void opens(void)
{
	struct statfs fs;
	char byte;
	int fd = open_how(AT_FDCWD, SYSCTL, O_RDONLY, 0), proc = open("/proc", O_PATH | O_DIRECTORY);

	FACT(fd >= 0 && read(fd, &byte, 1) == 1);
	FACT(fstatfs(fd, &fs) == 0 && fs.f_type == PROC_MAGIC);
	close(fd);
	fd = open_how(proc, "sys/kernel/panic", O_RDONLY, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	FACT(fd >= 0 && read(fd, &byte, 1) == 1);
	close(fd);
	SHOW(open_how(proc, "../proc", O_PATH, RESOLVE_BENEATH));
	SHOW(open_how(proc, "sys/nowhere", O_RDONLY, RESOLVE_BENEATH));
	FACT(open_how(AT_FDCWD, "/", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS) >= 0);
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, SYSCTL, R_OK, AT_EACCESS));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, SYSCTL, X_OK, AT_EACCESS));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "/", R_OK | X_OK, 0));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "/nowhere", F_OK, 0));
}

/* statfs: procfs for what is below it, and the root as mountinfo tells it. */
static void file_systems(void)
{
	struct statfs fs;
	char line[64];
	int fd;

	FACT(statfs(SYSCTL, &fs) == 0 && fs.f_type == PROC_MAGIC);
	FACT(statfs("/", &fs) == 0 && fs.f_type != PROC_MAGIC && fs.f_blocks > 0);
	fd = open("/proc/self/mountinfo", O_RDONLY);
	FACT(fd >= 0 && read(fd, line, sizeof(line)) > 0);
	FACT(fstatfs(fd, &fs) == 0 && fs.f_type == PROC_MAGIC);
	close(fd);
}

/* clone3 and close_range: newcalls says how, the engine does it; execve still finds its descriptors. */
static void processes(char *self)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		if (syscall(SYS_close_range, 3, ~0u, 0) == 0)
			execl("/proc/self/exe", self, "again", NULL);
		_exit(9);
	}
	MUST(pid);
	reap(pid);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		say("executed again");
		return 3;
	}
	stats();
	opens();
	file_systems();
	processes(argv[0]);
	return 0;
}
