/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs a unit, and where. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/users.h"
#include "units/unit.h"

/* The row of passwd of a number, cut into its fields. Not getpwuid(3), which a static program cannot use. */
static bool passwd_row(u32 uid, char line[1024], char *fields[7])
{
	FILE *file = fopen("/etc/passwd", "re");
	bool found = false;

	while (file && !found && fgets(line, 1024, file)) {
		char *rest = line;
		size_t count = 0;

		line[strcspn(line, "\n")] = '\0';
		while (count < 7 && rest)
			fields[count++] = strsep(&rest, ":");
		found = count == 7 && strtoul(fields[2], NULL, 10) == uid;
	}
	if (file)
		(void)fclose(file);
	return found;
}

static void group_name(u32 gid, char *name, size_t size)
{
	FILE *file = fopen("/etc/group", "re");
	char line[4096];

	(void)snprintf(name, size, "%u", gid);
	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line, *word = strsep(&rest, ":");

		(void)strsep(&rest, ":");
		if (rest && strtoul(rest, NULL, 10) == gid) {
			(void)snprintf(name, size, "%s", word);
			break;
		}
	}
	if (file)
		(void)fclose(file);
}

/* An environment variable that holds a path, or what is below home. */
static void user_directory(char *to, size_t size, const char *variable, const char *home, const char *below)
{
	const char *value = getenv(variable);

	if (value && *value == '/')
		(void)snprintf(to, size, "%s", value);
	else
		(void)snprintf(to, size, "%s%s", home, below);
}

static void find_directories(struct unit_place *place)
{
	const char *home = getenv("HOME");
	char fallback[64];

	if (place->system) {
		(void)snprintf(place->runtime, sizeof(place->runtime), "/run");
		(void)snprintf(place->state, sizeof(place->state), "/var/lib");
		(void)snprintf(place->cache, sizeof(place->cache), "/var/cache");
		(void)snprintf(place->logs, sizeof(place->logs), "/var/log");
		(void)snprintf(place->config, sizeof(place->config), "/etc");
		(void)snprintf(place->data, sizeof(place->data), "/usr/share");
		return;
	}
	home = home && *home == '/' ? home : "/tmp";
	(void)snprintf(fallback, sizeof(fallback), "/tmp/lichen-run-%u", geteuid());
	user_directory(place->runtime, sizeof(place->runtime), "XDG_RUNTIME_DIR", "", fallback);
	user_directory(place->state, sizeof(place->state), "XDG_STATE_HOME", home, "/.local/state");
	user_directory(place->cache, sizeof(place->cache), "XDG_CACHE_HOME", home, "/.cache");
	(void)snprintf(place->logs, sizeof(place->logs), "%.200s/log", place->state);
	user_directory(place->config, sizeof(place->config), "XDG_CONFIG_HOME", home, "/.config");
	user_directory(place->data, sizeof(place->data), "XDG_DATA_HOME", home, "/.local/share");
}

static int find_ids(const char *user, const char *group, struct unit_place *place, char **ret_why)
{
	static const char *const root[] = { "/" };
	struct user_found found;
	char text[160];
	int r;

	(void)snprintf(text, sizeof(text), "%.70s%s%.70s", user, group ? ":" : "", group ? group : "");
	r = users_find(root, 1, text, NULL, &found);
	if (r < 0) {
		if (asprintf(ret_why, "%s", found.why) < 0)
			*ret_why = NULL;
		return r;
	}
	place->uid = found.identity.uid;
	place->gid = found.identity.gid;
	(void)snprintf(place->home, sizeof(place->home), "%s", found.home);
	return 0;
}

int unit_find_place(struct unit *unit, char **ret_why)
{
	struct unit_place *place = &unit->place;
	const char *user = unit_get(unit, "Service", "User"), *group = unit_get(unit, "Service", "Group");
	const char *home = getenv("HOME");
	char *expanded = NULL, *fields[7], line[1024], own[16];
	int r;

	*place = (struct unit_place){ .system = geteuid() == 0, .path = unit->path };
	find_directories(place);
	(void)snprintf(own, sizeof(own), "%u", geteuid());
	if (user && unit_specifiers(user, &unit->name, place, &expanded) < 0)
		expanded = NULL;
	r = find_ids(expanded ? expanded : user ? user : own, group, place, ret_why);
	free(expanded);
	if (r < 0)
		return r;
	(void)snprintf(place->user, sizeof(place->user), "%u", place->uid);
	(void)snprintf(place->shell, sizeof(place->shell), "/bin/sh");
	if (passwd_row(place->uid, line, fields)) {
		(void)snprintf(place->user, sizeof(place->user), "%s", fields[0]);
		(void)snprintf(place->home, sizeof(place->home), "%s", fields[5]);
		(void)snprintf(place->shell, sizeof(place->shell), "%s", *fields[6] ? fields[6] : "/bin/sh");
	}
	if (!place->system && place->uid == geteuid() && home && *home == '/')
		(void)snprintf(place->home, sizeof(place->home), "%s", home);
	group_name(place->gid, place->group, sizeof(place->group));
	return 0;
}

void unit_own_path(const struct unit_place *place, const char *path, char ret[PATH_MAX])
{
	const char *below = strncmp(path, "/run/", 5) == 0 ? path + 4 : strncmp(path, "/var/run/", 9) == 0 ? path + 8 : NULL;

	if (place->system || !below || strncmp(path, place->runtime, strlen(place->runtime)) == 0)
		(void)snprintf(ret, PATH_MAX, "%s", path);
	else
		(void)snprintf(ret, PATH_MAX, "%s%s", place->runtime, below);
}
