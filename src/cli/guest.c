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

/* Bytes of a variable's name. */
static size_t key_size(const char *word)
{
	return strcspn(word, "=");
}

static bool same_key(const char *a, const char *b)
{
	size_t n = key_size(a);
	return n == key_size(b) && memcmp(a, b, n) == 0;
}

bool guest_env_has(char *const *env, const char *key)
{
	for (; env && *env; env++)
		if (same_key(*env, key))
			return true;
	return false;
}

/* The word as it is kept: what names a variable of ours, is that. */
static const char *ours(const char *word)
{
	for (char **at = environ; !word[key_size(word)] && *at; at++)
		if (same_key(*at, word))
			return *at;
	return word;
}

int guest_parse_env(void *field, const char *value, struct option_error *error)
{
	if (*value == '=')
		return options_refuse(error, "option '--env' needs KEY[=VALUE], not '%.100s'", value);
	return options_add_word(field, ours(value), error);
}

/* What names a variable that we have not, is left out. */
static int add_variable(void *field, const char *line, struct option_error *error)
{
	if (ours(line) == line && !line[key_size(line)])
		return 0;
	char *kept = strdup(ours(line));
	return kept ? options_add_word(field, kept, error) : options_refuse(error, "out of memory");
}

/* Lines are kept as long as the process lives: the environment points to them. */
int guest_parse_env_file(void *field, const char *value, struct option_error *error)
{
	return options_each_line(value, add_variable, field, error);
}

char **guest_env(const struct option_words *given, char *const *base)
{
	size_t count = 0, kept = 0;
	while (base[count])
		count++;
	char **env = calloc(count + given->count + 1, sizeof(*env));
	for (size_t i = 0; env && i < count + given->count; i++) {
		const char *word = i < count ? base[i] : given->words[i - count];
		bool later = false;
		for (size_t j = i < count ? 0 : i - count + 1; j < given->count; j++)
			later |= same_key(given->words[j], word);
		if (!later && word[key_size(word)])
			env[kept++] = (char *)(uintptr_t)word; /* execve takes it as char *, and does not write to it */
	}
	return env;
}

static int say_unbuilt(const struct command *command, enum gap_id gap)
{
	char names[256];
	return command_usage(command, "gap '%s' is known but not built: lichen can fill %s", gap_by_id(gap)->name,
			     gap_names(gaps_built(), names, sizeof(names)));
}

int guest_request(const struct command *command, const struct guest_options *given, struct plan_request *request)
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
	switch (plan_conflict(request, gaps_built(), &gap)) {
	case PLAN_EMULATE_AND_NATIVE:
		return command_usage(command, "gap '%s' is named by both --emulate and --native", gap_by_id(gap)->name);
	case PLAN_EMULATE_UNBUILT:
		return say_unbuilt(command, gap);
	case PLAN_CANNOT_REFUSE:
		return command_usage(command, "gap '%s' cannot be refused; those that can: %s", gap_by_id(gap)->name,
				     gap_names(refusable, names, sizeof(names)));
	case PLAN_NO_CONFLICT:
		break;
	}
	return -1;
}

int guest_imply(const struct command *command, bool tree, struct plan_request *request)
{
	u32 named = request->emulate;
	if (!tree && (named & GAP_BIT(GAP_overlay)) && (request->native & GAP_BIT(GAP_mounts)))
		return command_usage(command, "--emulate=overlay fills what mount(2) is given, which --native=mounts forbids");
	if (!tree && (named & GAP_BIT(GAP_overlay)))
		request->emulate |= GAP_BIT(GAP_mounts);
	if (request->emulate & GAP_BIT(GAP_mounts))
		request->emulate |= GAP_BIT(GAP_overlay);
	request->emulate &= ~request->native;
	request->implied |= request->emulate & ~named;
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
	if (result->status == LICHEN_EXIT_IO || result->status == LICHEN_EXIT_DATA) { /* of the audit log, not of the program */
		fprintf(stderr, "lichen: %s\n", result->detail);
		return;
	}
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
