/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a semaphore: sleepers queue in order, but one that can go passes those that cannot. */
#include "difftest.h"

static struct wakes wakes;
static int id;

static pid_t sleeper(char letter, struct sembuf *ops, size_t count)
{
	int number = ops[0].sem_num, command = ops[0].sem_op ? GETNCNT : GETZCNT; /* the first operation is the one that stops */
	int before = semctl(id, number, command);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		wakes_note(&wakes, letter, semop(id, ops, count));
		_exit(0);
	}
	wait_sem_sleepers(id, number, command, before + 1);
	return pid;
}
#define SLEEPER(letter, ...)                            \
	do {                                            \
		struct sembuf ops_[] = { __VA_ARGS__ }; \
		sleeper(letter, ops_, COUNT(ops_));     \
	} while (0)

static void state(const char *what)
{
	say("%s: values %d %d, ncnt %d %d, zcnt %d %d", what, sem_value(id, 0), sem_value(id, 1), semctl(id, 0, GETNCNT),
	    semctl(id, 1, GETNCNT), semctl(id, 0, GETZCNT), semctl(id, 1, GETZCNT));
}

static void done(int children)
{
	state("left");
	while (children--)
		reap_quietly(-1);
}

int main(void)
{
	wakes = wakes_new();
	id = sem_new(2);

	SLEEPER('A', { 0, -1, 0 });
	SLEEPER('B', { 0, -1, 0 });
	SLEEPER('C', { 0, -1, 0 });
	state("three wait");
	for (int i = 0; i < 3; i++) {
		MUST(sem_do(id, 0, 1, 0));
		wakes_say(&wakes, "+1", 1);
	}
	done(3);

	SLEEPER('A', { 0, -3, 0 });
	SLEEPER('B', { 0, -1, 0 });
	SLEEPER('C', { 0, -2, 0 });
	MUST(sem_do(id, 0, 2, 0));
	wakes_say(&wakes, "A needs 3, B 1, C 2; +2", 1);
	state("then");
	MUST(sem_do(id, 0, 2, 0));
	wakes_say(&wakes, "+2", 1);
	MUST(sem_do(id, 0, 2, 0));
	wakes_say(&wakes, "+2", 1);
	done(3);

	SLEEPER('A', { 0, -2, 0 });
	SLEEPER('B', { 0, -1, 0 });
	MUST(sem_do(id, 0, 5, 0));
	wakes_say(&wakes, "+5", 2);
	MUST(sem_set(id, 0, 0));
	done(2);

	MUST(sem_set(id, 0, 1));
	SLEEPER('A', { 0, 0, 0 });
	SLEEPER('B', { 0, 0, 0 });
	SLEEPER('C', { 0, -2, 0 });
	MUST(sem_do(id, 0, 1, 0)); /* C goes, which makes it zero for A and B */
	wakes_say(&wakes, "+1 to 2", 3);
	done(3);

	SLEEPER('A', { 0, -1, 0 }, { 1, -1, 0 });
	SLEEPER('B', { 0, -1, 0 });
	MUST(sem_do(id, 0, 1, 0));
	wakes_say(&wakes, "A waits for both, B for one; +1", 1);
	MUST(sem_do(id, 1, 1, 0));
	state("second given alone");
	MUST(sem_do(id, 0, 1, 0));
	wakes_say(&wakes, "+1", 1);
	done(2);

	SLEEPER('A', { 0, -1, 0 }, { 1, 1, 0 }, { 0, -1, 0 }); /* its success lets B go */
	SLEEPER('B', { 1, -1, 0 });
	MUST(sem_do(id, 0, 2, 0));
	wakes_say(&wakes, "chain", 2);
	done(2);

	SLEEPER('A', { 0, -1, 0 });
	SLEEPER('B', { 0, -1, 0 });
	MUST(sem_set(id, 0, 1));
	wakes_say(&wakes, "SETVAL 1", 1);
	MUST(semctl(id, 0, SETALL, (union semun){ .array = (unsigned short[]){ 1, 0 } }));
	wakes_say(&wakes, "SETALL 1 0", 1);
	done(2);
	sem_remove(id);
	return 0;
}
