/* SPDX-License-Identifier: Apache-2.0 */
/* Closing and overwriting every descriptor, and a low RLIMIT_NOFILE, do not disturb exec or IPC. */
#include "difftest.h"

#include <linux/close_range.h>
#include <sys/resource.h>

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static void check(const char *what)
{
	int id = semget(IPC_PRIVATE, 1, 0600), shm = shmget(IPC_PRIVATE, 100, 0600);
	char *at = shmat(shm, NULL, 0);
	int done = sem_do(id, 0, 1, SEM_UNDO);

	say("%s: sem %d %d, shm %d, lowest free %d", what, done, sem_value(id, 0), at != (void *)-1, lowest_free());
	if (at != (void *)-1) {
		at[0] = 1;
		shmdt(at);
	}
	shmctl(shm, IPC_RMID, NULL);
	semctl(id, 0, IPC_RMID);
}

static void execute(void)
{
	execl("/proc/self/exe", "again", "x", NULL);
	say("not executed: %s", errno_name(errno));
}

/* With few descriptors, and none free. */
static void low_limits(void)
{
	struct rlimit limit;

	for (rlim_t n = 64; n >= 16; n /= 4)
		CHILD({
			limit = (struct rlimit){ n, n };
			MUST(setrlimit(RLIMIT_NOFILE, &limit));
			getrlimit(RLIMIT_NOFILE, &limit);
			say("RLIMIT_NOFILE %d %d", (int)limit.rlim_cur, (int)limit.rlim_max);
			check("few descriptors");
			while (dup(2) >= 0)
				;
			SHOW(dup2(2, (int)n - 1) == (int)n - 1);
			SHOW(dup2(2, (int)n));
			check("none free");
			closefrom(3);
			execute();
		});
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	(void)argv;
	if (argc > 1) {
		check("executed");
		CHILD(check("its child"));
		return 0;
	}
	for (int fd = 3; fd < 3000; fd++)
		close(fd);
	check("closed one by one");
	CHILD(execute());
	CHILD(closefrom(3); check("closefrom"); execute());
	CHILD({
		long r = syscall(SYS_close_range, 3, ~0u, 0);

		say("close_range: %s", r ? errno_name(errno) : "ok");
		check("close_range");
		execute();
	});
	CHILD({
		long r = syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_UNSHARE);

		say("CLOSE_RANGE_UNSHARE: %s", r ? errno_name(errno) : "ok");
		check("unshared");
		execute();
	});
	CHILD({
		long r = syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);

		say("CLOSE_RANGE_CLOEXEC: %s", r ? errno_name(errno) : "ok");
		execute();
	});
	CHILD({
		rlim_t step = (rlim_t)(10 / scaled(10)); /* each tenth in gVisor, and all of the last */
		int good = 0, all = 0;

		getrlimit(RLIMIT_NOFILE, &limit);
		for (rlim_t fd = 3; fd < limit.rlim_cur && fd < 70000; fd += fd + 64 < limit.rlim_cur ? step : 1, all++)
			good += dup2(2, (int)fd) == (int)fd;
		FACT(good == all);
		SHOW(lowest_free());
		closefrom(10);
		check("dup2 over all, closed from 10");
		execute();
	});
	CHILD({
		for (int fd = 3; fd < 3000; fd++)
			if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 || errno != EBADF)
				say("%d is open", fd);
		check("FD_CLOEXEC on all");
		execute();
	});
	CHILD({
		int last = -1;

		for (int fd = 0; fd >= 0; fd = dup(2))
			last = fd;
		getrlimit(RLIMIT_NOFILE, &limit);
		FACT((rlim_t)last + 1 == limit.rlim_cur);
		say("then: %s", errno_name(errno));
		closefrom(3);
		check("dup until full");
	});
	low_limits();
	CHILD({
		limit = (struct rlimit){ 4, 4 };
		MUST(setrlimit(RLIMIT_NOFILE, &limit));
		check("RLIMIT_NOFILE 4");
		execl("/bin/echo", "echo", "executed with four descriptors", NULL);
		say("not executed: %s", errno_name(errno));
	});
	CHILD(close(0); close(1); close(2); closefrom(3); _exit(trapped_ok() && open("/dev/null", O_RDONLY) == 0 ? 33 : 34));
	return 0;
}
