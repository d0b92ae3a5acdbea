/* SPDX-License-Identifier: Apache-2.0 */
/* A process that has nothing to do with the attack: says 'ready', then 'signalled' for each SIGUSR1, until its stdin ends. Anybody of its user may trace it. */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static void tell(int number)
{
	(void)number;
	(void)!write(STDOUT_FILENO, "signalled\n", 10);
}

int main(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	struct sigaction action = { .sa_handler = tell };

	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (sigaction(SIGUSR1, &action, NULL) < 0 || write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	while (poll(&input, 1, -1) != 1)
		;
	return 0;
}
