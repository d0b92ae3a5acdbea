// SPDX-License-Identifier: Apache-2.0
/*
 * The agent tool_executor: runs a program with its arguments as they are. There is no shell: a word is a word, whatever is in it.
 *
 * The command must be one of the step's allowed_commands, which are some of config.yaml's. A name is looked for in the directories of FLOW_TOOL_PATH; a path is
 * allowed only as it is written in the list. Its output is what it writes to stdout; it fails when its status is not 0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"
#include "flow/flow_call.h"
#include "flow/flow_paths.h"
#include "flow/flow_tool.h"

static const struct flow_field settings[] = {
	{ "allowed_commands", FLOW_STRINGS, false }, { "timeout", FLOW_INTEGER, false }, { "max_output_size", FLOW_INTEGER, false },
	{ "allowed_paths", FLOW_STRINGS, false },    { "read_only", FLOW_BOOL, false },
};
static const struct flow_field run_fields[] = { { "command", FLOW_STRING, true },
						{ "args", FLOW_STRINGS, false },
						{ "env", FLOW_MAPPING, false } };

/* --- what is allowed -------------------------------------------------------------------------------------------------------------------- */

static bool has_word(const struct flow_strings *strings, const char *word)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->words[i], word) == 0)
			return true;
	return false;
}

static int check(const struct flow_step *step, const struct flow_config *config, struct yaml_error *error)
{
	const struct yaml_node *own = yaml_get(step->settings, "allowed_commands"),
			       *command = yaml_get(step->parameters, "command");
	bool found = !own;

	for (size_t i = 0; own && i < own->count; i++) {
		const struct yaml_node *word = own->items[i];

		if (!flow_template_is(word->text, word->length) && !has_word(&config->allowed_commands, word->text))
			return yaml_refuse(word, error, "'%.80s' is none of config.yaml's allowed_commands", word->text);
		found |= flow_template_is(word->text, word->length) || strcmp(word->text, command->text) == 0;
	}
	if (!flow_template_is(command->text, command->length) && (!found || !has_word(&config->allowed_commands, command->text)))
		return yaml_refuse(command, error, "'%.80s' is none of %s allowed_commands", command->text,
				   found ? "config.yaml's" : "the step's");
	return flow_paths_check(step, config, error);
}

static bool is_allowed(const struct flow_task *task, const char *command)
{
	const json_t *own = json_object_get(task->settings, "allowed_commands"), *word;
	bool found = !own;
	size_t i;

	json_array_foreach(own, i, word)
	{
		found |= strcmp(json_string_value(word), command) == 0;
	}
	return found && has_word(&task->config->allowed_commands, command);
}

/* --- words ------------------------------------------------------------------------------------------------------------------------------ */

/* The words of the command, NULL-terminated: borrowed. NULL without memory. */
static char **make_argv(const struct flow_task *task)
{
	const json_t *args = json_object_get(task->parameters, "args"), *word;
	char **argv = calloc(json_array_size(args) + 2, sizeof(*argv));
	size_t i;

	if (!argv)
		return NULL;
	argv[0] = (char *)json_string_value(json_object_get(task->parameters, "command"));
	json_array_foreach(args, i, word)
	{
		argv[i + 1] = (char *)json_string_value(word);
	}
	return argv;
}

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

/* The environment, NULL-terminated: the caller's for free_words(). NULL: without memory, or a name or value is none, of which *ret_wrong tells. */
static char **make_envp(const struct flow_task *task, const char **ret_wrong)
{
	json_t *given = json_object_get(task->parameters, "env");
	char **envp = calloc(json_object_size(given) + 3, sizeof(*envp));
	size_t used = 0;
	const char *name;
	json_t *value;

	if (!envp || !(envp[used++] = strdup("PATH=" FLOW_TOOL_PATH)) || !(envp[used++] = strdup("LANG=C.UTF-8"))) {
		free_words(envp);
		return NULL;
	}
	json_object_foreach(given, name, value)
	{
		if (!*name || strchr(name, '=') || !json_is_string(value) ||
		    asprintf(&envp[used], "%s=%s", name, json_string_value(value)) < 0) {
			envp[used] = NULL;
			*ret_wrong = name;
			free_words(envp);
			return NULL;
		}
		used++;
	}
	return envp;
}

/* --- running ---------------------------------------------------------------------------------------------------------------------------- */

static size_t setting(const struct flow_task *task, const char *name, u64 most)
{
	const json_t *given = json_object_get(task->settings, name);
	u64 value = given ? (u64)json_integer_value(given) : most;

	return (size_t)(value < most ? value : most);
}

/* The first line of its standard error. */
static void add_stderr(struct flow_result *result, const struct flow_tool_result *ended)
{
	size_t used = strlen(result->error), length = 0;

	while (length < ended->err_size && length < 300 && ended->err[length] != '\n')
		length++;
	if (length > 0)
		(void)snprintf(result->error + used, sizeof(result->error) - used, ": %.*s", (int)length, ended->err);
}

static enum flow_outcome judge(const struct flow_tool *tool, struct flow_tool_result *ended, struct flow_result *result)
{
	const char *name = tool->argv[0];
	bool own = tool->deadline < tool->task->deadline;
	char *error = result->error;

	switch (ended->end) {
	case FLOW_TOOL_ENDED:
		(void)snprintf(error, sizeof(result->error), "'%.80s' has ended with status %d", name, ended->status);
		add_stderr(result, ended);
		return ended->status == 0 ? FLOW_OK : FLOW_FAILED;
	case FLOW_TOOL_TIME:
		(void)snprintf(error, sizeof(result->error), "'%.80s' has taken too long (%s)", name,
			       own ? "config.timeout" : "max_run_time");
		return own ? FLOW_FAILED : FLOW_TIME;
	case FLOW_TOOL_OUTPUT:
		(void)snprintf(error, sizeof(result->error), "'%.80s' has written more than %zu bytes", name, tool->output_max);
		return FLOW_FAILED;
	case FLOW_TOOL_STOPPED:
		(void)snprintf(error, sizeof(result->error), "a signal has stopped the run");
		return FLOW_STOPPED;
	case FLOW_TOOL_LAYER:
		(void)snprintf(error, sizeof(result->error), "%s", ended->detail);
		return FLOW_NO_LAYER;
	case FLOW_TOOL_DENIED:
		(void)snprintf(error, sizeof(result->error), "'%.80s' has ended with status %d, denied %s", name, ended->status,
			       ended->detail);
		return FLOW_DENIED;
	case FLOW_TOOL_LOG:
		(void)snprintf(error, sizeof(result->error), "%s", ended->detail);
		return FLOW_BROKEN;
	case FLOW_TOOL_FAILED:
		break;
	}
	(void)snprintf(error, sizeof(result->error), "cannot run %s", ended->detail);
	return FLOW_FAILED;
}

/* What the step names of paths is config.yaml's: of what templates have made nobody has told yet. */
static enum flow_outcome judge_paths(const struct flow_task *task, const char *command, struct flow_result *result)
{
	const char *path = NULL;
	int r = flow_paths_judge(task, &path);

	if (r == 0)
		return FLOW_OK;
	(void)snprintf(result->error, sizeof(result->error), "cannot run '%.80s': '%.200s' of allowed_paths %s", command, path,
		       r == -EACCES  ? "is in none of config.yaml's"
		       : r == -EXDEV ? "has a '..'"
				     : "is too long");
	return FLOW_DENIED;
}

static enum flow_outcome run_tool(const struct flow_tool *tool, struct flow_result *result)
{
	struct flow_tool_result ended = { 0 };
	int r = flow_tool_run(tool, &ended);

	if (r < 0) {
		(void)snprintf(result->error, sizeof(result->error), "cannot run '%.80s': %s", tool->argv[0], strerror(-r));
		return FLOW_BROKEN;
	}
	enum flow_outcome outcome = judge(tool, &ended, result);
	if (ended.end == FLOW_TOOL_ENDED || ended.end == FLOW_TOOL_DENIED)
		result->facts = json_pack("{s:i, s:I}", "status", ended.status, "stderr_bytes", (json_int_t)ended.err_size);
	result->output = ended.out;
	result->size = ended.out_size;
	free(ended.err);
	return outcome;
}

static enum flow_outcome run(const struct flow_task *task, struct flow_result *result)
{
	const json_t *timeout = json_object_get(task->settings, "timeout");
	struct flow_tool tool = { .task = task, .deadline = task->deadline };
	const char *wrong = NULL;

	tool.output_max = setting(task, "max_output_size", task->config->max_output);
	u64 own = flow_clock() + 1000000000u * setting(task, "timeout", 86400);
	if (timeout && own < tool.deadline)
		tool.deadline = own;
	tool.argv = make_argv(task);
	tool.envp = make_envp(task, &wrong);
	enum flow_outcome outcome = FLOW_BROKEN;
	if (wrong) {
		(void)snprintf(result->error, sizeof(result->error), "env: '%.80s' is no variable, or its value no string", wrong);
		outcome = FLOW_WRONG;
	} else if (!tool.argv || !tool.envp) {
		(void)snprintf(result->error, sizeof(result->error), "out of memory");
	} else if (!is_allowed(task, tool.argv[0])) {
		(void)snprintf(result->error, sizeof(result->error), "cannot run '%.80s': no rule of allowed_commands allows it",
			       tool.argv[0]);
		outcome = FLOW_DENIED;
	} else {
		outcome = judge_paths(task, tool.argv[0], result);
		if (outcome == FLOW_OK)
			outcome = run_tool(&tool, result);
	}
	free(tool.argv);
	free_words(tool.envp);
	return outcome;
}

static const struct flow_action actions[] = { { "run", run_fields, ARRAY_SIZE(run_fields) } };

const struct flow_agent flow_agent_tool = {
	.name = "tool_executor",
	.settings = settings,
	.setting_count = ARRAY_SIZE(settings),
	.actions = actions,
	.action_count = ARRAY_SIZE(actions),
	.check = check,
	.run = run,
};
