// SPDX-License-Identifier: Apache-2.0
/* Paths are looked up while others mount, unmount, and are killed in the middle of it: what is found is always one of the two states. */
#include "../fs/fs_test.h"

#include <sched.h>
#include <sys/mount.h>

static volatile sig_atomic_t over;

static void stop(int signal)
{
	(void)signal;
	over = 1;
}

/* Covers /t/dir with /t/other and lays it open again, for ever. */
static void change(void)
{
	for (;;) {
		mount("/t/other", "/t/dir", NULL, MS_BIND, NULL);
		umount2("/t/dir", MNT_DETACH);
	}
}

static int look(void)
{
	long bad = 0, looks = 0;
	char text[16];

	signal(SIGTERM, stop);
	while (!over) {
		struct stat st;
		int fd = open("/t/dir/in", O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

		bad += n <= 0 || (text[0] != '/' && text[0] != 'o');
		close(fd);
		bad += stat("/t/dir/sub/../in", &st) != 0; /* but not "dir/..": what has just been unmounted has nothing above it */
		looks++;
	}
	return bad || looks < 10;
}

int main(void)
{
	int kills = getenv("DIFFTEST_SLOW") ? 10 : 60, status = 0, good = 0;
	pid_t lookers[2];

	tree_make();
	MUST(mkdir("/t/other", 0755));
	MUST(mkdir("/t/other/sub", 0755));
	write_file("/t/other/in", "other", 0644);
	for (size_t i = 0; i < COUNT(lookers); i++) {
		lookers[i] = fork();
		if (lookers[i] == 0)
			_exit(look());
	}
	for (int i = 0; i < kills; i++) {
		pid_t pids[2];

		for (int k = 0; k < 2; k++) {
			pids[k] = fork();
			if (pids[k] == 0)
				change();
		}
		usleep((unsigned)(2000 + 1000 * (i % 17)));
		for (int k = 0; k < 2; k++) {
			kill(pids[k], SIGKILL);
			waitpid(pids[k], NULL, 0);
		}
	}
	for (size_t i = 0; i < COUNT(lookers); i++) {
		kill(lookers[i], SIGTERM);
		good += waitpid(lookers[i], &status, 0) == lookers[i] && status == 0;
	}
	FACT(good == (int)COUNT(lookers));
	while (umount2("/t/dir", MNT_DETACH) == 0)
		;
	OK(umount2("/t/dir", MNT_DETACH));
	OK(access("/t/dir/up", F_OK));
	OK(mount("/t/other", "/t/dir", NULL, MS_BIND, NULL));
	OK(access("/t/dir/up", F_OK));
	OK(umount2("/t/dir", 0));
	return 0;
}
