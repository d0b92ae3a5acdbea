// SPDX-License-Identifier: Apache-2.0
/* lichen system: what images, cells and volumes take on disk, and the removal of what nobody uses. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/image_words.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "host/tree.h"
#include "host/volumes.h"
#include "lichen.h"

struct system_options {
	bool json, all, volumes, force;
};

static const struct option_row options[] = {
	{ .name = "json", .offset = offsetof(struct system_options, json), .help = "print JSON, described in docs/cell-json.md" },
	{ .name = "all",
	  .letter = 'a',
	  .offset = offsetof(struct system_options, all),
	  .help = "prune: also images that no cell was made of" },
	{ .name = "volumes",
	  .offset = offsetof(struct system_options, volumes),
	  .help = "prune: also named volumes that no cell was made with" },
	{ .name = "force", .letter = 'f', .offset = offsetof(struct system_options, force), .help = "prune: do not ask" },
};

/* One kind of things. */
struct use {
	size_t total, active;
	u64 size, reclaimable; /* bytes */
};

/* Everything that is open while a command works. */
struct at {
	const struct system_options *given;
	struct image_store images;
	int cells, volumes; /* directories */
	char path[PATH_MAX];
};

/* Bytes of what lies below a name; 0 when that cannot be told. */
static u64 measure(int dir, const char *name)
{
	CLEANUP_FD int fd = tree_enter(dir, name);
	struct tree_size size;
	return fd >= 0 && tree_measure(fd, &size) == 0 ? size.bytes : 0;
}

/* --- images ------------------------------------------------------------------------------------------------------------------------------ */

/* Whether a cell was made of it. */
static bool is_pinned(const struct store_refs *pins, const struct digest *manifest)
{
	struct stat st;
	for (size_t i = 0; i < pins->count; i++)
		if (digest_equal(&pins->rows[i].manifest, manifest) && lstat(pins->rows[i].name, &st) == 0)
			return true;
	return false;
}

/* Whether an earlier name leads to it. */
static bool is_repeated(const struct store_refs *refs, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (digest_equal(&refs->rows[i].manifest, &refs->rows[row].manifest))
			return true;
	return false;
}

/* Bytes of an image's root. */
static u64 root_size(const struct image_store *store, const struct digest *manifest)
{
	struct image_manifest parsed;
	struct image_config config;
	struct image_error ignored;
	struct tree_size size = { 0 };
	if (image_load_manifest(store, manifest, &parsed, &config, &ignored))
		return 0;
	struct digest chain = digest_chain(config.diff_ids, config.layer_count);
	CLEANUP_FD int root = store_root_open(store, &chain);
	int error = root < 0 ? root : tree_measure(root, &size);
	manifest_done(&parsed);
	image_config_done(&config);
	return error ? 0 : size.bytes;
}

static int list_images(const struct image_store *store, struct store_refs *refs, struct store_refs *pins)
{
	int error = store_refs_list(store, "refs", refs);
	if (error)
		return error;
	error = store_refs_list(store, "pins", pins);
	if (error)
		store_refs_done(refs);
	return error;
}

static int use_of_images(const struct image_store *store, struct use *ret)
{
	struct store_refs refs, pins;
	struct use use = { .size = measure(store->dir, "blobs") + measure(store->dir, "roots") };
	int error = list_images(store, &refs, &pins);
	if (error)
		return error;
	for (size_t i = 0; i < refs.count; i++) {
		if (is_repeated(&refs, i))
			continue;
		bool active = is_pinned(&pins, &refs.rows[i].manifest);
		use.total++;
		use.active += active;
		use.reclaimable += active ? 0 : root_size(store, &refs.rows[i].manifest);
	}
	store_refs_done(&refs);
	store_refs_done(&pins);
	*ret = use;
	return 0;
}

/* Removes the names of images that no cell was made of. */
static int prune_images(const struct image_store *store, json_t *names)
{
	struct store_refs refs, pins;
	int error = list_images(store, &refs, &pins);
	if (error)
		return error;
	for (size_t i = 0; i < refs.count && !error; i++) {
		if (is_pinned(&pins, &refs.rows[i].manifest))
			continue;
		error = store_ref_remove(store, refs.rows[i].name);
		if (!error)
			(void)json_array_append_new(names, json_out_text(refs.rows[i].name));
		else if (error == -ENOENT)
			error = 0; /* somebody was faster */
	}
	store_refs_done(&refs);
	store_refs_done(&pins);
	return error;
}

/* --- cells ------------------------------------------------------------------------------------------------------------------------------- */

/* Calls `each` for every cell. 0 or negative errno. */
static int each_cell(const struct at *at, int (*each)(const struct at *at, const struct cell_found *found, void *arg), void *arg)
{
	char(*ids)[CELL_ID_SIZE];
	int count = cell_store_list(at->cells, &ids), error = count < 0 ? count : 0;
	for (int i = 0; i < count && !error; i++) {
		struct cell_found found;
		if (cells_get(at->cells, ids[i], &found) < 0)
			continue;
		error = each(at, &found, arg);
		cells_done(&found);
	}
	if (count >= 0)
		free(ids);
	return error;
}

static int add_cell(const struct at *at, const struct cell_found *found, void *arg)
{
	struct use *use = arg;
	u64 size = measure(at->cells, found->id);
	bool alive = cell_store_alive(found->dir);
	use->total++;
	use->active += alive;
	use->size += size;
	use->reclaimable += alive ? 0 : size;
	return 0;
}

static int prune_cell(const struct at *at, const struct cell_found *found, void *arg)
{
	json_t *ids = arg;
	if (cell_store_alive(found->dir))
		return 0;
	int error = cells_remove(at->cells, found, false);
	if (!error)
		(void)json_array_append_new(ids, json_string(found->id));
	return error == -EBUSY || error == -ENOENT ? 0 : error; /* it was started, or removed */
}

/* --- volumes ----------------------------------------------------------------------------------------------------------------------------- */

static int use_of_volumes(const struct at *at, json_t *users, struct use *use)
{
	char(*names)[VOLUME_NAME_MAX + 1];
	int count = volumes_list(at->volumes, &names);
	for (int i = 0; i < count; i++) {
		u64 size = measure(at->volumes, names[i]);
		bool active = json_object_get(users, names[i]);
		use->total++;
		use->active += active;
		use->size += size;
		use->reclaimable += active ? 0 : size;
	}
	if (count >= 0)
		free(names);
	return count < 0 ? count : 0;
}

static int prune_volumes(const struct at *at, json_t *users, json_t *removed)
{
	char(*names)[VOLUME_NAME_MAX + 1];
	int count = volumes_list(at->volumes, &names), error = count < 0 ? count : 0;
	for (int i = 0; i < count && !error; i++) {
		if (json_object_get(users, names[i]))
			continue;
		error = volume_remove(at->volumes, names[i]);
		if (!error)
			(void)json_array_append_new(removed, json_string(names[i]));
		else if (error == -EBUSY || error == -ENOENT) /* a command that is no cell uses it */
			error = 0;
	}
	if (count >= 0)
		free(names);
	return error;
}

/* --- df ---------------------------------------------------------------------------------------------------------------------------------- */

static int failed(const char *what, int error)
{
	fprintf(stderr, "lichen system: %s: %s (%s)\n", what, strerror(-error), errno_name(-error));
	return CELLS_FAILED;
}

static json_t *use_json(const struct use *use)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "total", (json_int_t)use->total, "active", (json_int_t)use->active, "size",
			 (json_int_t)use->size, "reclaimable", (json_int_t)use->reclaimable);
}

static void print_use(const char *what, const struct use *use)
{
	char size[16], reclaimable[16];
	printf("%-8s  %5zu  %6zu  %9s  %s\n", what, use->total, use->active, size_words(use->size, size),
	       size_words(use->reclaimable, reclaimable));
}

static int df(struct at *at)
{
	struct use images = { 0 }, cells = { 0 }, volumes = { 0 };
	json_t *users = volume_users(&command_system);
	int error = users ? use_of_images(&at->images, &images) : -EIO;
	if (!error)
		error = each_cell(at, add_cell, &cells);
	if (!error)
		error = use_of_volumes(at, users, &volumes);
	json_decref(users);
	if (error)
		return failed("cannot look at what there is", error);
	if (at->given->json)
		return json_out_print(json_pack("{s:s, s:o, s:o, s:o}", "schema", LICHEN_SYSTEM_SCHEMA, "images", use_json(&images),
						"cells", use_json(&cells), "volumes", use_json(&volumes)),
				      stdout)
			     ? CELLS_FAILED
			     : 0;
	printf("%-8s  %5s  %6s  %9s  %s\n", "TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE");
	print_use("Images", &images);
	print_use("Cells", &cells);
	print_use("Volumes", &volumes);
	return 0;
}

/* --- prune ------------------------------------------------------------------------------------------------------------------------------- */

/* Whether it is to be done. */
static bool confirmed(const struct system_options *given)
{
	char line[16] = "";
	if (given->force)
		return true;
	fprintf(stderr, "This removes all cells that have ended%s%s. Go on? [y/N] ",
		given->volumes ? ", named volumes that no cell was made with" : "",
		given->all ? ", images that no cell was made of" : "");
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static u64 measure_all(const struct at *at)
{
	struct tree_size size;
	u64 bytes = 0;
	const int dirs[] = { at->images.dir, at->cells, at->volumes };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		CLEANUP_FD int dir = openat(dirs[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bytes += dir >= 0 && tree_measure(dir, &size) == 0 ? size.bytes : 0;
	}
	return bytes;
}

static void print_removed(const char *what, const json_t *names)
{
	const json_t *name;
	size_t i;
	if (json_array_size(names))
		printf("%s:\n", what);
	json_array_foreach(names, i, name)
	{
		printf("%s\n", json_string_value(name));
	}
}

static int prune(struct at *at)
{
	if (!confirmed(at->given))
		return 0;
	json_t *cells = json_array(), *volumes = json_array(), *images = json_array(), *users = NULL;
	struct store_garbage garbage;
	struct image_error ignored;
	u64 before = measure_all(at), after;
	int error = each_cell(at, prune_cell, cells);
	if (!error && at->given->volumes) {
		users = volume_users(&command_system);
		error = users ? prune_volumes(at, users, volumes) : -EIO;
	}
	if (!error && at->given->all)
		error = prune_images(&at->images, images);
	if (!error)
		error = store_collect(&at->images, &garbage, &ignored);
	after = measure_all(at);
	before = before > after ? before - after : 0;
	if (at->given->json) {
		if (json_out_print(json_pack("{s:s, s:O, s:O, s:O, s:I}", "schema", LICHEN_PRUNE_SCHEMA, "cells", cells, "volumes",
					     volumes, "images", images, "reclaimed", (json_int_t)before),
				   stdout))
			error = error ? error : -ENOMEM;
	} else {
		print_removed("Cells", cells);
		print_removed("Volumes", volumes);
		print_removed("Images", images);
		char size[16];
		printf("Reclaimed: %s\n", size_words(before, size));
	}
	json_decref(cells);
	json_decref(volumes);
	json_decref(images);
	json_decref(users);
	return error ? failed("not all could be removed", error) : 0;
}

static int act(const struct system_options *given, int (*action)(struct at *at))
{
	struct at at = { .given = given };
	CLEANUP_FD int cells = cells_open(&command_system), volumes = cells < 0 ? -EIO : volumes_open(at.path);
	if (cells < 0)
		return CELLS_FAILED;
	if (volumes < 0)
		return failed(at.path, volumes);
	at.cells = cells;
	at.volumes = volumes;
	int status = image_store_begin(&command_system, &at.images);
	if (status)
		return status;
	status = action(&at);
	store_close(&at.images);
	return command_flush(status);
}

static int run(int argc, char **argv)
{
	struct system_options given = { 0 };
	int first, status = command_parse(&command_system, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_system, "it takes one word: df or prune");
	if (strcmp(argv[first], "prune") == 0)
		return act(&given, prune);
	if (strcmp(argv[first], "df") != 0)
		return command_no_action(&command_system, argv[first], "df or prune");
	if (given.all || given.volumes || given.force)
		return command_usage(&command_system, "df takes no option but --json");
	return act(&given, df);
}

static const char *const notes[] = {
	"df: tells what images, cells and volumes take, and how much of that nobody uses. prune: removes cells that have ended, and what else is asked for.",
	"Exit status: 0; 1 it could not be done, 64 wrong words.",
	NULL,
};

const struct command command_system = {
	.name = "system",
	.synopsis = "df | prune [OPTION…]",
	.summary = "Tells what is on disk, and removes what is not used",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
