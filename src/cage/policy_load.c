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
#include "cage/policy_int.h"

/* What is read: text, and where it stands. */
struct source {
	char *text;
	size_t length;
	char file[PATH_MAX];      /* without symbolic links; "": a pipe, or a built-in profile */
	char directory[PATH_MAX]; /* that ./ means */
};

/* Which file a descriptor is: another may have its name by now. "" for what has none. */
static void name_file(int fd, struct source *source)
{
	char link[64];
	struct stat st;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? readlink(link, source->file, sizeof(source->file) - 1) : 0;
	source->file[n > 0 && source->file[0] == '/' ? n : 0] = 0;
}

static int read_all(int fd, struct source *source)
{
	ssize_t n = 1;
	source->text = malloc(YAML_BYTES_MAX + 1);
	if (!source->text)
		return -ENOMEM;
	while (n && source->length <= YAML_BYTES_MAX) { /* one byte more: the parser says that it is too much */
		n = read(fd, source->text + source->length, YAML_BYTES_MAX + 1 - source->length);
		if (n < 0 && errno != EINTR)
			return -errno;
		source->length += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int open_source(const char *profile, struct source *source)
{
	const char *built_in = policy_profile_text(profile);
	if (!getcwd(source->directory, sizeof(source->directory)))
		return -errno;
	if (built_in) {
		source->text = strdup(built_in);
		source->length = strlen(built_in);
		return source->text ? 0 : -ENOMEM;
	}
	CLEANUP_FD int fd = open(profile, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : read_all(fd, source);
	if (r)
		return r;
	name_file(fd, source);
	if (source->file[0]) {
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

static int parse_source(const char *profile, struct source *source, struct cage_policy **ret, struct cage_policy_error *error)
{
	const char *home = getenv("HOME");
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	int r = cage_policy_parse(source->text, source->length, source->directory, home && *home == '/' ? home : NULL, &policy,
				  error);
	if (r)
		return r;
	free(policy->name);
	policy->name = strdup(profile);
	policy->built_in = policy_profile_text(profile) != NULL;
	r = policy->name ? cage_policy_resolve(policy, source->file[0] ? source->file : NULL, error) : -ENOMEM;
	if (r)
		return r;
	*ret = policy;
	policy = NULL;
	return 0;
}

int cage_policy_load(const char *profile, struct cage_policy **ret, char **ret_text, struct cage_policy_error *error)
{
	struct source source = { .text = NULL };
	struct cage_policy_error own = { .meaning = false }, *why = error ? error : &own;
	*why = own;
	int r = open_source(profile, &source);
	if (r && r != -ENOMEM)
		(void)yaml_refuse(NULL, &why->at, "cannot read the policy: %s", strerror(-r));
	if (!r)
		r = parse_source(profile, &source, ret, why);
	free(source.text);
	if (!r || r == -ENOMEM)
		return r;
	*ret_text = cage_policy_error_line(profile, why);
	return *ret_text ? r : -ENOMEM;
}
