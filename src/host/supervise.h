/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for a guest and stands in for it towards whoever started lichen: signals and job control; and serves what else wants serving. */
#ifndef LICHEN_HOST_SUPERVISE_H
#define LICHEN_HOST_SUPERVISE_H

#include <signal.h>
#include <sys/types.h>

#include "base/types.h"

#define SUPERVISE_SERVICES_MAX 8u
/* Value of a queued signal (sigqueue(3)): our terminal has sent it, to all of the command's process group. */
#define SUPERVISE_TERMINAL 0x7e41

/*
 * Something that the supervisor does besides waiting for the guest: all in the supervisor's one thread, between signals. A callback must
 * not block: signals wait for it.
 */
struct service {
	int fd;                    /* polled for POLLIN; negative = none */
	void (*ready)(void *data); /* fd can be read, has failed or was hung up; NULL when there is no fd */
	/* Before each sleep. Returns the milliseconds after which it wants to be called again at the latest, negative = no such wish. NULL = none. */
	int (*tick)(void *data);
	void (*resized)(void *data); /* the size of our terminal has changed, or we were continued; NULL = none */
	void (*end)(void *data);     /* supervise_end(), before a signal can end us; NULL = none */
	void *data;
};

struct supervisor {
	sigset_t guest_mask; /* what lichen was started with: the guest starts with it */
	sigset_t waited;
	struct sigaction child_action; /* SIGCHLD before supervise_begin() */
	struct service services[SUPERVISE_SERVICES_MAX];
	u32 service_count;
	bool apart; /* the guest has a session of its own */
	bool relay; /* it is an init that hands signals on to another session: those of our terminal come with SUPERVISE_TERMINAL */
	bool held;  /* its stops are our doing, and not followed */
	bool init;  /* it is pid 1 of a namespace of its own: signals that it does not handle do nothing there (native.h) */
	u64 owed;   /* bit per signal that it had blocked: what becomes of it is looked at every owed_ms */
	u32 owed_ms, owed_looks;
	int ended_by;  /* the signal for which SIGKILL was sent to it; 0 = none */
	int signal_fd; /* readable when a signal is pending; only with services, else negative */
};

/* When lichen starts: a child's end is told, and its status kept, also if who started us ignores SIGCHLD; guests get it as we did. */
void supervise_take_children(void);
/* Before fork: blocks the signals that supervise_wait() takes. */
void supervise_begin(struct supervisor *supervisor);
/* In the child: what supervise_begin() changed is as before, but for the mask, which the agent sets. */
void supervise_reset_signals(const struct supervisor *supervisor);
/* In the child, and again when it has become another user: from now on the death of its parent is its own; if that has died already it ends, also where
 * getppid(2) cannot tell (the first process of a pid namespace). `pipe`: a writing end whose only reading end is the parent's. */
void supervise_end_with(int pipe);
/* After fork: from supervise_wait() on this is served, too. Returns 0 or negative errno (-ENOSPC: SUPERVISE_SERVICES_MAX). */
int supervise_add(struct supervisor *supervisor, const struct service *service) MUST_CHECK;
/* Passes signals on until the guest has ended. Returns its exit status, 128+n when signal n ended it. */
int supervise_wait(struct supervisor *supervisor, pid_t guest);
/* Sends the guest a signal: what it means for any process, also where that is pid 1 of its namespace. 0 or negative errno. */
int supervise_signal(struct supervisor *supervisor, pid_t guest, int sig);
/* Puts the mask back. */
void supervise_end(struct supervisor *supervisor);

#endif
