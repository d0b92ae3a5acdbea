// SPDX-License-Identifier: Apache-2.0
/* lichen oci exec. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/oci_cli.h"
#include "lichen.h"
#include "oci/oci_console.h"
#include "oci/oci_create.h"
#include "oci/oci_wait.h"

struct exec_options {
	const char *console_socket, *cwd, *user, *process, *pid_file, *apparmor, *label;
	bool tty, detach, no_new_privs, ignore_paused;
	struct option_words env, groups, capabilities;
	u32 preserve_fds;
};

#define AT(field) .offset = offsetof(struct exec_options, field)
static const struct option_row rows[] = {
	{ .name = "console-socket", .value = "SOCKET", AT(console_socket), .help = "who gets the other end of the terminal" },
	{ .name = "cwd", .value = "DIR", AT(cwd), .help = "the working directory" },
	{ .name = "env", .letter = 'e', .value = "KEY=VALUE", AT(env), .parse = options_add_word, .help = "set a variable" },
	{ .name = "tty", .letter = 't', AT(tty), .help = "give it a terminal" },
	{ .name = "user", .letter = 'u', .value = "UID[:GID]", AT(user), .help = "who it is" },
	{ .name = "additional-gids",
	  .letter = 'g',
	  .value = "GID",
	  AT(groups),
	  .parse = options_add_word,
	  .help = "a further group" },
	{ .name = "process", .letter = 'p', .value = "FILE", AT(process), .help = "a process.json that says all of it" },
	{ .name = "detach", .letter = 'd', AT(detach), .help = "do not wait for its end" },
	{ .name = "pid-file", .value = "FILE", AT(pid_file), .help = "write its pid there" },
	{ .name = "process-label", .value = "LABEL", AT(label), .help = "its label of SELinux" },
	{ .name = "apparmor", .value = "PROFILE", AT(apparmor), .help = "its profile of AppArmor" },
	{ .name = "no-new-privs", AT(no_new_privs), .help = "it and its descendants gain no privileges by execve(2)" },
	{ .name = "cap",
	  .letter = 'c',
	  .value = "CAP",
	  AT(capabilities),
	  .parse = options_add_word,
	  .help = "a further capability" },
	{ .name = "preserve-fds",
	  .value = "N",
	  AT(preserve_fds),
	  .parse = oci_parse_u32,
	  .help = "hand on N descriptors besides the streams" },
	{ .name = "ignore-paused", AT(ignore_paused), .help = "also in a paused container" },
};

/* What a process.json would say: the container's own process, but for what the command line says. */
struct asked {
	json_t *root;         /* of process.json; NULL = none */
	struct oci_spec spec; /* else */
	struct oci_process process;
};

static int read_process(const char *path, struct asked *asked, struct oci_error *error)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r = oci_read_file(path, &text, &size, error);

	return r < 0 ? r : oci_process_parse(text, size, &asked->root, &asked->process, error);
}

static int set_user(const struct exec_options *given, struct oci_user *user, struct oci_error *error)
{
	char *end;

	if (given->user) {
		user->uid = (uid_t)strtoul(given->user, &end, 10);
		user->gid = *end == ':' ? (gid_t)strtoul(end + 1, &end, 10) : 0;
		if (end == given->user || *end)
			return oci_fail(error, -EINVAL, "--user=%s: UID or UID:GID", given->user);
	}
	for (size_t i = 0; i < given->groups.count; i++) {
		gid_t *more = realloc(user->groups, (user->group_count + 1) * sizeof(*more));

		if (!more)
			return oci_fail(error, -ENOMEM, "out of memory");
		user->groups = more;
		user->groups[user->group_count++] = (gid_t)strtoul(given->groups.words[i], &end, 10);
		if (end == given->groups.words[i] || *end)
			return oci_fail(error, -EINVAL, "--additional-gids=%s: a number", given->groups.words[i]);
	}
	return 0;
}

static int set_capabilities(const struct exec_options *given, struct oci_capabilities *caps, struct oci_error *error)
{
	for (size_t i = 0; i < given->capabilities.count; i++) {
		int number = oci_capability(given->capabilities.words[i]);
		u64 bit;

		if (number < 0)
			return oci_fail(error, -EINVAL, "--cap=%s: there is no such capability", given->capabilities.words[i]);
		bit = UINT64_C(1) << number;
		caps->bounding |= bit;
		caps->effective |= bit;
		caps->permitted |= bit;
	}
	return 0;
}

/* The words of the command line take the place of the container's. */
static int set_words(const struct exec_options *given, int argc, char **argv, struct oci_process *process, struct oci_error *error)
{
	size_t count = 0;
	const char **env, **args = calloc((size_t)argc + 1, sizeof(*args));

	while (process->env && process->env[count])
		count++;
	env = realloc((void *)process->env, (count + given->env.count + 1) * sizeof(*env));
	if (!args || !env) {
		free((void *)args);
		return oci_fail(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < given->env.count; i++)
		env[count++] = given->env.words[i];
	env[count] = NULL;
	process->env = env;
	memcpy((void *)args, (void *)argv, (size_t)argc * sizeof(*args));
	free((void *)process->args);
	process->args = args;
	return 0;
}

static int by_command_line(const struct oci_global *global, const struct exec_options *given, int argc, char **argv,
			   struct asked *asked, struct oci_error *error)
{
	struct oci_container container = OCI_CONTAINER_NONE;
	int r = oci_container_open(global->root, argv[0], false, &container, error);

	if (r == 0)
		r = oci_container_spec(&container, &asked->spec, error);
	oci_container_done(&container);
	if (r < 0)
		return r;
	asked->process = asked->spec.process;
	asked->spec.process = (struct oci_process){ 0 };
	asked->process.terminal = given->tty;
	asked->process.cwd = given->cwd ? given->cwd : asked->process.cwd;
	asked->process.apparmor = given->apparmor ? given->apparmor : asked->process.apparmor;
	asked->process.selinux = given->label ? given->label : asked->process.selinux;
	asked->process.no_new_privileges |= given->no_new_privs;
	r = set_words(given, argc - 1, argv + 1, &asked->process, error);
	if (r == 0)
		r = set_user(given, &asked->process.user, error);
	return r == 0 ? set_capabilities(given, &asked->process.capabilities, error) : r;
}

/* As oci_create_cli.c: a console socket, or ours. */
static int make_console(const struct exec_options *given, bool terminal, int *ret_console, int *ret_ours, struct oci_error *error)
{
	int ends[2];

	if (given->console_socket) {
		*ret_console = oci_console_connect(given->console_socket, error);
		return *ret_console < 0 ? *ret_console : 0;
	}
	if (given->detach || !terminal)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return oci_fail_errno(error, "making a socket pair");
	*ret_ours = ends[0];
	*ret_console = ends[1];
	return 0;
}

static int execute(const struct oci_global *global, const struct exec_options *given, const char *id,
		   const struct oci_process *process, int *ret_master, pid_t *ret_pid, struct oci_error *error)
{
	CLEANUP_FD int console = FD_NONE, ours = FD_NONE;
	struct oci_notes omitted = { 0 };
	struct oci_exec exec = { .root = global->root,
				 .id = id,
				 .process = process,
				 .pid_file = given->pid_file,
				 .preserve_fds = given->preserve_fds,
				 .ignore_paused = given->ignore_paused,
				 .notes = &omitted };
	int r = make_console(given, process->terminal, &console, &ours, error);

	exec.console = console;
	if (r == 0)
		r = oci_exec(&exec, ret_pid, error);
	oci_warn(global, &omitted);
	if (r == 0 && ours >= 0)
		*ret_master = oci_console_receive(ours);
	return r;
}

static int run_exec(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv)
{
	struct exec_options given = { 0 };
	struct oci_error error = { 0 };
	struct asked asked = { 0 };
	CLEANUP_FD int master = FD_NONE;
	int first, status = oci_verb_parse(verb, argc, argv, &given, true, &first), r = 0;
	sigset_t old;
	pid_t pid = 0;

	if (status >= 0)
		return status;
	if (!given.process && first + 1 == argc)
		return command_usage(&verb->command, "which command?");
	if (!given.detach) {
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		r = oci_wait_begin(&old);
	}
	if (r == 0)
		r = given.process ? read_process(given.process, &asked, &error)
				  : by_command_line(global, &given, argc - first, argv + first, &asked, &error);
	if (r == 0)
		r = execute(global, &given, argv[first], &asked.process, &master, &pid, &error);
	oci_process_done(&asked.process);
	oci_spec_done(&asked.spec);
	json_decref(asked.root);
	free((void *)given.env.words);
	free((void *)given.groups.words);
	free((void *)given.capabilities.words);
	if (r < 0) {
		(void)oci_failed(global, "", &error);
		return 255; /* as runc: what is less may be the command's */
	}
	if (given.detach)
		return 0;
	status = oci_wait(pid, master);
	return status < 0 ? 255 : status;
}

const struct oci_verb oci_verb_exec = { { .name = "oci exec",
					  .synopsis = "[OPTION…] CONTAINER [COMMAND [ARG…]]",
					  .summary = "Runs a further process in a container",
					  .options = rows,
					  .option_count = ARRAY_SIZE(rows),
					  .word_ends_options = true,
					  .usage_status = LICHEN_EXIT_USAGE },
					run_exec };
