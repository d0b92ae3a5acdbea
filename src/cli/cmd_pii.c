// SPDX-License-Identifier: Apache-2.0
/* lichen pii: finds personal data and secrets in a stream, or replaces them. Memory does not grow with the input. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "cli/commands.h"
#include "cli/words.h"
#include "lichen.h"
#include "pii/pattern.h"
#include "pii/redact.h"

#define CHUNK 65536u

#define ACTIONS "scan, redact or list"

struct entity_choice {
	bool made; /* else all are looked for */
	struct pii_set entities;
};

struct pii_words {
	const char *strategy, *key;
	bool json;
	struct entity_choice choice;
	struct option_words patterns;
};

/* Adds entities to look for, separated by commas; "none" adds nothing. */
static int parse_entities(void *field, const char *value, struct option_error *error)
{
	struct entity_choice *choice = field;
	choice->made = true;
	while (*value) {
		char name[PII_NAME_MAX + 1];
		size_t size = strcspn(value, ",");
		snprintf(name, sizeof(name), "%.*s", (int)(size < PII_NAME_MAX ? size : PII_NAME_MAX), value);
		bool none = strcmp(name, "none") == 0;
		int entity = none ? 0 : pii_entity_find(name);
		if (entity < 0)
			return options_refuse(error, "there is no entity '%.64s'; 'lichen pii list' lists them", name);
		if (!none)
			pii_set_add(&choice->entities, (unsigned)entity);
		value += size + (value[size] == ',');
	}
	return 0;
}

static const struct option_row options[] = {
	{ .name = "strategy",
	  .value = "mask|hash|remove",
	  .offset = offsetof(struct pii_words, strategy),
	  .help = "redact: what to write instead (mask)" },
	{ .name = "key",
	  .value = "FILE",
	  .offset = offsetof(struct pii_words, key),
	  .help = "redact: the key that hash needs, 16 bytes and more" },
	{ .name = "entities",
	  .value = "NAME,…",
	  .offset = offsetof(struct pii_words, choice),
	  .parse = parse_entities,
	  .help = "look for these only; none: for patterns only" },
	{ .name = "pattern",
	  .value = "NAME=REGEX",
	  .offset = offsetof(struct pii_words, patterns),
	  .parse = options_add_word,
	  .help = "look for a regular expression within lines, too" },
	{ .name = "json", .offset = offsetof(struct pii_words, json), .help = "scan: print JSON, described in docs/pii-json.md" },
};

/* What runs. */
struct job {
	struct pii_options options;
	struct pii_pattern *patterns[PII_PATTERNS_MAX];
	const struct pii_words *words;
	const char *name; /* of the input */
	int input;
	/* scan */
	u64 line, size, found;
	u64 counts[PII_ENTITY_COUNT + PII_PATTERNS_MAX];
	/* redact: what is to be written */
	struct pii_redaction redaction;
	u8 key[PII_KEY_MOST + 1];
	size_t filled;
	u8 output[CHUNK];
};

static int say(int status, const char *what, int error)
{
	fprintf(stderr, "lichen pii: %s: %s (%s)\n", what, strerror(-error), errno_name(-error));
	return status;
}

static int say_unreadable(const char *name, int error)
{
	fprintf(stderr, "lichen pii: cannot read '%s': %s (%s)\n", name, strerror(-error), errno_name(-error));
	return LICHEN_EXIT_NO_INPUT;
}

/* --- a signal ends the input ---------------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

/* Waits for input, or for a signal, which may come at any moment before it. Returns whether there is input. */
static bool wait_for_input(int fd)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	sigset_t blocked, before;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	bool ready = !interrupted && ppoll(&input, 1, NULL, &before) > 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready;
}

/* From now on SIGINT, SIGTERM and SIGHUP end the input where it is, unless they are ignored. */
static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sigaction before, action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

/* --- what is found -------------------------------------------------------------------------------------------------------------------- */

static const char *name_of(const struct job *job, unsigned entity)
{
	const char *name = pii_entity_name(entity);
	return name ? name : pii_pattern_name(job->patterns[entity - PII_ENTITY_COUNT]);
}

static void count_lines(struct job *job, const u8 *bytes, size_t size)
{
	const u8 *end = bytes + size;
	job->size += size;
	for (const u8 *at = bytes; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		job->line++;
}

static int scan_clean(void *user, const u8 *bytes, size_t size)
{
	count_lines(user, bytes, size);
	return 0;
}

static int scan_found(void *user, const struct pii_finding *finding, const u8 *bytes, size_t size, const u8 *value,
		      size_t value_size)
{
	struct job *job = user;
	const char *name = name_of(job, finding->entity);
	(void)value, (void)value_size;
	if (job->words->json)
		printf("%s\n    {\"entity\": \"%s\", \"start\": %" PRIu64 ", \"end\": %" PRIu64 ", \"line\": %" PRIu64
		       ", \"score\": %u, \"encoded\": %s}",
		       job->found ? "," : "", name, finding->start, finding->end, job->line, finding->score,
		       finding->encoded ? "true" : "false");
	else
		printf("%s:%" PRIu64 ": %" PRIu64 "-%" PRIu64 " %s\n", job->name, job->line, finding->start, finding->end, name);
	job->found++;
	job->counts[finding->entity]++;
	count_lines(job, bytes, size);
	return ferror(stdout) ? -EIO : 0;
}

static void print_counts(const struct job *job)
{
	bool first = true;
	printf("%s],\n  \"counts\": {", job->found ? "\n  " : "");
	for (unsigned i = 0; i < PII_ENTITY_COUNT + job->options.pattern_count; i++) {
		if (!job->counts[i])
			continue;
		printf("%s\n    \"%s\": %" PRIu64, first ? "" : ",", name_of(job, i), job->counts[i]);
		first = false;
	}
	printf("%s},\n  \"bytes\": %" PRIu64 ",\n  \"complete\": %s\n}\n", first ? "" : "\n  ", job->size,
	       interrupted ? "false" : "true");
}

/* --- what is written ------------------------------------------------------------------------------------------------------------------ */

/* Writes all that is to be written. A signal while the reader is slow ends it. */
static int flush_output(struct job *job)
{
	for (size_t at = 0; at < job->filled;) {
		ssize_t n = write(STDOUT_FILENO, job->output + at, job->filled - at);
		if (n < 0 && (errno != EINTR || interrupted))
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	job->filled = 0;
	return 0;
}

static int write_output(void *user, const void *bytes, size_t size)
{
	struct job *job = user;
	const u8 *from = bytes;
	while (size > 0) {
		size_t part = sizeof(job->output) - job->filled;
		part = part < size ? part : size;
		memcpy(job->output + job->filled, from, part);
		job->filled += part;
		from += part;
		size -= part;
		int error = job->filled == sizeof(job->output) ? flush_output(job) : 0;
		if (error)
			return error;
	}
	return 0;
}

/* --- the input ------------------------------------------------------------------------------------------------------------------------ */

enum action {
	ACTION_SCAN,
	ACTION_REDACT,
};

struct work {
	struct job *job;
	struct pii_stream *stream;     /* scan */
	struct pii_redactor *redactor; /* redact */
};

/* What is decided goes out before the next read: who reads a log as it grows sees its lines. */
static int after_read(const struct work *work)
{
	if (work->redactor)
		return flush_output(work->job);
	return fflush(stdout) ? -errno : 0;
}

/* Returns 0, or the exit status after saying why. */
static int read_all(const struct work *work)
{
	static u8 bytes[CHUNK];
	struct job *job = work->job;
	int error = 0;
	while (!error && !interrupted) {
		if (!wait_for_input(job->input))
			continue;
		ssize_t n = read(job->input, bytes, sizeof(bytes));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say_unreadable(job->name, -errno);
		error = work->redactor ? pii_redactor_feed(work->redactor, bytes, (size_t)n)
				       : pii_stream_feed(work->stream, bytes, (size_t)n);
		if (!error)
			error = after_read(work);
	}
	if (!error)
		error = work->redactor ? pii_redactor_finish(work->redactor) : pii_stream_finish(work->stream);
	if (error == -ELOOP) {
		fputs("lichen pii: a pattern took more steps than it may (see lichen-pii(1)); nothing is written from there on\n",
		      stderr);
		return LICHEN_EXIT_DATA;
	}
	if (error == -ENOMEM)
		return say(LICHEN_EXIT_SOFTWARE, "no memory", error);
	return error ? say(LICHEN_EXIT_IO, "cannot write the output", error) : 0;
}

static int scan(struct job *job)
{
	struct work work = { .job = job };
	const struct pii_sink sink = { .clean = scan_clean, .found = scan_found, .user = job };
	int error = pii_stream_new(&job->options, &sink, &work.stream);
	if (error)
		return say(LICHEN_EXIT_SOFTWARE, "no memory", error);
	job->line = 1;
	if (job->words->json)
		printf("{\n  \"schema\": \"" LICHEN_PII_SCHEMA "\",\n  \"lichen\": \"" LICHEN_VERSION "\",\n  \"findings\": [");
	int status = read_all(&work);
	pii_stream_free(work.stream);
	if (status)
		return status;
	if (job->words->json)
		print_counts(job);
	return command_flush(job->found ? LICHEN_PII_FOUND : 0);
}

static int redact(struct job *job)
{
	struct work work = { .job = job };
	int error = pii_redactor_new(&job->options, &job->redaction, write_output, job, &work.redactor);
	if (error == -EINVAL)
		return command_usage(&command_pii, "'%s' has %zu bytes; a key has %u to %u", job->words->key,
				     job->redaction.key_size, PII_KEY_LEAST, PII_KEY_MOST);
	if (error)
		return say(LICHEN_EXIT_SOFTWARE, "no memory", error);
	int status = read_all(&work);
	pii_redactor_free(work.redactor);
	error = status ? 0 : flush_output(job);
	return error ? say(LICHEN_EXIT_IO, "cannot write the output", error) : status;
}

/* --- the command line ----------------------------------------------------------------------------------------------------------------- */

/* Reads the key, without the end of its line. Returns 0 or an exit status. */
static int read_key(const char *path, u8 *key, struct pii_redaction *redaction)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -errno : read_bytes_into(fd, key, PII_KEY_MOST + 1);
	if (size < 0)
		return say_unreadable(path, (int)size);
	redaction->key_size = (size_t)(size > 0 && key[size - 1] == '\n' ? size - 1 : size);
	redaction->key = key;
	return 0;
}

static int choose_strategy(const struct pii_words *words, u8 *key, struct pii_redaction *redaction)
{
	static const char *const names[] = { [PII_MASK] = "mask", [PII_HASH] = "hash", [PII_REMOVE] = "remove" };
	const char *wanted = words->strategy ? words->strategy : names[PII_MASK];
	unsigned i = 0;
	while (i < ARRAY_SIZE(names) && strcmp(names[i], wanted) != 0)
		i++;
	if (i == ARRAY_SIZE(names))
		return command_usage(&command_pii, "there is no strategy '%s': mask, hash or remove", wanted);
	redaction->strategy = (enum pii_strategy)i;
	if (i == PII_HASH && !words->key)
		return command_usage(&command_pii,
				     "hash needs --key: without one, who has the hash of a number finds it by trying all numbers");
	if (i != PII_HASH && words->key)
		return command_usage(&command_pii, "--key is for --strategy=hash");
	return words->key ? read_key(words->key, key, redaction) : 0;
}

/* Compiles --pattern. Returns 0 or an exit status. */
static int add_patterns(struct job *job)
{
	const struct option_words *given = &job->words->patterns;
	if (given->count > PII_PATTERNS_MAX)
		return command_usage(&command_pii, "more than %u patterns", PII_PATTERNS_MAX);
	for (size_t i = 0; i < given->count; i++) {
		char name[PII_NAME_MAX + 1], why[400] = "";
		size_t size = strcspn(given->words[i], "=");
		if (!given->words[i][size])
			return command_usage(&command_pii, "--pattern: '%.80s' is not NAME=REGEX", given->words[i]);
		snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name) - 1), given->words[i]);
		int error = size >= sizeof(name)
				  ? -ENAMETOOLONG
				  : pii_pattern_new(name, given->words[i] + size + 1, &job->patterns[i], why, sizeof(why));
		if (error == -EINVAL)
			return command_usage(&command_pii, "--pattern: %s", why);
		if (error)
			return say(LICHEN_EXIT_USAGE, "--pattern", error);
		job->options.pattern_count++;
	}
	job->options.patterns = job->patterns;
	return 0;
}

static int open_input(struct job *job, const char *path)
{
	job->name = path && strcmp(path, "-") != 0 ? path : "(standard input)";
	job->input = path && strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	return job->input < 0 ? say_unreadable(job->name, -errno) : 0;
}

static int work_on(enum action action, const struct pii_words *words, const char *path)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return say(LICHEN_EXIT_SOFTWARE, "no memory", -ENOMEM);
	job->words = words;
	job->input = FD_NONE;
	job->options.entities = words->choice.made ? words->choice.entities : pii_set_all();
	int status = action == ACTION_REDACT ? choose_strategy(words, job->key, &job->redaction) : 0;
	if (!status)
		status = add_patterns(job);
	if (!status)
		status = open_input(job, path);
	if (!status) {
		catch_signals();
		status = action == ACTION_SCAN ? scan(job) : redact(job);
	}
	for (size_t i = 0; i < job->options.pattern_count; i++)
		pii_pattern_free(job->patterns[i]);
	close_fd(&job->input);
	explicit_bzero(job->key, sizeof(job->key));
	free(job);
	return interrupted ? 128 + interrupted : status;
}

static int list(void)
{
	for (unsigned i = 0; i < PII_ENTITY_COUNT; i++)
		printf("%-26s %s\n", pii_entity_name(i), pii_entity_about(i));
	return command_flush(0);
}

static int act(const struct pii_words *words, int count, char **args)
{
	static const char *const names[] = { [ACTION_SCAN] = "scan", [ACTION_REDACT] = "redact" };
	if (count == 0)
		return command_no_action(&command_pii, NULL, ACTIONS);
	if (strcmp(args[0], "list") == 0)
		return count == 1 ? list() : command_usage(&command_pii, "list takes no files");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(args[0], names[i]) != 0)
			continue;
		if (count > 2)
			return command_usage(&command_pii, "one file at a time");
		if (i == ACTION_SCAN && (words->strategy || words->key))
			return command_usage(&command_pii, "scan takes no --%s", words->key ? "key" : "strategy");
		if (i == ACTION_REDACT && words->json)
			return command_usage(&command_pii, "redact takes no --json");
		return work_on((enum action)i, words, args[1]);
	}
	return command_no_action(&command_pii, args[0], ACTIONS);
}

static int run(int argc, char **argv)
{
	struct pii_words words = { 0 };
	int first, status = command_parse(&command_pii, argc, argv, &words, &first);
	if (status < 0)
		status = act(&words, argc - first, argv + first);
	free((void *)words.patterns.words);
	return status;
}

static const char *const notes[] = {
	"scan says where something is, redact copies the input with it replaced, list tells what is looked for. Without FILE, standard input is read.",
	"Rules find what has a form: numbers, addresses of the network, keys. They do NOT find names of people or postal addresses.",
	"Exit status: scan 0 nothing found, 1 something found; redact 0. 64 wrong words, 65 a pattern took too long, 66 no input, 74 output not written.",
	NULL,
};

const struct command command_pii = {
	.name = "pii",
	.synopsis = "scan | redact | list [OPTION…] [FILE]",
	.summary = "Finds or replaces personal data and secrets",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
