/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sysvipc/msg: header, columns, one line per queue; lspid and lrpid. */
#include "difftest.h"

static void say_line(int id)
{
	static char text[1 << 18];
	char *line, *next;
	int found = 0;

	read_file("/proc/sysvipc/msg", text, sizeof(text));
	line = strchr(text, '\n');
	if (!line) {
		say("no header");
		return;
	}
	*line++ = '\0';
	say("header '%s'", text);
	for (; line && *line; line = next) {
		int key, msqid;
		unsigned int mode, uid, gid, cuid, cgid, lspid, lrpid;
		unsigned long cbytes, qnum, stime_, rtime, ctime_;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "%d %d %o %lu %lu %u %u %u %u %u %u %lu %lu %lu", &key, &msqid, &mode, &cbytes, &qnum, &lspid,
			   &lrpid, &uid, &gid, &cuid, &cgid, &stime_, &rtime, &ctime_) != 14) {
			say("odd line");
			continue;
		}
		if (msqid != id)
			continue;
		found++;
		say("key %s mode %o cbytes %lu qnum %lu lspid %s lrpid %s owner %u:%u creator %u:%u, %zu characters",
		    key ? "set" : "0", mode, cbytes, qnum, whose_pid((pid_t)lspid), whose_pid((pid_t)lrpid), uid, gid, cuid, cgid,
		    strlen(line));
		say("stime %s rtime %s ctime %s", stime_ ? "set" : "0", rtime ? "set" : "0", ctime_ ? "set" : "0");
	}
	say("lines found: %d", found);
}

int main(void)
{
	int id = (int)MUST(msgget(some_key(1), IPC_CREAT | 0642));

	say_line(id);
	MUST(msg_send(id, 1, "hello", 0));
	MUST(msg_send(id, 2, "world!", 0));
	say_line(id);
	CHILD(msg_show("child", id, 100, 0, 0); say_line(id));
	say_line(id);
	msg_remove(id);
	say_line(id);
	return 0;
}
