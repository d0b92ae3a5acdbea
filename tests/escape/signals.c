/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to processes that are no descendants: the supervisor (our parent), or a process which has nothing to do with us. ARG: its pid, and
 * 'kill' if it is to be ended. Stopping is undone.
 */
#include "attack.h"

#include <sys/socket.h>

static int zero(const struct attack *a)
{
	return outcome(kill(target_of(a), 0));
}

static int stop(const struct attack *a)
{
	if (kill(target_of(a), SIGSTOP) < 0)
		return errno;
	return outcome(kill(target_of(a), SIGCONT));
}

static int to_thread(const struct attack *a)
{
	pid_t pid = target_of(a);

	return outcome(syscall(SYS_tgkill, pid, pid, SIGCONT));
}

static int queued(const struct attack *a)
{
	return outcome(sigqueue(target_of(a), SIGCONT, (union sigval){ .sival_int = 1 }));
}

static int by_pidfd(const struct attack *a)
{
	int process = (int)syscall(SYS_pidfd_open, target_of(a), 0);

	return process < 0 ? errno : outcome(syscall(SYS_pidfd_send_signal, process, SIGCONT, NULL, 0));
}

/* Told of input, the kernel sends the signal, with the rights of who asked for it. Whether it came, the victim says (victim.c). */
static int by_owner(const struct attack *a)
{
	int pair[2];

	if (!a->more[0] || a->more[1])
		return NOT_ASKED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	if (fcntl(pair[0], F_SETSIG, SIGUSR1) < 0 || fcntl(pair[0], F_SETOWN, target_of(a)) < 0 ||
	    fcntl(pair[0], F_SETFL, O_ASYNC) < 0)
		return errno;
	return outcome(write(pair[1], "x", 1));
}

static int group(const struct attack *a)
{
	pid_t pid = getpgid(target_of(a));

	if (pid < 0)
		return errno;
	return pid == 1 ? ESRCH : outcome(kill(-pid, 0)); /* that of a namespace's first process has no number: -1 is everybody */
}

static int end(const struct attack *a)
{
	if (!a->more[0] || !a->more[1])
		return NOT_ASKED;
	return outcome(kill(target_of(a), SIGKILL));
}

static const struct way ways[] = {
	{ "zero", zero },      { "stop", stop },   { "tgkill", to_thread }, { "sigqueue", queued },
	{ "pidfd", by_pidfd }, { "group", group }, { "owner", by_owner },   { "kill", end },
};

ATTACK_MAIN(ways)
