// SPDX-License-Identifier: Apache-2.0
/* Runs of flows: see the header. */
#include "flow/flow_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "audit/audit_run.h"
#include "base/cleanup.h"
#include "base/tame.h"
#include "flow/flow_call.h"
#include "flow/flow_condition.h"
#include "flow/flow_redact.h"
#include "flow/flow_tool.h"
#include "flow/flow_work.h"
#include "lichen.h"

static const struct {
	const char *name;
	int status;
} outcomes[] = {
	[FLOW_OK] = { "ok", 0 },
	[FLOW_FAILED] = { "failed", LICHEN_FLOW_FAILED },
	[FLOW_DENIED] = { "denied", LICHEN_EXIT_DENIED },
	[FLOW_WRONG] = { "wrong", LICHEN_EXIT_CONFIG },
	[FLOW_TIME] = { "time", LICHEN_EXIT_TIMEOUT },
	[FLOW_BUDGET] = { "budget", LICHEN_EXIT_BUDGET },
	[FLOW_NO_LAYER] = { "layer", LICHEN_EXIT_UNAVAILABLE },
	[FLOW_BROKEN] = { "broken", LICHEN_EXIT_FAILED },
	[FLOW_STOPPED] = { "stopped", 128 },
};

const char *flow_outcome_name(enum flow_outcome outcome)
{
	return outcomes[outcome].name;
}

static void tell(const struct flow_work *work, size_t i, const char *outcome, const struct flow_told *more)
{
	struct flow_told told = more ? *more : (struct flow_told){ 0 };

	told.step = &work->run->flow->steps[i];
	told.outcome = outcome;
	if (work->run->tell)
		work->run->tell(work->run->user, &told);
}

/* --- one attempt ------------------------------------------------------------------------------------------------------------------------ */

static enum flow_outcome wrong(struct flow_result *result, int error, const struct yaml_error *why)
{
	if (error == -EINVAL) {
		(void)snprintf(result->error, sizeof(result->error), "line %u, column %u: %s", why->line, why->column, why->text);
		return FLOW_WRONG;
	}
	(void)snprintf(result->error, sizeof(result->error), "out of memory");
	return FLOW_BROKEN;
}

static enum flow_outcome no_plan(struct flow_result *result, int error)
{
	(void)snprintf(result->error, sizeof(result->error), "cannot probe this host: %s", strerror(-error));
	return FLOW_BROKEN;
}

/* Fills in, and has the agent do it. */
static enum flow_outcome carry_out(struct flow_work *work, size_t i, struct flow_result *result)
{
	const struct flow_step *step = &work->run->flow->steps[i];
	const struct flow_scope scope = { .outputs = work->outputs, .count = i, .variable = (const char *(*)(const char *))getenv };
	struct flow_task task = {
		.config = work->run->config,
		.action = step->action->name,
		.deadline = work->deadline,
		.stop = work->run->stop,
		.base = work->base,
		.base_path = work->run->base_path,
		.budget = work->budget,
		.http_next = &work->http_next,
		.run = work->audit.id,
		.step = step->number,
		.log = work->log,
		.audit = &work->audit,
		.weaker = work->run->weaker,
		.caged = flow_tool_caged,
		.plan = &work->plan,
		.no_sandbox = work->run->no_sandbox,
	};
	json_t *settings = NULL, *parameters = NULL;
	struct yaml_error error;
	enum flow_outcome outcome;

	int r = flow_fill(step->settings, step->agent->settings, step->agent->setting_count, &scope, &settings, &error);
	if (r == 0)
		r = flow_fill(step->parameters, step->action->fields, step->action->field_count, &scope, &parameters, &error);
	task.settings = settings;
	task.parameters = parameters;
	if (r < 0)
		outcome = wrong(result, r, &error);
	else if (step->agent == &flow_agent_tool && !task.no_sandbox && (r = flow_tool_plan_make(task.config, &work->plan)) < 0)
		outcome = no_plan(result, r);
	else
		outcome = step->agent->run(&task, result);
	json_decref(settings);
	json_decref(parameters);
	return outcome;
}

/* Makes the output what is kept: UTF-8, redacted, of bounded size. */
static enum flow_outcome keep(struct flow_work *work, size_t i, struct flow_result *result)
{
	const struct flow_config *config = work->run->config;
	struct flow_output *output = &work->outputs[i];
	CLEANUP_FREE char *clean = NULL;
	char *redacted = NULL;
	size_t size;
	int r;

	if (result->size > config->max_output) {
		(void)snprintf(result->error, sizeof(result->error), "the output has %zu bytes, more than max_output",
			       result->size);
		return FLOW_FAILED;
	}
	r = flow_text_clean(result->output ? result->output : "", result->size, &clean, &size);
	if (r == 0)
		r = flow_redact(config, clean, size, &redacted, &size);
	if (r < 0) {
		(void)snprintf(result->error, sizeof(result->error), "cannot redact the output: %s", strerror(-r));
		return FLOW_BROKEN;
	}
	free((void *)output->text);
	output->text = redacted;
	output->size = size;
	r = flow_state_put_output(work->state_dir, output->step, redacted, size);
	if (r < 0) {
		(void)snprintf(result->error, sizeof(result->error), "cannot store the output: %s", strerror(-r));
		return FLOW_BROKEN;
	}
	return FLOW_OK;
}

static void redact_error(const struct flow_work *work, struct flow_result *result)
{
	CLEANUP_FREE char *clean = NULL, *redacted = NULL;
	size_t size;

	if (flow_text_clean(result->error, strlen(result->error), &clean, &size) == 0 &&
	    flow_redact(work->run->config, clean, size, &redacted, &size) == 0)
		(void)snprintf(result->error, sizeof(result->error), "%s", redacted);
	else
		*result->error = '\0';
	tame(result->error); /* a tool's words go to terminals */
}

static enum flow_outcome attempt(struct flow_work *work, size_t i, unsigned number, struct flow_result *result)
{
	struct flow_told told = { .attempt = number };
	u64 started = flow_clock();
	enum flow_outcome outcome;

	if (flow_log_step_start(work, i, number) < 0)
		return FLOW_BROKEN;
	tell(work, i, "start", &told);
	flow_record_step(work, i, "running", number, 0, NULL);
	outcome = carry_out(work, i, result);
	if (outcome == FLOW_OK)
		outcome = keep(work, i, result);
	if (outcome != FLOW_OK)
		redact_error(work, result);
	told.duration_ms = (flow_clock() - started) / 1000000;
	told.output_size = outcome == FLOW_OK ? work->outputs[i].size : 0;
	told.error = outcome == FLOW_OK ? NULL : result->error;
	flow_record_step(work, i, flow_outcome_name(outcome), number, told.duration_ms, result);
	if (flow_log_step_end(work, i, number, outcome, told.duration_ms, result) < 0)
		outcome = FLOW_BROKEN;
	tell(work, i, flow_outcome_name(outcome), &told);
	return outcome;
}

/* --- a step ----------------------------------------------------------------------------------------------------------------------------- */

static enum flow_outcome end(struct flow_work *work, enum flow_outcome outcome, const char *why)
{
	if (!*work->ended->error)
		(void)snprintf(work->ended->error, sizeof(work->ended->error), "%s", why);
	return outcome;
}

static bool is_stopped(int fd, int milliseconds)
{
	struct pollfd stop = { .fd = fd, .events = POLLIN };

	return poll(&stop, 1, milliseconds) > 0;
}

/* Whether one more attempt may begin. */
static enum flow_outcome may_go_on(struct flow_work *work)
{
	if (is_stopped(work->run->stop, 0))
		return end(work, FLOW_STOPPED, "a signal has stopped the run");
	if (flow_clock() >= work->deadline)
		return end(work, FLOW_TIME, "the time of the run is over (max_run_time)");
	if (work->attempts++ >= (u64)work->run->config->max_steps)
		return end(work, FLOW_TIME, "the run has made all the steps that it may (max_steps)");
	return FLOW_OK;
}

static void result_done(struct flow_result *result)
{
	free(result->output);
	json_decref(result->facts);
	*result = (struct flow_result){ 0 };
}

/* Milliseconds between an attempt and the next. */
static int nap(const struct flow_work *work, unsigned number)
{
	u64 at = flow_clock(), left = at < work->deadline ? (work->deadline - at) / 1000000 + 1 : 0;
	u64 most = 100u << (number < 6 ? number - 1 : 5);

	return (int)(left < most ? left : most);
}

static enum flow_outcome try_step(struct flow_work *work, size_t i)
{
	const struct flow_step *step = &work->run->flow->steps[i];
	unsigned more = step->on_error == FLOW_ON_ERROR_RETRY ? (unsigned)work->run->config->max_retries : 0;

	for (unsigned number = 1;; number++) {
		struct flow_result result = { 0 };
		char why[FLOW_ERROR_MAX + 40];
		enum flow_outcome outcome = may_go_on(work);

		if (outcome != FLOW_OK)
			return outcome;
		outcome = attempt(work, i, number, &result);
		(void)snprintf(why, sizeof(why), "step %u: %s", step->number, result.error);
		result_done(&result);
		if (outcome == FLOW_OK)
			return outcome;
		if (outcome != FLOW_FAILED || number > more) {
			bool goes_on = step->on_error == FLOW_ON_ERROR_SKIP && (outcome == FLOW_FAILED || outcome == FLOW_DENIED);

			return goes_on ? outcome : end(work, outcome, why);
		}
		(void)is_stopped(work->run->stop, nap(work, number));
	}
}

/* 1: it is to be carried out, 0: not; or negative errno with `why`. */
static int meets_condition(const struct flow_work *work, size_t i, char why[FLOW_WHY_MAX])
{
	const struct yaml_node *condition = work->run->flow->steps[i].condition;
	const struct flow_scope scope = { .outputs = work->outputs, .count = i, .variable = (const char *(*)(const char *))getenv };
	size_t at;

	if (!condition)
		return 1;
	if (yaml_type(condition) == YAML_BOOL)
		return strcmp(condition->text, "true") == 0;
	return flow_condition(condition->text, condition->length, &scope, &at, why);
}

static enum flow_outcome do_step(struct flow_work *work, size_t i)
{
	const struct flow_step *step = &work->run->flow->steps[i];
	char why[FLOW_WHY_MAX] = "out of memory";
	enum flow_outcome outcome;
	int meets;

	if (work->outputs[i].state == FLOW_STEP_OK) {
		tell(work, i, "kept", NULL);
		return FLOW_OK;
	}
	meets = meets_condition(work, i, why);
	if (meets < 0)
		return end(work, meets == -EINVAL ? FLOW_WRONG : FLOW_BROKEN, why);
	if (meets == 0) {
		work->outputs[i].state = FLOW_STEP_SKIPPED;
		flow_record_step(work, i, "skipped", 0, 0, NULL);
		tell(work, i, "skipped", NULL);
		return flow_log_step_skip(work, i) < 0 ? FLOW_BROKEN : FLOW_OK;
	}
	outcome = try_step(work, i);
	work->outputs[i].state = outcome == FLOW_OK ? FLOW_STEP_OK : FLOW_STEP_FAILED;
	work->denied |= outcome == FLOW_DENIED;
	if ((outcome == FLOW_FAILED || outcome == FLOW_DENIED) && step->on_error == FLOW_ON_ERROR_SKIP)
		return FLOW_OK;
	return outcome;
}

/* --- the run ---------------------------------------------------------------------------------------------------------------------------- */

static enum flow_outcome do_steps(struct flow_work *work)
{
	enum flow_outcome outcome = FLOW_OK;

	for (size_t i = 0; outcome == FLOW_OK && i < work->run->flow->count; i++)
		outcome = do_step(work, i);
	if (outcome == FLOW_OK && work->denied)
		outcome = end(work, FLOW_DENIED, "a step was denied what it asked for");
	return outcome;
}

/* 128+n, of the signal that is waiting. */
static int stop_status(const struct flow_run *run)
{
	struct signalfd_siginfo info;

	return read(run->stop, &info, sizeof(info)) == (ssize_t)sizeof(info) ? 128 + (int)info.ssi_signo : 128 + SIGTERM;
}

static void take_output(struct flow_work *work)
{
	for (size_t i = work->outputs ? work->run->flow->count : 0; i > 0; i--) {
		struct flow_output *output = &work->outputs[i - 1];

		if (output->state == FLOW_STEP_OK && !work->ended->output) {
			work->ended->output = (char *)output->text;
			work->ended->output_size = output->size;
			output->text = NULL;
		}
		free((void *)output->text);
	}
	free(work->outputs);
}

void flow_run(struct flow_run *run, struct flow_ended *ret)
{
	struct flow_work work = {
		.run = run, .ended = ret, .state_dir = FD_NONE, .lock = FD_NONE, .base = FD_NONE, .audit = AUDIT_RUN_NONE
	};

	*ret = (struct flow_ended){ .outcome = FLOW_BROKEN, .status = LICHEN_EXIT_FAILED };
	work.deadline = flow_clock() + run->config->max_run_time * 1000000u;
	if (flow_work_begin(&work) == 0) {
		(void)snprintf(ret->id, sizeof(ret->id), "%s", work.audit.id);
		ret->outcome = do_steps(&work);
		if (!work.log_status)
			ret->status = ret->outcome == FLOW_STOPPED ? stop_status(run) : outcomes[ret->outcome].status;
		flow_work_end(&work);
	}
	if (work.log_status)
		ret->status = work.log_status;
	take_output(&work);
	json_decref(work.state);
	close_fd(&work.state_dir);
	close_fd(&work.lock);
	close_fd(&work.base);
}
