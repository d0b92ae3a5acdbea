// SPDX-License-Identifier: Apache-2.0
/* Programs of lichen's own, found and run. */
#include "host/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_there(const char *dir, const char *between, const char *name, char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s%s/%s", dir, between, name);
	return length < PATH_MAX && access(path, X_OK) == 0;
}

int helper_find(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX], other[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	*path = '\0';
	if (length > 0) {
		self[length] = '\0';
		char *slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		if (is_there(self, "", name, path))
			return 0;
		if (is_there(self, "/../libexec/lichen", name, other)) {
			memcpy(path, other, sizeof(other));
			return 0;
		}
	}
	if (!is_there(LICHEN_LIBEXEC, "", name, other))
		return -ENOENT;
	memcpy(path, other, sizeof(other));
	return 0;
}

/* The child, until it is the helper. `report` takes the errno of what failed, and closes by execve. */
static void become(const char *path, char *const argv[], int keep, const int fds[3], int report, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	bool ok = prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 || errno == EINVAL;
	ok = ok && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
	for (int fd = 0; fd < 3 && ok; fd++)
		ok = dup2(fds[fd], fd) >= 0;
	if (ok && keep >= 0)
		ok = fcntl(keep, F_SETFD, 0) == 0;
	if (ok && getppid() == parent)
		execv(path, argv);
	int error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

int helper_start(const char *path, char *const argv[], int keep, struct helper *ret_helper)
{
	return helper_start_input(path, argv, FD_NONE, keep, ret_helper);
}

int helper_start_input(const char *path, char *const argv[], int in, int keep, struct helper *ret_helper)
{
	int out[2], report[2], error = 0;
	pid_t parent = getpid();
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	CLEANUP_FD int out_read = out[0];
	CLEANUP_FD int out_write = out[1];
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	CLEANUP_FD int report_read = report[0];
	int report_write = report[1];
	CLEANUP_FD int err = memfd_create("stderr", MFD_CLOEXEC);
	CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = err < 0 || null < 0 ? -1 : fork();
	if (pid == 0)
		become(path, argv, keep, (const int[]){ in >= 0 ? in : null, out_write, err }, report_write, parent);
	if (pid < 0)
		error = -errno;
	close_fd(&report_write);
	if (error)
		return error;
	int child_error = 0;
	if (read(report_read, &child_error, sizeof(child_error)) == sizeof(child_error)) {
		(void)waitpid(pid, NULL, 0);
		return -child_error;
	}
	*ret_helper = (struct helper){ .pid = pid, .out = take_fd(&out_read), .err = take_fd(&err) };
	return 0;
}

int helper_wait(struct helper *helper)
{
	int status;
	while (waitpid(helper->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	helper->pid = 0;
	if (lseek(helper->err, 0, SEEK_SET) < 0)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void helper_close(struct helper *helper)
{
	close_fd(&helper->out);
	close_fd(&helper->err);
	helper->out = helper->err = FD_NONE;
}
