/* SPDX-License-Identifier: Apache-2.0 */
/* A policy: what is taken is within its limits, its paths are straight and judged; a refusal has a sentence, and names a place in the text. */
#include <errno.h>

#include "cage/policy.h"
#include "fuzz.h"

static void look_at(const struct cage_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->path[i].path;
		MUST(path[0] == '/' && !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../") && paths->path[i].line);
		MUST(!path[1] || path[strlen(path) - 1] != '/');
	}
}

/* What each list says is what cage_policy_allows() says. */
static void judge(const struct cage_policy *policy)
{
	const struct cage_path *rule;
	const char *list;
	for (size_t i = 0; i < policy->files.deny.count; i++) {
		MUST(!cage_policy_allows(policy, CAGE_READ, policy->files.deny.path[i].path, &rule, &list));
		MUST(rule && strcmp(list, "files.deny") == 0);
	}
	for (size_t i = 0; i < policy->files.write.count; i++) {
		bool allowed = cage_policy_allows(policy, CAGE_WRITE, policy->files.write.path[i].path, &rule, &list);
		MUST(rule && strcmp(list, allowed ? "files.write" : "files.deny") == 0);
	}
	for (size_t i = 0; i < policy->report.count; i++) {
		const struct cage_quiet *quiet = &policy->report.quiet[i];
		MUST(cage_policy_quiet(policy, quiet->what, quiet->path.path ? quiet->path.path : quiet->object));
	}
}

static void check_policy(const struct cage_policy *policy)
{
	const struct cage_limits *limits = &policy->limits;
	look_at(&policy->files.read);
	look_at(&policy->files.execute);
	look_at(&policy->files.write);
	look_at(&policy->files.deny);
	look_at(&policy->network.sockets);
	judge(policy);
	MUST(policy->network.mode == CAGE_NETWORK_PROXY || policy->network.allow.count + policy->network.private.count == 0);
	MUST(!limits->memory || limits->memory >= CAGE_LIMIT_MEMORY);
	MUST(!limits->open_files || limits->open_files >= 8);
	MUST(limits->cpu <= 1024000 && policy->environment.pass.word[policy->environment.pass.count] == NULL);
	MUST(!policy->processes.user_given || (policy->processes.uid != (uid_t)-1 && policy->processes.gid != (gid_t)-1));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	char *text = malloc(size ? size : 1);
	u32 lines = 1;
	if (size)
		memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n' || text[i] == '\r';
	int r = cage_policy_parse(text, size, "/work/dir", "/home/me", &policy, &error);
	free(text);
	if (r == 0)
		check_policy(policy);
	else
		MUST(r == -EINVAL && !policy && error.at.text[0] && error.at.line <= lines + 1);
	return 0;
}
