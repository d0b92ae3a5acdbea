// SPDX-License-Identifier: Apache-2.0
/*
 * A tool in the cage, with the policy that config.yaml and the step make (flow_policy.h). Its text has its digest in the audit log (run.policy, with the layers
 * in force); each denial, and each decision of the proxy, is an event there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit_run.h"
#include "base/cleanup.h"
#include "cage/cage.h"
#include "cage/cage_limits.h"
#include "cage/cage_tmp.h"
#include "cage/denial_event.h"
#include "flow/flow_paths.h"
#include "flow/flow_policy.h"
#include "flow/flow_redact.h"
#include "flow/flow_tool.h"
#include "gaps/registry.h"
#include "host/plan.h"
#include "host/probe.h"

#define EVENTS_MAX 1000u /* denials of one tool that the log gets; and decisions of its proxy */

struct job {
	const struct flow_tool *tool;
	int report;
	struct cage_policy *policy;
	struct cage_paths roots; /* of config.yaml: an earlier step may have made links in them */
	struct cage_tmp tmp;
	struct cage *cage;
	struct launch launch;
	struct launch_trace trace;
	u64 refused[TRACE_NUMBERS_SIZE];
	struct cage_denials *denials;
	u64 events;
	bool denied;        /* the step has been told of the first denial that is not quiet */
	int error;          /* negative errno: the log could not be told of a denial */
	u64 network_events; /* the same of the proxy, which is heard in another thread */
	int network_error;
};

int flow_tool_plan_make(const struct flow_config *config, struct flow_tool_plan *plan)
{
	static const struct plan_request request;
	const struct cage_limits limits = { .memory = (u64)config->memory_limit_mb << 20, .cpu = (u32)config->cpu_limit };
	struct gap_finding findings[GAP_COUNT];
	struct plan gaps;
	u32 probed = plan_wants_probed(&request, gaps_built());
	int r = plan->known ? 0 : probe_gaps(probed, 0, findings);

	if (plan->known || r < 0)
		return r;
	plan_make(&request, gaps_built(), probed, findings, &gaps);
	*plan = (struct flow_tool_plan){ .known = true, .emulate = gaps.emulated, .refuse = gaps.refused_natively };
	cage_limits_plan(&limits, &plan->limits);
	return 0;
}

/* --- denials ---------------------------------------------------------------------------------------------------------------------------- */

static json_t *redacted(const void *data, const char *text)
{
	const struct job *job = data;
	CLEANUP_FREE char *clean = NULL, *kept = NULL;
	size_t size;

	if (flow_text_clean(text, strlen(text), &clean, &size) < 0 ||
	    flow_redact(job->tool->task->config, clean, size, &kept, &size) < 0)
		return NULL;
	return json_stringn(kept, size);
}

static void note(const struct job *job, const char *type, json_t *members, int *error)
{
	const struct flow_task *task = job->tool->task;
	struct audit_error why;
	int r;

	(void)json_object_set_new(members, "step", json_integer(task->step));
	r = members ? audit_run_note(task->log, task->audit, type, members, &why) : -ENOMEM;
	if (r < 0 && !*error)
		*error = r;
}

/* In the thread that takes records. The first one is told to the step. */
static void tell(void *data, const struct cage_denial *denial)
{
	struct job *job = data;
	char text[CAGE_OBJECT_PRINTED];
	const char *object = cage_denial_print(denial, text), *what = cage_denied_name(denial->what);
	const struct cage_event_text by = { redacted, job };

	if (!denial->quiet && !job->denied) {
		flow_tool_report(job->report, FLOW_TOOL_SAYS_DENIED, what, object);
		job->denied = true;
	}
	if (job->events++ < EVENTS_MAX)
		note(job, "denial", cage_denial_event(denial, object, &by), &job->error);
}

/* In the thread that waits for the tool. */
static void hear(void *data, const struct cage_proxy_decision *decision)
{
	struct job *job = data;
	const struct cage_event_text by = { redacted, job };

	if (decision->denied)
		cage_denials_add(job->denials, CAGE_DENIED_NET_CONNECT, decision->target, decision->reason);
	if (job->network_events++ < EVENTS_MAX)
		note(job, "network", cage_network_event(decision, &by), &job->network_error);
}

/* --- the run ---------------------------------------------------------------------------------------------------------------------------- */

static NORETURN void give_up(struct job *job, enum flow_tool_says says, const char *what, const char *why)
{
	cage_tmp_end(&job->tmp);
	flow_tool_report(job->report, says, what, why);
	_exit(125);
}

static void read_policy(struct job *job)
{
	char *text = flow_policy_text(job->tool->task);
	struct cage_policy_error error = { 0 };
	int r = text ? cage_policy_parse(text, strlen(text), job->tool->task->base_path, NULL, &job->policy, &error) : -ENOMEM;

	if (r == 0)
		r = flow_roots_find(job->tool->task, &job->roots);
	if (r == 0) {
		job->policy->touched = &job->roots;
		free(job->policy->name);
		job->policy->name = strdup("config.yaml");
		r = job->policy->name ? cage_policy_resolve(job->policy, NULL, &error) : -ENOMEM;
	}
	if (r < 0)
		give_up(job, FLOW_TOOL_SAYS_FAILED, "the policy of config.yaml", r == -EINVAL ? error.at.text : strerror(-r));
	r = cage_tmp_begin(job->policy, &job->tmp);
	if (r < 0)
		give_up(job, FLOW_TOOL_SAYS_FAILED, "a directory for temporary files", strerror(-r));
}

static void open_cage(struct job *job)
{
	struct cage_policy_error error;
	int r = cage_open(job->policy, job->tool->task->weaker, &job->tool->task->plan->limits, &job->cage, &error);

	if (r < 0)
		give_up(job, FLOW_TOOL_SAYS_FAILED, "the cage", error.at.text[0] ? error.at.text : strerror(-r));
	for (int i = 0; i < CAGE_LAYERS; i++)
		if (cage_missing(job->cage) & CAGE_LAYER_BIT(i)) {
			char what[80];

			(void)snprintf(what, sizeof(what), "this host lacks the layer '%s' of the cage",
				       cage_layer_name((enum cage_layer)i));
			give_up(job, FLOW_TOOL_SAYS_LAYER, what, cage_finding(job->cage, (enum cage_layer)i)->how);
		}
}

static void record(struct job *job)
{
	int r;

	cage_refused_calls(job->cage, job->refused);
	r = cage_denials_new(job->policy, job->refused, tell, job, &job->denials);
	if (r < 0)
		give_up(job, FLOW_TOOL_SAYS_FAILED, "the cage", strerror(-r));
	job->trace = (struct launch_trace){
		.mode = TRACE_REFUSALS | (cage_hides(job->cage) ? TRACE_HIDDEN : 0),
		.numbers = job->refused,
		.take = cage_denials_take,
		.data = job->denials,
		.fd = -1,
	};
	job->launch.trace = &job->trace;
}

static char *variable(struct job *job, const char *name, const char *value)
{
	char *text;

	if (asprintf(&text, "%s=%s", name, value) < 0)
		give_up(job, FLOW_TOOL_SAYS_FAILED, "the cage", strerror(ENOMEM));
	return text;
}

/* The tool's environment, where its proxy is, and its temporary directory. It lasts until the process ends. */
static char *const *environment(struct job *job)
{
	struct cage_variable proxy[CAGE_PROXY_VARIABLES];
	size_t count = 0, more = 0;
	char **envp;

	if (job->policy->network.mode == CAGE_NETWORK_PROXY)
		more = cage_proxy_environment(job->policy, proxy);
	while (job->tool->envp[count])
		count++;
	envp = calloc(count + more + 2, sizeof(*envp));
	if (!envp)
		give_up(job, FLOW_TOOL_SAYS_FAILED, "the cage", strerror(ENOMEM));
	memcpy(envp, job->tool->envp, count * sizeof(*envp));
	for (size_t i = 0; i < more; i++)
		envp[count++] = variable(job, proxy[i].name, proxy[i].value);
	envp[count] = variable(job, "TMPDIR", job->tmp.path);
	return envp;
}

/* Before the tool executes anything. */
static int tell_policy(void *data, struct launch_result *result)
{
	struct job *job = data;

	note(job, "run.policy", cage_describe(job->cage), &job->error);
	if (job->error)
		*result = (struct launch_result){ .status = 125, .stage = "writing the audit log", .error = -job->error };
	return job->error;
}

static void sweep(void *data)
{
	struct job *job = data;

	cage_tmp_sweep(&job->tmp);
}

void flow_tool_caged(const struct flow_tool *tool, int report)
{
	struct job job = { .tool = tool, .report = report, .tmp = CAGE_TMP_NONE };
	const struct cage_proxy_reader network = { hear, &job };
	const struct launch_hooks hooks = { .permit = tell_policy, .released = sweep, .data = &job };
	struct launch_result result;

	read_policy(&job);
	open_cage(&job);
	job.launch = (struct launch){ .argv = tool->argv,
				      .envp = environment(&job),
				      .workdir = tool->task->base_path,
				      .emulate = tool->task->plan->emulate,
				      .refuse = tool->task->plan->refuse,
				      .hooks = &hooks };
	record(&job);
	cage_hear_network(job.cage, &network);
	int r = cage_launch(job.cage, &job.launch, &result);
	cage_tmp_end(&job.tmp);
	flow_roots_done(&job.roots);
	if (job.error || job.network_error)
		give_up(&job, FLOW_TOOL_SAYS_LOG, "the audit log could not be told of the cage, or of a denial",
			strerror(job.error ? -job.error : -job.network_error));
	if (r < 0)
		give_up(&job, FLOW_TOOL_SAYS_FAILED, result.stage ? result.stage : tool->argv[0],
			*result.detail ? result.detail : strerror(result.error));
	_exit(result.status);
}
