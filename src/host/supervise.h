/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for a guest and stands in for it towards whoever started lichen: signals and job control. */
#ifndef LICHEN_HOST_SUPERVISE_H
#define LICHEN_HOST_SUPERVISE_H

#include <signal.h>
#include <sys/types.h>

struct supervisor {
	sigset_t guest_mask; /* what lichen was started with: the guest starts with it */
	sigset_t waited;
	struct sigaction child_action; /* SIGCHLD as lichen was started with */
};

/* Before fork: blocks the signals that supervise_wait() takes. */
void supervise_begin(struct supervisor *supervisor);
/* In the child: what supervise_begin() changed is as before, but for the mask, which the agent sets. */
void supervise_reset_signals(const struct supervisor *supervisor);
/* Passes signals on until the guest has ended. Returns its exit status, 128+n when signal n ended it. */
int supervise_wait(struct supervisor *supervisor, pid_t guest);
/* Puts the mask back. */
void supervise_end(struct supervisor *supervisor);

#endif
