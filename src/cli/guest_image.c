// SPDX-License-Identifier: Apache-2.0
/* `lichen run IMAGE`: what an image says of the command, its environment, its user and its tree. */
#include "cli/guest_image.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/image_words.h"
#include "host/state_dir.h"
#include "lichen.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int no_memory(void)
{
	fputs("lichen run: out of memory\n", stderr);
	return LICHEN_EXIT_FAILED;
}

static size_t count(char *const *words)
{
	size_t n = 0;
	while (words && words[n])
		n++;
	return n;
}

/* The image's own words, with those of the command line in the place of cmd. */
static char **command_of(const struct image_config *config, char *const *words)
{
	char *const *rest = *words ? words : config->cmd;
	size_t entry = count(config->entrypoint), more = count(rest);
	char **argv = calloc(entry + more + 1, sizeof(*argv));
	if (!argv)
		return NULL;
	memcpy(argv, config->entrypoint, entry * sizeof(*argv));
	memcpy(argv + entry, rest, more * sizeof(*argv));
	return argv;
}

static bool has_variable(char *const *env, size_t n, const char *assignment)
{
	size_t key = strcspn(assignment, "=") + 1;
	for (size_t i = 0; i < n; i++)
		if (!strncmp(env[i], assignment, key))
			return true;
	return false;
}

static bool is_ours(const char *assignment)
{
	for (char **at = environ; *at; at++)
		if (*at == assignment)
			return true;
	return false;
}

/* What --env added, then the image's own, then what every program counts on; the first of a name counts. home: "HOME=…". */
static char **environment_of(const struct image_config *config, char *const *given, char *home)
{
	static char path[] = PATH_DEFAULT;
	char **env = calloc(count(given) + count(config->env) + 4, sizeof(*env)), *term = getenv("TERM");
	size_t n = 0;
	if (!env)
		return NULL;
	for (char *const *at = given; at && *at; at++)
		if (!is_ours(*at) && !has_variable(env, n, *at))
			env[n++] = *at;
	for (char *const *at = config->env; *at; at++)
		if (!has_variable(env, n, *at))
			env[n++] = *at;
	if (!has_variable(env, n, path))
		env[n++] = path;
	if (home && !has_variable(env, n, home))
		env[n++] = home;
	if (term && isatty(STDIN_FILENO) && !has_variable(env, n, "TERM=")) {
		for (char **at = environ; *at; at++)
			if (!strncmp(*at, "TERM=", 5))
				env[n++] = *at;
	}
	return env;
}

/* --- who --------------------------------------------------------------------------------------------------------------------------- */

/* Opens a file of the image, which is not trusted: no link is followed. */
static FILE *open_in_image(const struct image *image, const char *name)
{
	CLEANUP_FD int root = open(image->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int etc = root < 0 ? -1 : openat(root, "etc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = etc < 0 ? -1 : openat(etc, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

static bool number(const char *text, u32 *ret)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || *end || end == text || value > UINT32_MAX - 1)
		return false;
	*ret = (u32)value;
	return true;
}

/* The row of the image's passwd that a name or number means. *ret_home: allocated "HOME=…". */
static bool find_user(const struct image *image, const char *name, struct identity_start *ret, char **ret_home)
{
	FILE *file = open_in_image(image, "passwd");
	u32 uid = 0;
	bool numeric = number(name, &uid), found = false;
	struct passwd *row;
	while (!found && file && (row = fgetpwent(file))) {
		found = numeric ? row->pw_uid == uid : !strcmp(row->pw_name, name);
		if (!found)
			continue;
		ret->uid = row->pw_uid;
		ret->gid = row->pw_gid;
		if (asprintf(ret_home, "HOME=%s", row->pw_dir) < 0)
			*ret_home = NULL;
	}
	if (file)
		(void)fclose(file);
	if (!found && numeric)
		ret->uid = uid;
	return found || numeric;
}

static bool find_group(const struct image *image, const char *name, u32 *ret)
{
	if (number(name, ret))
		return true;
	FILE *file = open_in_image(image, "group");
	bool found = false;
	struct group *row;
	while (!found && file && (row = fgetgrent(file))) {
		found = !strcmp(row->gr_name, name);
		if (found)
			*ret = row->gr_gid;
	}
	if (file)
		(void)fclose(file);
	return found;
}

/* "USER", "USER:GROUP", by name or number. Returns -1, or the exit status after saying what is wrong. */
static int user_of(const struct image *image, struct identity_start *ret, char **ret_home)
{
	char user[256];
	const char *text = image->config.user;
	(void)snprintf(user, sizeof(user), "%s", text && *text ? text : "0");
	char *group = strchr(user, ':');
	if (group)
		*group++ = 0;
	if (find_user(image, *user ? user : "0", ret, ret_home) && (!group || find_group(image, group, &ret->gid)))
		return -1;
	fprintf(stderr, "lichen run: the image's user '%s' is not in its /etc/passwd and /etc/group\n", text);
	return LICHEN_EXIT_FAILED;
}

/* --- which ------------------------------------------------------------------------------------------------------------------------ */

/* Opens the image, its lease included, and closes the store. Returns 0 or negative errno. */
static int open_image(const struct command *command, const char *name, struct image *ret, struct image_error *why, int *ret_status)
{
	struct image_store store;
	*ret_status = image_store_begin(command, &store);
	if (*ret_status)
		return -EIO;
	int error = image_open(&store, name, ret, why);
	store_close(&store);
	return error;
}

int guest_image_begin(const struct command *command, int argc, char **argv, int first, char *const *env, struct guest_image *ret)
{
	bool told = first + 1 < argc && !strcmp(argv[first + 1], "--"); /* IMAGE -- CMD */
	*ret = (struct guest_image){ 0 };
	if (first >= argc || (first > 1 && !strcmp(argv[first - 1], "--")))
		return -1;
	if (!told && (strchr(argv[first], '/') == argv[first] || argv[first][0] == '.' || !state_dir_has("images/refs")))
		return -1;
	struct image_error why;
	int status, error = open_image(command, argv[first], &ret->image, &why, &status);
	if (error && !told && (error == -ENOENT || error == -EINVAL))
		return -1; /* a command of the machine's */
	if (error && !status)
		status = image_say(command, error, &why);
	if (error)
		return LICHEN_EXIT_FAILED;
	ret->used = true;
	CLEANUP_FREE char *home = NULL;
	int wrong = user_of(&ret->image, &ret->identity, &home);
	if (wrong >= 0)
		return wrong;
	const struct image_config *config = &ret->image.config;
	ret->argv = command_of(config, argv + first + (told ? 2 : 1));
	ret->env = environment_of(config, env, home);
	if (!ret->argv || !ret->env)
		return no_memory();
	home = NULL; /* lives as long as the process, as the words of the environment do */
	ret->workdir = config->working_dir && *config->working_dir ? config->working_dir : "/";
	if (ret->argv[0])
		return -1;
	fprintf(stderr, "lichen run: image '%s' names no command; give one\n", argv[first]);
	return LICHEN_EXIT_FAILED;
}

void guest_image_end(struct guest_image *given)
{
	if (!given->used)
		return;
	free((void *)given->argv);
	free((void *)given->env);
	image_close(&given->image);
	given->used = false;
}
