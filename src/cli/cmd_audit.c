// SPDX-License-Identifier: Apache-2.0
/* lichen audit: verifies, shows and proves what `lichen run --audit` has written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_log.h"
#include "audit/audit_verify.h"
#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "cli/audit_out.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "host/state_dir.h"
#include "lichen.h"

#define ACTIONS "verify, show, export, prove, checkpoint or witness-check"

struct audit_options {
	const char *key;
	struct option_words witnesses;
	struct audit_filter filter;
	bool json, csv;
};

static const struct option_row options[] = {
	{ .name = "key",
	  .value = "KEY|FILE",
	  .offset = offsetof(struct audit_options, key),
	  .help = "the key that must have signed, or a file with it; without: the log's own key.pub" },
	{ .name = "json", .offset = offsetof(struct audit_options, json), .help = "verify, show: print JSON" },
	{ .name = "csv", .offset = offsetof(struct audit_options, csv), .help = "export: print CSV, not JSON lines" },
	{ .name = "run",
	  .value = "ID",
	  .offset = offsetof(struct audit_options, filter.run),
	  .help = "show, export: events of one run only" },
	{ .name = "type",
	  .value = "TYPE",
	  .offset = offsetof(struct audit_options, filter.type),
	  .help = "show, export: events of this type only: run.start, run.end, …" },
	{ .name = "witness",
	  .value = "KEY",
	  .offset = offsetof(struct audit_options, witnesses),
	  .parse = options_add_word,
	  .help = "witness-check: this witness must have signed, too; may be repeated" },
};

/* What the actions work on. */
struct at {
	const struct audit_options *given;
	const char *path;
	struct audit_view view;
	int opened;               /* what audit_view_open() said, */
	struct audit_error error; /* and why */
};

static int status_of(int error)
{
	switch (error) {
	case -EBADMSG:
	case -ENOKEY:
	case -EINVAL:
		return LICHEN_EXIT_DATA;
	case -ENOENT:
		return LICHEN_EXIT_NO_INPUT;
	case -ENOMEM:
		return LICHEN_EXIT_SOFTWARE;
	default:
		return LICHEN_EXIT_IO;
	}
}

static int say(const char *path, int error, const struct audit_error *why)
{
	fprintf(stderr, "lichen audit: '%s'%s: %s\n", path, error == -EBADMSG ? " is broken" : "", why->text);
	return status_of(error);
}

static int no_memory(void)
{
	fputs("lichen audit: out of memory\n", stderr);
	return LICHEN_EXIT_SOFTWARE;
}

/* --- actions ---------------------------------------------------------------------------------------------------------------------------- */

static int verify(struct at *at, int count, char **words)
{
	struct audit_found found = { 0 };
	(void)count, (void)words;
	int r = at->opened < 0 ? at->opened : audit_verify(&at->view, &found, &at->error);
	if (r < 0 && r != -EBADMSG && r != -ENOKEY)
		return say(at->path, r, &at->error);
	struct audit_report report = {
		.path = at->path, .view = &at->view, .found = &found, .error = r < 0 ? &at->error : NULL, .own_key = !at->given->key
	};
	int status = 0;
	if (at->given->json)
		status = json_out_print(audit_report_json(&report), stdout) < 0 ? no_memory() : 0;
	else if (r == 0)
		audit_report_print(&report, stdout);
	free(found.open);
	if (r < 0 && !status)
		status = at->given->json ? status_of(r) : say(at->path, r, &at->error);
	return command_flush(status);
}

/* Prints the entries, and verifies all of them: what is wrong is said behind them. */
static int print_entries(struct at *at, audit_printer *print)
{
	struct audit_found found = { 0 };
	struct audit_error ignored;
	if (at->opened < 0)
		return say(at->path, at->opened, &at->error);
	int r = audit_verify(&at->view, &found, &at->error);
	struct audit_print to = { .found = &found, .filter = &at->given->filter, .to = stdout, .print = print };
	int walked = audit_tree_each(at->view.tree, 0, audit_print_entry, &to, &ignored);
	free(found.open);
	int flushed = command_flush(0);
	if (r < 0 || (r = walked) < 0)
		return say(at->path, r, &at->error);
	if (at->given->filter.run && !to.printed && !at->given->filter.type) {
		fprintf(stderr, "lichen audit: '%s': there is no run '%.32s'\n", at->path, at->given->filter.run);
		return LICHEN_EXIT_NO_INPUT;
	}
	return flushed;
}

static int show(struct at *at, int count, char **words)
{
	(void)count, (void)words;
	return print_entries(at, at->given->json ? audit_print_line : audit_print_text);
}

static int export(struct at *at, int count, char **words)
{
	(void)count, (void)words;
	if (at->given->csv)
		fputs(AUDIT_CSV_HEAD, stdout);
	return print_entries(at, at->given->csv ? audit_print_csv : audit_print_line);
}

static int prove(struct at *at, int count, char **words)
{
	(void)count;
	char *end, *proof;
	unsigned long long index = strtoull(words[0], &end, 10);
	if (words[0][0] < '0' || words[0][0] > '9' || *end)
		return command_usage(&command_audit, "'%.100s' is no number of an entry", words[0]);
	int r = at->opened < 0 ? at->opened : audit_view_prove(&at->view, index, &proof, &at->error);
	if (r < 0)
		return say(at->path, r, &at->error);
	fputs(proof, stdout);
	free(proof);
	return command_flush(0);
}

/* What is to be kept elsewhere. Whoever may write the log brings its tiles up to it, so that they can be served as they are. */
static int checkpoint(struct at *at, int count, char **words)
{
	struct audit_error ignored;
	struct audit_log *log;
	(void)count, (void)words;
	if (at->opened < 0)
		return say(at->path, at->opened, &at->error);
	const struct audit_tree *tree = at->view.tree;
	if (tree->published < tree->edge.size && audit_log_open(at->path, NULL, &log, &ignored) == 0) {
		int r = audit_log_publish(log, &at->error);
		audit_log_close(log);
		if (r < 0)
			return say(at->path, r, &at->error);
		audit_view_close(&at->view);
		r = audit_view_open(at->path, NULL, false, &at->view, &at->error);
		if (r < 0)
			return say(at->path, r, &at->error);
	}
	fputs(at->view.tree->note, stdout);
	return command_flush(0);
}

/* Whether each witness that was asked for has signed. Returns the exit status. */
static int check_witnesses(const struct at *at, const char *file, const char *note, size_t size)
{
	for (size_t i = 0; i < at->given->witnesses.count; i++) {
		struct note_key key;
		size_t text;
		u64 time = 0;
		if (note_key_parse(at->given->witnesses.words[i], &key) < 0 || key.type != NOTE_COSIGNATURE)
			return command_usage(&command_audit, "'%.100s' is no key of a witness", at->given->witnesses.words[i]);
		int r = note_verify(note, size, &key, &text, &time);
		if (r < 0) {
			fprintf(stderr, "lichen audit: '%s': witness %s has not signed it%s\n", file, key.name,
				r == -EBADMSG ? ": the signature is wrong" : "");
			return LICHEN_EXIT_DATA;
		}
		audit_print_witness(key.name, time, stdout);
	}
	return 0;
}

/* A kept checkpoint, from a file or a pipe; "-": our standard input. 0 or negative errno. */
static int read_note(const char *file, char note[NOTE_MAX + 1], size_t *ret_size)
{
	bool given = strcmp(file, "-") == 0;
	CLEANUP_FD int opened = given ? FD_NONE : open(file, O_RDONLY | O_CLOEXEC);
	int fd = given ? STDIN_FILENO : opened;
	ssize_t size = fd < 0 ? -errno : read_bytes_into(fd, note, NOTE_MAX + 1);
	if (size < 0)
		return (int)size;
	if (size > NOTE_MAX)
		return -EFBIG;
	note[size] = 0;
	*ret_size = (size_t)size;
	return 0;
}

static int check_one(struct at *at, const char *file)
{
	char note[NOTE_MAX + 1];
	struct checkpoint kept;
	size_t size = 0;
	int r = read_note(file, note, &size);
	if (r < 0) {
		fprintf(stderr, "lichen audit: cannot read '%s': %s (%s)\n", file, strerror(-r), errno_name(-r));
		return r == -ENOENT ? LICHEN_EXIT_NO_INPUT : LICHEN_EXIT_IO;
	}
	r = audit_view_continues(&at->view, note, size, &kept, &at->error);
	if (r < 0) {
		fprintf(stderr, "lichen audit: '%s', checkpoint '%s': %s\n", at->path, file, at->error.text);
		return status_of(r);
	}
	printf("%s: %" PRIu64 " entries, continued by the %" PRIu64 " of today\n", file, kept.size, at->view.tree->edge.size);
	return check_witnesses(at, file, note, size);
}

static int witness_check(struct at *at, int count, char **words)
{
	if (at->opened < 0)
		return say(at->path, at->opened, &at->error);
	int worst = 0;
	for (int i = 0; i < count; i++) {
		int status = check_one(at, words[i]);
		worst = status > worst ? status : worst;
	}
	return command_flush(worst);
}

enum { VERIFY = 1, SHOW = 2, EXPORT = 4, PROVE = 8, CHECKPOINT = 16, WITNESS_CHECK = 32 };

static const struct action {
	const char *name;
	u32 bit;
	int least, most; /* words behind DIR */
	bool each_note;
	int (*run)(struct at *at, int count, char **words);
} actions[] = {
	{ "verify", VERIFY, 0, 0, true, verify },
	{ "show", SHOW, 0, 0, true, show },
	{ "export", EXPORT, 0, 0, true, export },
	{ "prove", PROVE, 1, 1, false, prove },
	{ "checkpoint", CHECKPOINT, 0, 0, false, checkpoint },
	{ "witness-check", WITNESS_CHECK, 1, INT_MAX, false, witness_check },
};

/* An option that would have no effect; NULL: there is none. */
static const char *find_idle(const struct audit_options *given, const struct action *action)
{
	const struct {
		const char *name;
		bool given;
		u32 actions; /* that take it */
	} rows[] = {
		{ "json", given->json, VERIFY | SHOW },
		{ "csv", given->csv, EXPORT },
		{ "run", given->filter.run != NULL, SHOW | EXPORT },
		{ "type", given->filter.type != NULL, SHOW | EXPORT },
		{ "witness", given->witnesses.count > 0, WITNESS_CHECK },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].given && !(rows[i].actions & action->bit))
			return rows[i].name;
	return NULL;
}

/* The key as text: what has a plus is one, else it is a file. NULL: it cannot be read. */
static char *read_key(const char *given)
{
	char *text;
	size_t size;
	if (strchr(given, '+'))
		return strdup(given);
	int r = audit_file_read(AT_FDCWD, given, NOTE_KEY_TEXT, &text, &size);
	if (r == 0)
		return text;
	fprintf(stderr, "lichen audit: cannot read the key '%s': %s (%s)\n", given, strerror(-r), errno_name(-r));
	return NULL;
}

static int act(const struct action *action, const struct audit_options *given, const char *log, int count, char **words)
{
	struct at at = { .given = given, .path = log };
	CLEANUP_FREE char *key = given->key ? read_key(given->key) : NULL;
	if (given->key && !key)
		return LICHEN_EXIT_NO_INPUT;
	at.opened = audit_view_open(at.path, key, action->each_note, &at.view, &at.error);
	int status = action->run(&at, count, words);
	audit_view_close(&at.view);
	return status;
}

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The log of who asks: where caged runs write that have been told of no other. Returns -1, or the exit status. */
static int find_own(char log[PATH_MAX + 8])
{
	char state[PATH_MAX];
	if (!state_dir_has("audit")) {
		fprintf(stderr,
			"lichen audit: you have no log yet: 'lichen run --cage' and '--learn' make one; of another, name the directory\n");
		return LICHEN_EXIT_NO_INPUT;
	}
	CLEANUP_FD int fd = state_dir_open(state);
	if (fd < 0) {
		fprintf(stderr, "lichen audit: '%s': %s\n", state, strerror(-fd));
		return LICHEN_EXIT_NO_INPUT;
	}
	(void)snprintf(log, PATH_MAX + 8, "%s/audit", state);
	return -1;
}

/* The action's words: [DIR] and what it takes besides. Without DIR it is the log of who asks; a file there is none. */
static int run_action(const struct audit_options *given, const struct action *action, int count, char **words)
{
	char log[PATH_MAX + 8];
	bool own = count < 1 + action->least || (action->least && is_file(words[0]));
	int more = own ? count : count - 1;
	if (more < action->least || more > action->most)
		return command_usage(&command_audit, "%s takes the directory of a log%s", action->name,
				     action->most == 0   ? ""
				     : action->most == 1 ? " and the number of an entry"
							 : " and files with checkpoints");
	int status = own ? find_own(log) : -1;
	return status < 0 ? act(action, given, own ? log : words[0], more, own ? words : words + 1) : status;
}

static int choose_action(const struct audit_options *given, int count, char **words)
{
	const struct action *action = NULL;
	if (count == 0)
		return command_no_action(&command_audit, NULL, ACTIONS);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, words[0]) == 0)
			action = &actions[i];
	if (!action)
		return command_no_action(&command_audit, words[0], ACTIONS);
	const char *idle = find_idle(given, action);
	if (idle)
		return command_usage(&command_audit, "%s takes no --%s", action->name, idle);
	return run_action(given, action, count - 1, words + 1);
}

static int run(int argc, char **argv)
{
	struct audit_options given = { 0 };
	int first, status = command_parse(&command_audit, argc, argv, &given, &first);
	if (status < 0)
		status = choose_action(&given, argc - first, argv + first);
	free((void *)given.witnesses.words);
	return status;
}

static const char *const notes[] = {
	"Actions. verify: looks at every entry. show: prints entries for people. export: as JSON lines, or CSV. prove N: prints the proof that entry N is in the "
	"log. checkpoint: prints what to keep elsewhere. witness-check FILE…: proves that the log continues such checkpoints. DIR is the log's directory; "
	"without, your own is meant, which `lichen run --cage` writes.",
	"Exit status: 0; 64 wrong words, 65 the log is broken, or no continuation of a checkpoint, 66 no such log, entry or file, 74 it cannot be read.",
	NULL,
};

const struct command command_audit = {
	.name = "audit",
	.synopsis = "ACTION [OPTION…] [DIR] [ARG…]",
	.summary = "Verifies, shows and proves the log of `run --audit`",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
