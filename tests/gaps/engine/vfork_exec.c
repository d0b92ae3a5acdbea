/* SPDX-License-Identifier: Apache-2.0 */
/* vfork and exec, thousands of times: every child runs, nothing is leaked. */
#include "difftest.h"

/* Pages of address space and of memory. The kernel counts the latter per CPU, some dozens of pages late. */
static void footprint(long *size, long *resident)
{
	char text[128];

	read_file("/proc/self/statm", text, sizeof(text));
	if (sscanf(text, "%ld %ld", size, resident) != 2)
		_exit(96);
}

static int open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int run(char *self)
{
	char *argv[] = { self, (char *)"child", NULL };
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execve("/proc/self/exe", argv, NULL);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

int main(int argc, char **argv)
{
	volatile int good = 0, exits = 0, failed = 0; /* volatile: lives over vfork */
	int times = scaled(4000), files;
	long size, resident, size_after, resident_after;

	if (argc > 1)
		return trapped_ok() ? 7 : 8;
	for (int i = 0; i < 20; i++)
		run(argv[0]);
	footprint(&size, &resident);
	files = open_files();
	for (int i = 0; i < times / 4; i++)
		good += run(argv[0]) == 7;
	for (int i = 0; i < times / 4 * 3; i++) {
		pid_t pid = vfork();
		int status;

		if (pid == 0) {
			if (i % 3 == 0)
				execl("/nonexistent/program", "x", NULL);
			_exit(trapped_ok() ? 3 : 4);
		}
		if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
			exits += WEXITSTATUS(status) == 3;
		else
			failed++;
	}
	footprint(&size_after, &resident_after);
	say("executed well: %d of %d; exited well: %d of %d; failed: %d", good, times / 4, exits, times / 4 * 3, failed);
	FACT(size_after - size <= 16);
	FACT(resident_after - resident <= 400); /* the ring of a recorded run is 256 */
	FACT(open_files() == files);
	return 0;
}
