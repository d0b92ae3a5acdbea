// SPDX-License-Identifier: Apache-2.0
/* lichen run --cage: see the header. */
#include "cli/cage_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_tree.h"
#include "base/cleanup.h"
#include "cli/cage_read.h"
#include "cli/words.h"
#include "host/state_dir.h"
#include "lichen.h"
#include "pii/redact.h"

#define STACK_LEAST (256u << 10)

int cage_parse_weaker(void *field, const char *value, struct option_error *error)
{
	u32 *weaker = field;
	CLEANUP_FREE char *copy = strdup(value);
	char *rest = copy;
	if (!copy)
		return options_refuse(error, "out of memory");
	for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
		int layer = cage_layer_find(name);
		if (layer < 0 || layer == CAGE_LAYER_PROCESS)
			return options_refuse(
				error,
				"option '--allow-weaker' knows files, deny, syscalls, network, unix, scopes and limits, not '%.40s'",
				name);
		*weaker |= CAGE_LAYER_BIT(layer);
	}
	return 0;
}

static int no_memory(void)
{
	fputs("lichen run: out of memory\n", stderr);
	return LICHEN_EXIT_FAILED;
}

/* The exit status of cage_read_policy()'s error. */
static int refused(int error)
{
	return error == -EINVAL ? LICHEN_EXIT_CONFIG : LICHEN_EXIT_FAILED;
}

/* --- the log --------------------------------------------------------------------------------------------------------------------------------- */

int cage_run_choose_log(const struct cage_policy *policy, struct run_audit *audit)
{
	char state[PATH_MAX];
	if (audit->path[0])
		return -1;
	if (policy && policy->audit.directory) {
		(void)snprintf(audit->path, sizeof(audit->path), "%s", policy->audit.directory->path);
		return -1;
	}
	CLEANUP_FD int fd = state_dir_open(state);
	if (fd < 0) {
		fprintf(stderr, "lichen: nothing was started: there is no place for the audit log: %s (%s); name one by --audit\n",
			strerror(-fd), errno_name(-fd));
		return LICHEN_EXIT_IO;
	}
	if (snprintf(audit->path, sizeof(audit->path), "%s/audit", state) >= (int)sizeof(audit->path))
		return no_memory();
	return -1;
}

char *cage_run_real(const char *path)
{
	char text[PATH_MAX + 2], *real, *whole = NULL;
	size_t there;
	(void)snprintf(text, sizeof(text), "%s%s", *path == '/' ? "" : "./", path);
	for (there = strlen(text); there > 1 && text[there - 1] == '/';)
		text[--there] = 0;
	for (;;) {
		char cut = text[there];
		text[there] = 0;
		real = realpath(there ? text : "/", NULL);
		text[there] = cut;
		if (real || errno == ENOMEM || there == 0)
			break;
		while (there > 0 && text[--there] != '/')
			;
	}
	if (real && asprintf(&whole, "%s%s", real[1] || !text[there] ? real : "", text + there) < 0)
		whole = NULL;
	free(real);
	return whole;
}

void cage_run_key(const char *log, char ret[PATH_MAX + 8])
{
	const char *given = getenv("LICHEN_AUDIT_KEY");
	if (given && *given)
		(void)snprintf(ret, PATH_MAX + 8, "%s", given);
	else
		(void)snprintf(ret, PATH_MAX + 8, "%s/" AUDIT_KEY, log);
}

int cage_run_keep_out(const struct cage_policy *policy, const char *real, const char *name, bool key)
{
	static const enum cage_access kinds[] = { CAGE_READ, CAGE_EXECUTE, CAGE_WRITE };
	const struct cage_path *rule = NULL;
	const char *list = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!cage_policy_allows(policy, kinds[i], real, &rule, &list))
			continue;
		fprintf(stderr, "lichen: %s:%u:%u: the %saudit log '%s' lies in '%s', which %s allows; %s\n", policy->name,
			rule ? rule->line : 0, rule ? rule->column : 0, key ? "key of the " : "", name, rule ? rule->written : "/",
			list ? list : "a default",
			policy->built_in ? "start it in a directory of the work's own, or keep the log elsewhere (--audit)"
					 : "keep it elsewhere (--audit), or deny it");
		return LICHEN_EXIT_CONFIG;
	}
	return -1;
}

/* What a policy denies and is not there is covered as a file would be, and a log is a directory. */
static void make_denied(const struct cage_policy *policy, const char *real)
{
	const struct cage_path *rule;
	const char *list = NULL;
	if (!cage_policy_allows(policy, CAGE_READ, real, &rule, &list) && list && strcmp(list, "files.deny") == 0)
		(void)mkdir(real, 0700); /* if that fails, opening the log says why */
}

static int keep_log_out(const struct cage_policy *policy, const char *log)
{
	char name[PATH_MAX + 8];
	cage_run_key(log, name);
	CLEANUP_FREE char *real = cage_run_real(log), *key = cage_run_real(name);
	if (!real || !key)
		return no_memory();
	int status = cage_run_keep_out(policy, real, log, false);
	if (status < 0)
		status = cage_run_keep_out(policy, key, name, true);
	if (status < 0)
		make_denied(policy, real);
	return status;
}

/* --- what is missing ------------------------------------------------------------------------------------------------------------------------- */

/* One line for each layer. */
static int refuse_missing(const struct cage_policy *policy, const struct cage *cage)
{
	u32 missing = cage_missing(cage), without = cage_without(cage);
	for (int i = 0; i < CAGE_LAYERS; i++) {
		const char *name = cage_layer_name(i), *how = cage_finding(cage, i)->how;
		if (missing & CAGE_LAYER_BIT(i))
			fprintf(stderr,
				"lichen: nothing was started: %s needs the layer '%s', which this host lacks: %s; --allow-weaker=%s goes on without\n",
				policy->name, name, how, name);
		else if (without & CAGE_LAYER_BIT(i))
			fprintf(stderr, "lichen: the cage goes without the layer '%s': %s\n", name, how);
	}
	return missing ? LICHEN_EXIT_UNAVAILABLE : -1;
}

static int open_cage(struct cage_run *run, u32 weaker)
{
	struct cage_policy_error error;
	int r = cage_open(run->policy, weaker, NULL, &run->cage, &error);
	if (r == 0)
		return refuse_missing(run->policy, run->cage);
	if (error.at.text[0])
		return refused(cage_read_refuse("lichen", run->policy->name, &error));
	fprintf(stderr, "lichen: nothing was started: the cage of %s cannot be made: %s (%s)\n", run->policy->name, strerror(-r),
		errno_name(-r));
	return LICHEN_EXIT_FAILED;
}

int cage_run_start(struct cage_run *run, u32 weaker)
{
	int r = cage_tmp_begin(run->policy, &run->tmp);
	if (r < 0) {
		fprintf(stderr,
			"lichen: nothing was started: no directory for temporary files (files.tmp) can be made: %s (%s); set TMPDIR, or give the tree a /tmp that can be written (--tmpfs=/tmp)\n",
			strerror(-r), errno_name(-r));
		return LICHEN_EXIT_FAILED;
	}
	int status = open_cage(run, weaker);
	if (status >= 0)
		return status;
	run->env = cage_environment(run->policy, environ);
	return run->env ? -1 : no_memory();
}

/* Its threads have as much, and paths are long. */
static bool has_stack(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK_LEAST)
		return true;
	fprintf(stderr,
		"lichen: nothing was started: a cage needs a stack of %u KiB, and %llu are allowed here; raise 'ulimit -s'\n",
		STACK_LEAST >> 10, (unsigned long long)limit.rlim_cur >> 10);
	return false;
}

int cage_run_open(const struct command *command, const struct cage_options *given, struct run_audit *audit, struct cage_run *ret)
{
	struct cage_policy_error error;
	(void)command;
	ret->tmp = CAGE_TMP_NONE;
	if (!has_stack())
		return LICHEN_EXIT_FAILED;
	int r = cage_read_policy("lichen", given->policy, &ret->policy, &error);
	if (r < 0)
		return refused(r);
	int status = cage_run_choose_log(ret->policy, audit);
	if (status < 0)
		status = keep_log_out(ret->policy, audit->path);
	return status < 0 ? cage_run_start(ret, given->weaker) : status;
}

/* The command's words as the log may have them, each masked by itself. NULL without memory. */
static char **mask_words(char *const *words)
{
	size_t count = 0;
	while (words[count])
		count++;
	char **masked = calloc(count + 1, sizeof(*masked));
	for (size_t i = 0; masked && i < count; i++) {
		size_t size;
		if (pii_mask_text(words[i], strlen(words[i]), &masked[i], &size) == 0)
			continue;
		masked[i] = NULL;
		cage_environment_free(masked);
		return NULL;
	}
	return masked;
}

/* What else of a command may be personal. 0 or -ENOMEM. */
static int mask_texts(struct cage_run *run, struct audit_command *command)
{
	CLEANUP_FREE char *here = command->workdir && *command->workdir == '/' ? NULL : getcwd(NULL, 0);
	const char **texts[CAGE_RUN_TEXTS] = { &command->workdir, &command->image, &command->root, &command->user };
	size_t size;
	if (!command->workdir)
		command->workdir = here;
	for (size_t i = 0; i < CAGE_RUN_TEXTS; i++) {
		if (*texts[i] && pii_mask_text(*texts[i], strlen(*texts[i]), &run->texts[i], &size) < 0)
			return -ENOMEM;
		*texts[i] = run->texts[i];
	}
	return 0;
}

int cage_run_describe(struct cage_run *run, struct run_audit *audit)
{
	struct audit_command *command = &audit->command;
	run->described = cage_describe(run->cage);
	command->policy = run->described;
	if (run->policy->audit.redact && command->argv) {
		run->words = mask_words(command->argv);
		command->argv = run->words;
		if (!run->words || mask_texts(run, command) < 0)
			return -ENOMEM;
	}
	return run->described ? 0 : -ENOMEM;
}

int cage_run_limit(const struct cage_run *run, const struct run_audit *audit)
{
	const char *limit = run->cage ? cage_limit_hit(run->cage) : NULL;
	struct audit_error why;
	if (!limit)
		return 0;
	const char *not_told = cage_limit_why(run->cage);
	/* The log first: who reads our standard error may be gone to sleep. */
	int r = audit_run_note(audit->path, &audit->run, "run.limit", json_pack("{s:s}", "limit", limit), &why);
	fprintf(stderr, "lichen: limits.%s of %s ended the command%s%s\n", limit, run->policy->name,
		not_told ? ": whether it holds cannot be told: " : "", not_told ? not_told : "");
	if (r == 0)
		return 0;
	fprintf(stderr, "lichen: the audit log '%s': %s\n", audit->path, why.text);
	return LICHEN_EXIT_IO;
}

void cage_run_close(struct cage_run *run)
{
	json_decref(run->described);
	cage_environment_free(run->env);
	cage_environment_free(run->words);
	for (size_t i = 0; i < CAGE_RUN_TEXTS; i++)
		free(run->texts[i]);
	cage_close(run->cage);
	if (run->policy)
		cage_tmp_end(&run->tmp);
	cage_policy_free(run->policy);
}
