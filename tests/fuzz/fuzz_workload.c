/* SPDX-License-Identifier: Apache-2.0 */
/* A workload's text: either gaps that exist come out, or the line and name that is none. */
#include "fuzz.h"
#include "host/workload.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned line = 0, lines = 1;
	u32 needs = 0x80000000u;
	char word[64], *text = malloc(size ? size : 1);
	int result;

	if (size)
		memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	(memset)(word, 'x', sizeof(word));
	result = workload_parse(text, size, &needs, &line, word);
	if (result == 0)
		MUST((needs & ~GAPS_ALL) == 0);
	else
		MUST(result < 0 && line >= 1 && line <= lines && memchr(word, 0, sizeof(word)) && gap_find(word) < 0 &&
		     needs == 0x80000000u);
	free(text);
	return 0;
}
