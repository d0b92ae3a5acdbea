// SPDX-License-Identifier: Apache-2.0
/* Signals for a process that is pid 1 of a namespace, as kill(1) would send them to any other. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/native.h"

/* A mask of proc(5), status: the bit of the signal. */
static bool has(const char *status, const char *field, int sig)
{
	const char *at = strstr(status, field);

	return at && (strtoull(at + strlen(field), NULL, 16) >> (sig - 1) & 1);
}

int native_signal_default(int sig)
{
	switch (sig) {
	case 0:
	case SIGKILL:
	case SIGSTOP:
	case SIGCONT:
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
		return 0; /* as ever, or nothing to be done */
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return SIGSTOP;
	default:
		return SIGKILL;
	}
}

enum native_signal_fate native_signal_fate(pid_t init, int sig)
{
	char path[64], status[8192];
	CLEANUP_FD int fd = FD_NONE;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	if (n <= 0 || !native_signal_default(sig))
		return NATIVE_SIGNAL_ITS_OWN;
	status[n] = 0;
	if (has(status, "\nSigCgt:", sig) || has(status, "\nSigIgn:", sig))
		return NATIVE_SIGNAL_ITS_OWN;
	if (!has(status, "\nSigBlk:", sig))
		return NATIVE_SIGNAL_DROPPED;
	return has(status, "\nShdPnd:", sig) ? NATIVE_SIGNAL_PENDING : NATIVE_SIGNAL_BLOCKED;
}

int native_signal_pending(const sigset_t *mask)
{
	static const int ending[] = { SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		struct sigaction action;

		if (sigismember(&pending, ending[i]) == 1 && sigismember(mask, ending[i]) == 0 &&
		    sigaction(ending[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
			return ending[i];
	}
	return 0;
}
