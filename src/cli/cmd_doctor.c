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
	  .help = "only say whether this can run here: docker, kubernetes, postgres, flow, or a file with one feature name a line "
		  "and # comments" },
	{ .name = "html",
	  .value = "FILE",
	  .offset = offsetof(struct doctor_options, html),
	  .help = "also write a page to look at, one file without external parts" },
	{ .name = "json", .offset = offsetof(struct doctor_options, json), .help = "print JSON, described in docs/doctor-json.md" },
};

/* Says why a workload is none. Returns the exit status. */
static int no_such_workload(const char *name)
{
	struct guess guess = { .word = name };
	for (const char *const *known = workload_names; *known; known++)
		guess_consider(&guess, *known);
	if (guess.best)
		return command_usage(&command_doctor, "unknown workload '%s'; did you mean '%s'?", name, guess.best);
	return command_usage(&command_doctor, "unknown workload '%s', and no such file; known: docker, kubernetes, postgres, flow",
			     name);
}

/* Fills diagnosis->needs. Returns -1, or the exit status after saying what is wrong. */
static int find_needs(struct diagnosis *diagnosis)
{
	const char *name = diagnosis->workload;
	unsigned line = 0;
	char word[64];
	if (workload_by_name(name, &diagnosis->needs) == 0)
		return -1;
	int error = workload_from_file(name, &diagnosis->needs, &line, word);
	if (error == 0)
		return -1;
	if (error == -ENOENT && !strchr(name, '/'))
		return no_such_workload(name);
	if (error == -EINVAL && line > 0) {
		char known[256];
		return command_usage(&command_doctor, "%s:%u: unknown feature '%s'; known: %s", name, line, word,
				     gap_names(GAPS_ALL, known, sizeof(known)));
	}
	return command_usage(&command_doctor, "cannot read workload file '%s': %s (%s)", name, strerror(-error),
			     errno_name(-error));
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
	int first;
	int status = command_parse(&command_doctor, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first < argc)
		return command_usage(&command_doctor, "unexpected argument '%s'", argv[first]);
	diagnosis.workload = given.workload;
	status = given.workload ? find_needs(&diagnosis) : -1;
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
