// SPDX-License-Identifier: Apache-2.0
/* The keys of a policy, one row each, and what is done with a value of each kind: judged as the schema does, then taken. */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cage/policy_int.h"
#include "proxy/proxy_rule.h"

#define MAX_BYTES ((u64)1 << 50)
#define MAX_TIME ((u64)366 * 86400 * 1000)
#define ID_MAX 4294967294u /* -1 means "unchanged" to setresuid(2) */

#define AT(member) offsetof(struct cage_policy, member)

static const struct policy_field fields[] = {
	{ "files", "read", FIELD_PATHS, AT(files.read), 0, 0 },
	{ "files", "execute", FIELD_PATHS, AT(files.execute), 0, 0 },
	{ "files", "write", FIELD_PATHS, AT(files.write), 0, 0 },
	{ "files", "deny", FIELD_PATHS, AT(files.deny), 0, 0 },
	{ "files", "defaults", FIELD_BOOL, AT(files.defaults), 0, 0 },
	{ "files", "tmp", FIELD_BOOL, AT(files.tmp), 0, 0 },
	{ "network", "mode", FIELD_MODE, AT(network.mode), 0, 0 },
	{ "network", "allow", FIELD_ALLOW, AT(network.allow), 0, 0 },
	{ "network", "private", FIELD_PRIVATE, AT(network.private), 0, 0 },
	{ "network", "unix", FIELD_PATHS, AT(network.sockets), 0, 0 },
	{ "network", "abstract", FIELD_BOOL, AT(network.abstract), 0, 0 },
	{ "processes", "user", FIELD_USER, 0, 0, 0 },
	{ "processes", "syscalls", FIELD_PROFILE, AT(processes.profile), 0, 0 },
	{ "processes", "allow", FIELD_CALLS, AT(processes.allow), 0, 0 },
	{ "processes", "deny", FIELD_CALLS, AT(processes.deny), 0, 0 },
	{ "environment", "pass", FIELD_NAMES, AT(environment.pass), 0, 0 },
	{ "environment", "set", FIELD_SET, 0, 0, 0 },
	{ "limits", "memory", FIELD_SIZE, AT(limits.memory), CAGE_LIMIT_MEMORY, MAX_BYTES },
	{ "limits", "cpu", FIELD_CPU, AT(limits.cpu), 10, 1024000 },
	{ "limits", "processes", FIELD_COUNT, AT(limits.processes), 1, 4194304 },
	{ "limits", "open_files", FIELD_COUNT, AT(limits.open_files), 8, 1048576 },
	{ "limits", "file_size", FIELD_SIZE, AT(limits.file_size), 1, MAX_BYTES },
	{ "limits", "output", FIELD_SIZE, AT(limits.output), 1, MAX_BYTES },
	{ "limits", "disk", FIELD_SIZE, AT(limits.disk), 1 << 20, MAX_BYTES },
	{ "limits", "wall", FIELD_TIME, AT(limits.wall), 100, MAX_TIME },
	{ "limits", "cpu_time", FIELD_TIME, AT(limits.cpu_time), 1000, MAX_TIME },
	{ "audit", "directory", FIELD_PATH, AT(audit.directory), 0, 0 },
	{ "audit", "redact", FIELD_BOOL, AT(audit.redact), 0, 0 },
	{ "report", "quiet", FIELD_QUIET, 0, 0, 0 },
};

const struct policy_field *policy_fields(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(fields);
	return fields;
}

/* --- grammar -------------------------------------------------------------------------------------------------------------------------- */

static const char *const modes[] = { [CAGE_NETWORK_NONE] = "none", [CAGE_NETWORK_HOST] = "host", [CAGE_NETWORK_PROXY] = "proxy" };

static const char *wrong_mode(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(text, modes[i]) == 0)
			return NULL;
	return "none, host or proxy";
}

static const char *wrong_profile(const char *text)
{
	return strcmp(text, "default") == 0 || !policy_wrong_path(text) ? NULL : "'default' or a file (/…, ~/… or ./…)";
}

/* The judge of each kind whose values, or whose items, are strings. */
typedef const char *judge(const char *text);
static judge *const judges[] = {
	[FIELD_MODE] = wrong_mode,
	[FIELD_USER] = policy_wrong_user,
	[FIELD_PATH] = policy_wrong_path,
	[FIELD_PROFILE] = wrong_profile,
	[FIELD_PATHS] = policy_wrong_path,
	[FIELD_ALLOW] = policy_wrong_target,
	[FIELD_PRIVATE] = policy_wrong_target,
	[FIELD_CALLS] = policy_wrong_call,
	[FIELD_NAMES] = policy_wrong_pattern,
	[FIELD_SET] = policy_wrong_name,
	[FIELD_QUIET] = policy_wrong_quiet,
};

static int check_string(const struct yaml_node *node, judge *wrong, struct yaml_error *error)
{
	const char *text;
	int r = yaml_string(node, &text, error);
	const char *due = r ? NULL : wrong(text);
	return due ? yaml_refuse(node, error, "'%.80s': %s is due here", text, due) : r;
}

static int check_list(const struct yaml_node *node, judge *wrong, struct yaml_error *error)
{
	const char **strings;
	size_t count;
	int r = yaml_strings(node, &strings, &count, error);
	if (r)
		return r;
	free((void *)strings);
	for (size_t i = 0; i < count && !r; i++)
		r = check_string(node->items[i], wrong, error);
	return r;
}

static int check_set(const struct yaml_node *node, struct yaml_error *error)
{
	const char *value;
	int r = node->kind == YAML_MAPPING ? 0 : yaml_refuse(node, error, "a mapping (KEY: VALUE) is due here");
	for (size_t i = 0; !r && i < node->count; i += 2) {
		const char *due = policy_wrong_name(node->items[i]->text);
		r = due ? yaml_refuse(node->items[i], error, "'%.80s': %s is due here", node->items[i]->text, due)
			: yaml_string(node->items[i + 1], &value, error);
	}
	return r;
}

/* Digits without a 0 in front; *ret is what follows them. */
static bool take_digits(const char *text, const char **ret)
{
	size_t digits = strspn(text, "0123456789");
	*ret = text + digits;
	return digits && (text[0] != '0' || digits == 1);
}

/* A JSON number that is not negative, without exponent; `whole`: no digits but 0 behind its point. */
static bool is_number(const struct yaml_node *node, bool whole)
{
	const char *at;
	enum yaml_type type = yaml_type(node);
	if ((type != YAML_INT && type != YAML_FLOAT) || !take_digits(node->text, &at))
		return false;
	if (*at == '.' && at[1])
		at += 1 + strspn(at + 1, whole ? "0" : "0123456789");
	return !*at;
}

/* An int, or digits with one of these units. */
static int check_unit(const struct yaml_node *node, const char *const *units, const char *due, struct yaml_error *error)
{
	const char *at;
	if (is_number(node, true))
		return 0;
	bool good = yaml_type(node) == YAML_STRING && take_digits(node->text, &at);
	while (good && *units && strcmp(at, *units) != 0)
		units++;
	return good && *units ? 0 : yaml_refuse(node, error, "%s is due here", due);
}

static int check_cpu(const struct policy_field *field, const struct yaml_node *node, struct yaml_error *error)
{
	double number = is_number(node, false) ? strtod(node->text, NULL) : -1;
	if (number * 1000 < (double)field->least || number * 1000 > (double)field->most)
		return yaml_refuse(node, error, "a number of processors from 0.01 to 1024 is due here");
	return 0;
}

int policy_check_value(const struct policy_field *field, const struct yaml_node *node, struct yaml_error *error)
{
	static const char *const bytes[] = { "b", "k", "m", "g", "t", "B", "K", "M", "G", "T", NULL };
	static const char *const times[] = { "ms", "s", "m", "h", "d", NULL };
	bool flag;
	s64 number;
	switch (field->kind) {
	case FIELD_BOOL:
		return yaml_bool(node, &flag, error);
	case FIELD_COUNT:
		return yaml_int(node, (s64)field->least, (s64)field->most, &number, error);
	case FIELD_CPU:
		return check_cpu(field, node, error);
	case FIELD_SIZE:
		return check_unit(node, bytes, "a size (bytes, or a number with b, k, m, g or t)", error);
	case FIELD_TIME:
		return check_unit(node, times, "a time (seconds, or a number with ms, s, m, h or d)", error);
	case FIELD_MODE:
	case FIELD_USER:
	case FIELD_PATH:
	case FIELD_PROFILE:
		return check_string(node, judges[field->kind], error);
	case FIELD_SET:
		return check_set(node, error);
	default:
		return check_list(node, judges[field->kind], error);
	}
}

/* --- meaning -------------------------------------------------------------------------------------------------------------------------- */

static int take_one_path(const struct policy_reader *reader, const struct yaml_node *node, struct cage_path **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? policy_take_path(reader, node, node->text, *ret) : -ENOMEM;
}

static int take_paths(const struct policy_reader *reader, const struct yaml_node *node, struct cage_paths *ret)
{
	int r = 0;
	ret->path = calloc(node->count + 1, sizeof(*ret->path));
	if (!ret->path)
		return -ENOMEM;
	for (; ret->count < node->count && !r; ret->count += !r)
		r = policy_take_path(reader, node->items[ret->count], node->items[ret->count]->text, &ret->path[ret->count]);
	for (size_t i = 0; ret == &reader->policy->files.deny && i < ret->count && !r; i++)
		if (policy_of_process(ret->path[i].path))
			r = policy_refuse_own(reader, node->items[i], ret->path[i].written);
	return r;
}

static int take_targets(const struct policy_reader *reader, bool private, const struct yaml_node *node, struct cage_words *ret)
{
	int r = yaml_strings(node, &ret->word, &ret->count, &reader->error->at);
	for (size_t i = 0; i < ret->count && !r; i++) {
		struct proxy_rule rule;
		const char *why;
		if (proxy_rule_parse(ret->word[i], private, &rule, &why))
			r = policy_refuse(reader, node->items[i], "'%.100s' %s", ret->word[i], why);
	}
	return r;
}

static int take_words(const struct policy_reader *reader, enum field_kind kind, const struct yaml_node *node,
		      struct cage_words *ret)
{
	int r = yaml_strings(node, &ret->word, &ret->count, &reader->error->at);
	for (size_t i = 0; i < ret->count && !r && kind == FIELD_CALLS; i++)
		if (seccomp_syscall_resolve_name(ret->word[i]) == __NR_SCMP_ERROR)
			r = policy_refuse(reader, node->items[i], "there is no system call '%s'", ret->word[i]);
	return r;
}

static int take_set(struct cage_policy *policy, const struct yaml_node *node)
{
	policy->environment.set = calloc(node->count / 2 + 1, sizeof(struct cage_variable));
	if (!policy->environment.set)
		return -ENOMEM;
	for (size_t i = 0; i < node->count; i += 2)
		policy->environment.set[policy->environment.set_count++] =
			(struct cage_variable){ node->items[i]->text, node->items[i + 1]->text };
	return 0;
}

static int take_quiet(const struct policy_reader *reader, const struct yaml_node *node)
{
	struct cage_policy *policy = reader->policy;
	int r = 0;
	policy->report.quiet = calloc(node->count + 1, sizeof(struct cage_quiet));
	if (!policy->report.quiet)
		return -ENOMEM;
	for (; policy->report.count < node->count && !r; policy->report.count += !r) {
		const struct yaml_node *item = node->items[policy->report.count];
		struct cage_quiet *quiet = &policy->report.quiet[policy->report.count];
		quiet->what = (enum cage_denied)policy_split_quiet(item->text, &quiet->object);
		if (policy_denied_path(quiet->what))
			r = policy_take_path(reader, item, quiet->object, &quiet->path);
	}
	return r;
}

static int take_user(const struct policy_reader *reader, const struct yaml_node *node)
{
	char *end;
	unsigned long long uid = strtoull(node->text, &end, 10), gid = strtoull(end + 1, NULL, 10);
	if (uid > ID_MAX || gid > ID_MAX)
		return policy_refuse(reader, node, "user and group ids are at most %u", ID_MAX);
	reader->policy->processes.user_given = true;
	reader->policy->processes.uid = (uid_t)uid;
	reader->policy->processes.gid = (gid_t)gid;
	return 0;
}

static int take_mode(const struct yaml_node *node, enum cage_network *ret)
{
	size_t i = 0;
	while (i + 1 < ARRAY_SIZE(modes) && strcmp(node->text, modes[i]) != 0)
		i++;
	*ret = (enum cage_network)i;
	return 0;
}

/* Numbers that the grammar takes, of which some are too large, too small or too fine. */
static int take_number(const struct policy_reader *reader, const struct policy_field *field, const struct yaml_node *node, u64 *ret)
{
	struct yaml_error *error = &reader->error->at;
	int r = field->kind == FIELD_CPU  ? yaml_fixed(node, 3, field->least, field->most, ret, error)
	      : field->kind == FIELD_SIZE ? yaml_size(node, field->least, field->most, ret, error)
					  : yaml_duration(node, field->least, field->most, ret, error);
	reader->error->meaning = r == -EINVAL;
	return r;
}

int policy_take_value(const struct policy_reader *reader, const struct policy_field *field, const struct yaml_node *node)
{
	void *to = (char *)reader->policy + field->offset;
	u64 number = 0;
	s64 count = 0;
	int r;
	switch (field->kind) {
	case FIELD_BOOL:
		return yaml_bool(node, to, &reader->error->at);
	case FIELD_MODE:
		return take_mode(node, to);
	case FIELD_USER:
		return take_user(reader, node);
	case FIELD_COUNT:
		r = yaml_int(node, (s64)field->least, (s64)field->most, &count, &reader->error->at);
		*(u32 *)to = (u32)count;
		return r;
	case FIELD_CPU:
		r = take_number(reader, field, node, &number);
		*(u32 *)to = (u32)number;
		return r;
	case FIELD_SIZE:
	case FIELD_TIME:
		return take_number(reader, field, node, to);
	case FIELD_PROFILE:
		return strcmp(node->text, "default") == 0 ? 0 : take_one_path(reader, node, to);
	case FIELD_PATH:
		return take_one_path(reader, node, to);
	case FIELD_PATHS:
		return take_paths(reader, node, to);
	case FIELD_SET:
		return take_set(reader->policy, node);
	case FIELD_ALLOW:
	case FIELD_PRIVATE:
		return take_targets(reader, field->kind == FIELD_PRIVATE, node, to);
	case FIELD_QUIET:
		return take_quiet(reader, node);
	default:
		return take_words(reader, field->kind, node, to);
	}
}
