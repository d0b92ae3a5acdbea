/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Using more than the policy's limits: resources WORK OUTSIDE KIND SECONDS, where KIND is a way below. A way escapes when it got all that it wanted,
 * which is several times the limit, and kept it for so long (at most HOLD): a limit may be enforced by looking now and then.
 */
#define WAY_SECONDS 55 /* more than HOLD, less than the runner has patience */
#include "attack.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#define MIB (1024L * 1024)
#define PROCESSES 128
#define DESCRIPTORS 600
#define HOLD 45 /* in gVisor looks take long, and are rare, the more so when much else is running */

static void hold_for_a_while(const struct attack *a)
{
	long seconds = strtol(a->more[1], NULL, 10);

	(void)sleep(seconds < HOLD ? (unsigned int)seconds : HOLD);
}

/* Or until a child has ended, which is left to be waited for. */
static void hold_children(const struct attack *a)
{
	static const struct timespec step = { .tv_nsec = 50000000 };
	long seconds = strtol(a->more[1], NULL, 10);
	siginfo_t ended = { .si_pid = 0 };

	for (long i = 0; i < 20 * (seconds < HOLD ? seconds : HOLD) && !ended.si_pid; i++) {
		(void)nanosleep(&step, NULL);
		(void)waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT);
	}
}

/* 128 processes that stay, where 32 are allowed. */
static int processes(const struct attack *a)
{
	int hold[2], made = 0, error = 0;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return errno;
	while (made < PROCESSES) {
		pid_t child = fork();
		char byte;

		if (child == 0) {
			(void)close(hold[1]);
			(void)!read(hold[0], &byte, 1);
			_exit(0);
		}
		if (child < 0) {
			error = errno;
			break;
		}
		made++;
	}
	if (error == 0)
		hold_children(a);
	(void)close(hold[1]);
	while (made-- > 0) {
		int status;

		if (wait(&status) > 0 && WIFSIGNALED(status))
			error = EAGAIN; /* it was not left alive */
	}
	return error;
}

static void *sleeper(void *argument)
{
	char byte;

	(void)!read(*(int *)argument, &byte, 1);
	return NULL;
}

static int threads(const struct attack *a)
{
	pthread_attr_t small;
	int hold[2], error = 0;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return errno;
	(void)pthread_attr_init(&small);
	(void)pthread_attr_setstacksize(&small, 65536);
	for (int i = 0; i < PROCESSES && error == 0; i++) {
		pthread_t thread;

		error = pthread_create(&thread, &small, sleeper, &hold[0]);
	}
	if (error == 0)
		hold_for_a_while(a);
	return error; /* the end of this child ends them */
}

static int touch(const struct attack *a, int flags, int fd, long size, bool hold)
{
	volatile char *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED)
		return errno;
	for (long i = 0; i < size; i += 4096)
		at[i] = 1;
	if (hold)
		hold_for_a_while(a);
	return 0;
}

/* 96 MiB where 24 MiB are allowed. */
static int memory(const struct attack *a)
{
	return touch(a, MAP_PRIVATE | MAP_ANONYMOUS, -1, 96 * MIB, true);
}

#define MANY 8

/* Touches its share, says so, and keeps it until the pipe is closed that nobody writes to. */
static void one_of_many(const struct attack *a, int ready, int hold)
{
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = touch(a, MAP_PRIVATE | MAP_ANONYMOUS, -1, 12 * MIB, false);
	(void)!write(ready, &r, sizeof(r));
	(void)!read(hold, &r, 1);
	_exit(0);
}

/* By several processes, each below the limit. */
static int memory_of_many(const struct attack *a)
{
	int ready[MANY][2], hold[2], worst = 0;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return errno;
	for (int i = 0; i < MANY; i++) {
		pid_t child = pipe2(ready[i], O_CLOEXEC) < 0 ? -1 : fork();

		if (child == 0) {
			(void)close(hold[1]);
			one_of_many(a, ready[i][1], hold[0]);
		}
		if (child < 0)
			return errno;
		(void)close(ready[i][1]);
	}
	for (int i = 0; i < MANY; i++) {
		int r = ENOMEM; /* it was killed */

		(void)!read(ready[i][0], &r, sizeof(r));
		if (r != 0)
			worst = r;
	}
	if (worst == 0)
		hold_children(a);
	for (int i = 0; i < MANY; i++) { /* killed meanwhile? */
		int status;

		if (i == 0)
			(void)close(hold[1]);
		if (wait(&status) > 0 && WIFSIGNALED(status))
			worst = ENOMEM;
	}
	return worst;
}

static int shared_memory(const struct attack *a)
{
	int fd = memfd_create("x", 8 /* MFD_NOEXEC_SEAL */);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("x", 0);
	if (fd < 0 || ftruncate(fd, 96 * MIB) < 0)
		return errno;
	return touch(a, MAP_SHARED, fd, 96 * MIB, true);
}

static int fill(const char *path, long size)
{
	static char block[65536];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), r = 0;

	memset(block, 1, sizeof(block));
	while (fd >= 0 && size > 0 && r == 0) {
		ssize_t n = write(fd, block, sizeof(block));

		r = n < 0 ? errno : 0;
		size -= n;
	}
	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? errno : r;
}

/* One file of 8 MiB where 1 MiB are allowed. */
static int one_file(const struct attack *a)
{
	char path[4096];
	int r = fill(below(path, sizeof(path), a->work, "big"), 8 * MIB);

	(void)unlink(path);
	return r;
}

/* --- 16 to 32 MiB below WORK, where 4 MiB are allowed -------------------------------------------------------------------------------------------- */

#define DISK_FILES 16
#define DISK_FILE (2 * MIB)
#define SMALL_FILES 1024
#define SMALL_FILE 16384
#define MOVES 200000

static const char *numbered(char *path, size_t size, const struct attack *a, const char *directory, int number)
{
	(void)snprintf(path, size, "%s/%s%d", a->work, directory, number);
	return path;
}

static int remove_all(const struct attack *a, int count, int r)
{
	char path[4096];

	for (int i = 0; i < count; i++)
		(void)unlink(numbered(path, sizeof(path), a, "", i));
	return r;
}

static int fill_many(const struct attack *a, int count, long size)
{
	char path[4096];
	int r = 0;

	for (int i = 0; i < count && r == 0; i++)
		r = fill(numbered(path, sizeof(path), a, "", i), size);
	return r;
}

static int large_files(const struct attack *a)
{
	int r = fill_many(a, DISK_FILES, DISK_FILE);

	if (r == 0)
		hold_for_a_while(a);
	return remove_all(a, DISK_FILES, r);
}

static int small_files(const struct attack *a)
{
	int r = 0;

	for (int i = 0; i < SMALL_FILES && r == 0; i++) {
		char path[4096], block[SMALL_FILE];
		int fd = open(numbered(path, sizeof(path), a, "", i), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		memset(block, 1, sizeof(block));
		r = fd < 0 || write(fd, block, sizeof(block)) < 0 ? errno : 0;
		if (fd >= 0)
			(void)close(fd);
	}
	if (r == 0)
		hold_for_a_while(a);
	return remove_all(a, SMALL_FILES, r);
}

/* One that is deleted before it is filled; it stays open, or mapped. */
static int fill_nameless(const struct attack *a, int number, bool mapped)
{
	char path[4096];
	int fd = open(numbered(path, sizeof(path), a, "", number), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	volatile char *at;

	if (fd < 0 || unlink(path) < 0 || ftruncate(fd, DISK_FILE) < 0)
		return errno;
	at = mmap(NULL, DISK_FILE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return errno;
	for (long i = 0; i < DISK_FILE; i += 4096)
		at[i] = 1;
	if (mapped)
		return outcome(close(fd));
	return outcome(munmap((void *)at, DISK_FILE));
}

static int nameless_files(const struct attack *a, bool mapped)
{
	int r = 0;

	for (int i = 0; i < DISK_FILES && r == 0; i++)
		r = fill_nameless(a, i, mapped);
	if (r == 0)
		hold_for_a_while(a);
	return r;
}

static int mapped_files(const struct attack *a)
{
	return nameless_files(a, true);
}

struct apart {
	const struct attack *a;
	int result;
	bool done;
};

static int table_of_its_own(void *argument)
{
	struct apart *apart = argument;

	apart->result = nameless_files(apart->a, false);
	__atomic_store_n(&apart->done, true, __ATOMIC_RELEASE);
	return 0;
}

/* By descriptors that the first thread of the process does not have. */
static int open_files(const struct attack *a)
{
	static char stack[1 << 18] __attribute__((aligned(16)));
	struct apart apart = { .a = a };

	if (clone(table_of_its_own, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, &apart) < 0)
		return errno;
	while (!__atomic_load_n(&apart.done, __ATOMIC_ACQUIRE))
		(void)usleep(20000);
	return apart.result;
}

/* They never stay where they are. */
static int moved_files(const struct attack *a)
{
	long seconds = strtol(a->more[1], NULL, 10);
	char here[4096], there[4096];
	int r = outcome(mkdir(below(there, sizeof(there), a->work, "other"), 0755));

	if (r == 0)
		r = fill_many(a, DISK_FILES, DISK_FILE);
	for (int i = 0; r == 0 && i < (seconds ? MOVES : 1); i++)
		for (int j = 0; j < DISK_FILES && r == 0; j++) {
			(void)numbered(here, sizeof(here), a, i % 2 ? "other/" : "", j);
			r = outcome(rename(here, numbered(there, sizeof(there), a, i % 2 ? "" : "other/", j)));
		}
	return r;
}

static int output(const struct attack *a)
{
	static char block[65536];

	(void)a;
	memset(block, '.', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\n';
	for (long i = 0; i < 4 * MIB; i += (long)sizeof(block))
		if (write(STDOUT_FILENO, block, sizeof(block)) < 0)
			return errno;
	return 0;
}

static int descriptors(const struct attack *a)
{
	(void)a;
	for (int i = 0; i < DESCRIPTORS; i++)
		if (dup(STDIN_FILENO) < 0)
			return errno;
	return 0;
}

/* Waits, or computes, for so many seconds, deaf to what asks it to end. */
static int patient(const struct attack *a, bool busy)
{
	long seconds = strtol(a->more[1], NULL, 10);
	struct timespec now, end;
	clockid_t clock = busy ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;

	(void)alarm(0);
	for (int i = 1; i < 65; i++)
		(void)signal(i, SIG_IGN);
	(void)clock_gettime(clock, &end);
	end.tv_sec += seconds;
	do {
		if (!busy)
			(void)usleep(50000);
		(void)clock_gettime(clock, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return 0;
}

static int wait_long(const struct attack *a)
{
	return patient(a, false);
}

static int compute(const struct attack *a)
{
	return patient(a, true);
}

static const struct way ways[] = {
	{ "fork", processes },
	{ "threads", threads },
	{ "memory", memory },
	{ "memory_of_many", memory_of_many },
	{ "shared", shared_memory },
	{ "file", one_file },
	{ "disk", large_files },
	{ "disk_small", small_files },
	{ "disk_open", open_files },
	{ "disk_mapped", mapped_files },
	{ "disk_moved", moved_files },
	{ "output", output },
	{ "descriptors", descriptors },
	{ "wait", wait_long },
	{ "cpu", compute },
};

int main(int argc, char **argv)
{
	struct attack a;

	if (argc < 4)
		return 64;
	a = (struct attack){ .program = argv[0], .work = argv[1], .outside = argv[2], .more = argv + 3, .parent = getppid() };
	for (size_t i = 0; i < COUNT(ways); i++)
		if (!strcmp(ways[i].name, argv[3]))
			try_way(&ways[i], &a);
	return 0;
}
