// SPDX-License-Identifier: Apache-2.0
/* A policy from a file or a built-in profile, and what is wrong with it as one line. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "cage/policy_int.h"

/* Which file a descriptor is: another may have its name by now. "" for what has none. */
static void name_file(int fd, struct cage_policy_text *source)
{
	char link[64];
	struct stat st;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? readlink(link, source->file, sizeof(source->file) - 1) : 0;
	source->file[n > 0 && source->file[0] == '/' ? n : 0] = 0;
}

static int open_source(const char *profile, struct cage_policy_text *source)
{
	const char *built_in = policy_profile_text(profile);
	if (built_in) {
		source->text = strdup(built_in);
		source->length = strlen(built_in);
		return !source->text ? -ENOMEM : getcwd(source->directory, sizeof(source->directory)) ? 0 : -errno;
	}
	CLEANUP_FD int fd = open(profile, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	/* one byte more: the parser says that it is too much */
	int r = fd < 0 ? -errno : read_bytes(fd, YAML_BYTES_MAX + 1, &source->text, &source->length);
	if (r)
		return r;
	name_file(fd, source);
	if (!source->file[0]) {
		if (!getcwd(source->directory, sizeof(source->directory)))
			return -errno;
	} else {
		(void)snprintf(source->directory, sizeof(source->directory), "%s", source->file);
		char *slash = strrchr(source->directory, '/');
		slash[slash == source->directory] = 0;
	}
	return 0;
}

char *cage_policy_error_line(const char *name, const struct cage_policy_error *why)
{
	const struct yaml_error *error = &why->at;
	char *line = NULL;
	int n = error->line ? asprintf(&line, "%s:%u:%u: %s", name, error->line, error->column, error->text)
			    : asprintf(&line, "%s: %s", name, error->text);
	return n < 0 ? NULL : line;
}

/* Takes the words of an error. Returns r, or -ENOMEM. */
static int told(const char *profile, int r, const struct cage_policy_error *why, char **ret_text)
{
	if (!r || r == -ENOMEM)
		return r;
	*ret_text = cage_policy_error_line(profile, why);
	return *ret_text ? r : -ENOMEM;
}

static int parse_text(const char *profile, const struct cage_policy_text *text, const char *home, struct cage_policy **ret,
		      struct cage_policy_error *error)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	int r = cage_policy_parse(text->text, text->length, text->directory, home && *home == '/' ? home : NULL, &policy, error);
	if (r)
		return r;
	free(policy->name);
	policy->name = strdup(profile);
	policy->built_in = policy_profile_text(profile) != NULL;
	if (!policy->name)
		return -ENOMEM;
	*ret = policy;
	policy = NULL;
	return 0;
}

int cage_policy_text_read(const char *profile, struct cage_policy_text *ret, char **ret_text, struct cage_policy_error *error)
{
	int r = open_source(profile, ret);
	*error = (struct cage_policy_error){ .meaning = false };
	if (r && r != -ENOMEM)
		(void)yaml_refuse(NULL, &error->at, "cannot read the policy: %s", strerror(-r));
	return told(profile, r, error, ret_text);
}

int cage_policy_text_parse(const char *profile, const struct cage_policy_text *text, const char *home, struct cage_policy **ret,
			   char **ret_text, struct cage_policy_error *error)
{
	*error = (struct cage_policy_error){ .meaning = false };
	return told(profile, parse_text(profile, text, home, ret, error), error, ret_text);
}

int cage_policy_load(const char *profile, struct cage_policy **ret, char **ret_text, struct cage_policy_error *error)
{
	struct cage_policy_text text = { .text = NULL };
	struct cage_policy_error own = { .meaning = false }, *why = error ? error : &own;
	struct cage_policy *policy = NULL;
	int r = cage_policy_text_read(profile, &text, ret_text, why);
	if (!r)
		r = cage_policy_text_parse(profile, &text, getenv("HOME"), &policy, ret_text, why);
	if (!r)
		r = told(profile, cage_policy_resolve(policy, text.file[0] ? text.file : NULL, why), why, ret_text);
	free(text.text);
	if (r)
		cage_policy_free(policy);
	else
		*ret = policy;
	return r;
}
