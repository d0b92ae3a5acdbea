// SPDX-License-Identifier: Apache-2.0
/* What commands that run a guest share. */
#include "cli/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "lichen.h"

/* The copy lives as long as the process. */
int guest_parse_env(void *field, const char *value, struct option_error *error)
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

int guest_say_unbuilt(const struct command *command, enum gap_id gap)
{
	char names[256];
	return command_usage(command, "gap '%s' is known but not built: lichen can fill %s", gap_by_id(gap)->name,
			     gap_names(gaps_built(), names, sizeof(names)));
}

int guest_request(const struct command *command, const struct guest_options *given, u32 also, struct plan_request *request)
{
	u32 refusable = 0;
	enum gap_id gap;
	for (int id = 0; id < GAP_COUNT; id++)
		if (gap_by_id(id)->refuse_calls || gap_by_id(id)->refuse_paths)
			refusable |= GAP_BIT(id);
	if (given->emulate.all && given->native.all)
		return command_usage(command, "--emulate=all and --native=all contradict each other");
	/* 'all' means all the others: a gap named by the opposite option is taken out. */
	request->emulate = given->emulate.named | (given->emulate.all ? gaps_automatic() & ~given->native.named : 0);
	request->native = given->native.named | (given->native.all ? GAPS_ALL & ~given->emulate.named : 0);
	request->refuse = given->refuse.named | (given->refuse.all ? refusable : 0);

	char names[256];
	switch (plan_conflict(request, gaps_built() | also, &gap)) {
	case PLAN_EMULATE_AND_NATIVE:
		return command_usage(command, "gap '%s' is named by both --emulate and --native", gap_by_id(gap)->name);
	case PLAN_EMULATE_UNBUILT:
		return guest_say_unbuilt(command, gap);
	case PLAN_CANNOT_REFUSE:
		return command_usage(command, "gap '%s' cannot be refused; those that can: %s", gap_by_id(gap)->name,
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

void guest_say_failure(const char *program, const char *workdir, const struct launch_result *result)
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
