// SPDX-License-Identifier: Apache-2.0
/* `lichen flow run` and `validate`: reads what they need, runs, and tells how it goes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "cli/commands.h"
#include "cli/flow_cli.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "flow/flow_models.h"
#include "flow/flow_policy.h"
#include "lichen.h"

#define CONFIG_FILE "config.yaml"

/* --- reading ---------------------------------------------------------------------------------------------------------------------------- */

static int say(const char *path, int error, int status)
{
	fprintf(stderr, "lichen flow: cannot read '%s': %s (%s)\n", path, strerror(-error), errno_name(-error));
	return status;
}

/* Says "lichen flow: FILE:LINE:COLUMN: text". Returns LICHEN_EXIT_CONFIG, or LICHEN_EXIT_SOFTWARE without memory. */
static int flow_cli_wrong(const char *path, int error, const struct yaml_error *why)
{
	if (error == -ENOMEM) {
		fputs("lichen flow: out of memory\n", stderr);
		return LICHEN_EXIT_SOFTWARE;
	}
	if (why->line)
		fprintf(stderr, "lichen flow: %s:%u:%u: %s\n", path, why->line, why->column, why->text);
	else
		fprintf(stderr, "lichen flow: %s: %s\n", path, why->text);
	return LICHEN_EXIT_CONFIG;
}

/* Reads a file as a whole: at most 1 MiB. 0, or an exit status, after saying why. */
static int flow_cli_read(const char *path, char **ret, size_t *ret_size)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return say(path, -errno, LICHEN_EXIT_NO_INPUT);
	int error = read_bytes(fd, YAML_BYTES_MAX + 1, ret, ret_size); /* the parser says that it is too much */
	return error ? say(path, error, error == -ENOMEM ? LICHEN_EXIT_SOFTWARE : LICHEN_EXIT_NO_INPUT) : 0;
}

/* config.yaml of the base directory need not be there; one that is named must. */
static int read_config(struct flow_cli *cli)
{
	struct yaml_error error;
	struct stat st;
	size_t size = 0;
	const char *name = cli->given->config, *path = cli->config_path;
	bool there = name || snprintf(cli->config_path, PATH_MAX, "%s/" CONFIG_FILE, cli->base) >= PATH_MAX ||
		     stat(path, &st) == 0 || errno != ENOENT;
	if (name && !realpath(name, cli->config_path))
		return say(name, -errno, LICHEN_EXIT_NO_INPUT);
	name = name ? name : path;
	int status = there ? flow_cli_read(name, &cli->config_text, &size) : 0;
	if (status)
		return status;
	int r = flow_config_parse(cli->config_text, size, &cli->config, &error);
	if (r == 0)
		r = flow_models_check(&cli->config, &error);
	if (r == 0)
		r = flow_policy_check(&cli->config, &error);
	if (r < 0)
		return flow_cli_wrong(name, r, &error);
	return 0;
}

int flow_cli_begin(struct flow_cli *cli)
{
	const char *directory = cli->given->directory ? cli->given->directory : ".";
	if (!realpath(directory, cli->base))
		return say(directory, -errno, LICHEN_EXIT_NO_INPUT);
	int status = read_config(cli);
	if (status)
		return status;
	if (!cli->config.sandbox_enabled && !cli->given->no_sandbox) {
		fputs("lichen flow: config.yaml has sandbox_enabled: false; that counts only with --no-sandbox\n", stderr);
		return LICHEN_EXIT_CONFIG;
	}
	if (cli->config.sandbox_enabled && cli->given->no_sandbox) {
		fputs("lichen flow: --no-sandbox counts only where config.yaml has sandbox_enabled: false\n", stderr);
		return LICHEN_EXIT_CONFIG;
	}
	return 0;
}

void flow_cli_done(struct flow_cli *cli)
{
	flow_config_done(&cli->config);
	free(cli->config_text);
}

/* --- validate --------------------------------------------------------------------------------------------------------------------------- */

int flow_cli_validate(struct flow_cli *cli, const char *file)
{
	CLEANUP_FREE char *text = NULL;
	struct yaml_error error;
	struct flow flow;
	size_t size = 0;
	int status = flow_cli_read(file, &text, &size);
	if (status)
		return status;
	int r = flow_parse(text, size, &cli->config, NULL, &flow, &error);
	if (r < 0)
		return flow_cli_wrong(file, r, &error);
	printf("%s: \"%s\", %zu step%s, valid\n", file, flow.name, flow.count, flow.count == 1 ? "" : "s");
	flow_done(&flow);
	return command_flush(0);
}

/* --- run -------------------------------------------------------------------------------------------------------------------------------- */

/* log_level: only what is not ok is told. */
static bool is_quiet(const struct flow_config *config)
{
	return strcmp(config->log_level, "WARNING") == 0 || strcmp(config->log_level, "ERROR") == 0;
}

static void tell(void *user, const struct flow_told *told)
{
	char line[64];
	if (strcmp(told->outcome, "start") == 0 || (is_quiet(user) && !told->error))
		return;
	(void)snprintf(line, sizeof(line), "step %u %s %s", told->step->number, told->step->agent->name, told->step->action->name);
	fprintf(stderr, "lichen: %s: %s", line, told->outcome);
	if (told->attempt > 1)
		fprintf(stderr, " at attempt %u", told->attempt);
	if (told->attempt > 0)
		fprintf(stderr, ", %llu ms", (unsigned long long)told->duration_ms);
	fprintf(stderr, "%s%s\n", told->error ? ": " : "", told->error ? told->error : "");
}

/* SIGINT, SIGTERM, SIGHUP that are not ignored come through a descriptor. */
static int open_stop(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sigaction before;
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	}
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return fd < 0 ? -errno : fd;
}

static int print_state(const char *id)
{
	char full[FLOW_ID + 1];
	CLEANUP_FD int dir = flow_state_open(id, full);
	json_t *state = dir < 0 ? NULL : flow_state_read(dir);
	return state ? json_out_print(state, stdout) : -ENOENT;
}

/* As it is; at a terminal the next prompt is on a line of its own. */
static void put_output(const char *text, size_t size)
{
	fwrite(text, 1, size, stdout);
	if (size > 0 && text[size - 1] != '\n' && isatty(STDOUT_FILENO))
		putchar('\n');
}

static int finish(const struct flow_cli *cli, const struct flow_ended *ended)
{
	if (*ended->error)
		fprintf(stderr, "lichen flow: %s\n", ended->error);
	if (*ended->id && (ended->status || !is_quiet(&cli->config)))
		fprintf(stderr, "lichen: run %s: %s\n", ended->id, flow_outcome_name(ended->outcome));
	if (cli->given->json && *ended->id && print_state(ended->id) < 0)
		fprintf(stderr, "lichen flow: the state of run %s cannot be read\n", ended->id);
	if (!cli->given->json && ended->status == 0 && ended->output)
		put_output(ended->output, ended->output_size);
	return command_flush(ended->status);
}

static int run_flow(struct flow_cli *cli, const char *file, const struct flow *flow, const char *text, size_t size)
{
	CLEANUP_FD int stop = open_stop();
	struct flow_ended ended;
	struct flow_run run = {
		.flow = flow,
		.config = &cli->config,
		.text = text,
		.length = size,
		.file = file,
		.base_path = cli->base,
		.config_path = cli->config_path,
		.resume = cli->given->resume,
		.no_sandbox = cli->given->no_sandbox,
		.weaker = cli->given->weaker,
		.stop = stop,
		.tell = tell,
		.user = &cli->config,
	};
	if (stop < 0) {
		fprintf(stderr, "lichen flow: cannot wait for signals: %s (%s)\n", strerror(-stop), errno_name(-stop));
		return LICHEN_EXIT_FAILED;
	}
	flow_run(&run, &ended);
	int status = finish(cli, &ended);
	free(ended.output);
	return status;
}

int flow_cli_run(struct flow_cli *cli, const char *file)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	struct yaml_error error;
	struct flow flow;
	size_t size = 0;
	int status = flow_cli_read(file, &text, &size);
	if (status)
		return status;
	int r = flow_parse(text, size, &cli->config, (const char *(*)(const char *))getenv, &flow, &error);
	if (r < 0)
		return flow_cli_wrong(file, r, &error);
	status = run_flow(cli, realpath(file, path) ? path : file, &flow, text, size);
	flow_done(&flow);
	return status;
}
