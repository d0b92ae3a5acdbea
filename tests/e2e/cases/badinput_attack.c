// SPDX-License-Identifier: Apache-2.0
// Attacks the agent in its own address space, then works on. Run natively every attack fails harmlessly.
// Argument: what to attack. Prints 'refused' when the kernel or the agent said no, 'done' otherwise; then uses SysV IPC, starts a
// child and exits with 0.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// src/abi/layout.h
#define COMMONS ((void *)0x51e000000000)
#define PRIVATE ((void *)0x51f000000000)
#define TEXT ((void *)0x520000000000)
#define PAGE 4096ul

static int is(const char *what, const char *name)
{
	return strcmp(what, name) == 0;
}

static int remap(void *at, size_t size)
{
	return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED;
}

// Overwrites what is mapped at an address; faults when nothing is, as natively.
static int scribble(void *at, size_t size)
{
	if (msync(at, PAGE, MS_ASYNC) && errno == ENOMEM) {
		errno = EFAULT;
		return -1;
	}
	memset(at, 0xff, size);
	return 0;
}

static int attack(const char *what)
{
	if (is(what, "unmap-text"))
		return munmap(TEXT, 16 * PAGE);
	if (is(what, "unmap-commons"))
		return munmap(COMMONS, 16 * PAGE);
	if (is(what, "unmap-private"))
		return munmap(PRIVATE, 16 * PAGE);
	if (is(what, "unmap-everything"))
		return munmap((void *)0x51e000000000, 0x520100000000 - 0x51e000000000);
	if (is(what, "remap-text"))
		return remap(TEXT, PAGE);
	if (is(what, "remap-commons"))
		return remap(COMMONS, PAGE);
	if (is(what, "remap-private"))
		return remap(PRIVATE, PAGE);
	if (is(what, "protect-text"))
		return mprotect(TEXT, 16 * PAGE, PROT_NONE);
	if (is(what, "protect-commons"))
		return mprotect(COMMONS, 16 * PAGE, PROT_NONE);
	if (is(what, "move-text"))
		return mremap(TEXT, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x100000000) == MAP_FAILED;
	if (is(what, "discard-private"))
		return madvise(PRIVATE, PAGE, MADV_DONTNEED);
	if (is(what, "write-commons"))
		return scribble(COMMONS, 4 * PAGE);
	if (is(what, "write-private"))
		return scribble(PRIVATE, PAGE);
	if (is(what, "close-all"))
		return (int)syscall(SYS_close_range, 3u, ~0u, 0u);
	if (is(what, "close-each")) {
		for (int fd = 3; fd < 70000; fd++)
			close(fd);
		return 0;
	}
	if (is(what, "dup-over")) {
		struct rlimit limit;
		if (getrlimit(RLIMIT_NOFILE, &limit))
			return -1;
		for (int fd = 3; fd < (int)limit.rlim_cur && fd < 70000; fd++)
			dup2(0, fd);
		for (int fd = 3; fd < (int)limit.rlim_cur && fd < 70000; fd++)
			close(fd);
		return 0;
	}
	fprintf(stderr, "unknown attack\n");
	exit(99);
}

int main(int argc, char **argv)
{
	int result = attack(argc > 1 ? argv[1] : "");
	printf("%s\n", result ? "refused" : "done");
	fflush(stdout);

	struct sembuf up = { 0, 1, 0 };
	int id = semget(IPC_PRIVATE, 1, 0600);
	if (id < 0 || semop(id, &up, 1) || semctl(id, 0, GETVAL) != 1 || semctl(id, 0, IPC_RMID))
		perror("semaphore");
	if (system("exit 5") != 5 << 8) {
		fprintf(stderr, "no child\n");
		return 1;
	}
	printf("works on\n");
	return 0;
}
