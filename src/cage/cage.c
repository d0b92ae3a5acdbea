// SPDX-License-Identifier: Apache-2.0
/* A cage as its caller sees it: opened, asked what it lacks, and run. */
#include "cage/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_attribute.h"
#include "cage/cage_int.h"
#include "cage/placeholder.h"
#include "host/cell_process.h"

#define KILL_STEP_NS 2000000
#define KILL_SECONDS 10
#define PID_WIDTH 12 /* digits, a space, and room */

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

bool cage_hides(const struct cage *cage)
{
	return cage->policy->files.deny.count || (cage->host.view && cage_has(cage, CAGE_LAYER_FILES));
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

enum cage_attributes cage_attributes_of(const struct cage *cage)
{
	if (cage->host.mounts || !cage_has(cage, CAGE_LAYER_FILES))
		return CAGE_ATTRIBUTES_ALLOWED;
	return cage_changes_attributes(cage) ? CAGE_ATTRIBUTES_ASKED : CAGE_ATTRIBUTES_REFUSED;
}

void cage_refused_calls(const struct cage *cage, u64 *numbers)
{
	cage_seccomp_refused(cage->policy, cage_attributes_of(cage), cage->host.ipc, numbers);
}

int cage_open(struct cage_policy *policy, u32 weaker, const struct cell_enforcement *limits, struct cage **ret,
	      struct cage_policy_error *error)
{
	struct cage *cage = calloc(1, sizeof(*cage));
	int r;

	*error = (struct cage_policy_error){ .meaning = false };
	if (!cage)
		return -ENOMEM;
	cage->policy = policy;
	(void)pthread_mutex_init(&cage->hearing, NULL);
	cage->weaker = weaker;
	cage->needed = cage_layers_needed(policy);
	r = cage_probe(policy, cage->needed, limits, &cage->host);
	if (r == 0)
		r = cage_profile_load(policy, &cage->profile, error);
	if (r == 0)
		r = cage_tmp_shm(policy, &cage->host, &cage->shm);
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
	pid_t *pid;
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

static int find_others(struct others *others)
{
	CLEANUP_FREE struct cell_process *all = NULL;
	int count = has_children() ? cell_processes("", getpid(), CELL_BY_PARENT, &all, NULL) : 0;

	if (count < 0)
		return count;
	others->pid = calloc((size_t)count + 1, sizeof(*others->pid));
	for (int i = 0; others->pid && i < count; i++)
		if (all[i].parent == getpid())
			others->pid[others->count++] = all[i].pid;
	return others->pid ? 0 : -ENOMEM;
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

/* Our children, "PID PID …", as they are this moment; false: /proc does not tell, or there are too many. */
static bool read_children(char *text, size_t size)
{
	CLEANUP_FD int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = 0;
	return n >= 0 && (size_t)n + PID_WIDTH < size;
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
	for (now = end; has_children(); (void)clock_gettime(CLOCK_MONOTONIC, &now)) {
		bool told = read_children(text, sizeof(text));

		if ((told ? kill_children(others, text) : kill_found(others)) == 0)
			return 0;
		if (now.tv_sec > end.tv_sec + KILL_SECONDS)
			return -ETIMEDOUT;
		if (!told || strcmp(text, before) == 0)
			(void)nanosleep(&step, NULL);
		memcpy(before, text, sizeof(before));
	}
	return 0;
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

	if (cage_has(watch->cage, CAGE_LAYER_LIMITS) &&
	    cage_limits_watch(&watch->cage->run, pid, watch->cage->host.pids, supervisor) < 0) {
		watch->cage->unwatched = true;
		(void)kill(pid, SIGKILL);
	}
	if (cage_is_asked(watch->cage) &&
	    cage_notify_start(&watch->cage->notify, watch->cage->network.take ? &watch->cage->network : NULL,
			      &watch->cage->hearing) < 0) {
		watch->cage->unwatched = true;
		(void)kill(pid, SIGKILL);
	}
	if (watch->then && watch->then->forked)
		watch->then->forked(watch->then->data, pid, fds, supervisor);
}

static int permit(void *data, struct launch_result *result)
{
	const struct watch *watch = data;

	return watch->then->permit(watch->then->data, result);
}

static void released(void *data)
{
	const struct watch *watch = data;

	watch->then->released(watch->then->data);
}

static void started(void *data)
{
	const struct watch *watch = data;

	watch->then->started(watch->then->data);
}

/* Its hooks: what nobody else wants to know is not looked for. */
static struct launch_hooks watching(struct watch *watch)
{
	return (struct launch_hooks){ .permit = watch->then && watch->then->permit ? permit : NULL,
				      .forked = forked,
				      .released = watch->then && watch->then->released ? released : NULL,
				      .started = watch->then && watch->then->started ? started : NULL,
				      .data = watch };
}

/*
 * Whether the command has ended by limits.cpu_time: of SIGXCPU, or since a look has found so. A status of 152 alone may be the command's own: half of the time
 * must have been used, by all processes. (The kernel counts for the limit by ticks, and tells what was really used, which was 0.92 s of 1.)
 */
static bool is_over_time(const struct cage *cage, int status)
{
	u64 limit = cage_has(cage, CAGE_LAYER_LIMITS) ? cage->policy->limits.cpu_time : 0;
	struct rusage used;

	if (!limit || cage->run.hit)
		return false;
	if (status == 128 + SIGKILL)
		return cage->run.over_time;
	if (status != 128 + SIGXCPU || getrusage(RUSAGE_CHILDREN, &used) < 0)
		return false;
	return 2 * ((u64)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
		    (u64)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000) >=
	       limit;
}

/* How the end is told: who was ended by a limit of time says so. What had ended by itself when it was seen to have exceeded another fails, too. */
static int judge_end(struct cage *cage, int r, struct launch_result *result)
{
	if (cage->unwatched) {
		*result = (struct launch_result){ .status = 125, .stage = "watching over the command", .error = ENOMEM };
		return -ENOMEM;
	}
	if (cage->run.hit && strcmp(cage->run.hit, "wall") == 0) { /* also one that was still being started */
		*result = (struct launch_result){ .status = CAGE_STATUS_TIME };
		return 0;
	}
	if (r == 0 && is_over_time(cage, result->status)) {
		cage->run.hit = "cpu_time";
		result->status = CAGE_STATUS_TIME;
	}
	if (r == 0 && cage->run.hit && strcmp(cage->run.hit, "disk") == 0)
		result->status = 128 + SIGKILL;
	return r;
}

const char *cage_limit_hit(const struct cage *cage)
{
	return cage->run.hit;
}

const char *cage_limit_why(const struct cage *cage)
{
	return cage->run.hit && strcmp(cage->run.hit, "disk") == 0 ? cage->run.disk.why : NULL;
}

/* Until the command and all that it has left have ended. */
static int run_to_end(struct cage *cage, const struct launch *inside, struct launch_result *result)
{
	struct others others = { .count = 0 };
	int r = find_others(&others), rest, reaper = 0;

	if (r < 0) {
		*result = (struct launch_result){ .status = 125,
						  .stage = "looking for children that are none of the cage's",
						  .error = -r };
		cage_network_end(cage, false);
		return r;
	}
	cage->parent = getpid();
	(void)prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r = launch_run(inside, result);
	cage_network_end(cage, r == 0);
	rest = kill_rest(&others);
	free(others.pid);
	(void)prctl(PR_SET_CHILD_SUBREAPER, reaper, 0, 0, 0);
	if (rest < 0 && r == 0) {
		*result = (struct launch_result){ .status = 125, .stage = "ending what the command has left", .error = -rest };
		r = rest;
	}
	return r;
}

static int begin_limits(struct cage *cage, struct launch_setup *setup, struct launch_result *result)
{
	struct disk_place place = { .masks = (const char *const *)cage->masks,
				    .mask_count = cage_has(cage, CAGE_LAYER_DENY) ? cage->mask_count : 0 };
	CLEANUP_FREE const char **written = NULL;
	const char *why = NULL;
	int r = cage_written(cage, &written, &place.root_count);

	place.roots = written;
	if (r == 0)
		r = cage_limits_begin(&cage->run, &cage->policy->limits, &cage->host.limits, &place, setup, &why);
	if (r == 0)
		return 0;
	*result = (struct launch_result){ .status = 125, .stage = "preparing the limits of the cage", .error = -r };
	if (why)
		(void)snprintf(result->detail, sizeof(result->detail), "counting what files.write has, for limits.disk: %s", why);
	return r;
}

static int begin_notify(struct cage *cage, struct launch_result *result)
{
	struct cage_notify_calls calls = cage_attribute_calls(cage);
	int r = cage_notify_begin(&cage->notify, cage_makes_connections(cage), cage_changes_attributes(cage) ? &calls : NULL);

	if (r < 0)
		*result = (struct launch_result){ .status = 125, .stage = "preparing to be asked by the command", .error = -r };
	return r;
}

/* With what keeps the limits. */
static int run_limited(struct cage *cage, struct launch *inside, struct launch_setup *setup, struct launch_result *result)
{
	struct watch watch = { cage, inside->hooks };
	struct launch_hooks hooks = watching(&watch);
	bool asked;
	int r = 0;

	cage->unwatched = false;
	cage->run = (struct cage_run_limits){ 0 };
	inside->hooks = &hooks;
	if (cage_has(cage, CAGE_LAYER_LIMITS))
		r = begin_limits(cage, setup, result);
	asked = cage_is_asked(cage) && r == 0;
	if (asked)
		r = begin_notify(cage, result);
	if (r == 0)
		r = cage_network_begin(cage, inside, result); /* before others are looked for: it is one of them */
	if (r == 0)
		r = run_to_end(cage, inside, result);
	if (asked)
		cage_notify_end(&cage->notify);
	if (cage_has(cage, CAGE_LAYER_LIMITS))
		cage_limits_end(&cage->run);
	inside->hooks = NULL;
	return judge_end(cage, r, result);
}

/* Those that its first process is made in. */
static int cage_namespaces(const struct cage *cage)
{
	return !cage->host.pids ? 0 : CLONE_NEWPID | (cage->host.users ? CLONE_NEWUSER : 0);
}

/* By its name, again in the mounts of the cage; of a root of its own without links: a descriptor would lead out of it. */
static int find_workdir(const struct cage *cage, const char *given, char **ret, struct launch_result *result)
{
	*ret = !given ? getcwd(NULL, 0) : cage->host.view ? realpath(given, NULL) : strdup(given);
	if (*ret)
		return 0;
	*result = (struct launch_result){ .status = 125, .stage = "finding the working directory", .error = errno };
	return -result->error;
}

int cage_launch(struct cage *cage, const struct launch *launch, struct launch_result *result)
{
	struct launch inside = *launch;
	struct launch_setup setup = launch->setup ? *launch->setup : (struct launch_setup){ .stdio = { -1, -1, -1 } };
	struct launch_confinement confinement = { cage_enter, cage_confine, cage, cage_namespaces(cage) };
	CLEANUP_FREE char *workdir = NULL;
	CLEANUP_FREE struct launch_limit *limits = join_limits(cage, launch->setup, &setup.limit_count);
	struct placeholders placeholders = PLACEHOLDERS_NONE;
	char program[PATH_MAX];
	int r;

	*result = (struct launch_result){ .status = 125, .stage = "preparing the cage", .error = ENOMEM };
	if (!limits)
		return -ENOMEM;
	r = find_workdir(cage, launch->workdir, &workdir, result);
	if (r < 0)
		return r;
	setup.limits = limits;
	setup.session = true;
	setup.relay = cage->host.pids; /* pid 1 of the cage */
	inside.setup = &setup;
	inside.confinement = &confinement;
	inside.workdir = workdir;
	inside.program = cage_find_program(cage, &inside, program);
	cage->workdir = inside.workdir;
	cage->uid = geteuid();
	cage->gid = getegid();
	r = cage->host.mounts ? placeholders_begin(&placeholders, (const char *const *)cage->missing, cage->missing_count) : 0;
	if (r < 0)
		*result = (struct launch_result){ .status = 125,
						  .stage = "making what a denied path is covered by (files.deny)",
						  .error = -r };
	else
		r = run_limited(cage, &inside, &setup, result);
	if (r < 0)
		cage_judge_program(cage, &inside, result);
	placeholders_end(&placeholders);
	return r;
}

json_t *cage_describe(const struct cage *cage)
{
	char digest[2 * CAGE_DIGEST + 1];
	json_t *layers = json_array();

	for (size_t i = 0; i < CAGE_DIGEST; i++)
		(void)snprintf(digest + 2 * i, 3, "%02x", cage->policy->digest[i]);
	for (int i = 0; i < CAGE_LAYERS; i++) {
		const struct cage_finding *found = &cage->host.layers[i];

		if (cage->needed & CAGE_LAYER_BIT(i))
			(void)json_array_append_new(layers, json_pack("{s:s, s:s, s:s}", "layer", cage_layer_name(i), "state",
								      cage_state_name(found->state), "how", found->how));
	}
	return json_pack("{s:s, s:s, s:o}", "policy", cage->policy->name, "sha256", digest, "layers", layers);
}
