/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a daemon whether it answers, and having it prove that it works: each in a process of its own. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/manager_int.h"

void managed_ask(struct managed *managed, bool proof)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		char why[MANAGER_TEXT] = "";
		int r;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		r = proof ? proof_make(&managed->profile->request, why, sizeof(why))
			  : request_make(&managed->profile->request, why);

		(void)!write(pair[1], why, strlen(why) + 1);
		_exit(r < 0);
	}
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return;
	}
	managed->asker = pid;
	managed->asker_pipe = pair[0];
}

/* It answers. The proof is made once: a daemon that is restarted has had it. */
static void answered(struct managed *managed)
{
	s64 deadline = managed->deadline;

	if (!managed->profile->proves || managed->proven) {
		managed_set(managed, MANAGED_RUNNING);
		return;
	}
	manager_tell(managed->manager, MANAGER_SAYS, managed, "answers; a container shall prove that it works");
	managed_set(managed, MANAGED_PROVING);
	managed->deadline = deadline;
	managed->proof_began = manager_now_ms();
	managed->next_look = 1;
}

static void proof_ended(struct managed *managed, bool worked, const char *why)
{
	managed->proof_ms = manager_now_ms() - managed->proof_began;
	managed->proven = worked;
	managed->proof_failed = !worked;
	if (!worked) {
		managed_fail(managed, "proof", "it answers, but runs no container: %s", *why ? why : "the proof was killed");
		return;
	}
	manager_tell(managed->manager, MANAGER_SAYS, managed, "has run a container (%d.%02d s)", (int)(managed->proof_ms / 1000),
		     (int)(managed->proof_ms % 1000 / 10));
	managed_set(managed, MANAGED_RUNNING);
}

void managed_asker_ended(struct managed *managed, bool worked)
{
	char why[MANAGER_TEXT] = "";

	managed->asker = 0;
	(void)!read(managed->asker_pipe, why, sizeof(why) - 1);
	(void)close(take_fd(&managed->asker_pipe));
	if (managed->state == MANAGED_ASKED && worked)
		answered(managed);
	else if (managed->state == MANAGED_ASKED && *why)
		(void)snprintf(managed->asked_text, sizeof(managed->asked_text), "%.159s", why);
	else if (managed->state == MANAGED_PROVING)
		proof_ended(managed, worked, why);
}
