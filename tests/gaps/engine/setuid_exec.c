/* SPDX-License-Identifier: Apache-2.0 */
/* After setuid a process still makes trapped calls, forks and executes; a set-user-id file does what it may. */
#include "difftest.h"

static void check(const char *what)
{
	int id = semget(IPC_PRIVATE, 1, 0600), done = sem_do(id, 0, 1, SEM_UNDO), shm = shmget(IPC_PRIVATE, 1, 0600);

	say("%s: uid %d euid %d, sem %d %d, shm %s", what, getuid(), geteuid(), done, sem_value(id, 0), shm >= 0 ? "ok" : "failed");
	shmctl(shm, IPC_RMID, NULL);
	semctl(id, 0, IPC_RMID);
}

static void *thread(void *arg)
{
	check(arg);
	return NULL;
}

int main(int argc, char **argv)
{
	char copy[] = "/tmp/difftest-XXXXXX";
	int fd;

	(void)argv;
	if (argc > 1) {
		check("executed");
		CHILD(check("its child"));
		return 0;
	}
	fd = (int)MUST(mkstemp(copy));
	copy_file("/proc/self/exe", copy, 0755);
	close(fd);
	AS_USER(1000, 1000, {
		check("another user");
		pthread_join(thread_start(thread, (void *)"thread"), NULL);
		execl(copy, copy, "x", NULL);
		say("not executed: %s", errno_name(errno));
	});
	if (geteuid() == 0)
		CHILD({
			MUST(setgid(2000));
			MUST(setuid(2000));
			check("setuid");
			SHOW(setuid(0));
			SHOW(seteuid(0));
			execl(copy, copy, "x", NULL);
		});
	unlink(copy);
	return 0;
}
