/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sysvipc/sem: header, columns, one line per set. */
#include "difftest.h"

static void say_line(int id)
{
	static char text[1 << 18];
	char *line, *next;
	int found = 0;

	read_file("/proc/sysvipc/sem", text, sizeof(text));
	line = strchr(text, '\n');
	if (!line) {
		say("no header");
		return;
	}
	*line++ = '\0';
	say("header '%s'", text);
	for (; line && *line; line = next) {
		int key, semid;
		unsigned int mode, uid, gid, cuid, cgid;
		unsigned long nsems, otime, ctime_;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "%d %d %o %lu %u %u %u %u %lu %lu", &key, &semid, &mode, &nsems, &uid, &gid, &cuid, &cgid, &otime,
			   &ctime_) != 10) {
			say("odd line");
			continue;
		}
		if (semid != id)
			continue;
		found++;
		say("key %s mode %o nsems %lu owner %u:%u creator %u:%u otime %s ctime %s, %zu characters", key ? "set" : "0", mode,
		    nsems, uid, gid, cuid, cgid, otime ? "set" : "0", ctime_ ? "set" : "0", strlen(line));
	}
	say("lines found: %d", found);
}

int main(void)
{
	int id = (int)MUST(semget(some_key(1), 7, IPC_CREAT | 0751));

	say_line(id);
	MUST(sem_do(id, 3, 1, 0));
	say_line(id);
	sem_remove(id);
	say_line(id);
	return 0;
}
