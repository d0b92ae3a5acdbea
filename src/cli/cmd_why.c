// SPDX-License-Identifier: Apache-2.0
/* lichen why: runs a command with every call recorded, or reads such a record, and says which refusals mattered. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/why_report.h"
#include "cli/words.h"
#include "host/launch.h"
#include "host/probe.h"
#include "host/trace_file.h"
#include "lichen.h"
#include "pii/redact.h"
#include "why/look.h"

struct why_options {
	struct guest_options guest;
	bool bare, json, redact;
	const char *html, *output, *trace, *read;
};

static const struct option_row options[] = {
	{ .name = "bare", .offset = offsetof(struct why_options, bare), .help = "fill no gap: show what this host itself refuses" },
	{ .name = "json", .offset = offsetof(struct why_options, json), .help = "print JSON, described in docs/why-json.md" },
	{ .name = "redact",
	  .offset = offsetof(struct why_options, redact),
	  .help = "replace personal data and keys in what is reported" },
	{ .name = "html",
	  .value = "FILE",
	  .offset = offsetof(struct why_options, html),
	  .help = "also write a page with timeline and plan" },
	{ .name = "output",
	  .letter = 'o',
	  .value = "FILE",
	  .offset = offsetof(struct why_options, output),
	  .help = "write the report there instead of to stderr" },
	{ .name = "trace", .value = "FILE", .offset = offsetof(struct why_options, trace), .help = "keep the raw record there" },
	{ .name = "read",
	  .value = "FILE",
	  .offset = offsetof(struct why_options, read),
	  .help = "run nothing: read a record that --trace kept" },
	GUEST_GAP_OPTIONS(struct why_options, guest),
	GUEST_PLACE_OPTIONS(struct why_options, guest),
};

/* What is known of a run. */
struct inquiry {
	const struct why_options *given;
	struct model model;
	struct verdict verdict;
	struct plan plan; /* what `lichen run` would do here, unasked; all gaps probed */
	struct circumstances circumstances;
	char *command_line;
	bool not_started;
};

static int say(int status, const char *what, int error)
{
	fprintf(stderr, "lichen why: %s: %s (%s)\n", what, strerror(-error), errno_name(-error));
	return status;
}

/* A command as a shell takes it. NULL without memory. */
static char *quote_command(char *const *words, size_t count)
{
	char *line = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&line, &size);
	for (size_t i = 0; to && i < count; i++) {
		bool plain =
			words[i][0] && words[i][strspn(words[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
								 "_-./=:,+@%^")] == '\0';
		fputs(i > 0 ? " " : "", to);
		if (plain) {
			fputs(words[i], to);
			continue;
		}
		fputc('\'', to);
		for (const char *at = words[i]; *at; at++)
			if (*at == '\'')
				fputs("'\\''", to);
			else
				fputc(*at, to);
		fputc('\'', to);
	}
	if (!to || fclose(to))
		return NULL;
	return line;
}

/* The file that the record goes to: as --trace names it, else one without a name. */
static int open_trace(const char *path)
{
	static const char *const places[] = { NULL, "/var/tmp", "/tmp" };
	if (path)
		return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *place = places[i] ? places[i] : getenv("TMPDIR");
		int fd = place ? open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
		if (fd >= 0)
			return fd;
	}
	return memfd_create("lichen-trace", MFD_CLOEXEC);
}

/* Makes the model and the verdict from a trace file. Returns 0, or the exit status after saying what is wrong. */
static int judge(struct inquiry *inquiry, int trace, const char *name)
{
	struct trace_reader reader;
	int error = trace_open(&reader, trace);
	if (error == -EBADMSG) {
		fprintf(stderr, "lichen why: '%s' is no record of this version of lichen why\n", name);
		return LICHEN_EXIT_USAGE;
	}
	if (error)
		return say(LICHEN_EXIT_SOFTWARE, name, error);
	error = model_load(&inquiry->model, &reader);
	trace_close(&reader);
	if (error == -EBADMSG) {
		fprintf(stderr, "lichen why: '%s' is damaged\n", name);
		return LICHEN_EXIT_USAGE;
	}
	if (error)
		return say(LICHEN_EXIT_SOFTWARE, name, error);
	inquiry->circumstances.look = !inquiry->given->read; /* a record may come from another machine, or sandbox */
	if (!inquiry->command_line)
		inquiry->command_line = quote_command(inquiry->model.argv, inquiry->model.argc);
	inquiry->circumstances.command_line = inquiry->command_line ? inquiry->command_line : "";
	error = verdict_make(&inquiry->model, &inquiry->circumstances, &inquiry->verdict);
	return error ? say(LICHEN_EXIT_SOFTWARE, "judging the run", error) : 0;
}

/* Opens a report's file. NULL: after saying what is wrong. */
static FILE *open_report(const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file)
		(void)say(0, path, -errno);
	return file;
}

static int print_text(const struct why_report *report, FILE *to)
{
	why_print_text(report, to);
	return 0;
}

/* Writes a report, masked where that is asked for: what cannot be masked is not written, nor is JSON that would be none afterwards. */
static int print_report(const struct inquiry *inquiry, int (*print)(const struct why_report *report, FILE *to),
			const struct why_report *report, FILE *to)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *masked = NULL;
	size_t size = 0;
	if (!inquiry->given->redact)
		return print(report, to);
	FILE *into = open_memstream(&text, &size);
	int error = into ? print(report, into) : -ENOMEM;
	if (into && fclose(into) && !error)
		error = -ENOMEM;
	if (!error)
		error = pii_mask_text(text, size, &masked, &size);
	if (!error && print == why_print_json) {
		json_t *object = json_loadb(masked, size, 0, NULL);
		error = object ? 0 : -EBADMSG;
		json_decref(object);
	}
	if (!error && fwrite(masked, 1, size, to) != size)
		error = errno ? -errno : -EIO;
	return error;
}

/* Writes the reports. Returns 0 or an exit status; what is wrong has been said. */
static int print_reports(const struct inquiry *inquiry, FILE *to, FILE *page)
{
	const struct why_report report = {
		.model = &inquiry->model,
		.verdict = &inquiry->verdict,
		.circumstances = &inquiry->circumstances,
		.not_started = inquiry->not_started,
	};
	int error = print_report(inquiry, inquiry->given->json ? why_print_json : print_text, &report, to);
	errno = 0;
	if (!error && (fflush(to) || ferror(to)))
		error = errno ? -errno : -EIO;
	if (error)
		return say(LICHEN_EXIT_IO, "cannot write the report", error);
	error = page ? print_report(inquiry, why_print_html, &report, page) : 0;
	return error ? say(LICHEN_EXIT_IO, inquiry->given->html, error) : 0;
}

/* Probes, and makes the plan of the run (`request`) and what a plain `lichen run` would do. Returns 0 or negative errno. */
static int make_plans(const struct plan_request *request, struct plan *plan, struct plan *unasked)
{
	struct gap_finding findings[GAP_COUNT] = { 0 };
	int error = probe_gaps(GAPS_ALL, request->refuse, findings);
	if (error)
		return error;
	plan_make(request, gaps_built(), GAPS_ALL, findings, plan);
	plan_make(&(struct plan_request){ .refuse = request->refuse }, gaps_built(), GAPS_ALL, findings, unasked);
	return 0;
}

/* Runs the command, recorded. Returns its status; *ret_report: there is something to report about. */
static int record(struct inquiry *inquiry, char *const *command, const struct plan_request *request, const struct plan *plan,
		  int trace, bool *ret_report)
{
	const struct guest_options *guest = &inquiry->given->guest;
	struct launch_trace recording = { .fd = trace };
	CLEANUP_FREE char **env = guest_env(&guest->env, environ);
	if (!env) {
		fputs("lichen why: out of memory\n", stderr);
		return LICHEN_EXIT_FAILED;
	}
	const struct launch launch = {
		.argv = command,
		.envp = env,
		.emulate = plan->emulated,
		.forced = request->emulate,
		.refuse = plan->refused_natively,
		.workdir = guest->workdir,
		.trace = &recording,
	};
	struct launch_result result = { .status = LICHEN_EXIT_FAILED };
	int failed = launch_run(&launch, &result);
	*ret_report = true;
	if (failed) {
		guest_say_failure(command[0], guest->workdir, &result);
		inquiry->not_started = true;
		*ret_report = result.status == LICHEN_EXIT_NOT_FOUND || result.status == LICHEN_EXIT_NOT_EXECUTABLE;
		if (!*ret_report || model_empty(&inquiry->model))
			return result.status;
		inquiry->model.argv = calloc(1, sizeof(*inquiry->model.argv));
		if (inquiry->model.argv) {
			inquiry->model.argv[0] = command[0];
			inquiry->model.argc = 1;
		}
		inquiry->model.status = result.status;
		if (verdict_not_started(&inquiry->model, &inquiry->circumstances, command[0], result.error, &inquiry->verdict))
			*ret_report = false;
		return result.status;
	}
	if (recording.error)
		(void)say(0, "the record is not complete", -recording.error);
	if (judge(inquiry, trace, "the record"))
		*ret_report = false;
	return result.status;
}

static void inquiry_done(struct inquiry *inquiry)
{
	verdict_done(&inquiry->verdict);
	model_done(&inquiry->model);
	free(inquiry->command_line);
	free((void *)inquiry->given->guest.env.words);
}

static int read_record(struct inquiry *inquiry)
{
	const struct why_options *given = inquiry->given;
	CLEANUP_FD int trace = open(given->read, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (trace < 0)
		return say(LICHEN_EXIT_USAGE, given->read, -errno);
	inquiry->circumstances.oom_kills = LOOK_UNKNOWN;
	int status = judge(inquiry, trace, given->read);
	if (status)
		return status;
	FILE *to = given->output ? open_report(given->output) : stdout;
	FILE *page = given->html ? open_report(given->html) : NULL;
	status = to && (page || !given->html) ? print_reports(inquiry, to, page) : LICHEN_EXIT_IO;
	if (to && to != stdout && fclose(to) && !status)
		status = LICHEN_EXIT_IO;
	if (page && fclose(page) && !status)
		status = LICHEN_EXIT_IO;
	return status;
}

/* What is written is opened before the command runs: a wrong name is told at once. The command's own status is what counts. */
static int run_recorded(struct inquiry *inquiry, char *const *command, const struct plan_request *request)
{
	const struct why_options *given = inquiry->given;
	struct plan plan;
	bool worth = false;
	CLEANUP_FD int trace = open_trace(given->trace);
	if (trace < 0)
		return say(LICHEN_EXIT_FAILED, given->trace ? given->trace : "a file for the record", -errno);
	FILE *to = given->output ? open_report(given->output) : stderr;
	FILE *page = given->html ? open_report(given->html) : NULL;
	int status = LICHEN_EXIT_FAILED, error;
	if (!to || (given->html && !page))
		goto out;
	error = make_plans(request, &plan, &inquiry->plan);
	if (error) {
		(void)say(0, "cannot probe this host", error);
		goto out;
	}
	size_t count = 0;
	while (command[count])
		count++;
	inquiry->command_line = quote_command(command, count);
	inquiry->circumstances = (struct circumstances){
		.plan = &inquiry->plan,
		.emulated = plan.emulated,
		.oom_kills = look_oom_kills(),
		.look = true,
		.command_line = inquiry->command_line ? inquiry->command_line : "",
	};
	status = record(inquiry, command, request, &plan, trace, &worth);
	if (worth)
		(void)print_reports(inquiry, to, page);
out:
	if (to && to != stderr && fclose(to))
		(void)say(0, given->output, -errno);
	if (page && fclose(page))
		(void)say(0, given->html, -errno);
	return status;
}

static int run(int argc, char **argv)
{
	struct why_options given = { 0 };
	struct plan_request request = { 0 };
	struct inquiry inquiry = { .given = &given };
	int first;
	int status = command_parse(&command_why, argc, argv, &given, &first);
	if (status < 0 && given.bare && (given.guest.emulate.named || given.guest.emulate.all))
		status = command_usage(&command_why, "--bare and --emulate contradict each other");
	given.guest.native.all |= given.bare;
	if (status < 0)
		status = guest_request(&command_why, &given.guest, &request);
	if (status < 0)
		status = guest_imply(&command_why, false, &request);
	if (status >= 0)
		return status;
	char *const *command = first < argc ? argv + first : NULL;
	if (given.read && (command || given.trace))
		return command_usage(&command_why, "--read takes no %s", command ? "command" : "--trace");
	if (given.redact && given.trace)
		return command_usage(&command_why, "--trace keeps the record as it is: --redact is for reports");
	if (!given.read && !command)
		return command_usage(&command_why, "there is no command to run");
	if (command && !*command[0])
		return command_usage(&command_why, "the command's name is empty");
	status = given.read ? read_record(&inquiry) : run_recorded(&inquiry, command, &request);
	inquiry_done(&inquiry);
	return given.read && status == 0 ? command_flush(0) : status;
}

static const char *const notes[] = {
	"The report goes to stderr when CMD has ended; with --read to stdout. docs/why.md tells what counts as mattering.",
	"Exit status: that of CMD, as for 'lichen run'.",
	NULL,
};

const struct command command_why = {
	.name = "why",
	.synopsis = "[OPTION…] [--] CMD [ARG…]",
	.summary = "Runs a command and says which refusals mattered",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.word_ends_options = true,
	.usage_status = LICHEN_EXIT_FAILED,
	.notes = notes,
	.run = run,
};
