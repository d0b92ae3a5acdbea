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

int native_signal_for(pid_t init, int sig)
{
	char path[64], status[8192];
	CLEANUP_FD int fd = FD_NONE;
	ssize_t n;

	switch (sig) {
	case SIGKILL:
	case SIGSTOP:
	case SIGCONT:
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
		return sig; /* as ever, or nothing to be done */
	default:
		break;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/status", init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	if (sig <= 0 || n <= 0)
		return sig;
	status[n] = 0;
	if (has(status, "\nSigCgt:", sig) || has(status, "\nSigIgn:", sig) || has(status, "\nSigBlk:", sig))
		return sig;
	return sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ? SIGSTOP : SIGKILL;
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
