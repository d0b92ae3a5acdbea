// SPDX-License-Identifier: Apache-2.0
/* lichen cp and lichen export: files out of cells and into them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cell_helper.h"
#include "cli/words.h"
#include "host/cell_tree.h"
#include "host/tree.h"
#include "image/copy.h"
#include "lichen.h"

#define SKIPS 3 /* what lies over every tree, and is not files of the cell */

static const char *const usual_skips[SKIPS] = { "/proc", "/sys", "/dev" };

struct cp_options {
	bool archive, follow, quiet;
};

static const struct option_row cp_rows[] = {
	{ .name = "archive", .letter = 'a', .offset = offsetof(struct cp_options, archive), .help = "keep owners and set-id bits" },
	{ .name = "follow-link",
	  .letter = 'L',
	  .offset = offsetof(struct cp_options, follow),
	  .help = "copy what the source leads to, if it is a symbolic link" },
	{ .name = "quiet",
	  .letter = 'q',
	  .offset = offsetof(struct cp_options, quiet),
	  .help = "do not tell what could not be kept" },
};

/* One of the two places. */
struct end {
	char *cell; /* allocated; NULL = here */
	const char *path;
};

/* CELL:PATH; what begins with / or . is a path of this machine, whatever is in it. False without memory. */
static bool parse_end(const char *text, struct end *ret)
{
	const char *colon = strchr(text, ':');
	*ret = (struct end){ .path = text };
	if (*text == '/' || *text == '.' || !colon || colon == text)
		return true;
	ret->cell = strndup(text, (size_t)(colon - text));
	ret->path = colon + 1;
	return ret->cell != NULL;
}

/* Paths in a cell are from its root, whatever its working directory is. NULL without memory. */
static char *from_root(const char *path)
{
	char *full = NULL;
	if (asprintf(&full, "%s%s", *path == '/' ? "" : "/", path) < 0)
		return NULL;
	return full;
}

/* What this end of a copy and the guest's say of how it went. */
static int finish(const struct command *command, const char *word, struct cell_helper *helper, int error,
		  const struct image_error *why)
{
	int status = cell_helper_end(helper);
	if (!error && !status)
		return 0;
	if (error && error != -EPIPE)
		return cells_say(command, word, "%s", why->text);
	if (status != LICHEN_EXIT_FAILED) /* else it was said */
		return cells_say(command, word, "the copy was cut off%s%s", status > 0 && status < 124 ? ": " : "",
				 status > 0 && status < 124 ? strerror(status) : "");
	return CELLS_FAILED;
}

static void say_lost(const struct cp_options *given, const char *word, u64 lost)
{
	if (lost && !given->quiet)
		cells_say(&command_cp, word, "%llu owners, devices or attributes could not be kept", (unsigned long long)lost);
}

static int out_of_cell(const struct cp_options *given, const struct cell_found *found, const struct end *from, const char *path,
		       const char *to)
{
	const char *args[SKIPS + 3] = { given->follow ? "follow" : "send", path };
	bool to_stdout = strcmp(to, "-") == 0;
	struct cell_helper helper;
	struct image_error why;
	char name[256];
	u64 lost;
	if (to_stdout && isatty(STDOUT_FILENO))
		return command_usage(&command_cp, "an archive is not written to a terminal");
	memcpy(args + 2, usual_skips, sizeof(usual_skips));
	copy_name_of(path, name);
	int status = cell_helper_start(&command_cp, from->cell, found, args, &helper);
	if (status)
		return status;
	const struct copy_target target = { .path = to_stdout ? NULL : to,
					    .archive = STDOUT_FILENO,
					    .name = name,
					    .flags = UNPACK_HOST | (given->archive ? 0 : UNPACK_OURS) };
	int error = copy_receive(helper.peer, &target, &lost, &why);
	status = finish(&command_cp, from->cell, &helper, error, &why);
	if (!status)
		say_lost(given, from->cell, lost);
	return status;
}

static int into_cell(const struct cp_options *given, const struct cell_found *found, const char *from, const struct end *to,
		     const char *path)
{
	const char *const args[] = { "receive", path, NULL };
	bool is_stdin = strcmp(from, "-") == 0;
	struct cell_helper helper;
	struct image_error why;
	if (is_stdin && isatty(STDIN_FILENO))
		return command_usage(&command_cp, "an archive is not read from a terminal");
	int status = cell_helper_start(&command_cp, to->cell, found, args, &helper);
	if (status)
		return status;
	const struct copy_source source = { .path = is_stdin ? NULL : from,
					    .archive = STDIN_FILENO,
					    .follow = given->follow,
					    .owners = given->archive ? TAR_OWNERS_REAL : TAR_OWNERS_ROOT };
	int error = copy_send(helper.peer, &source, &why);
	return finish(&command_cp, to->cell, &helper, error, &why);
}

static int copy(const struct cp_options *given, const struct end *from, const struct end *to)
{
	const struct end *cell = from->cell ? from : to;
	struct cell_found found;
	CLEANUP_FREE char *path = from_root(cell->path);
	CLEANUP_FD int store = cells_open(&command_cp);
	if (!path || store < 0 || cells_find(&command_cp, store, cell->cell, &found) < 0)
		return CELLS_FAILED;
	int status = from->cell ? out_of_cell(given, &found, from, path, to->path) : into_cell(given, &found, from->path, to, path);
	cells_done(&found);
	return status;
}

static int run_cp(int argc, char **argv)
{
	struct cp_options given = { 0 };
	struct end from, to;
	int first, status = command_parse(&command_cp, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 2)
		return command_usage(&command_cp, "it takes a source and a destination");
	if (!parse_end(argv[first], &from) || !parse_end(argv[first + 1], &to))
		return LICHEN_EXIT_SOFTWARE;
	if (!from.cell == !to.cell)
		status = command_usage(&command_cp, from.cell ? "from one cell to another there is no way: copy twice"
							      : "one of the two must be CELL:PATH");
	else if (!*from.path || !*to.path)
		status = command_usage(&command_cp, "a path is empty");
	else
		status = copy(&given, &from, &to);
	free(from.cell);
	free(to.cell);
	return command_flush(status);
}

/* --- export --------------------------------------------------------------------------------------------------------------------------- */

struct export_options {
	const char *output;
};

static const struct option_row export_rows[] = {
	{ .name = "output",
	  .letter = 'o',
	  .value = "FILE",
	  .offset = offsetof(struct export_options, output),
	  .help = "write to this file, not to standard output" },
};

/* Everything but what is laid over the tree: volumes come out empty. */
static int export_to(const char *word, const struct cell_found *found, int to)
{
	char clean[ROOT_BINDS_MAX][PATH_MAX + 1];
	const char *args[SKIPS + ROOT_BINDS_MAX + 3] = { "send", "/" };
	size_t count = 2;
	struct cell_tree_spec spec;
	struct cell_helper helper;
	struct image_error why;
	u64 lost;
	if (cell_tree_read(found->config, found->dir, &spec))
		return cells_say(&command_export, word, "it has no file tree of its own");
	for (; count < 2 + SKIPS; count++)
		args[count] = usual_skips[count - 2];
	for (u32 i = 0; i < spec.stage.bind_count; i++) {
		clean[i][0] = '/';
		if (tree_clean_path(spec.stage.binds[i].guest, clean[i] + 1) == 0)
			args[count++] = clean[i];
	}
	cell_tree_done(&spec);
	int status = cell_helper_start(&command_export, word, found, args, &helper);
	if (status)
		return status;
	const struct copy_target target = { .archive = to };
	int error = copy_receive(helper.peer, &target, &lost, &why);
	return finish(&command_export, word, &helper, error, &why);
}

static int run_export(int argc, char **argv)
{
	struct export_options given = { 0 };
	struct cell_found found;
	int first, status = command_parse(&command_export, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_export, first == argc ? "which cell?" : "of one cell at a time");
	if (!given.output && isatty(STDOUT_FILENO))
		return command_usage(&command_export, "an archive is not written to a terminal; use --output");
	CLEANUP_FD int store = cells_open(&command_export);
	if (store < 0 || cells_find(&command_export, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	FILE *file = given.output ? fopen(given.output, "we") : NULL;
	if (given.output && !file)
		status = cells_say(&command_export, argv[first], "cannot write '%s': %s", given.output, strerror(errno));
	else
		status = export_to(argv[first], &found, file ? fileno(file) : STDOUT_FILENO);
	if (file && fclose(file) && !status)
		status = cells_say(&command_export, argv[first], "cannot write '%s': %s", given.output, strerror(errno));
	cells_done(&found);
	return status;
}

static const char *const cp_notes[] = {
	"Paths in a cell are from its root. PATH/. is what is in a directory. '-' is a tar archive on standard output or input.",
	NULL,
};

const struct command command_cp = {
	.name = "cp",
	.synopsis = "[OPTION…] CELL:PATH PATH|-  or  PATH|- CELL:PATH",
	.summary = "Copies files out of a cell, or into one",
	.options = cp_rows,
	.option_count = ARRAY_SIZE(cp_rows),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = cp_notes,
	.run = run_cp,
};

const struct command command_export = {
	.name = "export",
	.synopsis = "[OPTION…] CELL",
	.summary = "Writes a cell's file tree as a tar archive",
	.options = export_rows,
	.option_count = ARRAY_SIZE(export_rows),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_export,
};
