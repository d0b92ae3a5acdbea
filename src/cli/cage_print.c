// SPDX-License-Identifier: Apache-2.0
/* Prints a policy as YAML that means the same: paths absolute, defaults written out, and what each layer is asked for in comments. */
#include "cli/cage_print.h"

#include <inttypes.h>
#include <string.h>

#include "base/tame.h"

/* The number of a character of up to three bytes. */
static u32 code_of(const char *text, size_t size)
{
	const u8 *at = (const u8 *)text;
	return size == 1 ? at[0]
	     : size == 2 ? (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu)
			 : (at[0] & 0xfu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
}

/* One character, or a byte that is none. Returns its bytes. */
static size_t put_character(const char *text, FILE *to)
{
	size_t size = tame_character(text);
	bool mark = strncmp(text, "\xef\xbb\xbf", 3) == 0;
	if (size == 0)
		fprintf(to, "\\x%02x", (u8)*text);
	else if (tame_wild(text) || mark)
		fprintf(to, size < 3 ? "\\x%02x" : "\\u%04x", code_of(text, size));
	else
		fprintf(to, *text == '"' || *text == '\\' ? "\\%.*s" : "%.*s", (int)size, text);
	return size ? size : 1;
}

/* A string as YAML: plain where it has one reading only, else in quotes, with escapes for what no reader of YAML takes, or a terminal would obey. */
static void put_string(const char *text, FILE *to)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
	if (*text == '/' && !text[strspn(text, safe)]) {
		fputs(text, to);
		return;
	}
	putc('"', to);
	while (*text)
		text += put_character(text, to);
	putc('"', to);
}

static bool is_utf8(const char *text)
{
	size_t size = 1;
	for (; *text && size; text += size)
		size = tame_character(text);
	return size > 0;
}

static void put_paths(const char *key, const struct cage_paths *paths, FILE *to)
{
	fprintf(to, "  %s:%s\n", key, paths->count ? "" : " []");
	for (size_t i = 0; i < paths->count; i++) {
		fputs("    - ", to);
		put_string(paths->path[i].path, to);
		fputs(is_utf8(paths->path[i].path) ? "\n" : " # not UTF-8: YAML cannot write that name\n", to);
	}
}

static void put_words(const char *key, const struct cage_words *words, FILE *to)
{
	fprintf(to, "  %s: [", key);
	for (size_t i = 0; i < words->count; i++) {
		fputs(i ? ", " : "", to);
		put_string(words->word[i], to);
	}
	fputs("]\n", to);
}

static const char *truth(bool flag)
{
	return flag ? "true" : "false";
}

static void put_network(const struct cage_policy *policy, FILE *to)
{
	fprintf(to, "network:\n  mode: %s\n", cage_network_name(policy->network.mode));
	put_words("allow", &policy->network.allow, to);
	put_words("private", &policy->network.private, to);
	put_paths("unix", &policy->network.sockets, to);
	fprintf(to, "  abstract: %s\n", truth(policy->network.abstract));
}

static void put_processes(const struct cage_policy *policy, FILE *to)
{
	fputs("processes:\n", to);
	if (policy->processes.user_given)
		fprintf(to, "  user: \"%u:%u\"\n", policy->processes.uid, policy->processes.gid);
	fputs("  syscalls: ", to);
	put_string(policy->processes.profile ? policy->processes.profile->path : "default", to);
	putc('\n', to);
	put_words("allow", &policy->processes.allow, to);
	put_words("deny", &policy->processes.deny, to);
}

static void put_environment(const struct cage_policy *policy, FILE *to)
{
	fputs("environment:\n", to);
	put_words("pass", &policy->environment.pass, to);
	fprintf(to, "  set:%s\n", policy->environment.set_count ? "" : " {}");
	for (size_t i = 0; i < policy->environment.set_count; i++) {
		fprintf(to, "    %s: ", policy->environment.set[i].name);
		put_string(policy->environment.set[i].value, to);
		putc('\n', to);
	}
}

static void put_number(const char *key, u64 number, const char *unit, FILE *to)
{
	if (number)
		fprintf(to, "  %s: %" PRIu64 "%s\n", key, number, unit);
}

static void put_limits(const struct cage_limits *limits, FILE *to)
{
	bool any = limits->memory || limits->cpu || limits->processes || limits->open_files || limits->file_size ||
		   limits->output || limits->disk || limits->wall || limits->cpu_time;
	fprintf(to, "limits:%s\n", any ? "" : " {}");
	put_number("memory", limits->memory, "", to);
	if (limits->cpu)
		fprintf(to, "  cpu: %u.%03u\n", limits->cpu / 1000, limits->cpu % 1000);
	put_number("processes", limits->processes, "", to);
	put_number("open_files", limits->open_files, "", to);
	put_number("file_size", limits->file_size, "", to);
	put_number("output", limits->output, "", to);
	put_number("disk", limits->disk, "", to);
	put_number("wall", limits->wall, "ms", to);
	put_number("cpu_time", limits->cpu_time, "ms", to);
}

static void put_audit(const struct cage_policy *policy, FILE *to)
{
	fputs("audit:\n", to);
	if (policy->audit.directory) {
		fputs("  directory: ", to);
		put_string(policy->audit.directory->path, to);
		putc('\n', to);
	}
	fprintf(to, "  redact: %s\n", truth(policy->audit.redact));
}

static void put_report(const struct cage_policy *policy, FILE *to)
{
	fprintf(to, "report:\n  quiet:%s\n", policy->report.count ? "" : " []");
	for (size_t i = 0; i < policy->report.count; i++) {
		const struct cage_quiet *quiet = &policy->report.quiet[i];
		char text[4200];
		(void)snprintf(text, sizeof(text), "%s %s", cage_denied_name(quiet->what),
			       quiet->path.path ? quiet->path.path : quiet->object);
		fputs("    - ", to);
		put_string(text, to);
		putc('\n', to);
	}
}

static void put_defaults(FILE *to)
{
	size_t count;
	const struct cage_default *defaults = cage_default_paths(&count);
	fputs("\n# What files.defaults allows, where it exists:\n", to);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "#   %s %s\n", defaults[i].access & CAGE_WRITE ? "rw" : "r ", defaults[i].path);
}

static void put_layer(void *arg, const char *layer, const char *asked)
{
	fprintf(arg, "#   %-9s %s\n", layer, asked);
}

static void put_note(void *arg, const char *note)
{
	fprintf(arg, "# Note: %s\n", note);
}

void cage_print_policy(const struct cage_policy *policy, FILE *to)
{
	char digest[2 * CAGE_DIGEST + 1];
	fputs("# ", to);
	put_string(policy->name, to);
	fprintf(to, "%s: SHA-256 %s\n", policy->built_in ? " (built in)" : "", cage_digest_text(policy, digest));
	cage_each_note(policy, put_note, to);
	fputs("version: 1\nfiles:\n", to);
	put_paths("read", &policy->files.read, to);
	put_paths("execute", &policy->files.execute, to);
	put_paths("write", &policy->files.write, to);
	put_paths("deny", &policy->files.deny, to);
	fprintf(to, "  defaults: %s\n", truth(policy->files.defaults));
	fprintf(to, "  tmp: %s\n", truth(policy->files.tmp));
	put_network(policy, to);
	put_processes(policy, to);
	put_environment(policy, to);
	put_limits(&policy->limits, to);
	put_audit(policy, to);
	put_report(policy, to);
	if (policy->files.defaults)
		put_defaults(to);
	fputs("\n# What is asked of each layer; 'lichen cage env-check' tells which of them this machine has:\n", to);
	cage_each_layer(policy, put_layer, to);
}
