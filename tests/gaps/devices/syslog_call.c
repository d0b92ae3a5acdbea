/* SPDX-License-Identifier: Apache-2.0 */
/* syslog(2): its errors, and the records that were written, in its own form. */
#include "kmsg.h"

#include <sys/klog.h>

#define ROOM (4 << 20)

/* The lines of ours in a text of syslog(2), without time. */
static void show_ours(const char *what, char *text, long size)
{
	char *line, *rest = text;

	text[size < 0 ? 0 : size] = 0;
	while ((line = strsep(&rest, "\n"))) {
		char *mark = strstr(line, kmsg_mark);
		unsigned priority = 999;
		unsigned long seconds, parts;
		char end = 0;

		if (!mark)
			continue;
		FACT(sscanf(line, "<%u>[%lu.%6lu]%c", &priority, &seconds, &parts, &end) == 4 && end == ' ');
		say("%s: <%u> %s", what, priority, mark + strlen(kmsg_mark));
	}
}

int main(void)
{
	char *text = malloc(ROOM + 1);
	int writer;
	long n;

	close(kmsg_reader(O_RDONLY)); /* the mark */
	SHOW(klogctl(0, NULL, 0));
	SHOW(klogctl(1, NULL, 0));
	SHOW(klogctl(2, NULL, 10));
	SHOW(klogctl(2, text, -1));
	SHOW(klogctl(2, text, 0));
	SHOW(klogctl(3, NULL, 10));
	SHOW(klogctl(3, text, -1));
	SHOW(klogctl(3, text, 0));
	SHOW(klogctl(3, (char *)8, 1 << 20));
	SHOW(klogctl(4, NULL, 10));
	SHOW(klogctl(8, NULL, 0));
	SHOW(klogctl(8, NULL, 9));
	SHOW(klogctl(11, NULL, 0));
	SHOW(klogctl(-1, NULL, 0));
	FACT(klogctl(10, NULL, 0) >= 4096);
	writer = (int)MUST(open("/dev/kmsg", O_WRONLY));
	FACT(kmsg_write(writer, "<3>", "one") > 0);
	FACT(kmsg_write(writer, "<30>", "two\\ \x01") > 0);
	n = klogctl(3, text, ROOM);
	FACT(n > 0 && text[n - 1] == '\n');
	show_ours("all", text, n);
	FACT(klogctl(3, text, 10) == 0);
	n = klogctl(3, text, 200);
	FACT(n > 0 && n <= 200);
	FACT(text[0] == '<' && text[n - 1] == '\n');
	FACT(klogctl(9, NULL, 0) >= 0);
	return 0;
}
