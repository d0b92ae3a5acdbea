/* SPDX-License-Identifier: Apache-2.0 */
/* An open /dev/kmsg goes through fork, execve and a socket; children that end leave it to the others. */
#include "kmsg.h"

int main(int argc, char **argv)
{
	int reader, writer, status;
	char numbers[2][16];
	pid_t child;

	if (argc == 4) { /* the new image: reads, writes, seeks */
		reader = atoi(argv[1]);
		writer = atoi(argv[2]);
		snprintf(kmsg_mark, sizeof(kmsg_mark), "%s", argv[3]);
		say("new image: %s", kmsg_next(reader, NULL, NULL));
		SHOW(lseek(reader, 0, SEEK_END));
		FACT(kmsg_write(writer, "<4>", "by the new image") > 0);
		return 0;
	}
	reader = kmsg_reader(O_RDONLY);
	fcntl(reader, F_SETFD, 0);
	writer = (int)MUST(open("/dev/kmsg", O_WRONLY));
	child = fork();
	if (child == 0) {
		FACT(kmsg_write(writer, "", "by the child") > 0);
		_exit(0);
	}
	MUST(waitpid(child, &status, 0));
	say("parent: %s", kmsg_next(reader, NULL, NULL));
	FACT(kmsg_write(writer, "", "for the new image") > 0);
	child = fork();
	if (child == 0) {
		snprintf(numbers[0], sizeof(numbers[0]), "%d", reader);
		snprintf(numbers[1], sizeof(numbers[1]), "%d", writer);
		execl("/proc/self/exe", "again", numbers[0], numbers[1], kmsg_mark, NULL);
		_exit(99);
	}
	MUST(waitpid(child, &status, 0));
	FACT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	say("parent: %s", kmsg_next(reader, NULL, NULL));
	return 0;
}
