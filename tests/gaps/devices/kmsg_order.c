/* SPDX-License-Identifier: Apache-2.0 */
/* Readers: all get all records, old ones too, in order; seeks; readers that do not wait. */
#include "kmsg.h"

static void write_some(int from, int to)
{
	int writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
	char text[16];

	for (int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "%d", i);
		FACT(kmsg_write(writer, "<6>", text) > 0);
	}
	close(writer);
}

static void read_some(const char *who, int fd, int count)
{
	unsigned long first = 0, last = 0;

	for (int i = 0; i < count; i++) {
		unsigned long number = 0;

		say("%s: %s", who, kmsg_next(fd, NULL, &number));
		FACT(number > last || (!first && !number));
		last = number;
		if (!i)
			first = number;
	}
}

/* Nothing of ours is left. */
static void drain(int fd)
{
	char record[8192];
	ssize_t n;

	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = 0;
		if (strstr(record, kmsg_mark))
			say("still: %s", strstr(record, kmsg_mark) + strlen(kmsg_mark));
	}
	say("end: %s", errno_name(errno));
}

int main(void)
{
	int one = kmsg_reader(O_RDONLY), two, three, copy;

	write_some(0, 3);
	two = (int)MUST(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)); /* from the oldest on: ours are among them */
	three = (int)MUST(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	SHOW(lseek(three, 0, SEEK_END));
	write_some(3, 5);
	read_some("one", one, 5);
	read_some("two", two, 5);
	read_some("three", three, 2);
	drain(three);
	/* a duplicate shares the position */
	copy = (int)MUST(dup(three));
	write_some(5, 7);
	read_some("copy", copy, 1);
	read_some("three", three, 1);
	SHOW(lseek(three, 1, SEEK_END));
	SHOW(lseek(three, 1, SEEK_DATA));
	SHOW(lseek(three, 0, SEEK_HOLE));
	SHOW(lseek(three, 0, 77));
	write_some(7, 8);
	SHOW(lseek(three, 0, SEEK_END));
	drain(three);
	SHOW(lseek(three, 0, SEEK_DATA));
	read_some("again", three, 8);
	return 0;
}
