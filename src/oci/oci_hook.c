// SPDX-License-Identifier: Apache-2.0
/* Runs hooks. */
#include "oci/oci_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STEP_NS 5000000
#define SAID 512 /* bytes of a hook's last words */

/* A file with the state, to be read from its start. */
static int state_file(const char *state)
{
	CLEANUP_FD int fd = memfd_create("state", MFD_CLOEXEC);
	size_t size = strlen(state);

	if (fd < 0 || write(fd, state, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return take_fd(&fd);
}

static NORETURN void execute(const struct oci_hook *hook, int input, int output)
{
	const char *alone[] = { hook->path, NULL }, *none[] = { NULL };
	sigset_t all;

	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		_exit(126);
	(void)execve(hook->path, (char *const *)(hook->args && hook->args[0] ? hook->args : alone),
		     (char *const *)(hook->env ? hook->env : none));
	oci_last_words("%s", strerror(errno));
	_exit(127);
}

/* Waits for its end. -ETIMEDOUT: it was killed, because its time was over. */
static int await(pid_t pid, u32 timeout, int *ret_status)
{
	struct timespec now, end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout;
	for (;;) {
		pid_t ended = waitpid(pid, ret_status, timeout ? WNOHANG : 0);

		if (ended == pid)
			return 0;
		if (ended < 0 && errno != EINTR)
			return -errno;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (timeout && (now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec > end.tv_nsec))) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, ret_status, 0);
			return -ETIMEDOUT;
		}
		(void)nanosleep(&(struct timespec){ 0, STEP_NS }, NULL);
	}
}

static int run(const struct oci_hook *hook, const char *time, u32 index, const char *state, struct oci_error *error)
{
	CLEANUP_FD int input = state_file(state), output = memfd_create("hook", MFD_CLOEXEC);
	char said[SAID] = "";
	ssize_t n;
	int status = 0, r;
	pid_t pid = input < 0 || output < 0 ? -1 : fork();

	if (pid < 0)
		return oci_fail_errno(error, "running a %s hook", time);
	if (pid == 0)
		execute(hook, input, output);
	r = await(pid, hook->timeout, &status);
	if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	n = pread(output, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (r == -ETIMEDOUT)
		return oci_fail(error, r, "error running hook #%u: %s hook %s ran past its timeout of %u s", index, time,
				hook->path, hook->timeout);
	return oci_fail(error, r < 0 ? r : -ECANCELED, "error running hook #%u: %s hook %s: %s %d, output: %s", index, time,
			hook->path, WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), said);
}

int oci_hooks_run(const struct oci_spec *spec, enum oci_hook_time time, const char *state, struct oci_error *error)
{
	const struct oci_hooks *hooks = &spec->hooks[time];
	int r = 0;

	for (u32 i = 0; i < hooks->count && r == 0; i++)
		r = run(&hooks->hooks[i], oci_hook_names[time], i, state, error);
	return r;
}
