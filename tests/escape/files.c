/* SPDX-License-Identifier: Apache-2.0 */
/* Plain use of files that the policy does not name, by every call that reaches one. */
#include "attack.h"

#include <dirent.h>

static int read_plain(const struct attack *a)
{
	return is_secret(open_outside(a, "secret", O_RDONLY));
}

static int write_plain(const struct attack *a)
{
	int fd = open_outside(a, "written", O_WRONLY | O_CREAT);

	return fd < 0 ? errno : outcome(write(fd, "x", 1));
}

static int append(const struct attack *a)
{
	int fd = open_outside(a, "secret", O_WRONLY | O_APPEND);

	return fd < 0 ? errno : outcome(write(fd, "x", 1));
}

static int truncate_path(const struct attack *a)
{
	char path[4096];

	return outcome(truncate(below(path, sizeof(path), a->outside, "truncated"), 1));
}

static int list(const struct attack *a)
{
	DIR *directory = opendir(a->outside);
	struct dirent *entry;

	if (!directory)
		return errno;
	while ((entry = readdir(directory)))
		if (!strcmp(entry->d_name, "secret"))
			return 0;
	return NOTHING;
}

/* A descriptor that only names a file may be had; opening it again by /proc asks for it anew. */
static int reopen(const struct attack *a)
{
	char path[64];
	int fd = open_outside(a, "secret", O_PATH);

	if (fd < 0)
		return errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return is_secret(open(path, O_RDONLY | O_CLOEXEC));
}

static int by_root_link(const struct attack *a)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "/proc/self/root/%s/secret", a->outside);
	return is_secret(open(path, O_RDONLY | O_CLOEXEC));
}

static int by_thread_cwd(const struct attack *a)
{
	return chdir(a->outside) < 0 ? errno : is_secret(open("/proc/thread-self/cwd/secret", O_RDONLY | O_CLOEXEC));
}

static int by_dotdot(const struct attack *a)
{
	char path[8192] = "";

	if (chdir(a->work) < 0)
		return errno;
	for (int i = 0; i < 40; i++)
		(void)strncat(path, "../", sizeof(path) - strlen(path) - 1);
	(void)strncat(path, a->outside, sizeof(path) - strlen(path) - 1);
	(void)strncat(path, "/secret", sizeof(path) - strlen(path) - 1);
	return is_secret(open(path, O_RDONLY | O_CLOEXEC));
}

static int by_openat2(const struct attack *a)
{
	char path[4096];
	uint64_t how[3] = { O_RDONLY | O_CLOEXEC, 0, 0 };

	return is_secret(
		(int)syscall(437 /* openat2 */, AT_FDCWD, below(path, sizeof(path), a->outside, "secret"), how, sizeof(how)));
}

static int make_directory(const struct attack *a)
{
	char path[4096];

	return outcome(mkdir(below(path, sizeof(path), a->outside, "directory"), 0755));
}

static int remove_file(const struct attack *a)
{
	char path[4096];

	return outcome(unlink(below(path, sizeof(path), a->outside, "removed")));
}

static int execute(const struct attack *a)
{
	char path[4096];
	int status;
	pid_t child = fork();

	if (child == 0) {
		(void)execl(below(path, sizeof(path), a->outside, "program"), "program", (char *)NULL);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static const struct way ways[] = {
	{ "read", read_plain },  { "write", write_plain },  { "append", append },          { "truncate", truncate_path },
	{ "list", list },        { "reopen", reopen },      { "root_link", by_root_link }, { "cwd_link", by_thread_cwd },
	{ "dotdot", by_dotdot }, { "openat2", by_openat2 }, { "mkdir", make_directory },   { "unlink", remove_file },
	{ "execute", execute },
};

ATTACK_MAIN(ways)
