/* SPDX-License-Identifier: Apache-2.0 */
/* A policy as YAML from what was learnt. */
#include <errno.h>
#include <string.h>

#include "cage/cage_tmp.h"
#include "cage/learn_int.h"

static bool is_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		if (!strchr("/._+-", *at) && !(*at >= '0' && *at <= '9') && !((*at | 32) >= 'a' && (*at | 32) <= 'z'))
			return false;
	return *text == '/';
}

static void put_text(const char *text, FILE *to)
{
	if (is_plain(text)) {
		fputs(text, to);
		return;
	}
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

/* A member of files or network, unless its list is empty. */
static void put_list(const char *name, const struct learnt *list, FILE *to)
{
	if (list->count)
		fprintf(to, "  %s:\n", name);
	for (size_t i = 0; i < list->count; i++) {
		fputs("    - ", to);
		put_text(list->row[i].path, to);
		fputc('\n', to);
	}
}

static void put_comments(const char *head, const struct learnt *list, FILE *to)
{
	if (!list->count)
		return;
	fprintf(to, "# %s:\n", head);
	for (size_t i = 0; i < list->count; i++)
		if (learn_writable(list->row[i].path))
			fprintf(to, "#   %s\n", list->row[i].path);
}

static void put_network(const struct cage_learner *learner, FILE *to)
{
	if (!learner->network && !learner->sockets.count && !learner->abstract)
		return;
	put_comments(
		"Addresses that were connected to or bound; 'mode: proxy' with 'allow: [\"HOST:PORT\"]' is narrower than 'host'",
		&learner->inet, to);
	fputs("network:\n", to);
	if (learner->network)
		fputs("  mode: host\n", to);
	put_list("unix", &learner->sockets, to);
	if (learner->abstract)
		fputs("  abstract: true\n", to);
}

/* Of calls that lichen's list has where an IPC namespace can be made. */
static bool is_shared(const char *call)
{
	return strncmp(call, "shm", 3) == 0 || strncmp(call, "sem", 3) == 0 || strncmp(call, "msg", 3) == 0;
}

static void put_calls(const struct learnt *calls, FILE *to)
{
	static const char objects[] =
		"# System V objects are shared with others here: without shm, sem and msg, 'run --emulate=sysvipc' gives the run its own\n";
	bool shared = false;

	if (!calls->count)
		return;
	for (size_t i = 0; i < calls->count && !shared; i++)
		shared = is_shared(calls->row[i].path);
	if (shared)
		fputs(objects, to);
	fputs("processes:\n  allow: [", to);
	for (size_t i = 0; i < calls->count; i++)
		fprintf(to, "%s%s", i ? ", " : "", calls->row[i].path);
	fputs("]\n", to);
}

/* Directories in which the run has executed what it made there. */
static void put_both(const struct learnt *execute, const struct learnt *write, FILE *to)
{
	for (size_t i = 0; i < execute->count; i++)
		for (size_t k = 0; k < write->count; k++)
			if (strcmp(execute->row[i].path, write->row[k].path) == 0)
				fprintf(to, "  # What it writes there it may execute: %s\n", execute->row[i].path);
}

static void put_files(const struct cage_learner *learner, const struct learnt *read, const struct learnt *execute,
		      const struct learnt *write, FILE *to)
{
	static const char memory[] =
		"  # /dev/shm is shared with others: 'tmp: true' instead is one of the run's own where mounts can be made\n";

	if (!read->count && !execute->count && !write->count && !learner->uses_tmp)
		return;
	fputs("files:\n", to);
	put_list("read", read, to);
	put_list("execute", execute, to);
	put_both(execute, write, to);
	for (size_t i = 0; i < write->count; i++)
		if (strcmp(write->row[i].path, CAGE_SHM) == 0)
			fputs(memory, to);
	put_list("write", write, to);
	if (learner->executes_tmp)
		fputs("  # Programs in it were executed: that needs another place that is written and executed\n", to);
	if (learner->uses_tmp)
		fputs("  tmp: true\n", to);
}

int cage_learner_write(struct cage_learner *learner, u64 lost, FILE *to)
{
	static const char nothing[] = "version: 1\n";
	static const char head[] =
		"# Written by 'lichen run --learn': what one run of a command used. That run was not confined. Read this "
		"before you use it.\n";
	const struct learnt *const none[2] = { NULL, NULL };
	struct learnt read = { 0 }, execute = { 0 }, write = { 0 }, wide = { 0 };
	const struct learnt *const above[2] = { &execute, &write };
	CLEANUP_POLICY struct cage_policy *defaults = NULL;
	struct cage_policy_error error;
	u64 skipped = learner->left_out + lost;
	int r = learner->error;

	learn_judge_memory(learner);
	if (r == 0)
		r = cage_policy_parse(nothing, sizeof(nothing) - 1, "/", learner->home, &defaults, &error);
	if (r == 0)
		r = learn_merge(learner, CAGE_EXECUTE, defaults, none, &execute);
	if (r == 0)
		r = learn_merge(learner, CAGE_WRITE, defaults, none, &write);
	if (r == 0)
		r = learn_merge(learner, CAGE_READ, defaults, above, &read);
	if (r == 0)
		r = learn_wide(learner, &wide);
	if (r == 0) {
		fprintf(to, "%s%s", head, nothing);
		put_files(learner, &read, &execute, &write, to);
		put_comments("Used, but a rule for it would give away / or the whole home directory", &wide, to);
		put_network(learner, to);
		put_calls(&learner->calls, to);
		if (skipped)
			fprintf(to, "# Left out, because there was too much or because it cannot be written here: %llu\n",
				(unsigned long long)skipped);
		r = ferror(to) ? -EIO : 0;
	}
	learnt_done(&read);
	learnt_done(&execute);
	learnt_done(&write);
	learnt_done(&wide);
	return r;
}
