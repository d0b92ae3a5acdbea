/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's file tree in its config.json. */
#include "host/cell_tree.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cell_config.h"

static json_t *text_or_null(const char *text)
{
	return text ? cell_text_json(text) : json_null();
}

/* Where what is mounted lies on the machine; what is no absolute path is seen from the cell's directory. */
static json_t *host_json(const struct mount_spec *mount, u32 index)
{
	char path[PATH_MAX];

	if (mount->kind == MOUNT_BIND)
		return cell_text_json(realpath(mount->source, path) ? path : mount->source);
	if (mount->kind == MOUNT_VOLUME && mount->source)
		(void)snprintf(path, sizeof(path), "../../volumes/%s/_data", mount->source);
	else
		(void)snprintf(path, sizeof(path), "scratch/mount%u", index);
	return cell_text_json(path);
}

static json_t *volumes_json(const struct cell_tree *tree)
{
	json_t *array = json_array();

	for (u32 i = 0; tree->mounts && i < tree->mounts->count; i++) {
		const struct mount_spec *mount = &tree->mounts->mounts[i];
		bool named = mount->kind == MOUNT_VOLUME && mount->source;
		json_t *row =
			json_pack("{s:s, s:o, s:o, s:o, s:b, s:I, s:I, s:b, s:b, s:b}", "type", mount_kind_name(mount->kind),
				  "name", text_or_null(named ? mount->source : NULL), "host", host_json(mount, i), "guest",
				  cell_text_json(mount->target), "read_only", mount->read_only, "size", (json_int_t)mount->size,
				  "mode", (json_int_t)mount->mode, "exec", mount->exec, "suid", mount->suid, "dev", mount->dev);

		if (json_array_append_new(array, row) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *groups_json(const struct identity_start *identity)
{
	json_t *array = json_array();

	for (u32 i = 0; i < identity->group_count; i++)
		(void)json_array_append_new(array, json_integer(identity->groups[i]));
	return array;
}

static json_t *words_json(const char *const *words)
{
	json_t *array = json_array();

	for (; words && *words; words++)
		(void)json_array_append_new(array, cell_text_json(*words));
	return array;
}

json_t *cell_tree_json(const struct cell_tree *tree)
{
	json_t *image;

	if (!tree || !tree->root)
		return json_null();
	image = tree->image ? json_pack("{s:s, s:s, s:s}", "name", tree->image, "id", tree->image_id, "manifest", tree->manifest)
			    : json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "root", cell_text_json(tree->root),
			 "upper", text_or_null(tree->upper), "work", text_or_null(tree->work), "volumes", volumes_json(tree),
			 "read_only", tree->read_only, "uid", (json_int_t)tree->identity.uid, "gid", (json_int_t)tree->identity.gid,
			 "groups", groups_json(&tree->identity), "image", image, "hosts", words_json(tree->hosts), "dns",
			 words_json(tree->dns), "dns_search", words_json(tree->dns_search), "dns_options",
			 words_json(tree->dns_options));
}

/* A path of the object, or NULL; one that is not absolute is the cell's own. */
static char *path_of(const json_t *object, const char *member, const char *cell)
{
	char *text = cell_text_bytes(json_object_get(object, member)), *path = NULL;

	if (!text || *text == '/')
		return text;
	if (asprintf(&path, "%s/%s", cell, text) < 0)
		path = NULL;
	free(text);
	return path;
}

static int read_volumes(const json_t *array, const char *cell, struct cell_tree_spec *spec)
{
	size_t count = json_array_size(array);

	if (count > ROOT_BINDS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(array, i);
		const char *type = json_string_value(json_object_get(row, "type"));

		spec->stage.binds[i] = (struct root_bind){ .host = path_of(row, "host", cell),
							   .guest = cell_text_bytes(json_object_get(row, "guest")),
							   .read_only = json_is_true(json_object_get(row, "read_only")),
							   .kind = type && !strcmp(type, "tmpfs") ? ROOT_TMPFS : ROOT_BIND,
							   .size = (u64)json_integer_value(json_object_get(row, "size")),
							   .mode = (u32)json_integer_value(json_object_get(row, "mode")),
							   .exec = json_is_true(json_object_get(row, "exec")),
							   .suid = json_is_true(json_object_get(row, "suid")),
							   .dev = json_is_true(json_object_get(row, "dev")) };
		spec->stage.bind_count = (u32)i + 1;
		if (!spec->stage.binds[i].host || !spec->stage.binds[i].guest)
			return -EBADMSG;
	}
	return 0;
}

static int read_tree(const json_t *tree, const char *cell, struct cell_tree_spec *spec)
{
	const json_t *image = json_object_get(tree, "image");

	spec->texts[0] = path_of(tree, "root", cell);
	spec->texts[1] = path_of(tree, "upper", cell);
	spec->texts[2] = path_of(tree, "work", cell);
	spec->texts[3] = cell_text_bytes(json_object_get(image, "name"));
	spec->texts[4] = cell_text_bytes(json_object_get(image, "id"));
	spec->texts[5] = cell_text_bytes(json_object_get(image, "manifest"));
	if (!spec->texts[0] || (json_is_object(image) && (!spec->texts[3] || !spec->texts[4] || !spec->texts[5])))
		return -EBADMSG;
	spec->tree = (struct cell_tree){
		.root = spec->texts[0],
		.upper = spec->texts[1],
		.work = spec->texts[2],
		.identity = { .uid = (u32)json_integer_value(json_object_get(tree, "uid")),
			      .gid = (u32)json_integer_value(json_object_get(tree, "gid")) },
		.image = spec->texts[3],
		.image_id = spec->texts[4],
		.manifest = spec->texts[5],
	};
	spec->stage = (struct root_spec){ .directory = spec->tree.root, .upper = spec->tree.upper, .work = spec->tree.work };
	return read_volumes(json_object_get(tree, "volumes"), cell, spec);
}

int cell_tree_read(const json_t *config, int dir, struct cell_tree_spec *ret)
{
	const json_t *tree = json_object_get(config, "tree");
	char link[64], cell[PATH_MAX];
	ssize_t n;
	int r;

	*ret = (struct cell_tree_spec){ 0 };
	if (!json_is_object(tree))
		return -ENODATA;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, cell, sizeof(cell) - 1);
	if (n < 0)
		return -errno;
	cell[n] = '\0';
	r = read_tree(tree, cell, ret);
	if (r < 0)
		cell_tree_done(ret);
	return r;
}

void cell_tree_done(struct cell_tree_spec *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(spec->texts); i++)
		free(spec->texts[i]);
	for (u32 i = 0; i < spec->stage.bind_count; i++) {
		free((char *)(uintptr_t)spec->stage.binds[i].host);
		free((char *)(uintptr_t)spec->stage.binds[i].guest);
	}
	*spec = (struct cell_tree_spec){ 0 };
}
