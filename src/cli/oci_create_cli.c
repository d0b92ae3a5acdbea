// SPDX-License-Identifier: Apache-2.0
/* lichen oci create, start, run, delete, kill. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/oci_cli.h"
#include "lichen.h"
#include "oci/oci_console.h"
#include "oci/oci_create.h"
#include "oci/oci_wait.h"

struct create_options {
	const char *bundle, *console_socket, *pid_file;
	bool no_pivot, no_new_keyring, detach, no_subreaper, keep;
	u32 preserve_fds;
};

#define CREATE_OPTIONS                                                                                                \
	{ .name = "bundle",                                                                                           \
	  .letter = 'b',                                                                                              \
	  .value = "DIR",                                                                                             \
	  .offset = offsetof(struct create_options, bundle),                                                          \
	  .help = "the bundle, instead of the working directory" },                                                   \
		{ .name = "console-socket",                                                                           \
		  .value = "SOCKET",                                                                                  \
		  .offset = offsetof(struct create_options, console_socket),                                          \
		  .help = "who gets the other end of the container's terminal" },                                     \
		{ .name = "pid-file",                                                                                 \
		  .value = "FILE",                                                                                    \
		  .offset = offsetof(struct create_options, pid_file),                                                \
		  .help = "write the pid of the container's first process there" },                                   \
		{ .name = "no-pivot",                                                                                 \
		  .offset = offsetof(struct create_options, no_pivot),                                                \
		  .help = "move the root and chroot, where the machine's root is a ramdisk" },                        \
		{ .name = "no-new-keyring",                                                                           \
		  .offset = offsetof(struct create_options, no_new_keyring),                                          \
		  .help = "leave the container the caller's session keyring" },                                       \
	{                                                                                                             \
		.name = "preserve-fds", .value = "N", .offset = offsetof(struct create_options, preserve_fds),        \
		.parse = oci_parse_u32, .help = "hand on N descriptors besides the standard streams (and LISTEN_FDS)" \
	}

static const struct option_row create_rows[] = { CREATE_OPTIONS };

static const struct option_row run_rows[] = {
	CREATE_OPTIONS,
	{ .name = "detach", .letter = 'd', .offset = offsetof(struct create_options, detach), .help = "do not wait for its end" },
	{ .name = "no-subreaper",
	  .offset = offsetof(struct create_options, no_subreaper),
	  .help = "do not adopt the container's orphans" },
	{ .name = "keep", .offset = offsetof(struct create_options, keep), .help = "do not delete it when it has ended" },
};

/* Those of socket activation are handed on as well: sd_listen_fds(3). */
static u32 preserved(const struct create_options *given)
{
	const char *listen = getenv("LISTEN_FDS");

	return given->preserve_fds + (listen ? (u32)strtoul(listen, NULL, 10) : 0);
}

static struct oci_create plan(const struct oci_global *global, const struct create_options *given, const char *id, int console)
{
	return (struct oci_create){ .root = global->root,
				    .id = id,
				    .bundle = given->bundle ? given->bundle : ".",
				    .pid_file = given->pid_file,
				    .console = console,
				    .no_pivot = given->no_pivot,
				    .no_new_keyring = given->no_new_keyring,
				    .preserve_fds = preserved(given) };
}

static int run_create(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct create_options given = { 0 };
	struct oci_error error = { 0 };
	struct oci_notes omitted = { 0 };
	CLEANUP_FD int console = FD_NONE;
	struct oci_create create;
	int first, status = oci_verb_parse(verb, argc, argv, &given, false, &first), r;
	pid_t pid;

	if (status >= 0)
		return status;
	if (given.console_socket) {
		console = oci_console_connect(given.console_socket, &error);
		if (console < 0)
			return oci_failed(global, "create", &error);
	}
	create = plan(global, &given, argv[first], console);
	r = oci_create(&create, &pid, &omitted, &error);
	oci_warn(global, &omitted);
	return r < 0 ? oci_failed(global, "create", &error) : 0;
}

/* --- run ----------------------------------------------------------------------------------------------------------------------------------- */

/* The container's terminal: handed to a console socket, or relayed to ours. *ret_ours: where its other end comes, negative: not to us. */
static int run_console(const struct create_options *given, int *ret_console, int *ret_ours, struct oci_error *error)
{
	int ends[2];

	if (given->console_socket) {
		*ret_console = oci_console_connect(given->console_socket, error);
		return *ret_console < 0 ? *ret_console : 0;
	}
	if (given->detach)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return oci_fail_errno(error, "making a socket pair");
	*ret_ours = ends[0];
	*ret_console = ends[1];
	return 0;
}

static int create_and_start(const struct oci_global *global, struct create_options *given, const char *id, int *ret_master,
			    pid_t *ret_pid, struct oci_error *error)
{
	CLEANUP_FD int console = FD_NONE, ours = FD_NONE;
	struct oci_notes omitted = { 0 };
	struct oci_error other;
	struct oci_create create;
	int r = run_console(given, &console, &ours, error);

	if (r < 0)
		return r;
	create = plan(global, given, id, console);
	create.console_offered = ours >= 0;
	r = oci_create(&create, ret_pid, &omitted, error);
	oci_warn(global, &omitted);
	if (r == 0 && ours >= 0 && create.console >= 0) {
		close_fd(&console);
		console = FD_NONE;
		*ret_master = oci_console_receive(ours); /* none came: the container has no terminal */
	}
	if (r < 0)
		return r;
	r = oci_start(global->root, id, error);
	if (r < 0)
		(void)!oci_delete(global->root, id, true, &other);
	return r;
}

static int run_run(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct create_options given = { 0 };
	struct oci_error error = { 0 };
	CLEANUP_FD int master = FD_NONE;
	int first, status = oci_verb_parse(verb, argc, argv, &given, false, &first), r = 0;
	sigset_t old;
	pid_t pid = 0;

	if (status >= 0)
		return status;
	if (!given.detach) {
		if (!given.no_subreaper)
			(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		r = oci_wait_begin(&old);
	}
	if (r == 0)
		r = create_and_start(global, &given, argv[first], &master, &pid, &error);
	if (r < 0)
		return oci_failed(global, "run", &error);
	if (given.detach)
		return 0;
	status = oci_wait(pid, master);
	if (!given.keep && oci_delete(global->root, argv[first], true, &error) < 0)
		return oci_failed(global, "run", &error);
	return status < 0 ? OCI_EXIT_FAILED : status;
}

/* --- start, delete, kill ------------------------------------------------------------------------------------------------------------------- */

static int run_start(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct oci_error error = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, NULL, false, &first);

	if (status >= 0)
		return status;
	return oci_start(global->root, argv[first], &error) < 0 ? oci_failed(global, "", &error) : 0;
}

struct end_options {
	bool all, force;
};

static const struct option_row kill_rows[] = {
	{ .name = "all",
	  .letter = 'a',
	  .offset = offsetof(struct end_options, all),
	  .help = "signal all processes of the container" },
};

static const struct option_row delete_rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .offset = offsetof(struct end_options, force),
	  .help = "kill it if it runs; that there is none is no failure" },
};

static int run_kill(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct end_options given = { 0 };
	struct oci_error error = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, &given, true, &first), sig;

	if (status >= 0)
		return status;
	sig = first + 1 < argc ? cell_signal_number(argv[first + 1]) : SIGTERM;
	if (sig <= 0)
		return command_usage(&verb->command, "unknown signal '%s'", argv[first + 1]);
	return oci_kill(global->root, argv[first], sig, given.all, &error) < 0 ? oci_failed(global, "", &error) : 0;
}

static int run_delete(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct end_options given = { 0 };
	struct oci_error error = { 0 };
	int first, status = oci_verb_parse(verb, argc, argv, &given, false, &first);

	if (status >= 0)
		return status;
	return oci_delete(global->root, argv[first], given.force, &error) < 0 ? oci_failed(global, "", &error) : 0;
}

/* --- the verbs ----------------------------------------------------------------------------------------------------------------------------- */

const struct oci_verb oci_verb_create = { { .name = "oci create",
					    .synopsis = "[OPTION…] CONTAINER",
					    .summary = "Makes a container, whose program waits for `start`",
					    .options = create_rows,
					    .option_count = ARRAY_SIZE(create_rows),
					    .usage_status = LICHEN_EXIT_USAGE },
					  run_create };
const struct oci_verb oci_verb_run = { { .name = "oci run",
					 .synopsis = "[OPTION…] CONTAINER",
					 .summary = "Creates a container, starts it, and waits for its end",
					 .options = run_rows,
					 .option_count = ARRAY_SIZE(run_rows),
					 .usage_status = LICHEN_EXIT_USAGE },
				       run_run };
const struct oci_verb oci_verb_start = { { .name = "oci start",
					   .synopsis = "CONTAINER",
					   .summary = "Runs the program of a created container",
					   .usage_status = LICHEN_EXIT_USAGE },
					 run_start };
const struct oci_verb oci_verb_kill = { { .name = "oci kill",
					  .synopsis = "[OPTION…] CONTAINER [SIGNAL]",
					  .summary = "Sends a signal (TERM) to a container's first process",
					  .options = kill_rows,
					  .option_count = ARRAY_SIZE(kill_rows),
					  .usage_status = LICHEN_EXIT_USAGE },
					run_kill };
const struct oci_verb oci_verb_delete = { { .name = "oci delete",
					    .synopsis = "[OPTION…] CONTAINER",
					    .summary = "Removes a container that has ended",
					    .options = delete_rows,
					    .option_count = ARRAY_SIZE(delete_rows),
					    .usage_status = LICHEN_EXIT_USAGE },
					  run_delete };
