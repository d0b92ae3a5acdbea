// SPDX-License-Identifier: Apache-2.0
/* A cage as its caller sees it: opened, asked what it lacks, and run. */
#include "cage/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_int.h"
#include "cage/placeholder.h"
#include "host/cell_process.h"

#define KILL_STEP_NS 2000000
#define KILL_SECONDS 10
#define CHILDREN_MAX 64

bool cage_has(const struct cage *cage, enum cage_layer layer)
{
	return (cage->needed & CAGE_LAYER_BIT(layer)) && cage->host.layers[layer].state != CAGE_MISSING;
}

static u32 lacking(const struct cage *cage)
{
	u32 lacking = 0;

	for (int i = 0; i < CAGE_LAYERS; i++)
		if (cage->host.layers[i].state == CAGE_MISSING)
			lacking |= CAGE_LAYER_BIT(i);
	return lacking & cage->needed;
}

u32 cage_missing(const struct cage *cage)
{
	return lacking(cage) & ~cage->weaker;
}

u32 cage_without(const struct cage *cage)
{
	return lacking(cage) & cage->weaker;
}

const struct cage_finding *cage_finding(const struct cage *cage, enum cage_layer layer)
{
	return &cage->host.layers[layer];
}

int cage_open(const struct cage_policy *policy, u32 weaker, struct cage **ret)
{
	struct cage *cage = calloc(1, sizeof(*cage));
	struct oci_error ignored; /* cage_profile_check() has told it */
	int r;

	if (!cage)
		return -ENOMEM;
	cage->policy = policy;
	cage->weaker = weaker;
	cage->needed = cage_layers_needed(policy);
	r = cage_probe(policy, cage->needed, &cage->host);
	if (r == 0)
		r = cage_profile_load(policy, &cage->profile, &ignored);
	if (r == 0)
		r = cage_rules_make(cage);
	if (r == 0)
		cage_judge_deny(cage);
	if (r < 0) {
		cage_close(cage);
		return r;
	}
	*ret = cage;
	return 0;
}

void cage_close(struct cage *cage)
{
	if (!cage)
		return;
	cage_rules_free(cage);
	free(cage->profile.program);
	free(cage);
}

/* --- the run ----------------------------------------------------------------------------------------------------------------------------------- */

/* Children of the caller's that are none of the guest's. */
struct others {
	pid_t pid[CHILDREN_MAX];
	size_t count;
};

static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool is_other(const struct others *others, pid_t pid)
{
	for (size_t i = 0; i < others->count; i++)
		if (others->pid[i] == pid)
			return true;
	return false;
}

static void find_others(struct others *others)
{
	struct cell_process *all = NULL;
	int count = has_children() ? cell_processes("", getpid(), CELL_BY_PARENT, &all, NULL) : 0;

	for (int i = 0; i < count; i++)
		if (all[i].parent == getpid() && others->count < CHILDREN_MAX)
			others->pid[others->count++] = all[i].pid;
	free(all);
}

/* The child of ours that a process descends from; it itself if it is one. */
static pid_t child_above(const struct cell_process *all, int count, const struct cell_process *process)
{
	for (int steps = 0; process && steps < count; steps++) {
		const struct cell_process *parent = NULL;

		if (process->parent == getpid())
			return process->pid;
		for (int i = 0; i < count && !parent; i++)
			if (all[i].pid == process->parent)
				parent = &all[i];
		process = parent;
	}
	return 0;
}

/* Our children, "PID PID …", as they are this moment; -1: /proc does not tell. */
static ssize_t read_children(char *text, size_t size)
{
	CLEANUP_FD int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = 0;
	return n;
}

/* Nothing lies between reading a pid and killing it: one that forks and ends all the time is another soon. Returns how many there were. */
static int kill_children(const struct others *others, const char *text)
{
	int count = 0;
	char *end;

	for (long pid = strtol(text, &end, 10); *end == ' ';
	     text = end + 1, pid = strtol(text, &end, 10)) { /* the last may be cut */
		if (is_other(others, (pid_t)pid))
			continue;
		(void)kill((pid_t)pid, SIGKILL);
		(void)waitpid((pid_t)pid, NULL, WNOHANG);
		count++;
	}
	return count;
}

/* The same where /proc has no such file: by looking at all processes. */
static int kill_found(const struct others *others)
{
	struct cell_process *all = NULL;
	int count = cell_processes("", getpid(), CELL_BY_PARENT, &all, NULL), killed = 0;

	for (int j = 0; j < count; j++)
		if (!is_other(others, child_above(all, count, &all[j])))
			killed += kill(all[j].pid, SIGKILL) == 0;
	for (int j = 0; j < count; j++)
		if (all[j].parent == getpid() && !is_other(others, all[j].pid))
			(void)waitpid(all[j].pid, NULL, WNOHANG);
	free(all);
	return count < 0 ? 1 : killed;
}

/*
 * Kills what the guest has left behind until nothing is there: we are its subreaper, so what loses its parent becomes our child. While there are
 * others than before nobody sleeps. 0 or -ETIMEDOUT.
 */
static int kill_rest(const struct others *others)
{
	static const struct timespec step = { 0, KILL_STEP_NS };
	char text[4096], before[4096] = "";
	struct timespec end, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	for (now = end; has_children() && now.tv_sec <= end.tv_sec + KILL_SECONDS; (void)clock_gettime(CLOCK_MONOTONIC, &now)) {
		bool told = read_children(text, sizeof(text)) >= 0;

		if ((told ? kill_children(others, text) : kill_found(others)) == 0)
			return 0;
		if (!told || strcmp(text, before) == 0)
			(void)nanosleep(&step, NULL);
		memcpy(before, text, sizeof(before));
	}
	return has_children() && !others->count ? -ETIMEDOUT : 0;
}

/* Its own limits behind the caller's, which they may only lower. */
static struct launch_limit *join_limits(const struct cage *cage, const struct launch_setup *given, size_t *ret_count)
{
	size_t before = given ? given->limit_count : 0;
	struct launch_limit *all = calloc(before + CAGE_RLIMITS, sizeof(*all));

	if (!all)
		return NULL;
	if (before)
		memcpy(all, given->limits, before * sizeof(*all));
	*ret_count = before + cage_rlimits(&cage->policy->limits, all + before);
	return all;
}

/* What watches a guest: ours, and then what the caller has. */
struct watch {
	struct cage *cage;
	const struct launch_hooks *then;
};

static void forked(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor)
{
	struct watch *watch = data;

	if (cage_has(watch->cage, CAGE_LAYER_LIMITS) && cage_limits_watch(&watch->cage->run, pid, supervisor) < 0) {
		watch->cage->unwatched = true;
		(void)kill(pid, SIGKILL);
	}
	if (watch->then && watch->then->forked)
		watch->then->forked(watch->then->data, pid, fds, supervisor);
}

static void started(void *data)
{
	const struct watch *watch = data;

	if (watch->then && watch->then->started)
		watch->then->started(watch->then->data);
}

/* How the end is told: who was ended by a limit of time says so. */
static int judge_end(struct cage *cage, int r, struct launch_result *result)
{
	if (cage->unwatched) {
		*result = (struct launch_result){ .status = 125, .stage = "watching over the limits", .error = ENOMEM };
		return -ENOMEM;
	}
	if (r == 0 && cage->run.hit && strcmp(cage->run.hit, "wall") == 0)
		result->status = CAGE_STATUS_TIME;
	return r;
}

const char *cage_limit_hit(const struct cage *cage)
{
	return cage->run.hit;
}

/* Until the command and all that it has left have ended. */
static int run_to_end(struct cage *cage, const struct launch *inside, struct launch_result *result)
{
	struct others others = { .count = 0 };
	int r, reaper = 0;

	cage->parent = getpid();
	(void)prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	find_others(&others);
	r = launch_run(inside, result);
	cage_network_end(cage, r == 0);
	(void)kill_rest(&others);
	(void)prctl(PR_SET_CHILD_SUBREAPER, reaper, 0, 0, 0);
	return r;
}

/* With what keeps the limits. */
static int run_limited(struct cage *cage, struct launch *inside, struct launch_setup *setup, struct launch_result *result)
{
	struct watch watch = { cage, inside->hooks };
	struct launch_hooks hooks = { forked, started, &watch };
	int r = 0;

	cage->unwatched = false;
	cage->run = (struct cage_run_limits){ 0 };
	inside->hooks = &hooks;
	if (cage_has(cage, CAGE_LAYER_LIMITS))
		r = cage_limits_begin(&cage->run, &cage->policy->limits, &cage->host.limits, setup);
	if (r < 0)
		*result = (struct launch_result){ .status = 125, .stage = "preparing the limits of the cage", .error = -r };
	else
		r = cage_network_begin(cage, inside, result); /* before others are looked for: it is one of them */
	if (r == 0)
		r = run_to_end(cage, inside, result);
	if (cage_has(cage, CAGE_LAYER_LIMITS))
		cage_limits_end(&cage->run);
	inside->hooks = NULL;
	return judge_end(cage, r, result);
}

int cage_launch(struct cage *cage, const struct launch *launch, struct launch_result *result)
{
	struct launch inside = *launch;
	struct launch_setup setup = launch->setup ? *launch->setup : (struct launch_setup){ .stdio = { -1, -1, -1 } };
	struct launch_confinement confinement = { cage_enter, cage_confine, cage };
	CLEANUP_FREE char *here = getcwd(NULL, 0);
	struct launch_limit *limits = join_limits(cage, launch->setup, &setup.limit_count);
	struct placeholders placeholders = PLACEHOLDERS_NONE;
	int r;

	*result = (struct launch_result){ .status = 125, .stage = "preparing the cage", .error = ENOMEM };
	if (!limits || (!here && !launch->workdir)) {
		free(limits);
		return -ENOMEM;
	}
	setup.limits = limits;
	setup.session = true;
	inside.setup = &setup;
	inside.confinement = &confinement;
	if (!inside.workdir)
		inside.workdir = here; /* again, in the mounts of the cage */
	r = cage->host.mounts ? placeholders_begin(&placeholders, (const char *const *)cage->missing, cage->missing_count) : 0;
	if (r < 0)
		*result = (struct launch_result){ .status = 125,
						  .stage = "making what a denied path is covered by (files.deny)",
						  .error = -r };
	else
		r = run_limited(cage, &inside, &setup, result);
	placeholders_end(&placeholders);
	free(limits);
	return r;
}

/* The agent maps programs, which Landlock does not judge. */
static struct cage_finding with_agent(const struct cage *cage)
{
	struct cage_finding files = cage->host.layers[CAGE_LAYER_FILES];

	if (files.state == CAGE_PASS && !cage->host.mounts) {
		files.state = CAGE_WEAKER;
		(void)snprintf(files.how, sizeof(files.how),
			       "Landlock, ABI %d; execute is not judged for programs that lichen loads", cage->host.landlock);
	}
	return files;
}

json_t *cage_describe(const struct cage *cage, bool engine)
{
	char digest[2 * CAGE_DIGEST + 1];
	json_t *layers = json_array();

	for (size_t i = 0; i < CAGE_DIGEST; i++)
		(void)snprintf(digest + 2 * i, 3, "%02x", cage->policy->digest[i]);
	for (int i = 0; i < CAGE_LAYERS; i++) {
		struct cage_finding found = i == CAGE_LAYER_FILES && engine ? with_agent(cage) : cage->host.layers[i];

		if (cage->needed & CAGE_LAYER_BIT(i))
			(void)json_array_append_new(layers, json_pack("{s:s, s:s, s:s}", "layer", cage_layer_name(i), "state",
								      cage_state_name(found.state), "how", found.how));
	}
	return json_pack("{s:s, s:s, s:o}", "policy", cage->policy->name, "sha256", digest, "layers", layers);
}
