/* SPDX-License-Identifier: Apache-2.0 */
/* What is written to /dev/kmsg comes back as one record a read: priority, escapes, ends. */
#include "kmsg.h"

static void show(int reader, const char *what)
{
	char head[32] = "";
	const char *text = kmsg_next(reader, head, NULL);

	say("%s: %s %s", what, head, text);
}

int main(void)
{
	static const char *const prefixes[] = { "",       "<0>",    "<3>", "<6>", "<14>", "<30>", "<191>",
						"<2047>", "<4096>", "<>",  "<12", "<x>",  "< 3>", "<-1>" };
	static const char *const texts[] = {
		"plain", "newline\n", "two\n\n", "a\nb", "tab\tend", "back\\slash", "\x7f\x80\xff", ""
	};
	int reader = kmsg_reader(O_RDONLY), writer = -1;

	for (size_t i = 0; i < COUNT(prefixes); i++) {
		writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC)); /* each has ten writes in five seconds */
		FACT(kmsg_write(writer, prefixes[i], "x") > 0);
		show(reader, prefixes[i]);
		close(writer);
	}
	writer = (int)MUST(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
	for (size_t i = 0; i < COUNT(texts); i++) {
		FACT(kmsg_write(writer, "", texts[i]) > (long)strlen(kmsg_mark));
		show(reader, "text");
	}
	close(writer);
	return 0;
}
