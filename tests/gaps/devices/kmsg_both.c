/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/kmsg open for reading and writing, without waiting, as systemd-journald has it. */
#include "kmsg.h"

#include <sys/uio.h>

int main(void)
{
	int both, writer, other = kmsg_reader(O_RDONLY), copy;
	char head[32], level[] = "<30>", newline[] = "\n";
	struct iovec parts[3] = { { level, 4 }, { kmsg_mark, strlen(kmsg_mark) }, { newline, 1 } };

	both = (int)MUST(open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
	FACT((fcntl(both, F_GETFL) & O_ACCMODE) == O_RDWR);
	SHOW(lseek(both, 0, SEEK_END));
	FACT(kmsg_write(both, "<5>", "one") > 0);
	say("both: %s", kmsg_next(both, head, NULL));
	say("%s", head);
	say("other: %s", kmsg_next(other, NULL, NULL));
	FACT(writev(both, parts, 3) == (ssize_t)(5 + strlen(kmsg_mark)));
	say("both: %s", kmsg_next(both, head, NULL));
	say("%s", head);
	say("other: %s", kmsg_next(other, NULL, NULL));
	writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_APPEND));
	copy = (int)MUST(fcntl(both, F_DUPFD_CLOEXEC, 500));
	close(both);
	FACT(kmsg_write(writer, "<191>", "by another") > 0);
	say("copy: %s", kmsg_next(copy, head, NULL));
	say("%s", head);
	SHOW(lseek(copy, 0, SEEK_END));
	FACT(kmsg_write(copy, "", "by the copy") > 0);
	say("copy: %s", kmsg_next(copy, NULL, NULL));
	return 0;
}
