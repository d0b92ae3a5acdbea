// SPDX-License-Identifier: Apache-2.0
/* Policies that are learnt: see the header. The file is made only when the run is over, and whole: rename(2). */
#include "cli/run_learn.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_seccomp.h"
#include "cage/learn.h"
#include "cli/words.h"
#include "lichen.h"

static int fail(const struct command *command, const char *what, int error)
{
	fprintf(stderr, "lichen %s: --learn: %s: %s (%s)\n", command->name, what, strerror(-error), errno_name(-error));
	return LICHEN_EXIT_FAILED;
}

/* A directory for temporary files, as the cage will have one if it is used, and an environment that names it. */
static int make_tmp(struct run_learn *learn, char *const *environment)
{
	static const char nothing[] = "version: 1\nfiles: {tmp: true}\n";
	struct cage_policy_error error;
	size_t count = 0, kept = 1;
	learn->tmp = CAGE_TMP_NONE;
	int r = cage_policy_parse(nothing, sizeof(nothing) - 1, "/", NULL, &learn->nothing, &error);
	if (r == 0)
		r = cage_tmp_begin(learn->nothing, &learn->tmp);
	if (r < 0)
		return r;
	while (environment[count])
		count++;
	learn->env = calloc(count + 2, sizeof(*learn->env));
	if (!learn->env || asprintf(&learn->variable, "TMPDIR=%s", learn->tmp.path) < 0)
		return -ENOMEM;
	learn->env[0] = learn->variable;
	for (size_t i = 0; i < count; i++)
		if (strncmp(environment[i], "TMPDIR=", 7) != 0)
			learn->env[kept++] = environment[i];
	return 0;
}

/* Whether the file can be written when the run is over, which may have taken hours. 0 or negative errno. */
static int check_place(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *directory = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	struct stat st;
	if (!directory)
		return -ENOMEM;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(directory, W_OK | X_OK) < 0 ? -errno : 0;
}

int run_learn_begin(const struct command *command, struct run_learn *learn, struct launch *launch)
{
	char here[PATH_MAX], workdir[PATH_MAX];
	const char *home = getenv("HOME");
	if (launch->native || launch->tree)
		return command_usage(command, "--learn is for commands on the machine's own files: without --rootfs and images");
	int place = check_place(learn->path);
	if (place < 0) {
		fprintf(stderr, "lichen %s: --learn: nothing was started: '%s' could not be written: %s (%s)\n", command->name,
			learn->path, strerror(-place), errno_name(-place));
		return LICHEN_EXIT_FAILED;
	}
	if (!getcwd(here, sizeof(here)))
		return fail(command, "the working directory", -errno);
	if (!realpath(launch->workdir ? launch->workdir : here, workdir))
		return fail(command, "the working directory", -errno);
	struct cage_host host = { .ipc = false };
	int r = make_tmp(learn, launch->envp);
	if (r == 0)
		r = cage_probe(learn->nothing, cage_layers_needed(learn->nothing), NULL, &host);
	if (r == 0)
		r = cage_learner_new(workdir, home && *home == '/' ? home : NULL, learn->tmp.path, cage_tmp_has_shm(&host),
				     &learn->learner);
	if (r < 0)
		return fail(command, "beginning", r);
	cage_seccomp_unlisted(learn->nothing, host.ipc, learn->numbers);
	launch->envp = learn->env;
	learn->trace = (struct launch_trace){
		.mode = TRACE_USES,
		.numbers = learn->numbers,
		.take = cage_learner_take,
		.data = learn->learner,
		.fd = -1,
	};
	launch->trace = &learn->trace;
	return -1;
}

int run_learn_note(const struct run_learn *learn, const char *audit, const struct audit_run *run, struct audit_error *error)
{
	json_t *event = json_pack("{s:s, s:b}", "policy", learn->path, "confined", false);
	return audit_run_note(audit, run, "learn", event, error);
}

static int write_policy(const struct run_learn *learn)
{
	CLEANUP_FREE char *temporary = NULL;
	if (asprintf(&temporary, "%s.XXXXXX", learn->path) < 0)
		return -ENOMEM;
	CLEANUP_FD int fd = mkostemp(temporary, O_CLOEXEC);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to)
		return -errno;
	(void)take_fd(&fd);
	int r = cage_learner_write(learn->learner, learn->trace.lost, to);
	if (fclose(to) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, learn->path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

int run_learn_end(const struct command *command, struct run_learn *learn)
{
	int r = write_policy(learn);
	if (r < 0)
		return fail(command, learn->path, r);
	fprintf(stderr, "lichen: the run was not confined; what it used is in %s: read it before you use it\n", learn->path);
	return -1;
}

void run_learn_done(struct run_learn *learn)
{
	cage_learner_free(learn->learner);
	learn->learner = NULL;
	if (learn->nothing)
		cage_tmp_end(&learn->tmp);
	cage_policy_free(learn->nothing);
	free((void *)learn->env);
	free(learn->variable);
}
