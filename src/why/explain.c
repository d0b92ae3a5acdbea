// SPDX-License-Identifier: Apache-2.0
/* Words for a finding: what it is, whether lichen fills it, what else can be done, and the command to run instead. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gaps/registry.h"
#include "why/call.h"
#include "why/finding_int.h"
#include "why/pool.h"

/* What the {words} of an advice stand for; NULL = nothing, and then a command that needs it is left out. */
struct values {
	const char *cmd, *name, *path, *dir, *mount, *port, *install;
};

static const char *value_of(const struct values *values, const char *word, size_t length)
{
	const struct {
		const char *word, *value;
	} rows[] = {
		{ "cmd", values->cmd },     { "name", values->name }, { "path", values->path },       { "dir", values->dir },
		{ "mount", values->mount }, { "port", values->port }, { "install", values->install },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].word) == length && memcmp(rows[i].word, word, length) == 0)
			return rows[i].value;
	return NULL;
}

/* Puts values into a template of `length` bytes. Returns NULL where one is missing. */
static const char *expand(struct pool *pool, const char *template, size_t length, const struct values *values)
{
	char text[4096];
	size_t used = 0;
	for (size_t i = 0; i < length && used + 1 < sizeof(text);) {
		size_t word = template[i] == '{' ? strcspn(template + i, "}") : 0;
		if (word == 0 || word >= length - i) {
			text[used++] = template[i++];
			continue;
		}
		const char *value = value_of(values, template + i + 1, word - 1);
		if (!value)
			return NULL;
		int added = snprintf(text + used, sizeof(text) - used, "%s", value);
		used += added > 0 ? (size_t)added : 0;
		if (used >= sizeof(text))
			return NULL;
		i += word + 1;
	}
	return pool_text(pool, text, used);
}

/* The first part in back-quotes that is a command as it stands; NULL = none. */
static const char *first_command(struct pool *pool, const char *text)
{
	for (const char *open = strchr(text, '`'), *close; open; open = strchr(close + 1, '`')) {
		close = strchr(open + 1, '`');
		if (!close)
			break;
		const char *command = pool_text(pool, open + 1, (size_t)(close - open) - 1);
		if (!strstr(command, "…") && command[0] != '-') /* an option alone is none */
			return command;
	}
	return NULL;
}

/* The first `…` of an advice as a command, and the advice without the sentences whose values are missing. */
static void advise(struct pool *pool, const char *advice, const struct values *values, struct finding *finding)
{
	char kept[4096] = "";
	size_t used = 0;
	while (advice && *advice) {
		const char *end = strstr(advice, ". "); /* a sentence; never inside a command */
		size_t length = end ? (size_t)(end - advice) + 1 : strlen(advice);
		const char *sentence = expand(pool, advice, length, values);
		if (sentence && !finding->command)
			finding->command = first_command(pool, sentence);
		if (sentence && used + strlen(sentence) + 2 < sizeof(kept))
			used += (size_t)snprintf(kept + used, sizeof(kept) - used, "%s%s", used ? " " : "", sentence);
		advice += length;
		advice += strspn(advice, " ");
	}
	if (used > 0)
		finding->advice = pool_text(pool, kept, used);
}

static const char *presence_text(const struct plan_row *row, char *text, size_t size)
{
	const char *word = row->finding.presence == GAP_MISSING ? "missing"
			 : row->finding.presence == GAP_BLOCKED ? "blocked"
			 : row->finding.presence == GAP_PRESENT ? "there"
								: "of unknown state";
	const char *error = row->finding.error ? strerrorname_np(row->finding.error) : NULL;
	snprintf(text, size, "%s%s%s%s", word, error ? " (" : "", error ? error : "", error ? ")" : "");
	return text;
}

/* Whether lichen fills the gap, by the plan of this machine; a command for it. */
static void explain_filling(const struct model *model, const struct circumstances *circumstances, struct finding *finding)
{
	const struct gap *gap = gap_by_id((enum gap_id)finding->gap);
	const struct plan_row *row = circumstances->plan ? &circumstances->plan->rows[finding->gap] : NULL;
	bool built = gaps_built() & GAP_BIT(finding->gap), probed = row && row->probed;
	const char *cmd = circumstances->command_line;
	const char *option = gap->on_request ? pool_print(model->pool, "--emulate=%s ", gap->name) : "";
	char found[64] = "";
	if (probed)
		presence_text(row, found, sizeof(found));
	if (circumstances->emulated & GAP_BIT(finding->gap)) {
		finding->filling = pool_print(
			model->pool,
			"lichen filled '%s' in this run, and refused this itself: docs/limits.md tells what it leaves out",
			gap->name);
	} else if (!probed && built) {
		finding->filling = pool_print(model->pool, "lichen fills '%s' where it is refused", gap->name);
		finding->command = pool_print(model->pool, "lichen run %s-- %s", option, cmd);
	} else if (!probed) {
		finding->filling = pool_print(model->pool, "lichen cannot fill '%s' yet", gap->name);
	} else if (built && row->finding.presence == GAP_PRESENT) {
		finding->filling = pool_print(
			model->pool,
			"'%s' works here as far as lichen tried it, so it leaves it to the kernel; it can fill it all the same",
			gap->name);
		finding->command = pool_print(model->pool, "lichen run --emulate=%s -- %s", gap->name, cmd);
	} else if (built) {
		finding->filling = pool_print(model->pool, "'%s' is %s here, and lichen fills it", gap->name, found);
		finding->command = pool_print(model->pool, "lichen run %s-- %s", option, cmd);
	} else if (row->finding.presence == GAP_PRESENT) {
		finding->filling = pool_print(
			model->pool, "'%s' works here as far as lichen tried it, and lichen cannot fill it yet", gap->name);
	} else {
		finding->filling = pool_print(model->pool, "'%s' is %s here, and lichen cannot fill it yet", gap->name, found);
	}
}

/* An absolute path of what the finding is about; NULL = none. */
static const char *subject_path(struct pool *pool, const struct finding *finding)
{
	const struct model_refusal *refusal = finding->refusal;
	const char *path = refusal ? refusal->path : NULL;
	struct trace_field field;
	if (!path && finding->line_count > 0) { /* a line may name one */
		const char *at = strchr(finding->lines[0]->text, '/');
		size_t length = at ? strcspn(at, " '\"`:,;)") : 0;
		if (length > 1)
			return pool_text(pool, at, length);
	}
	/* Relative to a descriptor whose path is known. */
	if (path && path[0] != '/' && trace_field_find(refusal->record, 0, 0, &field) && field.length > 0 &&
	    field.bytes[0] == '/' && path[0] && strcmp(path, field.bytes) != 0 && refusal->record->args[0] < 1u << 20)
		return pool_print(pool, "%.*s/%s", (int)field.length, field.bytes, path);
	return path;
}

static const char *install_command(struct pool *pool, const struct finding *finding)
{
	const char *name = finding->name                              ? model_name(finding->name)
			 : finding->refusal && finding->refusal->path ? model_name(finding->refusal->path)
								      : NULL;
	const char *package = name ? look_package(name) : NULL;
	if (package)
		return pool_print(pool, "apt-get install %s", package);
	return name ? pool_print(pool, "apt-file search /%s", name) : NULL;
}

static void fill_values(const struct model *model, const struct circumstances *circumstances, const struct finding *finding,
			const char *path, struct values *values)
{
	char point[PATH_MAX];
	int port = finding->refusal ? look_port_of(finding->refusal->record) : 0;
	*values = (struct values){ .cmd = circumstances->command_line, .name = finding->name, .path = path };
	values->install = install_command(model->pool, finding);
	if (port)
		values->port = pool_print(model->pool, "%d", port);
	if (path && path[0] == '/') {
		size_t length = (size_t)(model_name(path) - path);
		values->dir = pool_text(model->pool, path, length > 1 ? length - 1 : 1);
		bool full = finding->refusal && finding->refusal->error == ENOSPC;
		if (circumstances->look && !(full && look_has_room(look_mount_point(path, point, sizeof(point)))))
			values->mount = pool_print(model->pool, "%s", look_mount_point(path, point, sizeof(point)));
	}
}

static void look_closer(const struct circumstances *circumstances, const struct finding *finding, const char *path, enum look look,
			char *text, size_t size)
{
	const struct look_subject subject = {
		.refusal = finding->refusal,
		.oom_kills = circumstances->oom_kills,
		.known = finding->symptom && finding->symptom->cause,
		.program = finding->program,
		.path = path,
		.name = finding->name,
		.line = finding->line_count ? finding->lines[0]->text : NULL,
		.port = finding->refusal ? look_port_of(finding->refusal->record) : 0,
	};
	look_at(look, &subject, text, size);
}

void explain(const struct model *model, const struct circumstances *circumstances, struct finding *finding)
{
	struct values values;
	char looked[1024] = "", *call = NULL;
	size_t size = 0;
	FILE *stream = finding->refusal ? open_memstream(&call, &size) : NULL;
	if (stream) {
		call_print(finding->refusal->record, stream);
		if (fclose(stream) == 0)
			finding->call = pool_text(model->pool, call, size);
	}
	free(call);
	const char *path = subject_path(model->pool, finding), *advice = NULL;
	enum look look = LOOK_NONE;
	char interpreter[PATH_MAX];
	if (circumstances->look && path && finding->cause == CAUSE_program_missing &&
	    look_interpreter_missing(path, interpreter, sizeof(interpreter))) {
		finding->cause = CAUSE_interpreter_missing;
		finding->name = pool_print(model->pool, "%s", interpreter);
	}
	struct stat st;
	if (circumstances->look && path && finding->cause == CAUSE_program_denied && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		finding->cause = CAUSE_program_folder;
	fill_values(model, circumstances, finding, path, &values);
	if (finding->gap >= 0) {
		const struct gap *gap = gap_by_id((enum gap_id)finding->gap);
		finding->what = finding->symptom->cause
				      ? finding->symptom->cause
				      : pool_print(model->pool, "this kernel, or what confines the program, does not give it: %s",
						   gap->summary);
		explain_filling(model, circumstances, finding);
		advice = finding->symptom->advice;
		if (finding->refusal && (finding->refusal->error == EPERM || finding->refusal->error == EACCES))
			look = LOOK_PRIVILEGE;
	} else if (finding->cause != CAUSE_NONE) {
		const struct cause *cause = cause_by_id(finding->cause);
		finding->what = cause->title;
		advice = cause->advice;
		look = cause->look;
	} else if (finding->refusal) {
		const char *words = strerrordesc_np(finding->refusal->error);
		finding->what = pool_print(model->pool, "the kernel refused this call: %s", words ? words : "unknown error");
	}
	if (circumstances->look && look != LOOK_NONE)
		look_closer(circumstances, finding, path, look, looked, sizeof(looked));
	if (looked[0])
		finding->looked = pool_text(model->pool, looked, strlen(looked));
	advise(model->pool, advice, &values, finding);
}
