/* SPDX-License-Identifier: Apache-2.0 */
/* Specifiers (systemd.unit(5), "Specifiers"). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/unit_name.h"

#define VALUE_SIZE 1024

/* The first line of a file. */
static void first_line(const char *path, char value[VALUE_SIZE])
{
	FILE *file = fopen(path, "re");

	*value = '\0';
	if (!file)
		return;
	if (fgets(value, VALUE_SIZE, file))
		value[strcspn(value, "\n")] = '\0';
	(void)fclose(file);
}

/* What os-release says. */
static void os_release(const char *key, char value[VALUE_SIZE])
{
	FILE *file = fopen("/etc/os-release", "re");
	size_t length = strlen(key);
	char line[VALUE_SIZE];

	*value = '\0';
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		char *at = line + length + 1;

		if (strncmp(line, key, length) != 0 || line[length] != '=')
			continue;
		at[strcspn(at, "\n")] = '\0';
		if (*at == '"' || *at == '\'') {
			at++;
			at[strcspn(at, "\"'")] = '\0';
		}
		(void)snprintf(value, VALUE_SIZE, "%.1000s", at);
	}
	(void)fclose(file);
}

static void uuid_line(const char *path, char value[VALUE_SIZE])
{
	char *to = value;

	first_line(path, value);
	for (const char *at = value; *at; at++)
		if (*at != '-')
			*to++ = *at;
	*to = '\0';
}

/* What names the machine. Returns false: the letter is another's. */
static bool machine_value(char letter, char value[VALUE_SIZE])
{
	struct utsname name;

	if (uname(&name) < 0)
		return false;
	switch (letter) {
	case 'H':
	case 'l':
	case 'q':
		(void)snprintf(value, VALUE_SIZE, "%s", name.nodename);
		if (letter == 'l')
			value[strcspn(value, ".")] = '\0';
		return true;
	case 'v':
		(void)snprintf(value, VALUE_SIZE, "%s", name.release);
		return true;
	case 'a':
		(void)snprintf(value, VALUE_SIZE, "%s", strcmp(name.machine, "x86_64") == 0 ? "x86-64" : name.machine);
		return true;
	case 'm':
		first_line("/etc/machine-id", value);
		return true;
	case 'b':
		uuid_line("/proc/sys/kernel/random/boot_id", value);
		return true;
	case 'o':
		os_release("ID", value);
		return true;
	case 'w':
		os_release("VERSION_ID", value);
		return true;
	case 'B':
		os_release("BUILD_ID", value);
		return true;
	case 'W':
		os_release("VARIANT_ID", value);
		return true;
	case 'M':
		os_release("IMAGE_ID", value);
		return true;
	case 'A':
		os_release("IMAGE_VERSION", value);
		return true;
	default:
		return false;
	}
}

/* What names the unit. */
static bool name_value(char letter, const struct unit_name *name, const struct unit_place *place, char value[VALUE_SIZE])
{
	const char *dash = strrchr(name->prefix, '-'), *final = dash ? dash + 1 : name->prefix;
	const char *of = letter == 'f' ? name->has_instance ? name->instance : name->prefix : NULL;
	const char *base = place->path ? strrchr(place->path, '/') : NULL;

	switch (letter) {
	case 'n':
		of = name->full;
		break;
	case 'N':
		(void)snprintf(value, VALUE_SIZE, "%.*s", (int)(name->type - name->full - 1), name->full);
		return true;
	case 'p':
	case 'P':
		of = name->prefix;
		break;
	case 'i':
	case 'I':
		of = name->instance;
		break;
	case 'j':
	case 'J':
		of = final;
		break;
	case 'y':
		of = place->path ? place->path : "";
		break;
	case 'Y':
		(void)snprintf(value, VALUE_SIZE, "%.*s", base ? (int)(base - place->path) : 0, place->path ? place->path : "");
		return true;
	case 'f':
		value[0] = '/';
		(void)snprintf(value + 1, VALUE_SIZE - 1, "%s", of);
		unit_name_unescape(value + 1);
		return true;
	default:
		return false;
	}
	(void)snprintf(value, VALUE_SIZE, "%s", of);
	if (strchr("PIJ", letter))
		unit_name_unescape(value);
	return true;
}

/* What names the user, and directories. */
static bool place_value(char letter, const struct unit_place *place, char value[VALUE_SIZE])
{
	const struct {
		char letter;
		const char *text;
	} known[] = { { 't', place->runtime },
		      { 'S', place->state },
		      { 'C', place->cache },
		      { 'L', place->logs },
		      { 'E', place->config },
		      { 'D', place->data },
		      { 'h', place->home },
		      { 'u', place->user },
		      { 'g', place->group },
		      { 's', place->shell },
		      { 'T', "/tmp" },
		      { 'V', "/var/tmp" },
		      { '%', "%" } };

	if (letter == 'U' || letter == 'G') {
		(void)snprintf(value, VALUE_SIZE, "%u", letter == 'U' ? place->uid : place->gid);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].letter == letter) {
			(void)snprintf(value, VALUE_SIZE, "%s", known[i].text);
			return true;
		}
	return false;
}

int unit_specifiers(const char *text, const struct unit_name *name, const struct unit_place *place, char **ret)
{
	char *out = NULL, value[VALUE_SIZE];
	size_t size;
	FILE *to = open_memstream(&out, &size);
	int r = 0;

	if (!to)
		return -ENOMEM;
	for (; *text && r == 0; text++) {
		if (*text != '%') {
			(void)fputc(*text, to);
			continue;
		}
		text++;
		if (*text &&
		    (name_value(*text, name, place, value) || place_value(*text, place, value) || machine_value(*text, value)))
			(void)fputs(value, to);
		else
			r = -EINVAL;
		if (!*text)
			break;
	}
	if (fclose(to) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		free(out);
		return r;
	}
	*ret = out;
	return 0;
}
