/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sysvipc/shm: header, columns, one line per segment, read by open, openat and in pieces. */
#include "difftest.h"

static const char *const path = "/proc/sysvipc/shm";

static void say_line(int id)
{
	static char text[1 << 20];
	char *line, *next;
	int found = 0;

	read_file(path, text, sizeof(text));
	line = strchr(text, '\n');
	if (!line) {
		say("no header");
		return;
	}
	*line++ = '\0';
	say("header '%s'", text);
	for (; line && *line; line = next) {
		int key, shmid;
		unsigned int mode, cpid, lpid, uid, gid, cuid, cgid;
		unsigned long size, nattch, atime, dtime, ctime, rss, swap;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "%d %d %o %lu %u %u %lu %u %u %u %u %lu %lu %lu %lu %lu", &key, &shmid, &mode, &size, &cpid, &lpid,
			   &nattch, &uid, &gid, &cuid, &cgid, &atime, &dtime, &ctime, &rss, &swap) != 16) {
			say("odd line");
			continue;
		}
		if (shmid != id)
			continue;
		found++;
		say("mode %o size %lu cpid %s lpid %s nattch %lu owner %u:%u creator %u:%u rss %lu swap %lu", mode, size,
		    whose_pid((pid_t)cpid), whose_pid((pid_t)lpid), nattch, uid, gid, cuid, cgid, rss, swap);
		say("key %s, atime %s, dtime %s, ctime %s, line of %zu characters", key ? "set" : "0", atime ? "set" : "0",
		    dtime ? "set" : "0", ctime ? "set" : "0", strlen(line));
	}
	say("lines found: %d", found);
}

int main(void)
{
	int id = (int)MUST(shmget(some_key(1), 10000, IPC_CREAT | 0640)), fd;
	char *at, a[8], b[8];

	say_line(id);
	at = shm_attach(id);
	memset(at, 1, 5000);
	say_line(id);
	SHOW(shmdt(at));
	say_line(id);
	at = shm_attach(id);
	shm_remove(id);
	say_line(id);
	SHOW(shmdt(at));
	say_line(id);

	fd = (int)OK(open(path, O_RDONLY));
	SHOW(read(fd, a, 5));
	SHOW(pread(fd, b, 5, 0));
	FACT(memcmp(a, b, 5) == 0);
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(read(fd, b, 5));
	FACT(memcmp(a, b, 5) == 0);
	FACT(fcntl(fd, F_GETFD) == 0);
	close(fd);
	fd = (int)OK(open(path, O_RDONLY | O_CLOEXEC));
	FACT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	return 0;
}
