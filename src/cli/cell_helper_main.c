// SPDX-License-Identifier: Apache-2.0
/* What this program does as a guest of a cell (cell_helper.h): one end of a copy, on its standard input. Nothing of its environment is used. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cell_helper.h"
#include "image/copy.h"

#define FAILED 124 /* for errno values that are no exit status */

static int status_of(int error)
{
	return error == 0 ? 0 : -error < FAILED ? -error : FAILED;
}

/* lichen-helper send|follow SOURCE SKIP… ; lichen-helper receive TARGET */
int cell_helper_main(int argc, char **argv)
{
	struct image_error why;
	u64 lost;
	if (argc < 3)
		return FAILED;
	(void)umask(0);
	if (strcmp(argv[1], "receive") == 0) {
		const struct copy_target target = { .path = argv[2] };
		return status_of(copy_receive(STDIN_FILENO, &target, &lost, &why));
	}
	const struct copy_source source = { .path = argv[2],
					    .follow = strcmp(argv[1], "follow") == 0,
					    .skip = (const char *const *)argv + 3 };
	return status_of(copy_send(STDIN_FILENO, &source, &why));
}
