// SPDX-License-Identifier: Apache-2.0
/* What a policy asks of each layer, and what of it may surprise, in sentences. */
#include <stdarg.h>
#include <string.h>

#include "cage/layer.h"
#include "cli/cage_print.h"

const char *cage_network_name(enum cage_network mode)
{
	static const char *const names[] = {
		[CAGE_NETWORK_NONE] = "none", [CAGE_NETWORK_HOST] = "host", [CAGE_NETWORK_PROXY] = "proxy"
	};
	return names[mode];
}

const char *cage_digest_text(const struct cage_policy *policy, char to[2 * CAGE_DIGEST + 1])
{
	for (size_t i = 0; i < CAGE_DIGEST; i++)
		(void)snprintf(to + 2 * i, 3, "%02x", policy->digest[i]);
	return to;
}

/* "1 rule", "2 rules". */
static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static size_t add(char *to, size_t at, const char *format, ...) PRINTF_LIKE(3, 4);
static size_t add(char *to, size_t at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(to + at, CAGE_NOTE - at, format, args);
	va_end(args);
	return n < 0 || (size_t)n >= CAGE_NOTE - at ? at : at + (size_t)n;
}

static void ask_files(const struct cage_policy *policy, char *to)
{
	size_t rules = policy->files.read.count + policy->files.execute.count + policy->files.write.count, defaults;
	(void)cage_default_paths(&defaults);
	size_t at = add(to, 0, "%zu rule%s, all else is refused", rules, plural(rules));
	if (policy->files.defaults)
		at = add(to, at, "; %zu defaults", defaults);
	if (policy->files.tmp)
		(void)add(to, at, "; a directory for temporary files and, where it can be made, a /dev/shm of its own");
}

static void ask_syscalls(const struct cage_policy *policy, char *to)
{
	const struct cage_path *profile = policy->processes.profile;
	size_t at = add(to, 0, "lichen's list%s%s", profile ? " and the profile " : "", profile ? profile->path : "");
	if (policy->processes.allow.count)
		at = add(to, at, ", %zu more", policy->processes.allow.count);
	if (policy->processes.deny.count)
		(void)add(to, at, ", %zu fewer", policy->processes.deny.count);
}

static void ask_network(const struct cage_policy *policy, char *to)
{
	size_t targets = policy->network.allow.count + policy->network.private.count;
	if (policy->network.mode == CAGE_NETWORK_NONE)
		(void)add(to, 0, "no network");
	else
		(void)add(to, 0, "no network but lichen-proxy, which lets to %zu target%s", targets, plural(targets));
}

static void ask_limits(const struct cage_limits *limits, char *to)
{
	const struct {
		const char *name;
		bool set;
	} rows[] = { { "memory", limits->memory != 0 },       { "cpu", limits->cpu != 0 },
		     { "processes", limits->processes != 0 }, { "open_files", limits->open_files != 0 },
		     { "file_size", limits->file_size != 0 }, { "output", limits->output != 0 },
		     { "disk", limits->disk != 0 },           { "wall", limits->wall != 0 },
		     { "cpu_time", limits->cpu_time != 0 } };
	size_t at = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].set)
			at = add(to, at, "%s%s", at ? ", " : "", rows[i].name);
}

static void ask(const struct cage_policy *policy, enum cage_layer layer, char *to)
{
	switch (layer) {
	case CAGE_LAYER_PROCESS:
		(void)add(to, 0,
			  "no_new_privs, no capabilities, a session of its own, no inherited descriptors, a chosen environment");
		break;
	case CAGE_LAYER_FILES:
		ask_files(policy, to);
		break;
	case CAGE_LAYER_DENY:
		(void)add(to, 0, "%zu path%s masked inside of these", policy->files.deny.count, plural(policy->files.deny.count));
		break;
	case CAGE_LAYER_SYSCALLS:
		ask_syscalls(policy, to);
		break;
	case CAGE_LAYER_NETWORK:
		ask_network(policy, to);
		break;
	case CAGE_LAYER_UNIX:
		(void)add(to, 0, "UNIX sockets at %zu path%s, no others", policy->network.sockets.count,
			  plural(policy->network.sockets.count));
		break;
	case CAGE_LAYER_SCOPES:
		(void)add(to, 0, "%s",
			  policy->network.abstract ? "signals stay inside" : "signals and abstract sockets stay inside");
		break;
	default:
		ask_limits(&policy->limits, to);
	}
}

void cage_each_layer(const struct cage_policy *policy, void (*each)(void *arg, const char *layer, const char *asked), void *arg)
{
	u32 needed = cage_layers_needed(policy);
	for (int i = 0; i < CAGE_LAYERS; i++) {
		char text[CAGE_NOTE] = "";
		if (!(needed & CAGE_LAYER_BIT(i)))
			continue;
		ask(policy, (enum cage_layer)i, text);
		each(arg, cage_layer_name((enum cage_layer)i), text);
	}
}

/* --- notes ---------------------------------------------------------------------------------------------------------------------------- */

struct noting {
	void (*each)(void *arg, const char *note);
	void *arg;
};

static void note_missing(const struct noting *to, const char *list, const struct cage_paths *paths)
{
	char text[CAGE_NOTE];
	for (size_t i = 0; i < paths->count; i++) {
		if (paths->path[i].real)
			continue;
		(void)add(text, 0, "%s %.300s: there is no such file, so that it allows nothing", list, paths->path[i].written);
		to->each(to->arg, text);
	}
}

static bool allowed_without_deny(const struct cage_policy *policy, const char *path)
{
	struct cage_policy open = *policy;
	open.files.deny.count = 0;
	return cage_policy_allows(&open, CAGE_READ, path, NULL, NULL);
}

static void note_denials(const struct noting *to, const struct cage_policy *policy)
{
	char text[CAGE_NOTE];
	for (size_t i = 0; i < policy->files.deny.count; i++) {
		const struct cage_path *path = &policy->files.deny.path[i];
		if (path->line == 0)
			(void)add(text, 0,
				  "%.300s lies in what may be written, so that it is denied: who writes it rules the next run",
				  path->written);
		else if (!allowed_without_deny(policy, path->path))
			(void)add(text, 0, "files.deny %.300s: nothing allows it anyhow", path->written);
		else
			continue;
		to->each(to->arg, text);
	}
}

void cage_each_note(const struct cage_policy *policy, void (*each)(void *arg, const char *note), void *arg)
{
	const struct noting to = { .each = each, .arg = arg };
	if (!policy->built_in) { /* a profile names what some systems lack */
		note_missing(&to, "files.read", &policy->files.read);
		note_missing(&to, "files.execute", &policy->files.execute);
	}
	note_missing(&to, "files.write", &policy->files.write);
	note_missing(&to, "network.unix", &policy->network.sockets);
	note_denials(&to, policy);
	if (policy->network.mode == CAGE_NETWORK_HOST)
		each(arg, "network.mode host: the machine's network is not confined, nor are services that listen on it");
	if (policy->processes.user_given && policy->processes.uid == 0)
		each(arg, "processes.user 0: root, though without capabilities, owns the system's files");
}
