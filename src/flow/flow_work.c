// SPDX-License-Identifier: Apache-2.0
/* What a run writes down of itself: see the header. */
#include "flow/flow_work.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit_tree.h"
#include "audit/audit_view.h"
#include "base/cleanup.h"
#include "base/tame.h"
#include "flow/flow_models.h"
#include "flow/flow_paths.h"
#include "flow/flow_policy.h"
#include "flow/flow_redact.h"
#include "flow/flow_template.h"
#include "host/cell_config.h"
#include "host/state_dir.h"
#include "lichen.h"

#define HASH_TEXT (2 * crypto_hash_sha256_BYTES + 1)
#define TOLD_MAX \
	8192u /* bytes of the words of a tool, or of a path, in an event: as JSON each may take six, and an event has at most 65,535 */

static int fail(struct flow_work *work, int error, int status, const char *format, ...) PRINTF_LIKE(4, 5);
static int fail(struct flow_work *work, int error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(work->ended->error, sizeof(work->ended->error), format, args);
	va_end(args);
	work->ended->status = status;
	return error;
}

static void sha256(const char *bytes, size_t size, char text[HASH_TEXT])
{
	u8 hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, (const u8 *)bytes, size);
	(void)sodium_bin2hex(text, HASH_TEXT, hash, sizeof(hash));
}

static json_t *time_json(void)
{
	struct timespec now;
	struct tm tm;
	char text[32], whole[64];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	(void)snprintf(whole, sizeof(whole), "%s.%06ldZ", text, now.tv_nsec / 1000);
	return json_string(whole);
}

/* --- the audit log ---------------------------------------------------------------------------------------------------------------------- */

/* What a log's error ends the run with. */
static int log_failed(struct flow_work *work, int error, const struct audit_error *why)
{
	work->log_status = error == -EBADMSG || error == -ENOKEY ? LICHEN_EXIT_DATA : LICHEN_EXIT_IO;
	return fail(work, error, work->log_status, "the audit log '%.100s': %.300s", work->log, why->text);
}

/* A text of the flow's, for the log: redacted. NULL: it must not be stored. */
static json_t *text_json(const struct flow_work *work, const char *text)
{
	CLEANUP_FREE char *clean = NULL, *redacted = NULL;
	size_t size;

	if (flow_text_clean(text, strlen(text), &clean, &size) < 0 ||
	    flow_redact(work->run->config, clean, size, &redacted, &size) < 0)
		return NULL;
	return json_stringn(redacted, size);
}

static int note(struct flow_work *work, const char *type, json_t *members)
{
	struct audit_error why;
	int r = audit_run_note(work->log, &work->audit, type, members, &why);

	return r < 0 ? log_failed(work, r, &why) : 0;
}

/* What a variable is in the log: its value may be a secret. */
static const char *by_name(const char *name)
{
	static char text[160];

	(void)snprintf(text, sizeof(text), "${%s}", name);
	return text;
}

/* What a value of step i will be, with outputs filled in. NULL: that cannot be told, or is longer than `most` (which counts down). */
static json_t *filled_json(const struct flow_work *work, size_t i, const struct yaml_node *node, size_t *most)
{
	const struct flow_scope scope = { .outputs = work->outputs, .count = i, .variable = by_name };
	CLEANUP_FREE char *text = NULL;
	char why[FLOW_WHY_MAX];
	size_t size = node->length;

	if (yaml_type(node) == YAML_STRING && flow_template_fill(node->text, node->length, &scope, &text, &size, why) < 0)
		return NULL;
	if (size >= *most)
		return NULL;
	*most -= size + 1;
	return text_json(work, text ? text : node->text);
}

/* The words of a tool; those that do not fit are counted. */
static void add_command(const struct flow_work *work, size_t i, const struct yaml_node *parameters, json_t *members)
{
	const struct yaml_node *command = yaml_get(parameters, "command"), *args = yaml_get(parameters, "args");
	size_t count = 1 + (args ? args->count : 0), most = TOLD_MAX, omitted = 0;
	json_t *words = json_array();

	for (size_t word = 0; word < count; word++) {
		json_t *text = filled_json(work, i, word == 0 ? command : args->items[word - 1], &most);

		if (!text)
			omitted++;
		else
			(void)json_array_append_new(words, text);
	}
	(void)json_object_set_new(members, "command", words);
	if (omitted)
		(void)json_object_set_new(members, "omitted_words", json_integer((json_int_t)omitted));
}

int flow_log_step_start(struct flow_work *work, size_t i, unsigned attempt)
{
	static const char *const told[] = { "path", "url" };
	const struct flow_step *step = &work->run->flow->steps[i];
	json_t *members = json_pack("{s:i, s:s, s:s, s:i}", "step", (int)step->number, "agent", step->agent->name, "action",
				    step->action->name, "attempt", (int)attempt);

	if (step->agent == &flow_agent_tool)
		add_command(work, i, step->parameters, members);
	for (size_t n = 0; n < ARRAY_SIZE(told); n++) {
		const struct yaml_node *node = yaml_get(step->parameters, told[n]);
		size_t most = TOLD_MAX;
		json_t *text = node ? filled_json(work, i, node, &most) : NULL;

		if (text)
			(void)json_object_set_new(members, told[n], text);
	}
	return note(work, "step.start", members);
}

int flow_log_step_end(struct flow_work *work, size_t i, unsigned attempt, enum flow_outcome outcome, u64 duration_ms,
		      const struct flow_result *result)
{
	const struct flow_output *output = &work->outputs[i];
	json_t *members = json_pack("{s:i, s:i, s:s, s:I}", "step", (int)output->step, "attempt", (int)attempt, "outcome",
				    flow_outcome_name(outcome), "duration_ms", (json_int_t)duration_ms);
	char hash[HASH_TEXT];

	if (outcome == FLOW_OK) {
		sha256(output->text, output->size, hash);
		(void)json_object_set_new(members, "output_bytes", json_integer((json_int_t)output->size));
		(void)json_object_set_new(members, "output_sha256", json_string(hash));
	} else {
		(void)json_object_set_new(members, "error", cell_text_json(result->error));
	}
	if (result->facts)
		(void)json_object_set(members, "facts", result->facts);
	return note(work, "step.end", members);
}

int flow_log_step_skip(struct flow_work *work, size_t i)
{
	const struct flow_step *step = &work->run->flow->steps[i];

	return note(work, "step.skip",
		    json_pack("{s:i, s:o}", "step", (int)step->number, "condition", text_json(work, step->condition->text)));
}

static int log_start(struct flow_work *work, const char *hash)
{
	const struct flow_run *run = work->run;
	json_t *members =
		json_pack("{s:o, s:o, s:s, s:i, s:b, s:s, s:i, s:i, s:s}", "name", text_json(work, run->flow->name), "file",
			  text_json(work, run->file), "sha256", hash, "steps", (int)run->flow->count, "sandbox", !run->no_sandbox,
			  "redaction", run->config->pii_redaction_enabled ? run->config->redaction_strategy : "off", "uid",
			  (int)getuid(), "pid", (int)getpid(), "lichen", LICHEN_VERSION);
	struct audit_error why;

	if (*work->resumes)
		(void)json_object_set_new(members, "resumes", json_string(work->resumes));
	int r = audit_run_open(work->log, "flow.start", members, &work->audit, &why);
	return r < 0 ? log_failed(work, r, &why) : 0;
}

/* --- run.json --------------------------------------------------------------------------------------------------------------------------- */

static json_t *steps_json(const struct flow_work *work)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < work->run->flow->count; i++) {
		const struct flow_step *step = &work->run->flow->steps[i];

		(void)json_array_append_new(steps, json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:i}", "step", (int)step->number,
							     "agent", step->agent->name, "action", step->action->name, "state",
							     "waiting", "attempts", 0, "duration_ms", 0, "output_bytes", 0));
	}
	return steps;
}

static json_t *state_json(const struct flow_work *work, const char *hash)
{
	const struct flow_run *run = work->run;
	json_t *resumes = *work->resumes ? json_string(work->resumes) : json_null();

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:n, s:n, s:n, s:o}", "schema",
			 LICHEN_FLOW_SCHEMA, "lichen", LICHEN_VERSION, "id", work->audit.id, "name",
			 text_json(work, run->flow->name), "file", cell_text_json(run->file), "sha256", hash, "directory",
			 cell_text_json(run->base_path), "audit", cell_text_json(work->log), "resumes", resumes, "started",
			 time_json(), "state", "running", "ended", "status", "error", "steps", steps_json(work));
}

void flow_record_step(struct flow_work *work, size_t i, const char *state, unsigned attempts, u64 duration_ms,
		      const struct flow_result *result)
{
	json_t *row = json_array_get(json_object_get(work->state, "steps"), i);
	bool ok = strcmp(state, "ok") == 0;

	(void)json_object_set_new(row, "state", json_string(state));
	(void)json_object_set_new(row, "attempts", json_integer(attempts));
	(void)json_object_set_new(row, "duration_ms", json_integer((json_int_t)duration_ms));
	(void)json_object_set_new(row, "output_bytes", json_integer(ok ? (json_int_t)work->outputs[i].size : 0));
	if (result && !ok)
		(void)json_object_set_new(row, "error", cell_text_json(result->error));
	else
		(void)json_object_del(row, "error");
	if (result && result->facts)
		(void)json_object_set(row, "facts", result->facts);
	(void)flow_state_write(work->state_dir, work->state);
}

/* --- begin and end ---------------------------------------------------------------------------------------------------------------------- */

/* Takes over what a run that is resumed has done. */
static int resume(struct flow_work *work, const char *hash)
{
	char *id = work->resumes;
	CLEANUP_FD int dir = flow_state_open(work->run->resume, id);
	json_t *before = dir < 0 ? NULL : flow_state_read(dir);
	int r = 0;

	if (!before)
		return fail(work, dir < 0 ? dir : -EINVAL, LICHEN_EXIT_NO_INPUT, "there is no run '%.40s' that could be resumed",
			    work->run->resume);
	const char *was = json_string_value(json_object_get(before, "sha256"));
	if (!was || strcmp(was, hash) != 0)
		r = fail(work, -EINVAL, LICHEN_EXIT_CONFIG, "run %s was of another file, or the file has changed since", id);
	else if (!json_is_true(json_object_get(before, "resumable")))
		r = fail(work, -EINVAL, LICHEN_EXIT_USAGE, "run %s is %s: there is nothing to resume", id,
			 json_string_value(json_object_get(before, "state")));
	for (size_t i = 0; r == 0 && i < work->run->flow->count; i++) {
		const json_t *row = json_array_get(json_object_get(before, "steps"), i);
		const char *state = json_string_value(json_object_get(row, "state"));
		struct flow_output *output = &work->outputs[i];
		char *text;

		if (!state || strcmp(state, "ok") != 0 || flow_state_get_output(dir, output->step, &text, &output->size) < 0)
			continue;
		/* An output that is not whole any more is made again. */
		if ((json_int_t)output->size != json_integer_value(json_object_get(row, "output_bytes"))) {
			free(text);
			output->size = 0;
			continue;
		}
		output->text = text;
		output->state = FLOW_STEP_OK;
	}
	json_decref(before);
	return r;
}

/* Writes down which outputs were taken over. */
static int record_kept(struct flow_work *work)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < work->run->flow->count; i++)
		if (work->outputs[i].state == FLOW_STEP_OK) {
			r = flow_state_put_output(work->state_dir, work->outputs[i].step, work->outputs[i].text,
						  work->outputs[i].size);
			flow_record_step(work, i, "ok", 0, 0, NULL);
		}
	return r;
}

/* What decides on runs, or tells of them, must not be reached by a step: a flow of today could write what the one of tomorrow may do. */
struct kept_out {
	const char *what, *path;
	bool unread; /* nor be read by tools, which allowed_paths are not all of */
};

static int keep_one_out(struct flow_work *work, const struct kept_out *row)
{
	const struct flow_run *run = work->run;
	const char *allowed = flow_paths_cover(run->config, run->base_path, row->path);
	char real[PATH_MAX + 1] = "/";

	if (allowed)
		return fail(work, -EINVAL, LICHEN_EXIT_CONFIG,
			    "%s '%.200s' lies in '%.100s', which allowed_paths allows; keep it elsewhere", row->what, row->path,
			    allowed);
	if (!row->unread || flow_path_real(run->base_path, row->path, real + 1) < 0)
		return 0;
	allowed = flow_policy_reads(real);
	return !allowed ? 0
			: fail(work, -EINVAL, LICHEN_EXIT_CONFIG,
			       "%s '%.200s' lies in '%.100s', which every tool can read; keep it elsewhere", row->what, row->path,
			       allowed);
}

static int keep_out(struct flow_work *work)
{
	const struct flow_run *run = work->run;
	const char *given = getenv("LICHEN_AUDIT_KEY");
	char state[PATH_MAX] = "", key[PATH_MAX + 8];
	CLEANUP_FD int fd = state_dir_open(state);
	const struct kept_out rows[] = {
		{ "the audit log", work->log, true },
		{ "the key of the audit log", key, true },
		{ "the state directory", fd < 0 ? NULL : state, true },
		{ "the configuration", run->config_path, false },
		{ "the budget", run->config->budget_file, false },
		{ "the flow", run->file, false },
	};
	int r = 0;

	(void)snprintf(key, sizeof(key), "%s%s", given && *given ? given : work->log, given && *given ? "" : "/" AUDIT_KEY);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].path)
			r = keep_one_out(work, &rows[i]);
	return r;
}

static int open_base(struct flow_work *work)
{
	const char *log = work->run->config->audit_storage_path;
	bool absolute = *log == '/';

	work->base = open(work->run->base_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work->base < 0)
		return fail(work, -errno, LICHEN_EXIT_NO_INPUT, "cannot open '%.200s': %s", work->run->base_path, strerror(errno));
	if (snprintf(work->log, sizeof(work->log), "%s%s%s", absolute ? "" : work->run->base_path, absolute ? "" : "/", log) >=
	    (int)sizeof(work->log))
		return fail(work, -ENAMETOOLONG, LICHEN_EXIT_CONFIG, "audit_storage_path is too long");
	return 0;
}

static int make_outputs(struct flow_work *work)
{
	work->outputs = calloc(work->run->flow->count, sizeof(*work->outputs));
	if (!work->outputs)
		return fail(work, -ENOMEM, LICHEN_EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < work->run->flow->count; i++)
		work->outputs[i] = (struct flow_output){ .step = work->run->flow->steps[i].number };
	return 0;
}

/* The run's directory, when the log has its beginning. */
static int open_state(struct flow_work *work, const char *hash)
{
	int r;

	work->state_dir = flow_state_create(work->audit.id, &work->lock);
	work->state = state_json(work, hash);
	r = work->state_dir < 0 ? work->state_dir : flow_state_write(work->state_dir, work->state);
	if (r == 0)
		r = record_kept(work);
	if (r < 0)
		(void)fail(work, r, LICHEN_EXIT_IO, "cannot write the state of the run: %s", strerror(-r));
	return r;
}

/* The run's own budget lies in its directory; one that runs share, where config.yaml says, from the base directory on. */
static int open_budget(struct flow_work *work)
{
	const char *shared = work->run->config->budget_file;
	char path[PATH_MAX];
	int length;

	if (shared && *shared)
		length = snprintf(path, sizeof(path), "%s%s%s", *shared == '/' ? "" : work->run->base_path,
				  *shared == '/' ? "" : "/", shared);
	else
		length = snprintf(path, sizeof(path), "/proc/self/fd/%d/budget", work->state_dir);
	int r = length < (int)sizeof(path) ? flow_budget_open(work->run->config, work->audit.id, path, &work->budget)
					   : -ENAMETOOLONG;
	if (r < 0)
		(void)fail(work, r, r == -EBADMSG ? LICHEN_EXIT_DATA : LICHEN_EXIT_IO, "cannot open the budget '%.200s': %s",
			   shared && *shared ? path : "of the run", r == -EBADMSG ? "it is damaged, or no budget" : strerror(-r));
	return r;
}

int flow_work_begin(struct flow_work *work)
{
	struct flow_config *config = work->run->config;
	char hash[HASH_TEXT];
	int r = open_base(work);

	if (r == 0 && strcmp(config->redaction_strategy, "hash") == 0) {
		r = flow_state_key(config->redaction_key, sizeof(config->redaction_key));
		if (r < 0)
			return fail(work, r, LICHEN_EXIT_IO, "cannot read or make the key for hashes: %s", strerror(-r));
	}
	if (r == 0)
		r = keep_out(work);
	sha256(work->run->text, work->run->length, hash);
	if (r == 0)
		r = make_outputs(work);
	if (r == 0 && work->run->resume)
		r = resume(work, hash);
	if (r == 0)
		r = log_start(work, hash);
	if (r < 0)
		return r;
	r = open_state(work, hash);
	if (r == 0)
		r = open_budget(work);
	if (r < 0)
		flow_work_end(work);
	return r;
}

/* --- audit_export_enabled --------------------------------------------------------------------------------------------------------------- */

struct export
{
	const char *run;
	FILE *to;
};

static int export_one(void *data, u64 index, const u8 *entry, size_t size)
{
	const struct export *export = data;
	json_t *event = json_loadb((const char *)entry, size, 0, NULL);
	const char *run = json_string_value(json_object_get(event, "run"));

	(void)index;
	if (run && strcmp(run, export->run) == 0) {
		(void)fwrite(entry, 1, size, export->to);
		(void)fputc('\n', export->to);
	}
	json_decref(event);
	return ferror(export->to) ? -EIO : 0;
}

/* The run's events beside its outputs, as `lichen audit export` prints them. */
static int export_events(const struct flow_work *work, struct audit_error *why)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	struct audit_view view;
	struct export export = { .run = work->audit.id, .to = open_memstream(&text, &size) };
	int r = audit_view_open(work->log, NULL, false, &view, why);

	if (r == 0 && export.to)
		r = audit_tree_each(view.tree, 0, export_one, &export, why);
	audit_view_close(&view);
	if (!export.to || fclose(export.to) != 0)
		return -ENOMEM;
	return r < 0 ? r : flow_state_put_audit(work->state_dir, text, size);
}

void flow_work_end(struct flow_work *work)
{
	struct flow_ended *ended = work->ended;
	const char *name = flow_outcome_name(ended->outcome);
	CLEANUP_FREE char *error = NULL;
	struct audit_error why;
	size_t size;

	if (*ended->error && flow_redact(work->run->config, ended->error, strlen(ended->error), &error, &size) == 0)
		(void)snprintf(ended->error, sizeof(ended->error), "%s", error);
	tame(ended->error);
	json_t *facts = flow_budget_facts(work->budget);
	int r = audit_run_close(work->log, &work->audit, "flow.end",
				json_pack("{s:s, s:i, s:O*}", "outcome", name, "status", ended->status, "budget", facts), &why);
	if (facts)
		(void)json_object_set_new(work->state, "budget", facts);
	budget_close(work->budget);
	work->budget = NULL;
	if (r < 0 && !work->log_status)
		(void)log_failed(work, r, &why);
	if (work->state_dir < 0)
		return;
	if (r == 0 && work->run->config->audit_export_enabled && export_events(work, &why) < 0 && ended->status == 0)
		(void)fail(work, -EIO, LICHEN_EXIT_IO, "cannot export the events of the run");
	(void)json_object_set_new(work->state, "state", json_string(name));
	(void)json_object_set_new(work->state, "ended", time_json());
	(void)json_object_set_new(work->state, "status", json_integer(ended->status));
	(void)json_object_set_new(work->state, "error", *ended->error ? cell_text_json(ended->error) : json_null());
	(void)flow_state_write(work->state_dir, work->state);
}
