/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another process's memory, descriptors and view of files: the supervisor's (our parent), or that of a process which has nothing to do with
 * us. ARG: its pid. Bytes that are written are those that were there.
 */
#include "attack.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

/* Where it has memory that can be written to; if /proc does not tell, an address that some process has: permission is judged first. */
static unsigned long address_in(pid_t pid)
{
	unsigned long from = 0x400000, to, found = 0x400000;
	char path[64], line[512], rights[8];
	FILE *maps;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && !strncmp(rights, "rw-p", 4)) {
			found = from;
			break;
		}
	if (maps)
		(void)fclose(maps);
	return found;
}

static int attach(const struct attack *a)
{
	pid_t pid = target_of(a);

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		return errno;
	(void)waitpid(pid, NULL, __WALL);
	return outcome(ptrace(PTRACE_DETACH, pid, NULL, NULL));
}

static int move(const struct attack *a, int call, char *byte)
{
	pid_t pid = target_of(a);
	struct iovec here = { byte, 1 }, there = { (void *)address_in(pid), 1 }; /* NOLINT(performance-no-int-to-ptr) */
	int r = outcome(syscall(call, pid, &here, 1, &there, 1, 0));

	return r == EFAULT ? 0 : r;
}

static int read_memory(const struct attack *a)
{
	char byte;

	return move(a, SYS_process_vm_readv, &byte);
}

static int write_memory(const struct attack *a)
{
	char byte;
	int r = move(a, SYS_process_vm_readv, &byte);

	return r != 0 ? r : move(a, SYS_process_vm_writev, &byte);
}

/* Opens a file of its /proc directory. */
static int open_of(const struct attack *a, const char *name, int flags)
{
	char path[4200];
	pid_t pid = target_of(a);
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd;
}

static int memory_file(const struct attack *a)
{
	unsigned long at = address_in(target_of(a));
	int fd = open_of(a, "mem", O_RDWR);
	char byte;

	if (fd < 0)
		return errno;
	return pread(fd, &byte, 1, (off_t)at) == 1 ? outcome(pwrite(fd, &byte, 1, (off_t)at)) : errno;
}

static int maps(const struct attack *a)
{
	char byte;
	int fd = open_of(a, "maps", O_RDONLY);

	return fd < 0 ? errno : read(fd, &byte, 1) == 1 ? 0 : errno ? errno : NOTHING;
}

static int environment(const struct attack *a)
{
	char byte;
	int fd = open_of(a, "environ", O_RDONLY);

	return fd < 0 ? errno : read(fd, &byte, 1) == 1 ? 0 : errno ? errno : NOTHING;
}

static int descriptor(const struct attack *a)
{
	return outcome(open_of(a, "fd/1", O_WRONLY | O_NONBLOCK));
}

static int working_directory(const struct attack *a)
{
	return outcome(open_of(a, "cwd/.", O_RDONLY | O_DIRECTORY));
}

static int root(const struct attack *a)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "root%s/secret", a->outside);
	return is_secret(open_of(a, name, O_RDONLY));
}

static int take_descriptor(const struct attack *a)
{
	int process = (int)syscall(SYS_pidfd_open, target_of(a), 0);

	return process < 0 ? errno : outcome(syscall(SYS_pidfd_getfd, process, 1, 0));
}

static const struct way ways[] = {
	{ "ptrace", attach },
	{ "process_vm_readv", read_memory },
	{ "process_vm_writev", write_memory },
	{ "mem", memory_file },
	{ "maps", maps },
	{ "environ", environment },
	{ "fd", descriptor },
	{ "cwd", working_directory },
	{ "root", root },
	{ "pidfd_getfd", take_descriptor },
};

ATTACK_MAIN(ways)
