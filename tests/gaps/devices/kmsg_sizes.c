/* SPDX-License-Identifier: Apache-2.0 */
/* How long a write to /dev/kmsg may be, and what becomes of it; writev is one record. */
#include "kmsg.h"

#include <sys/uio.h>

int main(void)
{
	static const size_t sizes[] = { 975, 976, 992, 1000, 1022, 1023, 1024, 1025, 2000 };
	char line[2048], prefix[] = "<5>", parts_text[] = " parts";
	char *volatile nowhere = (char *)8;
	int reader = kmsg_reader(O_RDONLY), writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
	struct iovec parts[3] = { { prefix, 3 }, { kmsg_mark, strlen(kmsg_mark) }, { parts_text, 6 } };
	const char *text;
	int n;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, kmsg_mark, strlen(kmsg_mark));
		say("%zu", sizes[i]);
		if (SHOW(write(writer, line, sizes[i])) > 0) {
			kmsg_flush();
			text = kmsg_next(reader, NULL, NULL);
			say("record: %zu", strlen(text) + strlen(kmsg_mark));
		}
	}
	close(writer);
	writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
	FACT(writev(writer, parts, 3) == (ssize_t)(9 + strlen(kmsg_mark)));
	kmsg_flush();
	say("vector: %s", kmsg_next(reader, line, NULL));
	say("%s", line);
	memset(line, 0, sizeof(line));
	memcpy(line, kmsg_mark, strlen(kmsg_mark));
	memcpy(line + 64, "behind", 6);
	SHOW(write(writer, line, 70));
	kmsg_flush();
	say("NUL: %s", kmsg_next(reader, NULL, NULL));
	SHOW(write(writer, nowhere, 10));
	n = snprintf(line, sizeof(line), "\n%s leads\n", kmsg_mark);
	FACT(write(writer, line, (size_t)n) == n);
	say("newline: %s", kmsg_next(reader, NULL, NULL));
	return 0;
}
