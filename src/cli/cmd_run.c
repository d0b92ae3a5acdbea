// SPDX-License-Identifier: Apache-2.0
/* lichen run: plans which gaps to fill for a command, and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/report.h"
#include "cli/words.h"
#include "host/launch.h"
#include "host/plan.h"
#include "host/probe.h"
#include "lichen.h"

struct run_options {
	struct gap_set emulate, native, refuse;
	bool explain, json;
	const char *workdir;
	char **env; /* the guest's environment; NULL = ours as it is */
};

static int parse_env(void *field, const char *value, struct option_error *error);

static const struct option_row options[] = {
	{ .name = "emulate",
	  .value = "GAP,…",
	  .offset = offsetof(struct run_options, emulate),
	  .parse = parse_gaps,
	  .help = "fill these gaps even where the kernel has the feature; all: every gap that lichen can fill" },
	{ .name = "native",
	  .value = "GAP,…",
	  .offset = offsetof(struct run_options, native),
	  .parse = parse_gaps,
	  .help = "never fill these gaps" },
	{ .name = "refuse",
	  .value = "GAP,…",
	  .offset = offsetof(struct run_options, refuse),
	  .parse = parse_gaps,
	  .help = "let the kernel answer as one without the feature, so that lichen fills it (for tests)" },
	{ .name = "explain",
	  .offset = offsetof(struct run_options, explain),
	  .help = "print the plan and its reasons to stderr, then run; without CMD: only print it, to stdout" },
	{ .name = "json", .offset = offsetof(struct run_options, json), .help = "let --explain print JSON" },
	{ .name = "env",
	  .letter = 'e',
	  .value = "KEY=VALUE",
	  .offset = offsetof(struct run_options, env),
	  .parse = parse_env,
	  .help = "set a variable in the command's environment" },
	{ .name = "workdir",
	  .letter = 'w',
	  .value = "DIR",
	  .offset = offsetof(struct run_options, workdir),
	  .help = "run the command in this directory" },
};

/* Sets KEY=VALUE in the environment to be; the first use copies ours. The copy lives as long as the process. */
static int parse_env(void *field, const char *value, struct option_error *error)
{
	char ***env = field;
	const char *equals = strchr(value, '=');
	if (!equals || equals == value) {
		snprintf(error->text, sizeof(error->text), "option '--env' needs KEY=VALUE, not '%.100s'", value);
		return -EINVAL;
	}
	char **old = *env ? *env : environ;
	size_t count = 0, key = (size_t)(equals - value) + 1, kept = 0;
	while (old[count])
		count++;
	char **new = calloc(count + 2, sizeof(*new));
	if (!new) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		if (strncmp(old[i], value, key) != 0)
			new[kept++] = old[i];
	new[kept] = (char *)(uintptr_t)value; /* execve takes it as char *, and does not write to it */
	if (*env)
		free(*env);
	*env = new;
	return 0;
}

/* Turns what the command line names into a request. Returns -1, or the exit status after saying what is wrong. */
static int make_request(const struct run_options *given, struct plan_request *request)
{
	u32 refusable = 0;
	enum gap_id gap;
	for (int id = 0; id < GAP_COUNT; id++)
		if (gap_by_id(id)->refuse_calls || gap_by_id(id)->refuse_paths)
			refusable |= GAP_BIT(id);
	if (given->emulate.all && given->native.all)
		return command_usage(&command_run, "--emulate=all and --native=all contradict each other");
	/* 'all' means all the others: a gap named by the opposite option is taken out. */
	request->emulate = given->emulate.named | (given->emulate.all ? gaps_built() & ~given->native.named : 0);
	request->native = given->native.named | (given->native.all ? GAPS_ALL & ~given->emulate.named : 0);
	request->refuse = given->refuse.named | (given->refuse.all ? refusable : 0);

	char names[256];
	switch (plan_conflict(request, gaps_built(), &gap)) {
	case PLAN_EMULATE_AND_NATIVE:
		return command_usage(&command_run, "gap '%s' is named by both --emulate and --native", gap_by_id(gap)->name);
	case PLAN_EMULATE_UNBUILT:
		return command_usage(&command_run, "gap '%s' is known but not built: lichen can fill %s", gap_by_id(gap)->name,
				     gap_names(gaps_built(), names, sizeof(names)));
	case PLAN_CANNOT_REFUSE:
		return command_usage(&command_run, "gap '%s' cannot be refused; those that can: %s", gap_by_id(gap)->name,
				     gap_names(refusable, names, sizeof(names)));
	case PLAN_NO_CONFLICT:
		break;
	}
	return -1;
}

/* What a command's name stands for, seen from its working directory. Returns whether it is there. */
static bool find_file(const char *program, const char *workdir, struct stat *st)
{
	int dir = workdir ? open(workdir, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	return fstatat(dir, program, st, 0) == 0;
}

/* Says why the guest did not start: what was asked, what was answered, what to do. */
static void say_failure(const char *program, const char *workdir, const struct launch_result *result)
{
	struct stat st;
	const char *code = errno_name(result->error);
	bool there = find_file(program, workdir, &st);
	bool has_detail = result->detail[0] && strcmp(result->detail, program) != 0;
	const char *what = has_detail ? result->detail : result->stage ? result->stage : "lichen failed";
	fprintf(stderr, "lichen: cannot run '%s': ", program);
	if (result->status == LICHEN_EXIT_NOT_FOUND && !strchr(program, '/'))
		fprintf(stderr, "no such program in PATH (%s); install it, or give its full path\n", code);
	else if (result->status == LICHEN_EXIT_NOT_FOUND && there)
		fprintf(stderr, "the file is there, but the interpreter that it names is not (%s); install that\n", code);
	else if (result->status == LICHEN_EXIT_NOT_FOUND)
		fprintf(stderr, "no such file (%s); check the path\n", code);
	else if (result->status == LICHEN_EXIT_NOT_EXECUTABLE && there && S_ISDIR(st.st_mode))
		fprintf(stderr, "it is a directory (%s); name a program in it\n", code);
	else if (result->status == LICHEN_EXIT_NOT_EXECUTABLE && result->error == EACCES)
		fprintf(stderr, "permission denied (%s); check its mode and the directories above it\n", code);
	else if (result->status == LICHEN_EXIT_NOT_EXECUTABLE && result->error == ENOEXEC)
		fprintf(stderr, "not a program for this machine (%s); it must be x86-64 ELF or begin with #!\n", code);
	else if (result->error)
		fprintf(stderr, "%s: %s (%s)\n", what, strerror(result->error), code);
	else
		fprintf(stderr, "%s\n", what);
}

static int explain(const struct plan *plan, char *const *command, bool json)
{
	FILE *to = command ? stderr : stdout;
	if (!json) {
		plan_print(plan, command, to);
	} else if (plan_print_json(plan, command, to)) {
		fputs("lichen run: out of memory\n", stderr);
		return LICHEN_EXIT_FAILED;
	}
	return command ? 0 : command_flush(0);
}

static int run(int argc, char **argv)
{
	struct run_options given = { 0 };
	struct plan_request request;
	struct plan plan;
	struct gap_finding findings[GAP_COUNT] = { 0 };
	int first;
	int status = command_parse(&command_run, argc, argv, &given, &first);
	if (status < 0)
		status = make_request(&given, &request);
	if (status >= 0)
		return status;
	char *const *command = first < argc ? argv + first : NULL;
	if (!command && !given.explain)
		return command_usage(&command_run, "there is no command to run");
	if (given.json && !given.explain)
		return command_usage(&command_run, "--json needs --explain");
	if (command && !*command[0])
		return command_usage(&command_run, "the command's name is empty");

	/* Only what the plan depends on is probed, unless the plan is to be shown. */
	u32 probed = given.explain ? GAPS_ALL : plan_wants_probed(&request, gaps_built());
	int error = probe_gaps(probed, request.refuse, findings);
	if (error) {
		fprintf(stderr, "lichen: cannot probe this host: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_FAILED;
	}
	plan_make(&request, gaps_built(), probed, findings, &plan);
	status = given.explain ? explain(&plan, command, given.json) : 0;
	if (status || !command)
		return status;

	struct launch launch = {
		.argv = command,
		.envp = given.env ? given.env : environ,
		.emulate = plan.emulated,
		.refuse = plan.refused_natively,
		.workdir = given.workdir,
	};
	struct launch_result result = { .status = LICHEN_EXIT_FAILED };
	if (launch_run(&launch, &result))
		say_failure(command[0], given.workdir, &result);
	free(given.env);
	return result.status;
}

static const char *const notes[] = {
	"Gaps are the features that 'lichen doctor' names. What works here is never touched unless --emulate asks for it.",
	"Exit status: that of CMD, 128+n when signal n ended it; 125 lichen failed, 126 CMD cannot be executed, 127 no such CMD.",
	NULL,
};

const struct command command_run = {
	.name = "run",
	.synopsis = "[OPTION…] [--] CMD [ARG…]",
	.summary = "Runs a command, filling what this host's kernel lacks",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.word_ends_options = true,
	.usage_status = LICHEN_EXIT_FAILED,
	.notes = notes,
	.run = run,
};
