// SPDX-License-Identifier: Apache-2.0
/* Several processes of one user, who is not root, make and remove the same few files and directories: none is refused what another has just made. */
#include "identity.h"

#include <sys/stat.h>

#define WORKERS 3
#define ROUNDS 400

static char place[] = "/tmp/lichen-shared-XXXXXX";

static int odd(bool expected)
{
	return expected ? 0 : 1;
}

/* Where somebody may be removing it: nothing else than that is wrong with it. */
static int one_round(int worker, int round)
{
	char file[64], dir[64], inner[80];
	int fd, wrong = 0;

	snprintf(file, sizeof(file), "%s/lock%d", place, round % 2);
	snprintf(dir, sizeof(dir), "%s/dir%d", place, round % 2);
	snprintf(inner, sizeof(inner), "%s/%d", dir, worker);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	wrong += odd(fd >= 0);
	wrong += odd(fd < 0 || fchmod(fd, 0640) == 0);
	close(fd);
	wrong += odd(chmod(file, 0644) == 0 || errno == ENOENT);
	if (round % 3 == worker)
		wrong += odd(unlink(file) == 0 || errno == ENOENT);
	wrong += odd(mkdir(dir, 0755) == 0 || errno == EEXIST);
	fd = open(inner, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	wrong += odd(fd >= 0 || errno == ENOENT);
	if (fd >= 0)
		wrong += odd(unlink(inner) == 0 || errno == ENOENT); /* gVisor makes files in directories that are gone */
	close(fd);
	wrong += odd(rmdir(dir) == 0 || errno == ENOENT || errno == ENOTEMPTY);
	return wrong;
}

int main(void)
{
	int wrong = 0;

	umask(022);
	MUST(mkdtemp(place) ? 0 : -1);
	MUST(chmod(place, 0777));
	for (int worker = 0; worker < WORKERS; worker++) {
		if (fork_or_die() != 0)
			continue;
		MUST(setgroups(0, NULL));
		MUST(setgid(1000));
		MUST(setuid(1000));
		for (int round = 0, rounds = scaled(ROUNDS); round < rounds; round++)
			wrong += one_round(worker, round);
		_exit(wrong < 100 ? wrong : 100);
	}
	for (int worker = 0, status; worker < WORKERS; worker++) {
		MUST(wait(&status));
		wrong += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	}
	say("refused: %d", wrong);
	for (int i = 0; i < 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/lock%d", place, i);
		unlink(path);
	}
	OK(rmdir(place));
	return 0;
}
