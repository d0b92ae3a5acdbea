/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of /dev/kmsg share. Others write there, too: only records that carry this process's mark are looked at. The kernel keeps a
 * record without newline back until the next one comes, since it might be continued (lichen does not): kmsg_flush().
 */
#include "difftest.h"

#include <poll.h>

static char kmsg_mark[48];

/* Opens a reader that stands at the end, and makes a mark of this run. */
MAYBE_UNUSED static int kmsg_reader(int flags)
{
	struct timespec now;
	int fd = (int)MUST(open("/dev/kmsg", flags | O_CLOEXEC));

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(kmsg_mark, sizeof(kmsg_mark), "mark-%d-%ld", getpid(), now.tv_nsec);
	MUST(lseek(fd, 0, SEEK_END));
	return fd;
}

/* By a descriptor of its own: each has ten writes in five seconds. */
MAYBE_UNUSED static void kmsg_flush(void)
{
	int fd = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));

	MUST(write(fd, "flush\n", 6));
	close(fd);
}

MAYBE_UNUSED static long kmsg_write(int fd, const char *prefix, const char *text)
{
	char line[2048];
	int n = snprintf(line, sizeof(line), "%s%s %s", prefix, kmsg_mark, text);
	long written = write(fd, line, (size_t)n);

	kmsg_flush();
	return written;
}

/* The next record of ours: text behind the mark (or "" and errno). head: "priority,flag" of it; number: its sequence number. */
MAYBE_UNUSED static const char *kmsg_next(int fd, char *head, unsigned long *number)
{
	static char record[8192];

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		unsigned priority = 0;
		unsigned long long sequence = 0, time = 0;
		char flag = '?', *text;
		ssize_t n;

		if (poll(&ready, 1, 5000) != 1)
			return "(nothing came)";
		n = read(fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n < 0)
			return "";
		record[n] = 0;
		text = strchr(record, ';');
		if (!text || !strstr(text, kmsg_mark))
			continue;
		sscanf(record, "%u,%llu,%llu,%c", &priority, &sequence, &time, &flag);
		if (head)
			sprintf(head, "%u,%c", priority, flag);
		if (number)
			*number = sequence;
		text = strstr(text, kmsg_mark) + strlen(kmsg_mark);
		text[strcspn(text, "\n") + 1] = 0; /* the record's line, without its dictionary */
		return text;
	}
}
