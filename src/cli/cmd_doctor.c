// SPDX-License-Identifier: Apache-2.0
/* lichen doctor: probes every gap and says what this host refuses, who needs it and what lichen does about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/config_report.h"
#include "cli/report.h"
#include "cli/words.h"
#include "host/probe.h"
#include "host/workload.h"
#include "lichen.h"

struct doctor_options {
	const char *workload;
	bool json;
	const char *html, *kernel_config;
};

static const struct option_row options[] = {
	{ .name = "for",
	  .value = "WORKLOAD",
	  .offset = offsetof(struct doctor_options, workload),
	  .help = "only say whether this can run here: docker, containerd, kubernetes, postgres, flow, a program, or a file "
		  "with one feature name a line" },
	{ .name = "kernel-config",
	  .value = "FILE",
	  .offset = offsetof(struct doctor_options, kernel_config),
	  .help = "ask about a kernel instead: its .config, /proc/config.gz, a defconfig, or - for standard input" },
	{ .name = "html",
	  .value = "FILE",
	  .offset = offsetof(struct doctor_options, html),
	  .help = "also write a page to look at, one file without external parts" },
	{ .name = "json", .offset = offsetof(struct doctor_options, json), .help = "print JSON, described in docs/doctor-json.md" },
};

/* Says why a workload is none. Returns the exit status. */
static int no_such_workload(const char *name)
{
	char known[128] = "";
	struct guess guess = { .word = name };
	for (const char *const *workload = workload_names; *workload; workload++) {
		guess_consider(&guess, *workload);
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", known[0] ? ", " : "", *workload);
	}
	if (guess.best)
		return command_usage(&command_doctor, "unknown workload '%s'; did you mean '%s'?", name, guess.best);
	return command_usage(&command_doctor, "unknown workload '%s', and no such file or program; known: %s", name, known);
}

/* Takes a file for a list of features. Returns -1, or the exit status after saying what is wrong. */
static int read_list(struct diagnosis *diagnosis)
{
	const char *name = diagnosis->workload;
	unsigned line = 0;
	char word[64], known[256];
	int error = workload_from_file(name, &diagnosis->needs, &line, word);
	if (error == 0)
		return -1;
	if (error == -EINVAL && line > 0)
		return command_usage(&command_doctor, "%s:%u: unknown feature '%s'; known: %s", name, line, word,
				     gap_names(GAPS_ALL, known, sizeof(known)));
	return command_usage(&command_doctor, "cannot read workload file '%s': %s (%s)", name, strerror(-error),
			     errno_name(-error));
}

/* Takes the name for a program's. Returns -1, or the exit status after saying what is wrong. */
static int judge_program(struct diagnosis *diagnosis, struct program_needs *program)
{
	const char *name = diagnosis->workload;
	int error = program_examine(name, program);
	switch (error) {
	case 0:
		diagnosis->program = program;
		diagnosis->needs = program->needs;
		diagnosis->uses = program->uses;
		return -1;
	case -ENOENT:
		if (program->what[0])
			return command_usage(&command_doctor, "cannot judge '%s': it is %s, which is not here (ENOENT)", name,
					     program->what);
		return no_such_workload(name);
	case -ENOEXEC:
		return command_usage(&command_doctor,
				     "cannot judge '%s': not a program for this machine (ENOEXEC); it must be "
				     "x86-64 ELF or begin with #!",
				     name);
	case -EBADMSG:
		return command_usage(&command_doctor, "cannot judge '%s': its ELF headers are damaged, or it is cut short", name);
	case -E2BIG:
		return command_usage(&command_doctor, "cannot judge '%s': its ELF headers are larger than any linker makes them",
				     name);
	default:
		return command_usage(&command_doctor, "cannot judge '%s': %s (%s)", name, strerror(-error), errno_name(-error));
	}
}

/* Fills diagnosis->needs from what --for names. Returns -1, or the exit status after saying what is wrong. */
static int find_needs(struct diagnosis *diagnosis, struct program_needs *program)
{
	const char *name = diagnosis->workload;
	if (workload_by_name(name, &diagnosis->needs) == 0)
		return -1;
	int is_program = program_recognise(name);
	bool is_path = strchr(name, '/') != NULL;
	/* A name without a slash may be a file of this directory; a directory of that name is none. */
	if (is_program == 1 || (!is_path && is_program < 0))
		return judge_program(diagnosis, program);
	if (is_program < 0 && is_program != -EINVAL) /* what is no regular file may still be read: a pipe */
		return command_usage(&command_doctor, "cannot read workload file '%s': %s (%s)", name, strerror(-is_program),
				     errno_name(-is_program));
	return read_list(diagnosis);
}

/* Opens the page's file. Returns NULL after saying why not. */
static FILE *open_page(const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file)
		fprintf(stderr, "lichen doctor: cannot write '%s': %s (%s)\n", path, strerror(errno), errno_name(errno));
	return file;
}

/* Closes it; `error` is that of writing. Returns 0, or the exit status after saying what is wrong. */
static int close_page(const char *path, FILE *file, int error)
{
	if (fclose(file) && !error)
		error = -errno;
	if (!error)
		return 0;
	fprintf(stderr, "lichen doctor: cannot write '%s': %s (%s)\n", path, strerror(-error), errno_name(-error));
	return LICHEN_EXIT_IO;
}

/* Says why a file is no configuration. Returns the exit status. */
static int no_configuration(const char *path, int error, unsigned line)
{
	if (strcmp(path, "-") == 0)
		path = "standard input";
	switch (error) {
	case -EINVAL:
		if (line == 0)
			break;
		return command_usage(&command_doctor,
				     "%s:%u: not a line of a kernel configuration: CONFIG_NAME=value, or a comment", path, line);
	case -EILSEQ:
		return command_usage(&command_doctor,
				     "%s: a binary file, not a kernel configuration (.config, or that compressed by gzip)", path);
	case -ENOMSG:
		return command_usage(&command_doctor, "%s: not a kernel configuration: no line names an option", path);
	case -EBADMSG:
		return command_usage(&command_doctor, "%s: the compressed data is damaged or cut short", path);
	case -EFBIG:
		return command_usage(&command_doctor, "%s: longer than %u MiB: no kernel configuration is", path,
				     KERNEL_CONFIG_MAX >> 20);
	default:
		break;
	}
	return command_usage(&command_doctor, "cannot read '%s': %s (%s)", path, strerror(-error), errno_name(-error));
}

/* doctor --kernel-config: nothing is probed. Returns the exit status. */
static int judge_configuration(const struct doctor_options *given, const struct diagnosis *diagnosis)
{
	static struct config_advice advice;
	struct kernel_config config;
	u32 gaps = diagnosis->workload ? diagnosis->needs : GAPS_ALL, named;
	bool known = given->workload && workload_by_name(given->workload, &named) == 0;
	unsigned line = 0;
	int error = kernel_config_read(given->kernel_config, &config, &line);
	if (error)
		return no_configuration(given->kernel_config, error, line);
	kernel_config_advise(&config, known ? given->workload : NULL, gaps, gaps_built(), &advice);

	struct config_report report = { given->kernel_config, given->workload, &config, &advice };
	FILE *page = given->html ? open_page(given->html) : NULL;
	int status = given->html && !page ? LICHEN_EXIT_IO : 0;
	if (page)
		status = close_page(given->html, page, config_print_html(&report, page));
	if (!status && !given->json) {
		config_print(&report, stdout);
	} else if (!status && config_print_json(&report, stdout)) {
		fputs("lichen doctor: out of memory\n", stderr);
		status = LICHEN_EXIT_SOFTWARE;
	}
	kernel_config_done(&config);
	return status ? status : command_flush(given->workload && advice.unmet ? LICHEN_EXIT_UNAVAILABLE : 0);
}

/* Who would make the root of `lichen run IMAGE`: changes of such a run lie in a temporary directory. */
static void find_containers(struct diagnosis *diagnosis)
{
	struct native_wish wish = { .tree = true, .overlay = true, .root = geteuid() == 0, .emulated = diagnosis->plan.emulated };
	const char *temporary = getenv("TMPDIR");
	struct gap_finding finding;
	bool wanted = native_plan_wants_probed(&wish);
	if (wanted)
		native_probe(temporary && *temporary ? temporary : "/tmp", NULL, &finding);
	native_plan_make(&wish, wanted ? &finding : NULL, &diagnosis->containers);
}

/* Probes this host, and reports. Returns the exit status. */
static int judge_host(const struct doctor_options *given, struct diagnosis *diagnosis)
{
	struct gap_finding findings[GAP_COUNT];
	int error = probe_gaps(GAPS_ALL, 0, findings);
	if (error) {
		fprintf(stderr, "lichen doctor: cannot probe: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_SOFTWARE;
	}
	plan_make(&(struct plan_request){ 0 }, gaps_built(), GAPS_ALL, findings, &diagnosis->plan);
	find_containers(diagnosis);
	for (int id = 0; id < GAP_COUNT; id++)
		if ((diagnosis->needs & GAP_BIT(id)) && diagnosis->plan.rows[id].state == PLAN_REFUSED)
			diagnosis->unmet |= GAP_BIT(id);

	FILE *page = given->html ? open_page(given->html) : NULL;
	int status = given->html && !page ? LICHEN_EXIT_IO : 0;
	if (page)
		status = close_page(given->html, page, diagnosis_print_html(diagnosis, page));
	if (status)
		return status;
	if (!given->json) {
		diagnosis_print(diagnosis, stdout);
	} else if (diagnosis_print_json(diagnosis, stdout)) {
		fputs("lichen doctor: out of memory\n", stderr);
		return LICHEN_EXIT_SOFTWARE;
	}
	return command_flush(diagnosis->unmet ? LICHEN_EXIT_UNAVAILABLE : 0);
}

static int run(int argc, char **argv)
{
	static struct program_needs program;
	struct doctor_options given = { 0 };
	struct diagnosis diagnosis = { 0 };
	int first;
	int status = command_parse(&command_doctor, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first < argc)
		return command_usage(&command_doctor, "unexpected argument '%s'", argv[first]);
	diagnosis.workload = given.workload;
	status = given.workload ? find_needs(&diagnosis, &program) : -1;
	if (status >= 0)
		return status;
	return given.kernel_config ? judge_configuration(&given, &diagnosis) : judge_host(&given, &diagnosis);
}

static const char *const notes[] = {
	"States: native (works here, lichen passes it on), filled (lichen supplies it), missing (the kernel has no such thing), "
	"blocked (policy or privilege forbids it), unknown (could not be tried).",
	"Exit status: 0, or with --for: 0 when the workload can run here and 69 when it cannot; 64 for a wrong command line.",
	NULL,
};

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[OPTION…]",
	.summary = "Tells what this host refuses, who needs it, what lichen does",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
