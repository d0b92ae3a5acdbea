/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that no rule allows to be executed, since they have no name or were just written: memfd, O_TMPFILE, /dev/shm, WORK. */
#include "attack.h"

#include <sys/mman.h>

static int copy_self(const struct attack *a, int to)
{
	char buffer[65536];
	int from = open(a->program, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (from < 0)
		return errno;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return errno;
	(void)close(from);
	return n < 0 ? errno : 0;
}

/* Executes by path, or the descriptor itself if there is none. The copy says 42. */
static int execute(int fd, const char *path)
{
	static char copy[] = "copy", *arguments[] = { copy, NULL };
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (path)
			(void)execve(path, arguments, environ);
		else
			(void)syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return errno;
	if (WIFSIGNALED(status))
		(void)raise(WTERMSIG(status));
	return WEXITSTATUS(status) == 42 ? 0 : WEXITSTATUS(status);
}

static int from_descriptor(const struct attack *a, int fd, bool by_name)
{
	char path[64];
	int r = fd < 0 ? errno : copy_self(a, fd), reader;

	if (r != 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY); /* no program may be open for writing */
	if (reader < 0)
		return errno;
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", reader);
	return execute(reader, by_name ? path : NULL);
}

static int memfd_execveat(const struct attack *a)
{
	return from_descriptor(a, memfd_create("x", 0), false);
}

static int memfd_name(const struct attack *a)
{
	return from_descriptor(a, memfd_create("x", 0), true);
}

static int memfd_exec_flag(const struct attack *a)
{
	return from_descriptor(a, memfd_create("x", 0x10 /* MFD_EXEC */), true);
}

static int unnamed(const struct attack *a)
{
	return from_descriptor(a, open(a->work, O_TMPFILE | O_RDWR, 0700), true);
}

static int from_file(const struct attack *a, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755), r;

	if (fd < 0)
		return errno;
	r = copy_self(a, fd);
	(void)close(fd);
	if (r == 0)
		r = execute(-1, path);
	(void)unlink(path);
	return r;
}

static int shared_memory(const struct attack *a)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/shm/escape-%d", (int)getpid());
	return from_file(a, path);
}

static int written(const struct attack *a)
{
	char path[4096];

	return from_file(a, below(path, sizeof(path), a->work, "written"));
}

static const struct way ways[] = {
	{ "memfd_execveat", memfd_execveat }, { "memfd_name", memfd_name },
	{ "memfd_flag", memfd_exec_flag },    { "tmpfile", unnamed },
	{ "dev_shm", shared_memory },         { "written", written },
};

int main(int argc, char **argv)
{
	return argc == 1 ? 42 : attack_main(ways, COUNT(ways), argc, argv);
}
