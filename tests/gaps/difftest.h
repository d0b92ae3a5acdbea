/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the differential tests share: printing facts, guard pages, children, and waiting without sleeping blindly.
 *
 * A test is one program that prints a transcript: the same on the kernel and under lichen, byte for byte. So a line never holds
 * a pid, an id, an address or a time, only what follows from them. Every line leaves with one write(2): nothing is buffered
 * that a fork could print twice or a SIGKILL could lose. Two processes print in a known order or not at all.
 *
 * Over 600 lines, because a test is one file and this one header, compiled without a library.
 */
#ifndef DIFFTEST_H
#define DIFFTEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAYBE_UNUSED __attribute__((unused))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096L

/* From <linux/shm.h>, <linux/sem.h>, <linux/msg.h>, which glibc's headers of the same structures exclude. */
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
	void *any;
};

/* --- printing --------------------------------------------------------------------------------------------------------------- */

MAYBE_UNUSED static void write_all(const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(99);
		text += n;
		size -= (size_t)n;
	}
}

/* Prints one line of the transcript. */
__attribute__((format(printf, 1, 2))) MAYBE_UNUSED static void say(const char *format, ...)
{
	char line[1024];
	int saved = errno;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	if (n < 0 || n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	write_all(line, (size_t)n);
	errno = saved;
}

MAYBE_UNUSED static const char *errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "E???";
}

MAYBE_UNUSED static long show_number(const char *call, long result)
{
	if (result == -1)
		say("%s = -1 %s", call, errno_name(errno));
	else
		say("%s = %ld", call, result);
	return result;
}

MAYBE_UNUSED static long show_ok(const char *call, long result)
{
	if (result == -1)
		say("%s = -1 %s", call, errno_name(errno));
	else
		say("%s = ok", call);
	return result;
}

/* Prints the call as it is written here and its result: SHOW for results that are facts, OK for ids, addresses and pids. */
#define SHOW(call) show_number(#call, (long)(call))
#define OK(call) show_ok(#call, (long)(call))
/* A condition that is part of the transcript. */
#define FACT(condition) say("%s: %s", #condition, (condition) ? "yes" : "no")

/* A set-up step that must work for the rest to mean anything. */
MAYBE_UNUSED static long must_(const char *call, const char *file, int line, long result)
{
	if (result == -1) {
		say("%s:%d: %s failed: %s", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, call, errno_name(errno));
		_exit(98);
	}
	return result;
}
#define MUST(call) must_(#call, __FILE__, __LINE__, (long)(call))

/* A number of repetitions: a tenth where a system call costs 75 us. */
MAYBE_UNUSED static int scaled(int count)
{
	return getenv("DIFFTEST_SLOW") ? count / 10 : count;
}

/* --- memory ------------------------------------------------------------------------------------------------------------------ */

/* Memory of the given size whose last byte is followed by a page that cannot be touched. */
MAYBE_UNUSED static void *tail(size_t size)
{
	size_t room = (size + PAGE - 1) / PAGE * PAGE;
	char *at = mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(at == MAP_FAILED ? -1 : 0);
	MUST(mprotect(at + room, PAGE, PROT_NONE));
	memset(at, 0x5a, room);
	return at + room - size;
}

/* The same, holding a copy. */
MAYBE_UNUSED static void *tail_copy(const void *from, size_t size)
{
	return memcpy(tail(size), from, size);
}

/* A pointer to nothing that may be touched. */
MAYBE_UNUSED static void *bad_pointer(void)
{
	static char *at;

	if (!at) {
		at = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		MUST(at == MAP_FAILED ? -1 : 0);
	}
	return at;
}

/* Readable, not writable memory. */
MAYBE_UNUSED static void *read_only_copy(const void *from, size_t size)
{
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(at == MAP_FAILED ? -1 : 0);
	memcpy(at, from, size);
	MUST(mprotect(at, PAGE, PROT_READ));
	return at;
}

/* --- processes ---------------------------------------------------------------------------------------------------------------- */

/* Waits for a child; prints how it ended unless it ended well. */
MAYBE_UNUSED static void reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			say("waitpid: %s", errno_name(errno));
			return;
		}
	if (WIFSIGNALED(status))
		say("child ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		say("child ended with status %d", WEXITSTATUS(status));
}

MAYBE_UNUSED static void reap_quietly(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

MAYBE_UNUSED static pid_t fork_or_die(void)
{
	return (pid_t)MUST(fork());
}

/* Runs the statements in a child and waits for it. */
#define CHILD(...)                          \
	do {                                \
		pid_t pid_ = fork_or_die(); \
		if (pid_ == 0) {            \
			__VA_ARGS__;        \
			_exit(0);           \
		}                           \
		reap(pid_);                 \
	} while (0)

/* In a child: becomes another user without groups or privilege. False, with the reason printed, when that is not allowed. */
MAYBE_UNUSED static bool become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
		say("skip: cannot become user %d: %s", (int)uid, errno_name(errno));
		return false;
	}
	return true;
}

/* Runs the statements in a child as another user. */
#define AS_USER(uid, gid, ...)          \
	CHILD({                         \
		if (become(uid, gid)) { \
			__VA_ARGS__;    \
		}                       \
	})

/* --- order ------------------------------------------------------------------------------------------------------------------- */

MAYBE_UNUSED static void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
}

MAYBE_UNUSED static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* The state letter of a thread as /proc shows it; '?' when there is none. */
MAYBE_UNUSED static char task_state(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	const char *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return '?';
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : '?';
}

/* Waits until the thread has been in a state for a while: it sleeps where it is meant to, not on the way there. */
MAYBE_UNUSED static void wait_state(pid_t pid, pid_t tid, char state)
{
	int calm = 0;

	for (int i = 0; i < 20000 && calm < 8; i++) {
		char seen = task_state(pid, tid);

		if (seen == 'Z' && state != 'Z')
			break; /* it has ended, and will not sleep any more */
		calm = seen == state ? calm + 1 : 0;
		pause_ms(calm ? 3 : 1);
	}
	if (calm < 8)
		say("gave up waiting for state %c", state);
}

MAYBE_UNUSED static void wait_asleep(pid_t pid)
{
	wait_state(pid, pid, 'S');
}

/* Waits until so many sleep on a semaphore for its increase (GETNCNT) or for zero (GETZCNT). */
MAYBE_UNUSED static void wait_sem_sleepers(int semid, int number, int command, int count)
{
	for (int i = 0; i < 20000; i++) {
		if (semctl(semid, number, command) == count)
			return;
		pause_ms(1);
	}
	say("gave up waiting for %d sleepers", count);
}

/* A pipe on which processes tell each other how far they are. */
struct gate {
	int fd[2];
};

MAYBE_UNUSED static struct gate gate_new(void)
{
	struct gate gate;

	MUST(pipe2(gate.fd, O_CLOEXEC));
	return gate;
}

MAYBE_UNUSED static void gate_open(const struct gate *gate)
{
	while (write(gate->fd[1], "x", 1) != 1)
		if (errno != EINTR)
			_exit(97);
}

MAYBE_UNUSED static void gate_wait(const struct gate *gate)
{
	char byte;

	while (read(gate->fd[0], &byte, 1) != 1)
		if (errno != EINTR)
			_exit(97);
}

MAYBE_UNUSED static pthread_t thread_start(void *(*body)(void *), void *arg)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, body, arg);

	if (error) {
		errno = error;
		MUST(-1);
	}
	return thread;
}

/* Sleepers and who of them woke: each writes its letter when its call returns. */
struct wakes {
	int fd[2];
};

MAYBE_UNUSED static struct wakes wakes_new(void)
{
	struct wakes wakes;

	MUST(pipe2(wakes.fd, O_CLOEXEC));
	return wakes;
}

/* In a sleeper. result tells how its call ended; a failed one notes its letter with the errno's first letter after the E. */
MAYBE_UNUSED static void wakes_note(const struct wakes *wakes, char letter, int result)
{
	char note[2] = { letter, result == -1 ? errno_name(errno)[1] : '+' };

	while (write(wakes->fd[1], note, 2) != 2)
		if (errno != EINTR)
			_exit(97);
}

/* Prints which `count` sleepers woke next, in the alphabet's order as they may have raced to say so. */
MAYBE_UNUSED static void wakes_say(const struct wakes *wakes, const char *what, int count)
{
	char text[128] = "";

	for (int i = 0; i < count; i++) {
		char note[3] = "", *at = text;

		while (read(wakes->fd[0], note, 2) != 2)
			if (errno != EINTR)
				_exit(97);
		while (*at && at[0] < note[0])
			at += 3;
		memmove(at + 3, at, strlen(at) + 1);
		memcpy(at, note, 2);
		at[2] = ' ';
	}
	say("%s woke: %s", what, text);
}

/* Reads a small file whole; an empty string when it cannot be opened. */
MAYBE_UNUSED static size_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t fill = 0;
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return 0;
	while (fill < size - 1 && (n = read(fd, text + fill, size - 1 - fill)) > 0)
		fill += (size_t)n;
	close(fd);
	text[fill] = '\0';
	return fill;
}

/* A trapped call with a known answer: true when it gave it. */
MAYBE_UNUSED static bool trapped_ok(void)
{
	return semget(0x1b0000ff, 0, 0) == -1 && errno == ENOENT;
}

/* Writes a file; mode as for open. */
MAYBE_UNUSED static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(97);
	fchmod(fd, mode);
	close(fd);
}

/* Copies a program. */
MAYBE_UNUSED static void copy_file(const char *from, const char *to, mode_t mode)
{
	int in = (int)MUST(open(from, O_RDONLY | O_CLOEXEC)),
	    out = (int)MUST(open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
	char buffer[65536];
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)n) != n)
			_exit(97);
	fchmod(out, mode);
	close(in);
	close(out);
}

/* Whether a capability is in the effective set: environments differ in it, the kernel's rule does not. */
MAYBE_UNUSED static bool has_capability(int number)
{
	char text[4096], *line;

	read_file("/proc/self/status", text, sizeof(text));
	line = strstr(text, "CapEff:");
	return line && strtoull(line + 7, NULL, 16) >> number & 1;
}
enum { DIFFTEST_CAP_SYS_RESOURCE = 24 };

/* Executes in a child and waits: prints the errno when it fails, else what the program printed and its status. */
#define EXEC_CHILD(what, call)                                \
	CHILD({                                               \
		say("%s:", what);                             \
		call;                                         \
		say("  not executed: %s", errno_name(errno)); \
	})

/* --- SysV objects ------------------------------------------------------------------------------------------------------------ */

MAYBE_UNUSED static const char *whose_pid(pid_t pid)
{
	return pid == 0 ? "none" : pid == getpid() ? "self" : pid == getppid() ? "parent" : "other";
}

MAYBE_UNUSED static void say_perm(const char *what, const struct ipc_perm *perm)
{
	say("%s: %s key, uid %d gid %d cuid %d cgid %d mode %#o", what, perm->__key == IPC_PRIVATE ? "private" : "a",
	    (int)perm->uid, (int)perm->gid, (int)perm->cuid, (int)perm->cgid, (unsigned int)perm->mode);
}

/* A key nobody else of this run uses: the transcript never shows it. */
MAYBE_UNUSED static key_t some_key(int n)
{
	return (key_t)(0x1c000000 + (getpid() & 0xffff) * 64 + n);
}

MAYBE_UNUSED static int sem_new(int count)
{
	return (int)MUST(semget(IPC_PRIVATE, count, 0600));
}

MAYBE_UNUSED static int sem_do(int semid, int number, int op, int flags)
{
	struct sembuf sop = { (unsigned short)number, (short)op, (short)flags };

	return semop(semid, &sop, 1);
}

MAYBE_UNUSED static int sem_value(int semid, int number)
{
	return semctl(semid, number, GETVAL);
}

MAYBE_UNUSED static int sem_set(int semid, int number, int value)
{
	return semctl(semid, number, SETVAL, (union semun){ .val = value });
}

MAYBE_UNUSED static void sem_remove(int semid)
{
	MUST(semctl(semid, 0, IPC_RMID));
}

/* Prints all values of a set. */
MAYBE_UNUSED static void say_values(const char *what, int semid, int count)
{
	char text[512];
	int n = 0;

	text[0] = '\0';
	for (int i = 0; i < count && n < 480; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %d", sem_value(semid, i));
	say("%s:%s", what, text);
}

MAYBE_UNUSED static int msg_new(void)
{
	return (int)MUST(msgget(IPC_PRIVATE, 0600));
}

/* A message as msgsnd wants it, with room for the biggest. */
struct message {
	long type;
	char text[8192];
};

MAYBE_UNUSED static int msg_send(int msqid, long type, const char *text, int flags)
{
	struct message m = { .type = type };

	strncpy(m.text, text, sizeof(m.text) - 1);
	return msgsnd(msqid, &m, strlen(text), flags);
}

/* Receives and prints: 'what = 5 type 1 "hello"' or the errno. */
MAYBE_UNUSED static long msg_show(const char *what, int msqid, size_t size, long type, int flags)
{
	struct message m;
	ssize_t n;

	memset(&m, 0, sizeof(m));
	n = msgrcv(msqid, &m, size, type, flags);
	if (n < 0)
		say("%s = -1 %s", what, errno_name(errno));
	else
		say("%s = %zd type %ld \"%.32s\"", what, n, m.type, m.text);
	return n;
}

MAYBE_UNUSED static void msg_remove(int msqid)
{
	MUST(msgctl(msqid, IPC_RMID, NULL));
}

MAYBE_UNUSED static void say_queue(const char *what, int msqid)
{
	struct msqid_ds ds;

	if (msgctl(msqid, IPC_STAT, &ds) != 0)
		say("%s: IPC_STAT: %s", what, errno_name(errno));
	else
		say("%s: qnum %lu cbytes %lu qbytes %lu lspid %s lrpid %s", what, (unsigned long)ds.msg_qnum,
		    (unsigned long)ds.__msg_cbytes, (unsigned long)ds.msg_qbytes, whose_pid(ds.msg_lspid), whose_pid(ds.msg_lrpid));
}

/* Attachments of a segment, -1 when it is gone. */
MAYBE_UNUSED static long attached(int shmid)
{
	struct shmid_ds ds;

	return shmctl(shmid, IPC_STAT, &ds) == 0 ? (long)ds.shm_nattch : -1;
}

MAYBE_UNUSED static int shm_new(size_t size)
{
	return (int)MUST(shmget(IPC_PRIVATE, size, 0600));
}

MAYBE_UNUSED static void *shm_attach(int shmid)
{
	void *at = shmat(shmid, NULL, 0);

	MUST((long)at);
	return at;
}

MAYBE_UNUSED static void shm_remove(int shmid)
{
	MUST(shmctl(shmid, IPC_RMID, NULL));
}

/* Attachments, with a while's patience: a killed process may take a moment to let go of its memory. */
MAYBE_UNUSED static long attached_settles(int shmid, long want)
{
	for (int i = 0; i < 2000 && attached(shmid) != want; i++)
		pause_ms(1);
	return attached(shmid);
}

#endif
