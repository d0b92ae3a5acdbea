// SPDX-License-Identifier: Apache-2.0
/* Who mounts is killed at any moment: what is mounted can be told, unmounted, and mounted again. */
#include "mounts.h"

#define ROUNDS 80

static void work(void)
{
	for (;;) {
		(void)mount("none", "/m/a", "tmpfs", 0, NULL);
		(void)mkdir("/m/a/in", 0755);
		(void)mount("/m/a", "/m/b", NULL, MS_BIND | MS_REC, NULL);
		(void)mount("none", "/m/b/in", "tmpfs", 0, NULL);
		(void)mount("/m/b", "/m/c", NULL, MS_MOVE, NULL);
		(void)mount(NULL, "/m/a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
		(void)umount2("/m/c", MNT_DETACH);
		(void)umount2("/m/b", MNT_DETACH);
		(void)umount2("/m/a", MNT_DETACH);
	}
}

/* Mounts below /mnt; -1: there is one whose parent is none. */
static int mounted(void)
{
	int ids[256], parents[256], count = 0, below = 0;
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], at[1024];

	if (!file)
		return -2;
	while (count < 256 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%d %d %*s %*s %1023s", &ids[count], &parents[count], at) != 3)
			below = -1000;
		below += !strncmp(at, "/m/", 3);
		count++;
	}
	fclose(file);
	return below;
}

int main(void)
{
	int odd = 0, failed = 0, before;

	make_places();
	before = mounted();
	srandom((unsigned)getpid());
	for (int i = 0, rounds = scaled(ROUNDS); i < rounds; i++) {
		pid_t pid = fork_or_die();

		if (pid == 0)
			work();
		usleep((useconds_t)(random() % 8000));
		MUST(kill(pid, SIGKILL));
		reap_quietly(pid);
		odd += mounted() < 0;
		for (const char *at = "abc"; *at; at++) {
			char path[] = "/m/?";

			path[3] = *at;
			for (int k = 0; k < 10 && umount2(path, MNT_DETACH) == 0; k++)
				;
		}
		odd += mounted() != before;
		failed += mount("none", "/m/a", "tmpfs", 0, NULL) != 0;
		failed += umount("/m/a") != 0;
	}
	say("odd %d, failed %d", odd, failed);
	return 0;
}
