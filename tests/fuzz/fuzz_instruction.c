/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions of a Dockerfile, a line each, one after the other on one configuration: each is applied or refused, and the configuration can be written. */
#include "fuzz.h"
#include "image/instruction.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	json_t *config = json_object();
	struct image_error why;
	bool cmd_set = false;
	char line[4096];

	while (in.left) {
		input_line(&in, line, sizeof(line));
		MUST(instruction_apply(config, line, &cmd_set, &why) <= 0);
	}
	char *text = json_dumps(config, JSON_COMPACT);
	MUST(text);
	free(text);
	json_decref(config);
	return 0;
}
