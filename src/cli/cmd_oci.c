// SPDX-License-Identifier: Apache-2.0
/* lichen oci: a runtime by the OCI runtime specification, with the command line of runc. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/oci_cli.h"
#include "cli/words.h"
#include "lichen.h"
#include "oci/oci_copy.h"
#include "oci/oci_spec.h"

static const struct oci_verb *const verbs[] = {
	&oci_verb_create, &oci_verb_start,  &oci_verb_run,    &oci_verb_state, &oci_verb_kill,
	&oci_verb_delete, &oci_verb_exec,   &oci_verb_ps,     &oci_verb_list,  &oci_verb_pause,
	&oci_verb_resume, &oci_verb_update, &oci_verb_events, &oci_verb_spec,  &oci_verb_features,
};

static int parse_format(void *field, const char *value, struct option_error *error)
{
	*(bool *)field = strcmp(value, "json") == 0;
	return *(bool *)field || strcmp(value, "text") == 0 ? 0
							    : options_refuse(error, "unknown log format '%s': text or json", value);
}

static int parse_rootless(void *field, const char *value, struct option_error *error)
{
	*(const char **)field = value;
	return strcmp(value, "auto") == 0 || strcmp(value, "true") == 0 || strcmp(value, "false") == 0
		     ? 0
		     : options_refuse(error, "--rootless=%s: true, false or auto", value);
}

static const struct option_row options[] = {
	{ .name = "root",
	  .value = "DIR",
	  .offset = offsetof(struct oci_global, root),
	  .help = "where the state of containers is kept" },
	{ .name = "log", .value = "FILE", .offset = offsetof(struct oci_global, log), .help = "where to log, instead of stderr" },
	{ .name = "log-format",
	  .value = "FORMAT",
	  .offset = offsetof(struct oci_global, json),
	  .parse = parse_format,
	  .help = "text or json" },
	{ .name = "debug", .offset = offsetof(struct oci_global, debug), .help = "accepted: there is nothing more to be logged" },
	{ .name = "systemd-cgroup",
	  .offset = offsetof(struct oci_global, systemd),
	  .help = "refused: cgroups are made by lichen itself (cgroupfs)" },
	{ .name = "rootless",
	  .value = "WHETHER",
	  .offset = offsetof(struct oci_global, rootless),
	  .parse = parse_rootless,
	  .help = "accepted, as runc has it; lichen finds out by itself" },
	{ .name = "version", .letter = 'v', .offset = offsetof(struct oci_global, version), .help = "print the version and exit" },
};

static const char *const notes[] = {
	"VERB: create, start, run, state, kill, delete, exec, ps, list, pause, resume, update, events, spec, features. "
	"`lichen oci VERB --help` tells about one.",
	NULL,
};

/* --- the log ------------------------------------------------------------------------------------------------------------------------------- */

/* RFC 3339, which Go parses. */
static void time_text(char text[64])
{
	time_t now = time(NULL);
	struct tm tm;

	(void)strftime(text, 64, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
}

static void put_quoted(const char *text, FILE *to)
{
	json_t *string = json_out_text(text);
	char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	fputs(quoted ? quoted : "\"\"", to);
	free(quoted);
	json_decref(string);
}

/* Writes an entry of the log; level: "error", "warning", "debug". */
static void oci_log(const struct oci_global *global, const char *level, const char *text)
{
	FILE *to = global->log ? fopen(global->log, "ae") : stderr;
	char now[64];

	if (!to)
		to = stderr;
	time_text(now);
	fprintf(to, global->json ? "{\"level\":\"%s\",\"msg\":" : "time=\"%2$s\" level=%1$s msg=", level, now);
	put_quoted(text, to);
	if (global->json)
		fprintf(to, ",\"time\":\"%s\"}", now);
	putc('\n', to);
	if (to != stderr)
		fclose(to);
}

int oci_failed(const struct oci_global *global, const char *what, const struct oci_error *error)
{
	char text[sizeof(error->text) + 64];

	(void)snprintf(text, sizeof(text), "%s%s%s", what, *what ? " failed: " : "", error->text);
	oci_log(global, "error", text);
	if (global->log)
		fprintf(stderr, "%s\n", text);
	return OCI_EXIT_FAILED;
}

void oci_warn(const struct oci_global *global, const struct oci_notes *omitted)
{
	char text[sizeof(omitted->text)], *save = NULL;

	memcpy(text, omitted->text, sizeof(text));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		oci_log(global, "warning", line);
}

/* --- verbs --------------------------------------------------------------------------------------------------------------------------------- */

int oci_print(const struct oci_global *global, json_t *value, int indent)
{
	char *text = value ? json_dumps(value, indent ? JSON_INDENT((size_t)indent) : JSON_COMPACT) : NULL;

	json_decref(value);
	if (!text)
		return oci_failed(global, "", &(struct oci_error){ "out of memory" });
	puts(text);
	free(text);
	return command_flush(0);
}

int oci_parse_u32(void *field, const char *value, struct option_error *error)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || number > UINT32_MAX)
		return options_refuse(error, "'%s' is no number that can be", value);
	*(u32 *)field = (u32)number;
	return 0;
}

int oci_verb_parse(const struct oci_verb *verb, int argc, char **argv, void *into, bool more, int *ret_first)
{
	int status = command_parse(&verb->command, argc, argv, into, ret_first);

	if (status >= 0)
		return status;
	if (*ret_first == argc)
		return command_usage(&verb->command, "which container?");
	if (!more && *ret_first + 1 < argc)
		return command_usage(&verb->command, "one container, not '%s' as well", argv[*ret_first + 1]);
	return -1;
}

static const struct oci_verb *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(strchr(verbs[i]->command.name, ' ') + 1, name) == 0)
			return verbs[i];
	return NULL;
}

static const char *default_root(char text[PATH_MAX])
{
	const char *runtime = geteuid() == 0 ? NULL : getenv("XDG_RUNTIME_DIR");

	(void)snprintf(text, PATH_MAX, "%s/lichen-oci", runtime && *runtime ? runtime : "/run");
	return text;
}

/* As dockerd and containerd parse it. */
static int print_version(void)
{
	puts("lichen version " LICHEN_VERSION "\nspec: " OCI_VERSION);
	return command_flush(0);
}

/* Those of which a process enters a container: never but by a copy. 0 or negative errno. words: what the program was called with, whose first is argv or stands before it. */
static int protect(const struct oci_verb *verb, char **argv)
{
	char **words = strcmp(argv[0], command_oci.name) == 0 ? argv - 1 : argv;

	return verb == &oci_verb_create || verb == &oci_verb_run || verb == &oci_verb_exec ? oci_copy_enter(words) : 0;
}

static int run(int argc, char **argv)
{
	struct oci_global global = { 0 };
	char root[PATH_MAX], absolute[PATH_MAX];
	const struct oci_verb *verb;
	struct oci_error failed;
	int error, first, status = command_parse(&command_oci, argc, argv, &global, &first);

	if (status >= 0)
		return status;
	if (global.version)
		return print_version();
	if (first == argc)
		return command_usage(&command_oci, "which verb?");
	verb = find(argv[first]);
	if (!verb)
		return command_usage(&command_oci, "unknown verb '%s'", argv[first]);
	error = protect(verb, argv);
	if (error < 0) {
		snprintf(failed.text, sizeof(failed.text), "cannot make the copy of lichen that containers do not reach: %s",
			 strerror(-error));
		return oci_failed(&global, verb->command.name, &failed);
	}
	if (global.systemd)
		return oci_failed(
			&global, "",
			&(struct oci_error){
				"--systemd-cgroup is not supported: lichen makes cgroups itself; use the cgroupfs driver" });
	global.root = global.root ? global.root : default_root(root);
	if (*global.root != '/') {
		char here[PATH_MAX];

		if (!getcwd(here, sizeof(here)) || snprintf(absolute, sizeof(absolute), "%s/%s", here, global.root) >= PATH_MAX)
			return command_usage(&command_oci, "--root: %s", strerror(errno ? errno : ENAMETOOLONG));
		global.root = absolute;
	}
	return verb->run(verb, &global, argc - first, argv + first);
}

const struct command command_oci = {
	.name = "oci",
	.synopsis = "[OPTION…] VERB [ARG…]",
	.summary = "Is an OCI runtime, for dockerd, containerd and podman",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.word_ends_options = true,
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
