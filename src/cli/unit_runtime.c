// SPDX-License-Identifier: Apache-2.0
/* The OCI runtimes of a dockerd that `lichen up` starts: lichen is one of them (`lichen oci`) where it fills namespaces, and --runtime chooses among them. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/units.h"
#include "host/state_dir.h"
#include "lichen.h"
#include "units/unit_command.h"

#define LINK_NAME "lichen-oci" /* a program of that name is `lichen oci`: main.c */

/* What dockerd's configuration file says already must not be said again on its command line: dockerd(8), daemon.json. */
static bool configured(const struct up *up, const char *key)
{
	for (size_t i = 0; i < up->profiles.own.count; i += 2)
		if (strcmp(up->profiles.own.words[i], "/etc") == 0)
			return false; /* its cell has none */
	json_t *file = json_load_file("/etc/docker/daemon.json", 0, NULL);
	bool found = json_object_get(file, key) != NULL;
	json_decref(file);
	return found;
}

/* Whether the unit's own command line has an option. */
static bool says(const struct unit *unit, const char *option)
{
	struct unit_commands commands = { 0 };
	CLEANUP_FREE char *why = NULL;
	bool found = false;
	if (unit_commands(unit, "Service", "ExecStart", &commands, &why) == 0)
		for (size_t i = 0; i < commands.count; i++)
			for (size_t j = 0; j < commands.rows[i].argv.count; j++)
				found |= strncmp(commands.rows[i].argv.words[j], option, strlen(option)) == 0;
	unit_commands_done(&commands);
	return found;
}

static int add(struct unit_profile *profile, const char *option, const char *value, const char *why)
{
	int r = word_list_printf(&profile->added, "%s=%s", option, value);
	return r == 0 ? word_list_add(&profile->why, why) : r;
}

static int add_runtime(struct up *up, const struct unit *unit, struct unit_profile *profile)
{
	const char *asked = up->given->runtime;
	bool filled = up->plan.emulated & GAP_BIT(GAP_namespaces);
	char directory[PATH_MAX], value[PATH_MAX + 32];
	int r = 0, fd = state_dir_open(directory);
	if (fd < 0)
		return fd;
	(void)close(fd);
	if ((filled || asked) && !configured(up, "runtimes") && !says(unit, "--add-runtime")) {
		snprintf(value, sizeof(value), "lichen=%s/" LINK_NAME, directory);
		r = add(profile, "--add-runtime", value, "lichen is an OCI runtime as well (lichen oci)");
	}
	if (r == 0 && asked)
		r = add(profile, "--default-runtime", asked, "--runtime asks for it");
	return r;
}

int up_add_runtimes(struct up *up)
{
	bool any = false;
	for (size_t i = 0; i < up->set.count; i++) {
		if (strcmp(up->set.units[i]->name.full, "docker.service") != 0)
			continue;
		any = true;
		int r = add_runtime(up, up->set.units[i], &up->profiles.of[i]);
		if (r == 0)
			continue;
		fprintf(stderr, "lichen %s: %s: %s\n", up->command->name, up->set.units[i]->name.full, strerror(-r));
		return LICHEN_EXIT_SOFTWARE;
	}
	return any || !up->given->runtime ? -1 : command_usage(up->command, "--runtime is an option for docker");
}

int up_make_runtime(const struct up *up, const char *self)
{
	char directory[PATH_MAX], new[32];
	bool wanted = false;
	for (size_t i = 0; i < up->set.count; i++)
		for (size_t j = 0; j < up->profiles.of[i].added.count; j++)
			wanted |= strncmp(up->profiles.of[i].added.words[j], "--add-runtime=lichen=", 21) == 0;
	if (!wanted)
		return 0;
	CLEANUP_FD int fd = state_dir_open(directory);
	snprintf(new, sizeof(new), LINK_NAME ".%d", (int)getpid());
	if (fd < 0)
		return fd;
	if (symlinkat(self, fd, new) < 0 || renameat(fd, new, fd, LINK_NAME) < 0)
		return -errno;
	return 0;
}
