/* SPDX-License-Identifier: Apache-2.0 */
/* clone(CLONE_PARENT): the child is its maker's sibling; as runc starts a container with it. */
#include "difftest.h"
#include <sched.h>
#include <sys/prctl.h>

static pid_t make_sibling(unsigned long more)
{
	return (pid_t)MUST(syscall(SYS_clone, CLONE_PARENT | SIGCHLD | more, NULL, NULL, NULL, 0));
}

static void say_end(const char *what, pid_t got, pid_t wanted, const int *status)
{
	say("%s: %s %d", what,
	    got < 0         ? errno_name(errno)
	    : got == wanted ? "it"
	    : got           ? "another"
			    : "nobody yet",
	    got > 0 ? WEXITSTATUS(*status) : 0);
}

static void one(void)
{
	struct gate gate = gate_new(), made = gate_new();
	int pair[2], status = 0;
	pid_t parent = getpid(), child, sibling = 0;

	MUST(pipe(pair));
	child = fork_or_die();
	if (child == 0) {
		pid_t maker = getpid();

		sibling = make_sibling(0);
		if (sibling == 0) {
			FACT(getppid() == parent);
			FACT(getppid() != maker);
			gate_open(&made);
			gate_wait(&gate);
			_exit(4);
		}
		gate_wait(&made);
		SHOW(waitpid(sibling, &status, WNOHANG));
		MUST(write(pair[1], &sibling, sizeof(sibling)));
		gate_wait(&gate);
		_exit(5);
	}
	MUST(read(pair[0], &sibling, sizeof(sibling)));
	say_end("too early", waitpid(sibling, &status, WNOHANG), sibling, &status);
	gate_open(&gate);
	gate_open(&gate);
	say_end("sibling", waitpid(sibling, &status, 0), sibling, &status);
	say_end("child", waitpid(-1, &status, 0), child, &status);
	say_end("nobody", waitpid(-1, &status, 0), 0, &status);
}

/* Three stages, the first two of which end: their parent waits for the last. */
static void stages(void)
{
	int pair[2], status = 0, count = 0;
	pid_t last = 0, child, parent = getpid(), pid;
	struct gate gate = gate_new();

	MUST(pipe(pair));
	child = fork_or_die();
	if (child == 0) {
		if (make_sibling(0) > 0)
			_exit(0);
		last = make_sibling(0);
		if (last > 0) {
			MUST(write(pair[1], &last, sizeof(last)));
			_exit(0);
		}
		gate_wait(&gate);
		FACT(getppid() == parent);
		execl("/bin/sh", "sh", "-c", "exit 6", NULL);
		_exit(127);
	}
	MUST(read(pair[0], &last, sizeof(last)));
	while ((pid = wait(&status)) > 0 && count < 2) {
		count++;
		say("a stage %d, the last: %s", WEXITSTATUS(status), pid == last ? "yes" : "no");
		if (count == 2)
			gate_open(&gate);
	}
	say_end("last", pid, last, &status);
	say_end("nobody", waitpid(-1, &status, WNOHANG), 0, &status);
}

int main(void)
{
	one();
	CHILD(MUST(prctl(PR_SET_CHILD_SUBREAPER, 1)); one(); stages());
	stages();
	return 0;
}
