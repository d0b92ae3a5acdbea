/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration, compressed or not, whatever it holds: refused, or advice that is in order and in bounds. */
#include <errno.h>

#include "fuzz.h"
#include "host/kernel_config.h"
#include "host/workload.h"

static void must_be_advice(const struct config_advice *advice)
{
	MUST(advice->count <= CONFIG_ROWS_MAX && advice->unmet <= advice->count);
	for (size_t i = 0; i < advice->count; i++) {
		const struct config_row *row = &advice->rows[i];

		MUST(memchr(row->missing, 0, sizeof(row->missing)) && memchr(row->dropped, 0, sizeof(row->dropped)));
		MUST(row->value == CONFIG_OFF ? row->missing[0] != 0 : row->missing[0] == 0 && !row->filled);
		MUST(i == 0 || advice->rows[i - 1].value <= row->value);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct config_advice advice;
	struct kernel_config config;
	unsigned line = 0;
	char *text = NULL;
	size_t length = 0;

	if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b) {
		int error = kernel_config_expand(data, size, &text, &length);
		MUST(error == 0 || error == -EBADMSG || error == -EFBIG || error == -ENOMEM);
		if (error)
			return 0;
	} else {
		text = malloc(size ? size : 1); /* exactly: AddressSanitizer sees a read beyond */
		MUST(text);
		if (size)
			memcpy(text, data, size);
		length = size;
	}
	int error = kernel_config_parse(text, length, &config, &line);
	MUST(error == 0 || error == -EINVAL || error == -EILSEQ || error == -ENOMSG || error == -ENOMEM);
	MUST((error == -EINVAL) == (line > 0));
	if (error)
		return 0;
	for (const char *const *workload = workload_names; *workload; workload++) {
		kernel_config_advise(&config, *workload, 0, (u32)size, &advice);
		must_be_advice(&advice);
	}
	kernel_config_advise(&config, NULL, GAPS_ALL, GAPS_ALL, &advice);
	must_be_advice(&advice);
	kernel_config_done(&config);
	return 0;
}
