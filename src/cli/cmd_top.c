// SPDX-License-Identifier: Apache-2.0
/* lichen top: the processes of a cell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_process.h"
#include "lichen.h"

/* What a process was started with, in one line; its name in brackets when that is not to be had. */
static void print_command(pid_t pid)
{
	char path[64], text[4096];
	size_t size = 0;
	for (int i = 0; i < 2 && size == 0; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, i ? "comm" : "cmdline");
		FILE *file = fopen(path, "re");
		size = file ? fread(text, 1, sizeof(text), file) : 0;
		if (file)
			fclose(file);
		if (size > 0 && text[size - 1] == (i ? '\n' : '\0'))
			size--;
	}
	for (size_t i = 0; i < size; i++)
		putchar(text[i] == '\0' ? ' ' : (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i]);
	putchar('\n');
}

static int run(int argc, char **argv)
{
	struct cell_found found;
	struct cell_process *all = NULL;
	int first, status = command_parse(&command_top, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_top, first == argc ? "which cell?" : "of one cell at a time");
	CLEANUP_FD int store = cells_open(&command_top);
	if (store < 0 || cells_find(&command_top, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	int count = cell_processes(found.id, found.state.status == CELL_RUNNING ? found.state.monitor : 0, CELL_BY_ENVIRONMENT,
				   &all, NULL);
	cells_done(&found);
	if (count < 0)
		return cells_say(&command_top, argv[first], "cannot read /proc: %s (%s)", strerror(-count), errno_name(-count));
	printf("%7s %7s S %8s COMMAND\n", "PID", "PPID", "TIME");
	for (int i = 0; i < count; i++) {
		unsigned long long seconds = all[i].ticks / (u64)sysconf(_SC_CLK_TCK);
		printf("%7d %7d %c %02llu:%02llu:%02llu ", all[i].pid, all[i].parent, all[i].state, seconds / 3600,
		       seconds / 60 % 60, seconds % 60);
		print_command(all[i].pid);
	}
	free(all);
	return command_flush(0);
}

const struct command command_top = {
	.name = "top",
	.synopsis = "CELL",
	.summary = "Lists the processes of a cell",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
