/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor waits for signals, not for calls: everything it may get is blocked and taken by sigwaitinfo. With services it sleeps in
 * poll instead, where a signalfd tells that a signal is pending; it is still taken by sigtimedwait, which tells all there is to know of it.
 *
 *   SIGCHLD           reap the guest and whatever became our child, or follow its stop: lichen stops too, so that the shell sees a stopped job
 *   from the kernel   (terminal: Ctrl-C, Ctrl-\, hang-up, window size): the guest's process group has got it as well; ours to ignore
 *   from a process    passed on to the guest
 *   SIGCONT           passed on, so that `fg` and `kill -CONT` wake the guest
 *
 * A guest in a session of its own (`apart`) gets nothing from our terminal: Ctrl-C, Ctrl-\ and a hang-up are passed on to its process group, as the
 * terminal would (a shell waits for what it runs, and lives on when that ends otherwise), and its stops are its own.
 */
#include "host/supervise.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/native.h"

#define OWED_FIRST_MS 2u
#define OWED_LAST_MS 500u
#define OWED_LOOKS 8u /* half a second: who has a signal blocked for so long, takes it by other means */

static bool children_ignored; /* SIGCHLD, by who started lichen */

void supervise_take_children(void)
{
	struct sigaction reap = { .sa_handler = SIG_DFL }, given = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGCHLD, &reap, &given);
	children_ignored = given.sa_handler == SIG_IGN;
}

void supervise_begin(struct supervisor *supervisor)
{
	struct sigaction reap = { .sa_handler = SIG_DFL }; /* ignored, the kernel would reap the guest before us */

	supervisor->service_count = 0;
	supervisor->apart = supervisor->relay = supervisor->held = false;
	supervisor->init = false;
	supervisor->ended_by = 0;
	supervisor->owed = 0;
	supervisor->owed_ms = 0;
	supervisor->signal_fd = FD_NONE;
	(void)sigaction(SIGCHLD, &reap, &supervisor->child_action);
	sigfillset(&supervisor->waited); /* a fault of our own still ends us: blocked, it is not waited for */
	(void)sigprocmask(SIG_BLOCK, &supervisor->waited, &supervisor->guest_mask);
}

void supervise_reset_signals(const struct supervisor *supervisor)
{
	static const struct sigaction ignored = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGCHLD, children_ignored ? &ignored : &supervisor->child_action, NULL);
}

void supervise_end_with(int pipe)
{
	struct pollfd end = { .fd = pipe };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (poll(&end, 1, 0) == 1 && (end.revents & POLLERR))
		_exit(125);
}

int supervise_add(struct supervisor *supervisor, const struct service *service)
{
	if (supervisor->service_count == SUPERVISE_SERVICES_MAX)
		return -ENOSPC;
	if (supervisor->signal_fd < 0)
		supervisor->signal_fd = signalfd(-1, &supervisor->waited, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signal_fd < 0)
		return -errno;
	supervisor->services[supervisor->service_count++] = *service;
	return 0;
}

void supervise_end(struct supervisor *supervisor)
{
	for (u32 i = 0; i < supervisor->service_count; i++)
		if (supervisor->services[i].end)
			supervisor->services[i].end(supervisor->services[i].data);
	close_fd(&supervisor->signal_fd);
	(void)sigaction(SIGCHLD, &supervisor->child_action, NULL);
	(void)sigprocmask(SIG_SETMASK, &supervisor->guest_mask, NULL);
}

/* What its default action would do to another process. */
static int take_default_action(struct supervisor *supervisor, pid_t guest, int sig)
{
	int sent = native_signal_default(sig);

	if (kill(guest, sent) < 0)
		return -errno;
	if (sent == SIGKILL && !supervisor->ended_by)
		supervisor->ended_by = sig;
	return 0;
}

static void owe(struct supervisor *supervisor, int sig)
{
	supervisor->owed |= UINT64_C(1) << sig;
	supervisor->owed_ms = OWED_FIRST_MS;
	supervisor->owed_looks = 0;
}

int supervise_signal(struct supervisor *supervisor, pid_t guest, int sig)
{
	enum native_signal_fate fate = supervisor->init ? native_signal_fate(guest, sig) : NATIVE_SIGNAL_ITS_OWN;

	if (fate == NATIVE_SIGNAL_DROPPED)
		return take_default_action(supervisor, guest, sig);
	if (kill(guest, sig) < 0)
		return -errno;
	if (fate != NATIVE_SIGNAL_ITS_OWN)
		owe(supervisor, sig);
	return 0;
}

/* Signals that pid 1 had blocked: once it has unblocked one without a handler, the kernel has dropped it. */
static void settle(struct supervisor *supervisor, pid_t guest)
{
	for (int sig = 1; sig < 64; sig++) {
		enum native_signal_fate fate;

		if (!(supervisor->owed & UINT64_C(1) << sig))
			continue;
		fate = native_signal_fate(guest, sig);
		if (fate == NATIVE_SIGNAL_DROPPED)
			(void)take_default_action(supervisor, guest, sig);
		if (fate == NATIVE_SIGNAL_PENDING || (fate == NATIVE_SIGNAL_BLOCKED && supervisor->owed_looks < OWED_LOOKS))
			continue; /* blocked again: it may have been dropped in between, or taken by sigwait(3) */
		supervisor->owed &= ~(UINT64_C(1) << sig);
	}
	supervisor->owed_looks++;
	if (supervisor->owed_ms < OWED_LAST_MS)
		supervisor->owed_ms *= 2;
}

/* As it was sent: kill(2) or sigqueue(3). */
static void pass_on(struct supervisor *supervisor, pid_t guest, int sig, const siginfo_t *info)
{
	if (info->si_code == SI_QUEUE && !supervisor->init)
		(void)sigqueue(guest, sig, info->si_value);
	else
		(void)supervise_signal(supervisor, guest, sig);
}

/* What our terminal sends, to a guest in another session: for its whole process group, which it leads. */
static void pass_on_terminal(struct supervisor *supervisor, pid_t guest, int sig)
{
	if (supervisor->relay)
		(void)sigqueue(guest, sig, (union sigval){ .sival_int = SUPERVISE_TERMINAL });
	else if (supervisor->init)
		(void)supervise_signal(supervisor, guest, sig);
	else if (kill(-guest, sig) < 0) /* it leads no group yet */
		(void)kill(guest, sig);
}

/* The terminal's signals have reached the guest, which may have dropped them as pid 1: then the default action is ours to take. */
static void make_up_for(struct supervisor *supervisor, pid_t guest, int sig)
{
	bool terminal = sig == SIGINT || sig == SIGQUIT || sig == SIGTSTP;

	if (!supervisor->init || supervisor->apart || !terminal || getpgid(guest) != getpgrp())
		return;
	switch (native_signal_fate(guest, sig)) {
	case NATIVE_SIGNAL_DROPPED:
		(void)take_default_action(supervisor, guest, sig);
		break;
	case NATIVE_SIGNAL_PENDING:
		owe(supervisor, sig);
		break;
	case NATIVE_SIGNAL_ITS_OWN:
	case NATIVE_SIGNAL_BLOCKED: /* it has taken it */
		break;
	}
}

/* The guest has stopped: so do we, until somebody continues us, then it. */
static void follow_stop(pid_t guest)
{
	(void)kill(getpid(), SIGSTOP);
	(void)kill(guest, SIGCONT);
}

/* Serves what is ready, or sleeps until something is or a signal comes. Returns whether a signal may be pending. */
static bool serve(struct supervisor *supervisor)
{
	struct pollfd polled[SUPERVISE_SERVICES_MAX + 1] = { { .fd = supervisor->signal_fd, .events = POLLIN } };
	int sleep = supervisor->owed ? (int)supervisor->owed_ms : -1;

	for (u32 i = 0; i < supervisor->service_count; i++) {
		const struct service *service = &supervisor->services[i];
		int wish = service->tick ? service->tick(service->data) : -1;

		polled[i + 1] = (struct pollfd){ .fd = service->fd, .events = POLLIN };
		if (wish >= 0 && (sleep < 0 || wish < sleep))
			sleep = wish;
	}
	if (poll(polled, supervisor->service_count + 1, sleep) <= 0)
		return false;
	for (u32 i = 0; i < supervisor->service_count; i++)
		if (polled[i + 1].revents && supervisor->services[i].ready)
			supervisor->services[i].ready(supervisor->services[i].data);
	return polled[0].revents != 0;
}

/* The next signal: its number, or negative when there is none (yet). */
static int next_signal(struct supervisor *supervisor, siginfo_t *info)
{
	static const struct timespec now;
	struct timespec soon = { .tv_nsec = (long)supervisor->owed_ms * 1000000 };

	if (!supervisor->service_count)
		return supervisor->owed ? sigtimedwait(&supervisor->waited, info, &soon) : sigwaitinfo(&supervisor->waited, info);
	return serve(supervisor) ? sigtimedwait(&supervisor->waited, info, &now) : -1;
}

/* What we did ourselves (SIGPIPE) is ours. A hang-up of the terminal goes to the session's leader alone: that may be us. What it sends never reaches
 * a guest in another session. */
static bool meant_for_guest(const struct supervisor *supervisor, pid_t guest, int sig, const siginfo_t *info)
{
	if (info->si_code <= 0)
		return info->si_pid != guest && info->si_pid != getpid();
	return supervisor->apart ? sig == SIGHUP || sig == SIGINT || sig == SIGQUIT : sig == SIGHUP && getsid(0) == getpid();
}

/* Tells those who follow the size of our terminal. */
static void look_at_size(const struct supervisor *supervisor, int sig)
{
	for (u32 i = 0; i < supervisor->service_count && (sig == SIGWINCH || sig == SIGCONT); i++)
		if (supervisor->services[i].resized)
			supervisor->services[i].resized(supervisor->services[i].data);
}

int supervise_wait(struct supervisor *supervisor, pid_t guest)
{
	for (;;) {
		siginfo_t info;
		int status, sig;
		pid_t pid;

		do
			pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
		while (pid > 0 && pid != guest); /* orphans, when we are pid 1 or a subreaper */
		if (pid == guest && WIFEXITED(status))
			return WEXITSTATUS(status);
		if (pid == guest && WIFSIGNALED(status))
			return 128 +
			       (WTERMSIG(status) == SIGKILL && supervisor->ended_by ? supervisor->ended_by : WTERMSIG(status));
		if (pid == guest && WIFSTOPPED(status)) {
			if (!supervisor->apart && !supervisor->held)
				follow_stop(guest);
			continue;
		}
		sig = next_signal(supervisor, &info);
		if (supervisor->owed)
			settle(supervisor, guest);
		if (sig < 0 || sig == SIGCHLD)
			continue;
		look_at_size(supervisor, sig);
		if (!meant_for_guest(supervisor, guest, sig, &info)) {
			if (info.si_code > 0)
				make_up_for(supervisor, guest, sig);
		} else if (info.si_code > 0 && supervisor->apart) {
			pass_on_terminal(supervisor, guest, sig);
		} else {
			pass_on(supervisor, guest, sig, &info);
		}
	}
}
