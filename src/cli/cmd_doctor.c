// SPDX-License-Identifier: Apache-2.0
/* lichen doctor: probes every gap and says what this host refuses, who needs it and what lichen does about it. */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/report.h"
#include "cli/words.h"
#include "host/probe.h"
#include "host/workload.h"
#include "lichen.h"

struct doctor_options {
	const char *workload;
	bool json;
	const char *html;
};

static const struct option_row options[] = {
	{ .name = "for",
	  .value = "WORKLOAD",
	  .offset = offsetof(struct doctor_options, workload),
	  .help = "only say whether this can run here: docker, containerd, kubernetes, postgres, flow, a program, or a file "
		  "with one feature name a line" },
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

/* Writes the page. Returns 0, or the exit status after saying what is wrong. */
static int write_page(const char *path, const struct diagnosis *diagnosis)
{
	FILE *file = fopen(path, "we");
	int error = file ? diagnosis_print_html(diagnosis, file) : -errno;
	if (file && fclose(file) && !error)
		error = -errno;
	if (!error)
		return 0;
	fprintf(stderr, "lichen doctor: cannot write '%s': %s (%s)\n", path, strerror(-error), errno_name(-error));
	return LICHEN_EXIT_IO;
}

static int run(int argc, char **argv)
{
	struct doctor_options given = { 0 };
	struct diagnosis diagnosis = { 0 };
	struct gap_finding findings[GAP_COUNT];
	static struct program_needs program;
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

	int error = probe_gaps(GAPS_ALL, 0, findings);
	if (error) {
		fprintf(stderr, "lichen doctor: cannot probe: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_SOFTWARE;
	}
	plan_make(&(struct plan_request){ 0 }, gaps_built(), GAPS_ALL, findings, &diagnosis.plan);
	for (int id = 0; id < GAP_COUNT; id++)
		if ((diagnosis.needs & GAP_BIT(id)) && diagnosis.plan.rows[id].state == PLAN_REFUSED)
			diagnosis.unmet |= GAP_BIT(id);

	if (given.html) {
		status = write_page(given.html, &diagnosis);
		if (status)
			return status;
	}
	if (!given.json) {
		diagnosis_print(&diagnosis, stdout);
	} else if (diagnosis_print_json(&diagnosis, stdout)) {
		fputs("lichen doctor: out of memory\n", stderr);
		return LICHEN_EXIT_SOFTWARE;
	}
	return command_flush(diagnosis.unmet ? LICHEN_EXIT_UNAVAILABLE : 0);
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
