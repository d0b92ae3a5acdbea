// SPDX-License-Identifier: Apache-2.0
/*
 * What mattered: the rule of docs/why.md.
 *
 *   1. Each line that was printed is held against the calls refused before it (relate.c) and against the knowledge base (match.c). If it
 *      tells of a call, or is a known message, that is a finding.
 *   2. Findings that are the same are merged: the same call, errno and path; the same cause where one line quotes the other.
 *   3. If the run failed: each process that failed, as did all above it, and of which no line tells, has died of a signal or of the last
 *      thing that was refused to it within SILENT_SECONDS of its end, quiet answers and searches left out.
 *   4. The finding that ended the run comes first, then the others by weight.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "why/call.h"
#include "why/finding_int.h"
#include "why/pool.h"

#define SECOND UINT64_C(1000000000)
#define SILENT_SECONDS 2
#define LOOK_BACK 8192 /* refused calls before a line that it is held against */
#define OF_CAUSE 256   /* refused calls before a known message among which its call is looked for */
#define QUOTED 12      /* bytes of a line at least, to be recognised in another one */

struct judge {
	const struct model *model;
	struct verdict *verdict;
	bool *chain; /* per process: it failed, and so did all above it */
	bool failed; /* the run */
};

/* Adds a finding. Returns NULL without memory. */
static struct finding *add(struct judge *judge, const struct finding *finding)
{
	struct verdict *verdict = judge->verdict;
	void *array = array_grow(verdict->findings, verdict->count, sizeof(*verdict->findings));
	if (!array)
		return NULL;
	verdict->findings = array;
	verdict->findings[verdict->count] = *finding;
	return &verdict->findings[verdict->count++];
}

/* Which processes failed together with all above them. */
static void find_chain(struct judge *judge)
{
	const struct model *model = judge->model;
	if (!judge->failed || model->first == MODEL_NONE)
		return;
	judge->chain[model->first] = true;
	for (bool changed = true; changed;) {
		changed = false;
		for (u32 i = 0; i < model->process_count; i++) {
			const struct model_process *p = &model->processes[i];
			bool failed = p->status_known && p->status != 0;
			if (!judge->chain[i] && failed && (p->parent == MODEL_NONE || judge->chain[p->parent]))
				judge->chain[i] = changed = true;
		}
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether one of two lines has the other in it. */
static bool quotes(const struct model_line *a, const struct model_line *b)
{
	if (!a || !b)
		return false;
	const char *shorter = strlen(a->text) < strlen(b->text) ? a->text : b->text;
	const char *longer = shorter == a->text ? b->text : a->text;
	return strlen(shorter) >= QUOTED && strcasestr(longer, shorter);
}

static bool same_refusal(const struct model_refusal *a, const struct model_refusal *b)
{
	if (!a || !b)
		return false;
	return a == b ||
	       (a->record->nr == b->record->nr && a->error == b->error && same_text(a->path, b->path) &&
		(a->path || memcmp(a->record->args, b->record->args, sizeof(a->record->args)) == 0 || a->process == b->process));
}

/* Whether they tell of the same thing. */
static bool same(const struct finding *a, const struct finding *b)
{
	bool known = a->gap >= 0 || a->cause != CAUSE_NONE;
	bool cause = a->gap == b->gap && a->cause == b->cause;
	if (same_refusal(a->refusal, b->refusal))
		return true;
	if (a->line_count && b->line_count && quotes(a->lines[0], b->lines[0]))
		return !known || cause;
	if (!known || !cause)
		return false;
	if (a->gap >= 0)
		return a->symptom == b->symptom && (!a->refusal || !b->refusal || a->refusal->record->nr == b->refusal->record->nr);
	if (a->refusal && b->refusal)
		return a->name && same_text(a->name, b->name);
	return same_text(a->name, b->name) || !a->name || !b->name;
}

/* Merges `from` into `into`; both in the order of time. */
static void merge(struct finding *into, const struct finding *from)
{
	into->times += from->times;
	if (!into->refusal) {
		into->refusal = from->refusal;
		if (from->refusal) {
			into->process = from->process;
			into->program = from->program;
		}
	}
	for (unsigned i = 0; i < from->line_count; i++) {
		const struct model_line *line = from->lines[i];
		bool repeated = false;
		for (unsigned j = 0; j < into->line_count; j++)
			repeated |= strcmp(into->lines[j]->text, line->text) == 0;
		if (repeated)
			continue;
		if (into->line_count < FINDING_LINES) {
			into->lines[into->line_count++] = line;
		} else { /* the latest one stands last */
			into->lines[FINDING_LINES - 1] = line;
			into->more_lines++;
		}
	}
	if (from->severity > into->severity)
		into->severity = from->severity;
	if (from->weight > into->weight)
		into->weight = from->weight;
	if (from->time > into->time)
		into->time = from->time;
	into->in_chain |= from->in_chain;
	if (!into->name)
		into->name = from->name;
}

static int add_or_merge(struct judge *judge, const struct finding *finding)
{
	for (size_t i = 0; i < judge->verdict->count; i++)
		if (same(&judge->verdict->findings[i], finding)) {
			merge(&judge->verdict->findings[i], finding);
			return 0;
		}
	return add(judge, finding) ? 0 : -ENOMEM;
}

static bool in_chain(const struct judge *judge, u32 process)
{
	return process != MODEL_NONE && judge->chain[process];
}

/* The refused call that a line tells of; NULL = none. */
static const struct model_refusal *find_related(const struct judge *judge, const struct model_line *line)
{
	const struct model *model = judge->model;
	const struct model_refusal *best = NULL;
	struct relation relation = { .line = line };
	int most = 0;
	size_t looked = 0;
	for (size_t i = model->refusal_count; i-- > 0 && looked < LOOK_BACK;) {
		if (model->refusals[i].order > line->order)
			continue;
		looked++;
		int score = relate_score(model, &relation, &model->refusals[i]);
		if (score > most) {
			most = score;
			best = &model->refusals[i];
		}
	}
	return best;
}

/* A known message without a call: the latest call of the same process, or of one below it, that has this cause. A row that knows message and
 * call together says more than `cause`, and replaces it. */
static const struct model_refusal *find_of_cause(const struct judge *judge, const struct model_line *line, struct finding *cause)
{
	const struct model *model = judge->model;
	const struct model_refusal *best = NULL;
	struct finding better = *cause;
	size_t looked = 0;
	int most = 0;
	for (size_t i = model->refusal_count; i-- > 0 && looked < OF_CAUSE;) {
		const struct model_refusal *refusal = &model->refusals[i];
		struct finding both = { 0 }, call = { 0 };
		if (refusal->order > line->order || !model_descends(model, refusal->process, line->process))
			continue;
		looked++;
		int points = match_cause(model, refusal, line, &both);
		if (both.gap != cause->gap || both.cause != cause->cause)
			continue;
		if (both.symptom && both.symptom->call && both.symptom->message && points > most) {
			most = points;
			best = refusal;
			better = both;
		} else if (!most && !best && match_cause(model, refusal, NULL, &call) >= 3 && call.gap == cause->gap &&
			   call.cause == cause->cause) {
			best = refusal;
		}
	}
	*cause = better;
	return best;
}

static int judge_line(struct judge *judge, const struct model_line *line)
{
	const struct model *model = judge->model;
	const struct model_refusal *refusal = find_related(judge, line);
	struct finding finding = { .gap = -1, .cause = CAUSE_NONE }, alone = finding;
	int with = refusal ? match_cause(model, refusal, line, &finding) : 0;
	int without = match_cause(model, NULL, line, &alone);
	if (without > with) { /* the message says more than the call */
		const struct model_refusal *fitting = find_of_cause(judge, line, &alone);
		finding = alone;
		if (fitting || !refusal || !same_text(finding.name, refusal->path ? model_name(refusal->path) : NULL))
			refusal = fitting;
	}
	if (!refusal && without == 0)
		return 0;
	bool unread = !judge->failed && line->fd != 2 && line->fd != 1;
	finding.refusal = refusal;
	finding.lines[0] = line;
	finding.line_count = finding.times = 1;
	finding.process = refusal ? refusal->process : line->process;
	finding.program = refusal ? refusal->program : line->program;
	finding.time = line->time;
	finding.severity = line->severity;
	finding.weight = line->severity < SEVERITY_ERROR || unread ? FINDING_NOTED : FINDING_REPORTED;
	finding.in_chain = in_chain(judge, line->process) || in_chain(judge, finding.process);
	return add_or_merge(judge, &finding);
}

/* Counts how often what is reported was refused in all. */
static void count_repeats(const struct judge *judge)
{
	for (size_t i = 0; i < judge->verdict->count; i++) {
		struct finding *finding = &judge->verdict->findings[i];
		unsigned times = 0;
		for (size_t j = 0; finding->refusal && j < judge->model->refusal_count; j++)
			times += same_refusal(finding->refusal, &judge->model->refusals[j]);
		if (times > 0)
			finding->times = times;
	}
}

/* The cause of a death by signal; CAUSE_NONE for those that somebody sends on purpose. */
static enum cause_id cause_of_signal(int signal)
{
	static const struct {
		int signal;
		enum cause_id cause;
	} rows[] = {
		{ SIGKILL, CAUSE_killed_memory }, { SIGSEGV, CAUSE_killed_fault }, { SIGBUS, CAUSE_killed_bus },
		{ SIGABRT, CAUSE_killed_abort },  { SIGSYS, CAUSE_killed_filter }, { SIGILL, CAUSE_killed_instruction },
		{ SIGXCPU, CAUSE_killed_cpu },    { SIGXFSZ, CAUSE_killed_size },  { SIGFPE, CAUSE_killed_other },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].signal == signal)
			return rows[i].cause;
	return CAUSE_NONE;
}

static bool has_finding(const struct judge *judge, u32 process)
{
	for (size_t i = 0; i < judge->verdict->count; i++) {
		const struct finding *finding = &judge->verdict->findings[i];
		if (finding->weight < FINDING_REPORTED)
			continue;
		if (finding->process == process)
			return true;
		for (unsigned j = 0; j < finding->line_count; j++)
			if (finding->lines[j]->process == process)
				return true;
	}
	return false;
}

static const struct model_refusal *last_refusal(const struct judge *judge, u32 process)
{
	const struct model *model = judge->model;
	for (size_t i = model->refusal_count; i-- > 0;) {
		const struct model_refusal *refusal = &model->refusals[i];
		if (refusal->process == process && !refusal_is_quiet(refusal) && !refusal_is_search(refusal))
			return refusal->record->time + SILENT_SECONDS * SECOND >= model->processes[process].ended ? refusal : NULL;
	}
	return NULL;
}

/* A process that failed. */
static int judge_death(struct judge *judge, u32 process)
{
	const struct model *model = judge->model;
	const struct model_process *p = &model->processes[process];
	struct finding finding = { .gap = -1, .cause = CAUSE_NONE, .times = 1, .process = process, .program = p->program };
	finding.time = p->ended;
	finding.severity = SEVERITY_ERROR;
	finding.in_chain = true;
	if (WIFSIGNALED(p->status) && cause_of_signal(WTERMSIG(p->status)) != CAUSE_NONE) {
		finding.weight = FINDING_DEATH;
		finding.signal = WTERMSIG(p->status);
		finding.cause = cause_of_signal(finding.signal);
		return has_finding(judge, process) && finding.signal == SIGABRT ? 0 : add(judge, &finding) ? 0 : -ENOMEM;
	}
	if (has_finding(judge, process))
		return 0;
	finding.refusal = last_refusal(judge, process);
	if (!finding.refusal)
		return 0;
	finding.weight = FINDING_SILENT;
	finding.program = finding.refusal->program;
	(void)match_cause(model, finding.refusal, NULL, &finding);
	return add_or_merge(judge, &finding);
}

/* How likely a finding is what ended the run. */
static int ending_points(const struct finding *finding)
{
	bool known = finding->gap >= 0 || finding->cause != CAUSE_NONE;
	if (!finding->in_chain || finding->weight < FINDING_SILENT)
		return 0;
	return 1 + (finding->weight >= FINDING_REPORTED ? 4 : 0) + (finding->severity >= SEVERITY_FATAL ? 2 : 0) + (known ? 1 : 0);
}

/* The command was ended by a signal that somebody sent to end it (Ctrl-C, kill, a time limit): no refusal did. */
static bool ended_from_outside(const struct model *model)
{
	int status = model->process_count ? model->processes[0].status : 0;
	return WIFSIGNALED(status) && cause_of_signal(WTERMSIG(status)) == CAUSE_NONE;
}

static void choose_ending(struct judge *judge)
{
	struct finding *best = NULL;
	if (ended_from_outside(judge->model))
		return;
	for (size_t i = 0; i < judge->verdict->count; i++) {
		struct finding *finding = &judge->verdict->findings[i];
		int points = ending_points(finding), most = best ? ending_points(best) : 0;
		if (points > 0 && (points > most || (points == most && best && finding->time > best->time)))
			best = finding;
	}
	if (best && judge->failed)
		best->weight = FINDING_ENDED;
}

static int by_importance(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (x->in_chain != y->in_chain)
		return x->in_chain ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return x->time < y->time ? -1 : x->time > y->time;
}

/* Of the silent ones only the latest says anything, and nothing if somebody spoke. */
static void drop_silent(struct verdict *verdict)
{
	size_t kept = 0;
	bool spoken = false;
	for (size_t i = 0; i < verdict->count; i++)
		spoken |= verdict->findings[i].weight >= FINDING_REPORTED && verdict->findings[i].in_chain;
	for (size_t i = 0; i < verdict->count; i++)
		if (verdict->findings[i].weight != FINDING_SILENT || !spoken)
			verdict->findings[kept++] = verdict->findings[i];
	verdict->count = kept;
}

static int judge_all(struct judge *judge)
{
	const struct model *model = judge->model;
	int error = 0;
	find_chain(judge);
	for (size_t i = 0; !error && i < model->line_count; i++)
		error = judge_line(judge, &model->lines[i]);
	for (u32 i = 0; !error && i < model->process_count; i++)
		if (judge->chain[i])
			error = judge_death(judge, i);
	if (error)
		return error;
	drop_silent(judge->verdict);
	count_repeats(judge);
	choose_ending(judge);
	if (judge->verdict->count > 0)
		qsort(judge->verdict->findings, judge->verdict->count, sizeof(*judge->verdict->findings), by_importance);
	return 0;
}

int verdict_make(const struct model *model, const struct circumstances *circumstances, struct verdict *verdict)
{
	struct judge judge = { .model = model, .verdict = verdict, .failed = model->ended && model->status != 0 };
	*verdict = (struct verdict){ .refused = model->refusal_count };
	judge.chain = calloc(model->process_count + 1, sizeof(*judge.chain));
	int error = judge.chain ? judge_all(&judge) : -ENOMEM;
	free(judge.chain);
	for (size_t i = 0; !error && i < verdict->count; i++)
		explain(model, circumstances, &verdict->findings[i]);
	if (!error && pool_failed(model->pool))
		error = -ENOMEM;
	if (error)
		verdict_done(verdict);
	verdict->healthy = verdict->count == 0;
	return error;
}

int verdict_not_started(const struct model *model, const struct circumstances *circumstances, const char *program, int error,
			struct verdict *verdict)
{
	struct trace_record *record = pool_take(model->pool, sizeof(*record));
	struct model_refusal *refusal = pool_take(model->pool, sizeof(*refusal));
	struct judge judge = { .model = model, .verdict = verdict };
	*verdict = (struct verdict){ .refused = 1 };
	if (!record || !refusal)
		return -ENOMEM;
	size_t length = strnlen(program, TRACE_PAYLOAD - sizeof(struct trace_string) - 1);
	const struct trace_string head = { .arg = 0, .length = (u16)length };
	*record = (struct trace_record){ .kind = TRACE_CALL, .nr = call_number("execve"), .result = -error };
	record->args[0] = record->args[1] = record->args[2] = 1; /* not NULL */
	record->size = (u16)(sizeof(head) + ALIGN_UP(length, 2));
	memcpy(record->payload, &head, sizeof(head));
	memcpy(record->payload + sizeof(head), program, length);
	*refusal = (struct model_refusal){
		.record = record, .process = MODEL_NONE, .error = error, .program = "lichen", .path = program
	};
	struct finding finding = {
		.weight = FINDING_ENDED, .refusal = refusal, .process = MODEL_NONE, .program = "lichen", .times = 1
	};
	(void)match_cause(model, refusal, NULL, &finding);
	finding.name = strchr(program, '/') ? NULL : program;
	explain(model, circumstances, &finding);
	return add(&judge, &finding) && !pool_failed(model->pool) ? 0 : -ENOMEM;
}

void verdict_done(struct verdict *verdict)
{
	free(verdict->findings);
	*verdict = (struct verdict){ 0 };
}

const char *finding_weight_word(enum finding_weight weight)
{
	static const char *const words[] = {
		[FINDING_NOTED] = "noted", [FINDING_SILENT] = "silent", [FINDING_REPORTED] = "reported",
		[FINDING_DEATH] = "death", [FINDING_ENDED] = "ended",
	};
	return words[weight];
}
