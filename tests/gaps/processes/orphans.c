/* SPDX-License-Identifier: Apache-2.0 */
/* PR_SET_CHILD_SUBREAPER: whose child an orphan is, how its end is told by wait4 and waitid, and who is told. */
#include "difftest.h"
#include <sys/prctl.h>

extern char **environ;

/* A grandchild that its parent has left behind: it runs the statements when the gate opens. Its pid. */
#define ORPHAN(gate, ...)                                           \
	({                                                          \
		int pair_[2];                                       \
		pid_t pid_ = 0, child_;                             \
		MUST(pipe(pair_));                                  \
		child_ = fork_or_die();                             \
		if (child_ == 0) {                                  \
			pid_ = fork_or_die();                       \
			if (pid_ == 0) {                            \
				gate_wait(gate);                    \
				__VA_ARGS__;                        \
				_exit(0);                           \
			}                                           \
			MUST(write(pair_[1], &pid_, sizeof(pid_))); \
			_exit(0);                                   \
		}                                                   \
		reap(child_);                                       \
		MUST(read(pair_[0], &pid_, sizeof(pid_)));          \
		close(pair_[0]);                                    \
		close(pair_[1]);                                    \
		pid_;                                               \
	})

/* status: what a wait that is an argument, too, has just written */
static void say_status(const char *what, pid_t got, pid_t wanted, const int *status)
{
	if (got < 0)
		say("%s: %s", what, errno_name(errno));
	else if (got == 0)
		say("%s: nobody yet", what);
	else if (WIFSIGNALED(*status))
		say("%s: %s SIG%s", what, got == wanted ? "it" : "another", sigabbrev_np(WTERMSIG(*status)));
	else
		say("%s: %s %d", what, got == wanted ? "it" : "another", WEXITSTATUS(*status));
}

static void settings(void)
{
	int on = 9;

	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on));
	SHOW(on);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 7));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on));
	SHOW(on);
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, bad_pointer()));
	CHILD(on = 9; SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on)); SHOW(on));
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on));
	SHOW(on);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void by_wait4(struct gate *gate)
{
	pid_t reaper = getpid(), orphan = ORPHAN(gate, FACT(getppid() == reaper); _exit(5));
	int status = 0;

	say_status("WNOHANG", waitpid(-1, &status, WNOHANG), orphan, &status);
	say_status("WNOHANG pid", waitpid(orphan, &status, WNOHANG), orphan, &status);
	gate_open(gate);
	say_status("any", waitpid(-1, &status, 0), orphan, &status);
	say_status("once more", waitpid(-1, &status, WNOHANG), orphan, &status);
	orphan = ORPHAN(gate, _exit(6));
	gate_open(gate);
	say_status("by pid", waitpid(orphan, &status, 0), orphan, &status);
	say_status("by pid again", waitpid(orphan, &status, 0), orphan, &status);
	orphan = ORPHAN(gate, _exit(7));
	gate_open(gate);
	say_status("own group", waitpid(0, &status, 0), orphan, &status);
	say_status("another group", waitpid(-orphan, &status, 0), orphan, &status);
	orphan = ORPHAN(gate, pause());
	MUST(kill(orphan, SIGTERM));
	say_status("terminated", waitpid(-1, &status, 0), orphan, &status);
	orphan = ORPHAN(gate, pause());
	MUST(kill(orphan, SIGKILL));
	say_status("killed", waitpid(-1, &status, 0), orphan, &status);
	orphan = ORPHAN(gate, abort());
	gate_open(gate);
	say_status("by its own", waitpid(-1, &status, 0), orphan, &status);
}

static void by_waitid(struct gate *gate)
{
	pid_t orphan = ORPHAN(gate, _exit(8));
	siginfo_t info = { .si_pid = 1 };

	SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	SHOW(info.si_pid);
	SHOW(waitid(P_PID, (id_t)orphan, &info, WSTOPPED | WNOHANG));
	gate_open(gate);
	for (int i = 0; i < 2; i++) {
		memset(&info, 0, sizeof(info));
		SHOW(waitid(i ? P_PID : P_ALL, (id_t)orphan, &info, WEXITED | WNOWAIT));
		say("  %d code %d status %d pid %s uid %s", info.si_signo, info.si_code, info.si_status,
		    info.si_pid == orphan ? "right" : "wrong", info.si_uid == getuid() ? "right" : "wrong");
	}
	SHOW(waitid(P_PID, (id_t)orphan, NULL, WEXITED));
	SHOW(waitid(P_PID, (id_t)orphan, NULL, WEXITED));
	orphan = ORPHAN(gate, pause());
	MUST(kill(orphan, SIGINT));
	SHOW(waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED));
	say("  %d code %d status %d pid %s", info.si_signo, info.si_code, info.si_status,
	    info.si_pid == orphan ? "right" : "wrong");
	SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
}

/* SIGCHLD, while real children are there, too. */
static void told(struct gate *gate)
{
	struct timespec long_enough = { 20, 0 };
	struct gate other = gate_new();
	sigset_t chld;
	int status;
	pid_t orphan, child;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &chld, NULL));
	orphan = ORPHAN(gate, _exit(9));
	child = fork_or_die();
	if (child == 0) {
		gate_wait(&other);
		_exit(10);
	}
	while (sigtimedwait(&chld, NULL, &(struct timespec){ 0, 0 }) > 0)
		;
	gate_open(gate);
	SHOW(sigtimedwait(&chld, NULL, &long_enough) == SIGCHLD);
	say_status("orphan", waitpid(-1, &status, WNOHANG), orphan, &status);
	say_status("child", waitpid(-1, &status, WNOHANG), child, &status);
	gate_open(&other);
	say_status("child", waitpid(-1, &status, 0), child, &status);
	say_status("nobody", waitpid(-1, &status, 0), child, &status);
	MUST(sigprocmask(SIG_UNBLOCK, &chld, NULL));
}

/* A program that a vfork child executed, whose parent ends at once. */
static void spawned(void)
{
	int status = 0;
	pid_t child = fork_or_die();

	if (child == 0) {
		pid_t pid = vfork();

		if (pid == 0) {
			execl("/bin/sh", "sh", "-c", "exit 11", NULL);
			_exit(127);
		}
		_exit(0);
	}
	reap(child);
	say_status("spawned", waitpid(-1, &status, 0), 0, &status);
}

/* Subreapers in a line: the nearest living one adopts. */
static void line(struct gate *gate)
{
	struct gate done = gate_new();
	pid_t reaper = getpid(), child = fork_or_die(), inner;
	int status = 0;

	if (child == 0) {
		inner = getpid();
		MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
		(void)ORPHAN(gate, FACT(getppid() == inner); gate_open(&done); gate_wait(gate);
			     for (int i = 0; i < 5000 && getppid() == inner; i++) pause_ms(1); FACT(getppid() == reaper);
			     _exit(12));
		gate_open(gate);
		gate_wait(&done);
		_exit(3);
	}
	say_status("inner subreaper", waitpid(child, &status, 0), child, &status);
	gate_open(gate);
	say_status("its orphan", waitpid(-1, &status, 0), 0, &status);
	say_status("nobody", waitpid(-1, &status, 0), 0, &status);
}

int main(void)
{
	struct gate gate = gate_new();

	settings();
	by_wait4(&gate);
	by_waitid(&gate);
	told(&gate);
	spawned();
	line(&gate);
	return 0;
}
