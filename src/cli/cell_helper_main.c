// SPDX-License-Identifier: Apache-2.0
/* What this program does as a guest of a cell (cell_helper.h): one end of a copy, on its standard input. Nothing of its environment is used. */
#include <errno.h>
#include <signal.h>
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

static void ask_to_stop(int sig)
{
	(void)sig;
	(void)!write(STDIN_FILENO, "s", 1);
}

/* The holder of a cell of units (units/manager.h): there until the other end is closed; what would end it asks the manager instead. */
static int hold(void)
{
	struct sigaction action = { .sa_handler = ask_to_stop };
	char byte;
	ssize_t n;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	do
		n = read(STDIN_FILENO, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	return 0;
}

/* lichen-helper send|follow SOURCE SKIP… ; lichen-helper receive TARGET ; lichen-helper hold */
int cell_helper_main(int argc, char **argv)
{
	struct image_error why;
	u64 lost;
	if (argc == 2 && strcmp(argv[1], "hold") == 0)
		return hold();
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
