/* SPDX-License-Identifier: Apache-2.0 */
/* A process that writes sysctls keeps its SIGPIPE: actions, handlers, masks, through fork, vfork and execve; broken pipes stay broken pipes. */
#include "difftest.h"

#include <spawn.h>
#include <sys/uio.h>

extern char **environ;

#define FILE_NAME "/proc/sys/kernel/panic"

static volatile sig_atomic_t handled, handled_code;
static char value[64];
static ssize_t value_size;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled++;
	handled_code = info->si_code;
	if (sig != SIGPIPE)
		say("wrong signal");
}

static int broken_pipe(void)
{
	int ends[2];

	MUST(pipe(ends));
	close(ends[0]);
	return ends[1];
}

/* Writes the value that the file has already, in several ways. */
static void write_same(const char *when)
{
	int fd = open(FILE_NAME, O_WRONLY), low;
	struct iovec parts[2] = { { value, 1 }, { value + 1, (size_t)value_size - 1 } };

	say("%s: open %s", when, fd < 0 ? errno_name(errno) : "ok");
	if (fd < 0)
		return;
	SHOW(write(fd, "x", 1));
	FACT(write(fd, value, (size_t)value_size) == value_size);
	SHOW(write(fd, "x", 1));
	FACT(writev(fd, parts, value_size > 1 ? 2 : 1) > 0);
	low = dup2(fd, 100);
	close(fd);
	FACT(syscall(SYS_write, low, value, (size_t)value_size) == value_size);
	SHOW(syscall(SYS_write, low, 8, 4));
	say("%s: handled %d", when, (int)handled);
	close(low);
}

static void say_action(const char *when)
{
	struct sigaction action;

	MUST(sigaction(SIGPIPE, NULL, &action));
	say("%s: %s flags %x mask %d", when,
	    action.sa_handler == SIG_DFL   ? "default"
	    : action.sa_handler == SIG_IGN ? "ignore"
					   : "handler",
	    (unsigned)action.sa_flags & ~0x04000000u, sigismember(&action.sa_mask, SIGUSR1));
}

static void with_handler(int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
	int pipe_end = broken_pipe();

	sigaddset(&action.sa_mask, SIGUSR1);
	MUST(sigaction(SIGPIPE, &action, NULL));
	say_action("handler");
	handled = 0;
	write_same("with a handler");
	SHOW(write(pipe_end, "x", 1));
	say("handled %d", (int)handled);
	say_action("afterwards");
	close(pipe_end);
}

static void in_child(const char *what, void (*run)(void))
{
	pid_t pid;

	say("%s:", what);
	pid = fork();
	if (pid == 0) {
		run();
		_exit(0);
	}
	reap(pid);
}

static void break_pipe(void)
{
	write_same("child");
	(void)!write(broken_pipe(), "x", 1);
	say("not reached");
}

static void die_blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW(write(broken_pipe(), "x", 1));
	sigpending(&set);
	say("pending %d", sigismember(&set, SIGPIPE));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("not reached");
}

static void executed(char *self)
{
	char *argv[] = { self, (char *)(uintptr_t) "again", NULL };
	pid_t pid;

	MUST(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ));
	reap(pid);
}

int main(int argc, char **argv)
{
	int fd = open(FILE_NAME, O_RDONLY);

	value_size = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
	close(fd);
	if (argc > 1) {
		say_action("in a new image");
		write_same("in a new image");
		return 0;
	}
	FACT(value_size > 0);
	say_action("at first");
	write_same("at first");
	say_action("then");
	with_handler(0);
	with_handler(SA_NODEFER | SA_RESTART);
	with_handler(SA_RESETHAND);
	signal(SIGPIPE, SIG_IGN);
	SHOW(write(broken_pipe(), "x", 1));
	write_same("ignored");
	executed(argv[0]);
	signal(SIGPIPE, SIG_DFL);
	executed(argv[0]);
	in_child("default action", break_pipe);
	in_child("blocked", die_blocked);
	return 0;
}
