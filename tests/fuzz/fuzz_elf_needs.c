/* SPDX-License-Identifier: Apache-2.0 */
/* A program's file, whatever it holds: judged or refused; what comes out is in bounds, and words are words. Input: a name, a newline, the file. */
#include <errno.h>

#include "fuzz.h"
#include "host/program_needs.h"

static void must_be_text(const char *text, size_t size)
{
	MUST(memchr(text, 0, size));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct program_needs needs;
	struct input in = { data, size };
	char name[32];

	input_line(&in, name, sizeof(name));
	u8 *copy = malloc(in.left ? in.left : 1); /* exactly: AddressSanitizer sees a read beyond */
	MUST(copy);
	if (in.left)
		memcpy(copy, in.at, in.left);
	struct elf_source source = { .fd = -1, .memory = copy, .size = in.left };
	memset(&needs, 0, sizeof(needs));
	int result = program_judge(name, &source, &needs);

	MUST(result == 0 || result == -ENOEXEC || result == -EBADMSG || result == -E2BIG || result == -ENOMEM);
	MUST((needs.needs & needs.uses) == 0);
	MUST(((needs.needs | needs.uses) & ~GAPS_ALL) == 0);
	must_be_text(needs.known, sizeof(needs.known));
	must_be_text(needs.what, sizeof(needs.what));
	for (int id = 0; id < GAP_COUNT; id++) {
		must_be_text(needs.how[id], sizeof(needs.how[id]));
		MUST(result || !needs.how[id][0] == !((needs.needs | needs.uses) & GAP_BIT(id)));
	}
	free(copy);
	return 0;
}
