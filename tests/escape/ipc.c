/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory, semaphores and queues of the machine, which no file right guards. 'ipc make KEY' makes them for the test and prints
 * nothing, 'ipc remove KEY' takes them away. ARG: the key; POSIX objects are called escape-KEY.
 */
#include "attack.h"

#include <dirent.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static key_t key_of(const char *text)
{
	return (key_t)strtol(text, NULL, 10);
}

static void posix_name(char *name, size_t size, const char *key)
{
	(void)snprintf(name, size, "/escape-%s", key);
}

static int make(const char *text)
{
	char name[64];
	int fd;

	posix_name(name, sizeof(name), text);
	(void)shmget(key_of(text), 4096, IPC_CREAT | 0666);
	(void)semget(key_of(text), 1, IPC_CREAT | 0666);
	(void)msgget(key_of(text), IPC_CREAT | 0666);
	(void)mq_open(name, O_RDWR | O_CREAT, 0666, NULL);
	fd = shm_open(name, O_RDWR | O_CREAT, 0666);
	return fd < 0 || write(fd, "secret", 6) < 0;
}

static int take_away(const char *text)
{
	char name[64];

	posix_name(name, sizeof(name), text);
	(void)shmctl(shmget(key_of(text), 0, 0), IPC_RMID, NULL);
	(void)semctl(semget(key_of(text), 0, 0), 0, IPC_RMID);
	(void)msgctl(msgget(key_of(text), 0), IPC_RMID, NULL);
	(void)mq_unlink(name);
	(void)shm_unlink(name);
	return 0;
}

static int shared_memory(const struct attack *a)
{
	int id = shmget(key_of(a->more[0]), 0, 0);

	return id < 0 ? errno : outcome((long)shmat(id, NULL, 0));
}

/* Whatever segment there is, by its number: no key is needed for that. */
static int any_segment(const struct attack *a)
{
	struct shmid_ds state;
	int r = ENOENT;

	(void)a;
	for (int index = 0; index < 1024 && r; index++) {
		int id = shmctl(index, SHM_STAT, &state);

		r = id >= 0 ? outcome((long)shmat(id, NULL, SHM_RDONLY)) : errno == EINVAL ? r : errno;
	}
	return r;
}

static int semaphore(const struct attack *a)
{
	struct sembuf up = { .sem_op = 1 };
	int id = semget(key_of(a->more[0]), 0, 0);

	return id < 0 ? errno : outcome(semop(id, &up, 1));
}

static int queue(const struct attack *a)
{
	struct {
		long type;
		char text[8];
	} message = { 1, "escaped" };
	int id = msgget(key_of(a->more[0]), 0);

	return id < 0 ? errno : outcome(msgsnd(id, &message, sizeof(message.text), IPC_NOWAIT));
}

static int posix_queue(const struct attack *a)
{
	char name[64];

	posix_name(name, sizeof(name), a->more[0]);
	return outcome(mq_open(name, O_RDWR));
}

static int posix_memory(const struct attack *a)
{
	char name[64];

	posix_name(name, sizeof(name), a->more[0]);
	return is_secret(shm_open(name, O_RDWR, 0));
}

static int written_memory(const struct attack *a)
{
	char name[64];
	int fd, r;

	posix_name(name, sizeof(name), a->more[0]);
	fd = shm_open(name, O_RDWR, 0);
	r = fd < 0 ? errno : outcome(write(fd, "secret", 6));
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* What others keep there, without a name that is known before. */
static int listed_memory(const struct attack *a)
{
	DIR *directory = opendir("/dev/shm");
	const struct dirent *entry;
	char name[64];
	int r = NOTHING;

	if (!directory)
		return errno;
	posix_name(name, sizeof(name), a->more[0]);
	while (r && (entry = readdir(directory)))
		if (strcmp(entry->d_name, name + 1) == 0)
			r = is_secret(openat(dirfd(directory), entry->d_name, O_RDONLY));
	(void)closedir(directory);
	return r;
}

static const struct way ways[] = {
	{ "shmget", shared_memory },     { "semget", semaphore },       { "msgget", queue },
	{ "mq_open", posix_queue },      { "shm_open", posix_memory },  { "shm_stat", any_segment },
	{ "shm_write", written_memory }, { "shm_list", listed_memory },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "make"))
		return make(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "remove"))
		return take_away(argv[2]);
	return attack_main(ways, COUNT(ways), argc, argv);
}
