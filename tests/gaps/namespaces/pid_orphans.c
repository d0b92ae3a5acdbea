/* SPDX-License-Identifier: Apache-2.0 */
/* Init adopts orphans and reaps them; when it ends, all others do. */
#include "difftest.h"
#include <sys/prctl.h>

static void wait_orphaned(void)
{
	for (int i = 0; i < 5000 && getppid() != 1; i++)
		pause_ms(1);
}

static void subreaper(void)
{
	int on = 9;

	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on));
	SHOW(on);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on));
	SHOW(on);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, bad_pointer()));
	CHILD(on = 9; SHOW(prctl(PR_GET_CHILD_SUBREAPER, &on)); SHOW(on));
}

/* A grandchild without a parent, which says who its new one is once the gate is open. */
static void leave_behind(const struct gate *gate)
{
	CHILD({
		if (fork_or_die() == 0) {
			gate_wait(gate);
			FACT(getppid() != 1);
			_exit(0);
		}
	});
}

int main(void)
{
	struct gate gate = gate_new();
	int status, count = 0;

	subreaper();
	CHILD({
		if (fork_or_die() == 0) {
			wait_orphaned();
			SHOW(getppid());
			_exit(5);
		}
	});
	MUST(wait(&status));
	SHOW(WEXITSTATUS(status));
	SHOW(wait(&status));
	/* a subreaper in between takes its own */
	CHILD({
		MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
		leave_behind(&gate);
		gate_open(&gate);
		SHOW(wait(NULL) > 0);
	});
	/* a line of orphans */
	for (int i = 0; i < 5; i++)
		CHILD({
			if (fork_or_die() == 0) {
				wait_orphaned();
				_exit(0);
			}
		});
	while (wait(NULL) > 0)
		count++;
	SHOW(count);
	/* who is left when init ends says no more */
	if (fork_or_die() == 0) {
		gate_open(&gate);
		setsid();
		pause_ms(500);
		say("survived");
		_exit(0);
	}
	gate_wait(&gate);
	return 4;
}
