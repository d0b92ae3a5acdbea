/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the files of a unit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "units/unit.h"

#define ALIASES_MAX 8

int unit_directories(struct word_list *ret)
{
	static const char *const fixed[] = { "/etc/lichen/units",   "/etc/systemd/system",
					     "/run/systemd/system", "/usr/local/lib/systemd/system",
					     "/lib/systemd/system", "/usr/lib/systemd/system" };
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int r = 0;

	if (config && *config == '/')
		r = word_list_printf(ret, "%s/lichen/units", config);
	else if (home && *home == '/')
		r = word_list_printf(ret, "%s/.config/lichen/units", home);
	for (size_t i = 0; i < ARRAY_SIZE(fixed) && r == 0; i++) {
		struct stat st, last;

		if (i > 0 && stat(fixed[i], &st) == 0 && stat(fixed[i - 1], &last) == 0 && st.st_ino == last.st_ino &&
		    st.st_dev == last.st_dev)
			continue; /* /lib is /usr/lib */
		r = word_list_add(ret, fixed[i]);
	}
	return r;
}

/* The file of this very name; its path goes to `path`. */
static bool find_file(const struct word_list *directories, const char *name, char path[PATH_MAX])
{
	struct stat st;

	for (size_t i = 0; i < directories->count; i++)
		if (snprintf(path, PATH_MAX, "%s/%s", directories->words[i], name) < PATH_MAX && lstat(path, &st) == 0 &&
		    !S_ISDIR(st.st_mode))
			return true;
	return false;
}

/* The unit's file, or that of its template. */
static bool find(const struct word_list *directories, const struct unit_name *name, char path[PATH_MAX])
{
	char template[UNIT_NAME_MAX + 1];

	if (find_file(directories, name->full, path))
		return true;
	unit_name_template(name, template);
	return *template && find_file(directories, template, path);
}

/* Where a link leads when it makes its name an alias: another unit's name, with our instance. False: it does not. */
static bool alias_of(const char *path, const struct unit_name *name, struct unit_name *ret)
{
	char target[PATH_MAX], text[2 * UNIT_NAME_MAX + 4];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *base;
	struct unit_name other;

	if (n <= 0)
		return false;
	target[n] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (unit_name_parse(base, &other) < 0 || strcmp(other.full, base) != 0 || strcmp(other.type, name->type) != 0)
		return false;
	if (other.is_template && name->has_instance) {
		(void)snprintf(text, sizeof(text), "%s@%s.%s", other.prefix, name->instance, other.type);
		if (strlen(text) > UNIT_NAME_MAX || unit_name_parse(text, &other) < 0)
			return false;
	}
	if (other.is_template || strcmp(other.full, name->full) == 0)
		return false;
	*ret = other;
	ret->type = ret->full + (other.type - other.full);
	return true;
}

static bool is_mask(const char *path)
{
	struct stat st, null;

	if (stat(path, &st) < 0)
		return false;
	if (S_ISCHR(st.st_mode))
		return stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
	return S_ISREG(st.st_mode) && st.st_size == 0;
}

/* A file of a directory of drop-ins. */
struct drop_in {
	char name[NAME_MAX + 1];
	char *path;
};

struct drop_ins {
	struct drop_in *rows;
	size_t count;
};

static int add_drop_in(struct drop_ins *all, const char *directory, const char *name)
{
	struct drop_in *rows;

	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->rows[i].name, name) == 0)
			return 0; /* an earlier directory has it */
	rows = reallocarray(all->rows, all->count + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	all->rows = rows;
	(void)snprintf(rows[all->count].name, sizeof(rows->name), "%s", name);
	if (asprintf(&rows[all->count].path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	all->count++;
	return 0;
}

static int look_in(struct drop_ins *all, const char *directory)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	int r = 0;

	if (!stream)
		return 0;
	while (r == 0 && (entry = readdir(stream))) {
		size_t length = strlen(entry->d_name);

		if (length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0)
			r = add_drop_in(all, directory, entry->d_name);
	}
	(void)closedir(stream);
	return r;
}

/* The names of directories of drop-ins, the most special one first. */
static int drop_in_names(const struct unit_name *name, struct word_list *ret)
{
	char template[UNIT_NAME_MAX + 1], prefix[UNIT_NAME_MAX + 1];
	char *dash;
	int r = word_list_printf(ret, "%s.d", name->full);

	unit_name_template(name, template);
	if (r == 0 && *template)
		r = word_list_printf(ret, "%s.d", template);
	(void)snprintf(prefix, sizeof(prefix), "%s", name->prefix);
	while (r == 0 && (dash = strrchr(prefix, '-'))) {
		*dash = '\0';
		if (*prefix && dash[1]) /* a-b-c: a-b-, a- */
			r = word_list_printf(ret, "%s-.%s.d", prefix, name->type);
	}
	return r == 0 ? word_list_printf(ret, "%s.d", name->type) : r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

static int read_drop_ins(const struct word_list *directories, const struct word_list *names, struct unit *unit)
{
	struct drop_ins all = { 0 };
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < names->count; i++)
		for (size_t j = 0; j < directories->count && r == 0; j++)
			if (snprintf(path, sizeof(path), "%s/%s", directories->words[j], names->words[i]) < (int)sizeof(path))
				r = look_in(&all, path);
	if (all.count)
		qsort(all.rows, all.count, sizeof(*all.rows), compare);
	for (size_t i = 0; i < all.count; i++) {
		int error =
			r < 0 || is_mask(all.rows[i].path) ? 0 : unit_text_read(all.rows[i].path, &unit->settings, &unit->notes);

		if (error == -ENOMEM)
			r = error;
		else if (error)
			r = word_list_printf(&unit->notes, "%s: cannot be read: %s", all.rows[i].path, strerrordesc_np(-error));
		else if (r == 0 && !is_mask(all.rows[i].path))
			r = word_list_add(&unit->drop_ins, all.rows[i].path);
		free(all.rows[i].path);
	}
	free(all.rows);
	return r;
}

/* The units that NAME.wants and the like link to. */
static int read_links(const struct word_list *directories, const char *name, const char *what, struct word_list *ret)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < directories->count && r == 0; i++) {
		DIR *stream;
		const struct dirent *entry;

		(void)snprintf(path, sizeof(path), "%s/%s.%s", directories->words[i], name, what);
		stream = opendir(path);
		while (stream && r == 0 && (entry = readdir(stream)))
			if (*entry->d_name != '.' && !word_list_has(ret, entry->d_name))
				r = word_list_add(ret, entry->d_name);
		if (stream)
			(void)closedir(stream);
	}
	return r;
}

static int read_unit(const struct word_list *directories, const char *path, struct unit *unit)
{
	struct word_list names = { 0 };
	int r;

	unit->path = strdup(path);
	if (!unit->path)
		return -ENOMEM;
	if (is_mask(path)) {
		unit->load = UNIT_MASKED;
		return 0;
	}
	r = unit_text_read(path, &unit->settings, &unit->notes);
	if (r < 0 && r != -ENOMEM) {
		unit->load = UNIT_BAD;
		unit->error = -r;
		return 0;
	}
	if (r == 0)
		r = drop_in_names(&unit->name, &names);
	if (r == 0)
		r = read_drop_ins(directories, &names, unit);
	word_list_done(&names);
	if (r == 0)
		r = read_links(directories, unit->name.full, "wants", &unit->wants);
	return r == 0 ? read_links(directories, unit->name.full, "requires", &unit->requires) : r;
}

int unit_load(const struct word_list *directories, const char *name, struct unit **ret)
{
	struct unit *unit = calloc(1, sizeof(*unit));
	char path[PATH_MAX];
	bool found = false;
	int r = unit ? unit_name_parse(name, &unit->name) : -ENOMEM;

	if (r == 0 && unit->name.is_template)
		r = -EINVAL;
	for (int i = 0; i < ALIASES_MAX && r == 0; i++) {
		struct unit_name other;

		found = find(directories, &unit->name, path);
		if (!found || !alias_of(path, &unit->name, &other))
			break;
		unit->name = other;
		unit->name.type = unit->name.full + (other.type - other.full);
	}
	if (r == 0 && found)
		r = read_unit(directories, path, unit);
	else if (r == 0)
		unit->load = UNIT_NOT_FOUND;
	if (r < 0) {
		unit_free(unit);
		return r;
	}
	*ret = unit;
	return 0;
}

void unit_free(struct unit *unit)
{
	if (!unit)
		return;
	free(unit->path);
	word_list_done(&unit->drop_ins);
	word_list_done(&unit->notes);
	word_list_done(&unit->wants);
	word_list_done(&unit->requires);
	unit_settings_done(&unit->settings);
	free(unit);
}
