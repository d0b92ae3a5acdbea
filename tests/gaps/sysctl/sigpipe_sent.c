/* SPDX-License-Identifier: Apache-2.0 */
/* SIGPIPE that others send, waited for, blocked, ignored, on other stacks, in a process that has written a sysctl; and writes by unusual calls. */
#include "difftest.h"
#include <spawn.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/uio.h>

#define FILE_NAME "/proc/sys/kernel/panic"

extern char **environ;
static char value[64];
static size_t size;
static volatile sig_atomic_t handled, code, number, on_alternate;
static char *alternate;

static void handler(int sig, siginfo_t *info, void *context)
{
	char here;

	(void)sig, (void)context;
	handled++;
	code = info->si_code;
	number = info->si_code == SI_QUEUE ? info->si_value.sival_int : info->si_pid == getpid();
	on_alternate = &here >= alternate && &here < alternate + 65536;
}

static void set_action(int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	MUST(sigaction(SIGPIPE, &action, NULL));
}

static int broken_pipe(void)
{
	int ends[2];

	MUST(pipe(ends));
	close(ends[0]);
	return ends[1];
}

static void sent(void)
{
	set_action(0);
	MUST(kill(getpid(), SIGPIPE));
	say("kill: %d code %d self %d", handled, code, number);
	MUST(syscall(SYS_tgkill, getpid(), gettid(), SIGPIPE));
	say("tgkill: %d code %d self %d", handled, code, number);
	MUST(sigqueue(getpid(), SIGPIPE, (union sigval){ .sival_int = 4711 }));
	say("sigqueue: %d code %d value %d", handled, code, number);
	SHOW(write(broken_pipe(), "x", 1));
	say("broken pipe: %d code %d self %d", handled, code, number);
}

static void stacks(void)
{
	stack_t stack = { .ss_size = 65536 };

	alternate = malloc(65536);
	stack.ss_sp = alternate;
	MUST(sigaltstack(&stack, NULL));
	set_action(0);
	SHOW(write(broken_pipe(), "x", 1));
	say("own stack: on the alternate one %d", on_alternate);
	set_action(SA_ONSTACK);
	SHOW(write(broken_pipe(), "x", 1));
	say("alternate stack: on it %d", on_alternate);
	stack.ss_flags = SS_DISABLE;
	MUST(sigaltstack(&stack, NULL));
}

/* A child sends signals while we read from a pipe, then writes to it. */
static void interrupted(const char *what)
{
	int ends[2];
	pid_t self = getpid(), pid;
	char byte;
	ssize_t n;

	MUST(pipe(ends));
	pid = fork_or_die();
	if (pid == 0) {
		wait_asleep(self);
		kill(self, SIGPIPE);
		pause_ms(30);
		write_all("", 0);
		(void)!write(ends[1], "x", 1);
		_exit(0);
	}
	n = read(ends[0], &byte, 1);
	say("%s: read = %zd %s", what, n, n < 0 ? errno_name(errno) : "");
	reap(pid);
	close(ends[0]);
	close(ends[1]);
}

static void interrupts(void)
{
	set_action(0);
	interrupted("handler");
	set_action(SA_RESTART);
	interrupted("handler with SA_RESTART");
	signal(SIGPIPE, SIG_IGN);
	interrupted("ignored");
}

static void waited(void)
{
	struct signalfd_siginfo seen;
	struct timespec none = { 0, 0 };
	siginfo_t info;
	sigset_t set, old;
	int fd;

	set_action(0);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	handled = 0;
	SHOW(write(broken_pipe(), "x", 1));
	SHOW(sigtimedwait(&set, &info, &none));
	SHOW(sigtimedwait(&set, &info, &none));
	fd = (int)MUST(signalfd(-1, &set, SFD_NONBLOCK));
	SHOW(write(broken_pipe(), "x", 1));
	FACT(read(fd, &seen, sizeof(seen)) == sizeof(seen) && seen.ssi_signo == SIGPIPE);
	/* the old way to write without the signal: it is gone once it is ignored */
	SHOW(write(broken_pipe(), "x", 1));
	signal(SIGPIPE, SIG_IGN);
	sigpending(&set);
	say("pending %d", sigismember(&set, SIGPIPE));
	set_action(0);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
	say("handled %d", handled);
}

static void unusual_calls(void)
{
	int fd = (int)MUST(open(FILE_NAME, O_WRONLY)), null = (int)MUST(open("/dev/null", O_RDWR)), ends[2];
	struct iovec parts[2] = { { value, size }, { value, 0 } };
	volatile long nr = SYS_write;

	handled = 0;
	SHOW(syscall(nr, fd, "x", 1));
	SHOW(syscall(nr, fd, bad_pointer(), 4));
	FACT(pwritev2(fd, parts, 2, -1, 0) == (ssize_t)size);
	FACT(syscall(nr, fd, value, size) == (long)size);
	SHOW(write(fd, value, 0));
	SHOW(writev(fd, parts, 0));
	MUST(pipe(ends));
	(void)!write(ends[1], "x", 1);
	(void)!splice(ends[0], NULL, fd, NULL, 1, 0); /* EINVAL under lichen, but no signal */
	SHOW(sendfile(fd, null, NULL, 1) > 0);
	SHOW(tee(ends[0], fd, 1, 0) > 0);
	say("handled %d", handled);
	close(fd);
}

static void spawned(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"kill -PIPE $$; echo 'not ended'", NULL };
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0)
		reap(pid);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	if (posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ) == 0)
		reap(pid);
	signal(SIGPIPE, SIG_DFL);
}

static volatile long results[3];

static void vfork_writer(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		int fd = open(FILE_NAME, O_WRONLY);

		results[1] = write(fd, "x", 1) == -1 ? errno : 0;
		results[0] = write(fd, value, size) == (ssize_t)size;
		_exit(0);
	}
	reap(pid);
	say("vfork child: %ld %s", results[0], errno_name((int)results[1]));
}

int main(void)
{
	size = read_file(FILE_NAME, value, sizeof(value));
	vfork_writer();
	CHILD((void)!write(broken_pipe(), "x", 1)); /* this process has not written one */
	unusual_calls();
	vfork_writer();
	sent();
	stacks();
	interrupts();
	waited();
	spawned();
	CHILD((void)!write(broken_pipe(), "x", 1));
	return 0;
}
