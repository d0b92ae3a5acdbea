// SPDX-License-Identifier: Apache-2.0
/* Makes the cell of a unit, and waits until it is up. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cell_helper.h"
#include "cli/unit_hint.h"
#include "cli/units.h"
#include "host/cell_control.h"
#include "host/cell_log_read.h"
#include "host/cell_monitor.h"
#include "host/cell_resources.h"
#include "host/cell_tree.h"
#include "lichen.h"
#include "units/unit_dirs.h"
#include "units/unit_leaves.h"

#define ANSWER_MS 10000
#define STOP_SECONDS 600u /* `lichen stop`: the manager has its own times for each unit */
#define LAST_LINES 10

int units_find(int store, const char *word, char name[UNIT_NAME_MAX + 1], struct unit_record *ret)
{
	struct word_list directories = { 0 };
	struct unit *unit = NULL;
	int r = unit_directories(&directories);
	if (r == 0)
		r = unit_load(&directories, word, &unit);
	word_list_done(&directories);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	snprintf(name, UNIT_NAME_MAX + 1, "%s", unit->name.full);
	unit_free(unit);
	return unit_record_find(store, name, ret);
}

int units_name(const struct command *command, const char *word, char name[UNIT_NAME_MAX + 1])
{
	struct word_list directories = { 0 };
	struct unit *unit = NULL;
	int r = unit_directories(&directories);
	if (r == 0)
		r = unit_load(&directories, word, &unit);
	word_list_done(&directories);
	if (r < 0) {
		fprintf(stderr, "lichen %s: '%.100s' is no name of a unit that can be run\n", command->name, word);
		return LICHEN_EXIT_USAGE;
	}
	snprintf(name, UNIT_NAME_MAX + 1, "%s", unit->name.full);
	unit_free(unit);
	return 0;
}

int units_log_dir(int cell, const char *name)
{
	char path[UNIT_NAME_MAX + 16];
	snprintf(path, sizeof(path), "units/%s", name);
	int fd = openat(cell, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

void units_last_lines(int cell, const char *name, unsigned lines, FILE *to)
{
	struct cell_log_reader *reader = malloc(sizeof(*reader));
	struct cell_log_entry entry;
	CLEANUP_FD int dir = units_log_dir(cell, name);
	unsigned count = 0;
	for (int pass = 0; reader && dir >= 0 && pass < 2; pass++) {
		unsigned at = 0;
		if (cell_log_reader_open(reader, dir) < 0)
			break;
		while (cell_log_reader_next(reader, &entry) > 0) {
			if (pass && at + lines >= count)
				fprintf(to, "    %.*s\n", (int)(entry.size < 400 ? entry.size : 400), entry.text);
			at++;
		}
		cell_log_reader_close(reader);
		count = at;
	}
	free(reader);
}

/* The cell's name: the unit's, as far as a cell may be called so. */
static void cell_name(const struct unit *head, char name[CELL_NAME_MAX + 1])
{
	size_t length = strlen(head->name.full);
	if (unit_is_service(head))
		length -= strlen(".service");
	snprintf(name, CELL_NAME_MAX + 1, "%.*s", (int)length, head->name.full);
	for (char *at = name; *at; at++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *at))
			*at = '.';
}

int units_clear_up(int store, struct unit_record *record)
{
	struct cell_found found = CELL_FOUND_NONE;
	for (size_t i = 0; i < UNIT_RECORD_LEFT && record->left[i]; i++)
		kill(record->left[i], SIGKILL);
	int r = cells_get(store, record->id, &found);
	if (r == 0)
		r = cells_clear_up(&found);
	cells_done(&found);
	if (r == 0)
		unit_leaves_clear(record->json);
	return r;
}

/* What an earlier run of the unit has left: processes of one whose manager was killed, and its cell. 0 or negative errno. */
static int clear_earlier(int store, const char *name)
{
	char id[CELL_ID_SIZE];
	struct cell_found found = CELL_FOUND_NONE;
	int r = cell_store_find(store, name, id);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = cells_get(store, id, &found);
	if (r < 0)
		return r;
	struct unit_record record = UNIT_RECORD_NONE;
	bool ours = unit_record_read(store, id, &record) == 0;
	const char *own = json_string_value(json_object_get(found.config, "name"));
	if (!ours || !own || strcmp(own, name) != 0)
		r = own && strcmp(own, name) == 0 ? -EEXIST : 0;
	else if (cell_store_alive(found.dir))
		r = -EBUSY;
	else if (!record.lost || units_clear_up(store, &record) == 0)
		r = cell_store_remove(store, id, false);
	else
		r = -EAGAIN;
	unit_record_done(&record);
	cells_done(&found);
	return r;
}

/* What the manager is started with, in the monitor. */
struct starting {
	struct manager_start start;
	struct cell_attendant attendant;
	const char *id;
	int dir, link_other, monitor_link;
};

static void cell_started(void *data)
{
	struct starting *starting = data;
	pid_t pid = fork();
	if (pid == 0)
		manager_run(&starting->start, starting->dir, starting->id);
	close(starting->start.link); /* only the manager keeps it: its end is the holder's */
	close(starting->start.events);
}

/* Prints what the manager tells. Returns the last event's progress; MANAGER_SAYS: it has gone without one. */
static enum manager_progress follow(int events, struct manager_event *ret)
{
	struct manager_event event;
	for (;;) {
		ssize_t n = read(events, &event, sizeof(event));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(event))
			return MANAGER_SAYS;
		if (event.progress == MANAGER_SAYS)
			printf("%s %s\n", event.unit, event.text);
		fflush(stdout);
		*ret = event;
		if (event.progress != MANAGER_SAYS)
			return event.progress;
	}
}

/* Says why it is not up, with what the daemon said last. */
static int say_failed(const struct up *up, int dir, enum manager_progress progress, const struct manager_event *event)
{
	static const struct {
		const char *what;
		int status;
	} words[] = {
		[MANAGER_SAYS] = { "its manager has ended", LICHEN_EXIT_SOFTWARE },
		[MANAGER_READY] = { "", 0 },
		[MANAGER_FAILED] = { "died", LICHEN_UP_DIED },
		[MANAGER_TIMEOUT] = { "timed out", LICHEN_UP_TIMEOUT },
		[MANAGER_UNPROVEN] = { "does not work", LICHEN_UP_UNPROVEN },
		[MANAGER_LOST] = { "was ready, and then lost", LICHEN_UP_LOST },
		[MANAGER_REFUSED] = { "was not started", LICHEN_UP_CONDITION },
	};
	const char *unit = *event->unit ? event->unit : up->set.head->name.full;
	fprintf(stderr, "lichen %s: %s %s%s%s\n", up->command->name, unit, words[progress].what, *event->text ? ": " : "",
		event->text);
	if (progress != MANAGER_REFUSED) {
		fprintf(stderr, "The last lines of its log (`lichen logs %s`):\n", unit);
		units_last_lines(dir, unit, LAST_LINES, stderr);
		unit_hint(dir, unit, &up->plan, stderr);
	}
	if (progress == MANAGER_UNPROVEN)
		fputs("--no-proof starts it all the same\n", stderr);
	return words[progress].status;
}

void units_say_docker_host(const char *indent, const char *at)
{
	if (strcmp(at, "/run/docker.sock") != 0 && strcmp(at, "/var/run/docker.sock") != 0)
		printf("%sdocker(1) finds it by: export DOCKER_HOST=%s://%s\n", indent, *at == '/' ? "unix" : "tcp", at);
}

static int wait_until_up(const struct up *up, int dir, int events)
{
	struct manager_event event = { 0 };
	enum manager_progress progress = follow(events, &event);
	if (progress != MANAGER_READY) {
		int r = cell_store_wait(dir); /* so that the next `up` finds it over */
		if (r < 0)
			fprintf(stderr, "lichen %s: waiting for the cell's end: %s\n", up->command->name, strerror(-r));
		return say_failed(up, dir, progress, &event);
	}
	printf("%s is up\n", up->set.head->name.full);
	for (size_t i = 0; i < up->set.count; i++)
		if (up->profiles.of[i].request.kind == REQUEST_DOCKER)
			units_say_docker_host("", up->profiles.of[i].request.address);
	return 0;
}

/* The holder's command line: this program, under the unit's name. */
static char **holder_argv(const struct up *up)
{
	static char helper[] = CELL_HELPER_NAME, hold[] = "hold";
	const struct word_list *own = &up->profiles.own;
	char **argv = calloc(4 + own->count, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = (char *)(uintptr_t)up->set.head->name.full;
	argv[1] = helper;
	argv[2] = hold;
	for (size_t i = 0; i < own->count; i++)
		argv[3 + i] = own->words[i];
	return argv;
}

/* Makes the cell's directory. 0 or negative errno. */
static int make_cell(const struct up *up, int store, struct cell_config *config, struct cell_run *run)
{
	static const struct cell_resources no_limits;
	static struct cell_enforcement no_enforcement;
	static const struct cell_tree machine;
	cell_resources_plan(&no_limits, &no_enforcement);
	*config = (struct cell_config){ .argv = run->launch.argv,
					.env = run->launch.envp,
					.workdir = "/",
					.stop_signal = SIGTERM,
					.stop_timeout = STOP_SECONDS,
					.detached = true,
					.log_size = CELL_LOG_SIZE_DEFAULT,
					.plan = &up->plan,
					.resources = &no_limits,
					.enforcement = &no_enforcement,
					.tree = &machine };
	cell_name(up->set.head, config->name);
	int r = clear_earlier(store, config->name);
	return r < 0 ? r : cell_store_create(store, config, &run->dir, &run->monitor);
}

static int say_not_made(const struct up *up, const char *name, int error)
{
	if (error == -EEXIST)
		fprintf(stderr, "lichen %s: there is a cell called '%s', which is no unit's; `lichen rm %s` removes it\n",
			up->command->name, name, name);
	else if (error == -EBUSY)
		fprintf(stderr, "lichen %s: %s is being started or stopped by another lichen\n", up->command->name,
			up->set.head->name.full);
	else
		fprintf(stderr, "lichen %s: cannot make the cell: %s (%s)\n", up->command->name, strerror(-error),
			errno_name(-error));
	return LICHEN_EXIT_SOFTWARE;
}

/* Starts the monitor, which starts the manager. Returns the exit status. */
static int run_cell(const struct up *up, struct cell_run *run, struct starting *starting)
{
	struct launch_result result;
	int events[2], pair[2];
	if (pipe2(events, O_CLOEXEC) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		fprintf(stderr, "lichen %s: cannot make a pipe: %s (%s)\n", up->command->name, strerror(errno), errno_name(errno));
		return LICHEN_EXIT_SOFTWARE;
	}
	starting->start.link = pair[0];
	starting->start.events = events[1];
	starting->attendant = (struct cell_attendant){ .input = pair[1], .started = cell_started, .data = starting };
	starting->dir = run->dir;
	run->attendant = &starting->attendant;
	fflush(stdout);
	int r = cell_monitor_detach(run, NULL, &result);
	close(pair[0]);
	close(pair[1]);
	close(events[1]);
	int status = r < 0 ? LICHEN_EXIT_SOFTWARE : wait_until_up(up, run->dir, events[0]);
	if (r < 0)
		guest_say_failure(run->launch.argv[0], "/", &result);
	close(events[0]);
	return status;
}

int up_start(const struct up *up, int store)
{
	struct starting starting = {
		.start = { .set = &up->set, .profiles = up->profiles, .env = environ, .timeout = up->given->timeout * 1000 }
	};
	struct cell_run run = { .store = store };
	struct cell_config config;
	CLEANUP_FREE char *self = realpath("/proc/self/exe", NULL);
	char **argv = holder_argv(up), *bare[] = { NULL };
	CLEANUP_FREE char *why = NULL;
	int status = LICHEN_EXIT_SOFTWARE;
	if (unit_dirs_runtime(&up->set.head->place, &why) < 0) {
		fprintf(stderr, "lichen %s: %s\n", up->command->name, why ? why : "out of memory");
		free((void *)argv);
		return status;
	}
	if (!self || !argv) {
		fprintf(stderr, "lichen %s: out of memory\n", up->command->name);
		free((void *)argv);
		return status;
	}
	run.launch = (struct launch){ .program = self,
				      .argv = argv,
				      .envp = bare,
				      .emulate = up->plan.emulated,
				      .forced = up->request.emulate,
				      .refuse = up->plan.refused_natively,
				      .workdir = "/" };
	int r = up_make_runtime(up, self);
	if (r == 0)
		r = make_cell(up, store, &config, &run);
	char **env = r == 0 ? cells_env(bare, config.id) : NULL;
	if (r < 0 || !env) {
		free((void *)argv);
		return say_not_made(up, config.name, r < 0 ? r : -ENOMEM);
	}
	run.config = &config;
	run.launch.envp = env;
	starting.id = config.id;
	status = run_cell(up, &run, &starting);
	cells_env_free(env);
	free((void *)argv);
	close(run.dir);
	return status;
}

int units_stop(const struct command *command, int store, struct unit_record *record, int milliseconds)
{
	struct cell_reply reply;
	(void)store;
	int r = cell_control_ask(record->dir, CELL_STOP, SIGTERM, ANSWER_MS, &reply, NULL, NULL);
	if (r == 0)
		r = cell_control_ask(record->dir, CELL_WAIT, 0, milliseconds ? milliseconds : -1, &reply, NULL, NULL);
	if (r == -ETIMEDOUT) {
		r = cell_control_ask(record->dir, CELL_STOP, SIGKILL, ANSWER_MS, &reply, NULL, NULL);
		if (r == 0)
			r = cell_control_ask(record->dir, CELL_WAIT, 0, ANSWER_MS, &reply, NULL, NULL);
	}
	if (r >= 0 || r == -ESRCH)
		r = cell_store_wait(record->dir);
	if (r == 0)
		return 0;
	fprintf(stderr, "lichen %s: cannot stop the cell %s: %s (%s)\n", command->name, record->id, strerror(-r), errno_name(-r));
	return LICHEN_EXIT_SOFTWARE;
}
