// SPDX-License-Identifier: Apache-2.0
/* Starts this program in a cell. */
#include "cli/cell_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "cli/words.h"
#include "host/cell_join.h"
#include "host/cell_tree.h"
#include "lichen.h"

#define ARGS_MAX 80

struct starting {
	const struct command *command;
	const char *word;
	const struct cell_found *found;
	char *argv[ARGS_MAX];
	char **env;
	int stream;       /* the guest's */
	char program[64]; /* /proc/self/fd/N */
};

/* This very program in memory. A descriptor that is kept over execve, or negative errno. */
static int copy_self(void)
{
	CLEANUP_FD int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int to = memfd_create(CELL_HELPER_NAME, MFD_ALLOW_SEALING);
	CLEANUP_FREE char *data = malloc(1 << 18);
	if (from < 0 || to < 0 || !data)
		return data ? -errno : -ENOMEM;
	for (;;) {
		ssize_t n = read(from, data, 1 << 18);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		int r = write_bytes(to, data, (size_t)n);
		if (r < 0)
			return r;
	}
	if (fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return take_fd(&to);
}

static int run_joined(struct starting *starting, struct launch_result *result)
{
	const struct cell_join join = {
		.dir = starting->found->dir,
		.launch = { .argv = starting->argv, .envp = starting->env, .workdir = "/", .become = true },
		.input = starting->stream,
		.output = starting->stream,
	};
	bool detached;

	return cell_join_run(&join, &detached, result);
}

/* The gaps that the cell was made with. */
static u32 emulated(const json_t *config)
{
	const json_t *row;
	u32 gaps = 0;
	size_t i;
	json_array_foreach(json_object_get(config, "gaps"), i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *now = json_string_value(json_object_get(row, "state"));
		for (int id = 0; id < GAP_COUNT; id++)
			if (name && now && strcmp(now, "emulated") == 0 && strcmp(gap_by_id(id)->name, name) == 0)
				gaps |= GAP_BIT(id);
	}
	return gaps;
}

/* Lays the tree of a cell that has ended out again. *ret NULL: the machine's own. */
static int stage(const struct starting *starting, struct fs_state **ret, struct launch_result *result)
{
	struct cell_tree_spec spec;
	struct root_error why = { 0 };
	*ret = NULL;
	int error = cell_tree_read(starting->found->config, starting->found->dir, &spec);
	if (error == -ENODATA)
		return 0;
	if (!error) {
		*ret = calloc(1, sizeof(**ret));
		error = *ret ? root_stage(&spec.stage, *ret, &why) : -ENOMEM;
	}
	if (error) {
		*result = (struct launch_result){ .status = LICHEN_EXIT_FAILED,
						  .stage = "laying out the cell's tree",
						  .error = -error };
		snprintf(result->detail, sizeof(result->detail), "%.250s", why.what);
	}
	cell_tree_done(&spec);
	return error;
}

static int run_again(struct starting *starting, struct launch_result *result)
{
	const struct launch_setup setup = { .stdio = { starting->stream, starting->stream, FD_NONE } };
	struct fs_state *tree;
	int error = stage(starting, &tree, result);
	if (!error) {
		const struct launch launch = { .argv = starting->argv,
					       .envp = starting->env,
					       .emulate = emulated(starting->found->config),
					       .workdir = "/",
					       .tree = tree,
					       .setup = &setup };
		error = launch_run(&launch, result);
	}
	free(tree);
	return error;
}

/* The process that supervises the guest. */
static NORETURN void supervise(struct starting *starting, pid_t parent)
{
	struct launch_result result = { .status = LICHEN_EXIT_FAILED };
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(LICHEN_EXIT_FAILED);
	bool runs = starting->found->state.status == CELL_RUNNING;
	int error = runs ? run_joined(starting, &result) : run_again(starting, &result);
	(void)close(starting->stream);
	if (error == -EBUSY && runs) {
		cells_say(starting->command, starting->word, "it is paused; `lichen unpause %s`", starting->word);
		result.status = LICHEN_EXIT_FAILED;
	} else if (error) {
		cells_say(starting->command, starting->word, "cannot reach its files: %s%s%s: %s (%s)",
			  result.stage ? result.stage : "", result.detail[0] ? ": " : "", result.detail, strerror(-error),
			  errno_name(-error));
		result.status = LICHEN_EXIT_FAILED;
	}
	_exit(result.status);
}

int cell_helper_start(const struct command *command, const char *word, const struct cell_found *found, const char *const *args,
		      struct cell_helper *ret)
{
	static char helper_name[] = CELL_HELPER_NAME;
	char *none[] = { NULL };
	struct starting starting = { .command = command, .word = word, .found = found, .env = cells_env(none, found->id) };
	int pair[2], count = 2;
	CLEANUP_FD int program = copy_self();
	if (found->state.status == CELL_RESTARTING || found->state.status == CELL_CREATED)
		return cells_say(command, word, "it is being started; try again");
	if (program < 0 || !starting.env || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return cells_say(command, word, "cannot reach its files: %s", strerror(program < 0 ? -program : errno));
	snprintf(starting.program, sizeof(starting.program), "/proc/self/fd/%d", program);
	starting.argv[0] = starting.program;
	starting.argv[1] = helper_name;
	for (; *args && count < ARGS_MAX - 1; args++)
		starting.argv[count++] = (char *)(uintptr_t)*args; /* execve takes it as char *, and does not write to it */
	starting.stream = pair[1];
	pid_t parent = getpid();
	ret->pid = fork();
	if (ret->pid == 0) {
		(void)close(pair[0]);
		supervise(&starting, parent);
	}
	(void)close(pair[1]);
	cells_env_free(starting.env);
	ret->peer = pair[0];
	if (ret->pid > 0)
		return 0;
	(void)close(pair[0]);
	return cells_say(command, word, "cannot start a process: %s", strerror(errno));
}

int cell_helper_end(struct cell_helper *helper)
{
	int status;
	(void)close(helper->peer);
	while (waitpid(helper->pid, &status, 0) < 0)
		if (errno != EINTR)
			return LICHEN_EXIT_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : LICHEN_EXIT_FAILED;
}
