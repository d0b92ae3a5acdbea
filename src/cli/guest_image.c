// SPDX-License-Identifier: Apache-2.0
/* `lichen run IMAGE`: which image, and what it says of the command and its environment. */
#include "cli/guest_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/image_words.h"
#include "cli/pull.h"
#include "host/state_dir.h"
#include "lichen.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int guest_parse_pull(void *field, const char *value, struct option_error *error)
{
	enum guest_pull *when = field;
	*when = strcmp(value, "missing") == 0 ? PULL_MISSING
	      : strcmp(value, "always") == 0  ? PULL_ALWAYS
	      : strcmp(value, "never") == 0   ? PULL_NEVER
					      : PULL_DEFAULT;
	return *when != PULL_DEFAULT ? 0
				     : options_refuse(error, "option '--pull' needs missing, always or never, not '%.100s'", value);
}

int guest_parse_platform(void *field, const char *value, struct option_error *error)
{
	static const char *const ours[] = { "linux/amd64", "linux/x86_64", "linux", "amd64", "x86_64", "linux/amd64/v1" };
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcmp(value, ours[i]) == 0) {
			*(const char **)field = value;
			return 0;
		}
	return options_refuse(error, "option '--platform': only linux/amd64 runs here, not '%.100s'", value);
}

static size_t count(char *const *words)
{
	size_t n = 0;
	while (words && words[n])
		n++;
	return n;
}

char **guest_command(const struct guest_image_options *given, const struct image_config *config, char *const *words)
{
	char *none[] = { NULL }, *own[] = { (char *)(uintptr_t)given->entrypoint, NULL };
	bool keeps = !given->entrypoint && config; /* with an entrypoint of the command line, the image's cmd does not count */
	char *const *entry = given->entrypoint && *given->entrypoint ? own
			   : keeps && config->entrypoint             ? config->entrypoint
								     : none;
	char *const *rest = *words || !keeps ? words : config->cmd;
	size_t first = count(entry), more = count(rest);
	char **argv = calloc(first + more + 1, sizeof(*argv));
	if (!argv)
		return NULL;
	for (size_t i = 0; i < first; i++)
		argv[i] = entry[i];
	for (size_t i = 0; i < more; i++)
		argv[first + i] = rest[i];
	return argv;
}

char **guest_image_env(const struct image_config *config, const struct option_words *given, char *home, bool tty)
{
	static char path[] = PATH_DEFAULT, xterm[] = "TERM=xterm";
	char **env = calloc(count(config->env) + 4, sizeof(*env)), **changed;
	size_t n = 0;
	if (!env)
		return NULL;
	for (char *const *at = config->env; *at; at++)
		if (!guest_env_has(env, *at))
			env[n++] = *at;
	if (!guest_env_has(env, path))
		env[n++] = path;
	if (home && !guest_env_has(env, home))
		env[n++] = home;
	if ((tty || isatty(STDIN_FILENO)) && !guest_env_has(env, xterm)) {
		for (char **at = environ; *at; at++)
			if (!strncmp(*at, "TERM=", 5))
				env[n] = *at;
		if (!env[n] && tty)
			env[n] = xterm;
	}
	changed = guest_env(given, env);
	free((void *)env);
	return changed;
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

/* Downloads it. Returns 0, or the exit status after saying why not. */
static int pull(const struct command *command, const char *text)
{
	const struct pull_options options = { .quiet = !isatty(STDERR_FILENO) };
	char name[IMAGE_NAME_MAX];
	struct image_error why;
	struct digest id;
	int error = image_name(text, name, &why);
	if (error)
		return image_say(command, error, &why);
	return pull_image(command, name, &options, &id); /* which says why not */
}

int guest_image_begin(const struct command *command, int argc, char **argv, int first, const struct guest_image_options *given,
		      struct guest_image *ret)
{
	bool told = first + 1 < argc && !strcmp(argv[first + 1], "--"); /* IMAGE -- CMD */
	bool asked = given->pull == PULL_MISSING || given->pull == PULL_ALWAYS;
	*ret = (struct guest_image){ 0 };
	if (first >= argc || (first > 1 && !strcmp(argv[first - 1], "--")))
		return -1;
	if (!told && (argv[first][0] == '/' || argv[first][0] == '.' || (!asked && !state_dir_has("images/refs"))))
		return -1;
	if (given->pull == PULL_ALWAYS && pull(command, argv[first]))
		return LICHEN_EXIT_FAILED;
	struct image_error why;
	int status, error = open_image(command, argv[first], &ret->image, &why, &status);
	if (error == -ENOENT && !status && (asked || (told && given->pull == PULL_DEFAULT))) {
		if (pull(command, argv[first]))
			return LICHEN_EXIT_FAILED;
		error = open_image(command, argv[first], &ret->image, &why, &status);
	}
	if (error && !told && (error == -ENOENT || error == -EINVAL))
		return -1; /* a command of the machine's */
	if (error && !status)
		status = image_say(command, error, &why);
	if (error)
		return LICHEN_EXIT_FAILED;
	ret->used = true;
	ret->words = argv + first + (told ? 2 : 1);
	return -1;
}

void guest_image_end(struct guest_image *given)
{
	if (given->used)
		image_close(&given->image);
	given->used = false;
}
