/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the attacks share. An attack is one program that tries one class of escape in several ways, each in a child of its own:
 *
 *     ATTACK WORK OUTSIDE [ARG…]      WORK: what the policy lets it write; OUTSIDE: what it names nowhere; ARG: see attacks.py
 *
 * It prints a line for each way: 'WAY escaped', 'WAY ERRNO' (what refused it), 'WAY SIGNAL' (what ended it), or 'WAY nothing': there
 * was nothing to attack. attacks.py asks for every way to escape without a cage, and for none in one; what the program says is
 * not all that counts, the test looks at OUTSIDE, too.
 *
 * Attacks that change something outside without a cage must do no harm: they write back what was there.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAYBE_UNUSED __attribute__((unused))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOTHING (-1)            /* the attack finds nothing to attack */
#define NOT_ASKED (-2)          /* the test does not want this way here */
#define NOBODY ((pid_t)1 << 22) /* no process has this id: it is above the kernel's highest */
#ifndef WAY_SECONDS
#define WAY_SECONDS 30
#endif

struct attack {
	const char *program; /* its own path */
	const char *work;
	const char *outside;
	char **more;  /* further arguments, NULL at the end */
	pid_t parent; /* of the attack; a way runs in a child */
};

struct way {
	const char *name;
	int (*try)(const struct attack *a); /* 0: escaped; an errno: what refused it; NOTHING */
};

/* The outcome of a call that says -1 and errno. */
MAYBE_UNUSED static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

/* DIRECTORY/NAME; the caller's buffer. */
MAYBE_UNUSED static const char *below(char *buffer, size_t size, const char *directory, const char *name)
{
	(void)snprintf(buffer, size, "%s/%s", directory, name);
	return buffer;
}

/* Whether what an open gave is the secret: OUTSIDE/secret begins with this word. Closes it. */
MAYBE_UNUSED static int is_secret(int fd)
{
	char text[6] = { 0 };
	int r;

	if (fd < 0)
		return errno;
	r = read(fd, text, sizeof(text)) < 0 ? errno : memcmp(text, "secret", 6) ? NOTHING : 0;
	(void)close(fd);
	return r;
}

MAYBE_UNUSED static int open_outside(const struct attack *a, const char *name, int flags)
{
	char path[4096];

	return open(below(path, sizeof(path), a->outside, name), flags | O_CLOEXEC, 0644);
}

/* A file of this content; 0 or errno. */
MAYBE_UNUSED static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), r;

	if (fd < 0)
		return errno;
	r = write(fd, text, strlen(text)) < 0 ? errno : 0;
	(void)close(fd);
	return r;
}

/* The process that an argument names, else the parent. In a cage the id may be one of ours by chance, and a parent is not seen: then nobody. */
MAYBE_UNUSED static pid_t target_of(const struct attack *a)
{
	pid_t pid = a->more[0] ? (pid_t)strtol(a->more[0], NULL, 10) : a->parent;

	return pid == 0 || pid == getpid() || pid == getppid() ? NOBODY : pid;
}

MAYBE_UNUSED static void say_outcome(const char *name, int r, int status)
{
	const char *text = r == 0 ? "escaped" : r == NOTHING ? "nothing" : strerrorname_np(r);
	char signal_name[32];

	if (r == NOT_ASKED)
		return;
	if (WIFSIGNALED(status)) {
		const char *known = sigabbrev_np(WTERMSIG(status));

		(void)snprintf(signal_name, sizeof(signal_name), "SIG%s", known ? known : "?");
		text = signal_name;
	}
	printf("%s %s\n", name, text ? text : "E?");
	(void)fflush(stdout);
}

/* One way in a child of its own, since a filter may kill it. */
MAYBE_UNUSED static void try_way(const struct way *way, const struct attack *a)
{
	int told[2], r = NOTHING, status = 0;
	pid_t child;

	if (pipe2(told, O_CLOEXEC) < 0) {
		say_outcome(way->name, errno, 0);
		return;
	}
	child = fork();
	if (child == 0) {
		(void)alarm(WAY_SECONDS);
		r = way->try(a);
		_exit(write(told[1], &r, sizeof(r)) == sizeof(r) ? 0 : 99);
	}
	(void)close(told[1]);
	if (child < 0) {
		r = errno;
	} else {
		ssize_t n = read(told[0], &r, sizeof(r));

		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		if (n == sizeof(r))
			status = 0;
	}
	(void)close(told[0]);
	say_outcome(way->name, r, status);
}

#define ATTACK_MAIN(ways)                                          \
	int main(int argc, char **argv)                            \
	{                                                          \
		return attack_main(ways, COUNT(ways), argc, argv); \
	}

MAYBE_UNUSED static int attack_main(const struct way *ways, size_t count, int argc, char **argv)
{
	struct attack a;

	if (argc < 3)
		return 64;
	a = (struct attack){ .program = argv[0], .work = argv[1], .outside = argv[2], .more = argv + 3, .parent = getppid() };
	for (size_t i = 0; i < count; i++)
		try_way(&ways[i], &a);
	return 0;
}

#endif
