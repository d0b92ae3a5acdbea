// SPDX-License-Identifier: Apache-2.0
/* An image's configuration from JSON and to it. */
#include "image/image_config.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "image/image_json.h"
#include "image/manifest.h"

static int wrong(struct image_error *ret_error, const char *name, const char *what)
{
	return image_fail(ret_error, -EBADMSG, "the image's configuration: %s is no %s", name, what);
}

/* A text; missing and null count as "". */
static int get_text(json_t *from, const char *name, char **ret_text, struct image_error *ret_error)
{
	json_t *value = json_object_get(from, name);
	const char *text = json_is_null(value) || !value ? "" : json_string_value(value);
	if (!text)
		return wrong(ret_error, name, "text");
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

static char **new_list(size_t count)
{
	return calloc(count + 1, sizeof(char *));
}

/* A list of texts; missing and null count as the empty list. */
static int get_list(json_t *from, const char *name, char ***ret_list, struct image_error *ret_error)
{
	json_t *value = json_object_get(from, name);
	size_t count = json_array_size(value);
	if (value && !json_is_null(value) && !json_is_array(value))
		return wrong(ret_error, name, "list");
	if (count > IMAGE_CONFIG_LIST_MAX)
		return wrong(ret_error, name, "list of a sane length");
	*ret_list = new_list(count);
	for (size_t i = 0; *ret_list && i < count; i++) {
		const char *text = json_string_value(json_array_get(value, i));
		if (!text)
			return wrong(ret_error, name, "list of texts");
		(*ret_list)[i] = strdup(text);
		if (!(*ret_list)[i])
			return -ENOMEM;
	}
	return *ret_list ? 0 : -ENOMEM;
}

/* The names of an object's members: Volumes is written {"/path": {}}. */
static int get_names(json_t *from, const char *name, char ***ret_list, struct image_error *ret_error)
{
	json_t *object = json_object_get(from, name), *value;
	const char *key;
	size_t count = json_object_size(object), i = 0;
	if (object && !json_is_null(object) && !json_is_object(object))
		return wrong(ret_error, name, "object");
	if (count > IMAGE_CONFIG_LIST_MAX)
		return wrong(ret_error, name, "object of a sane size");
	*ret_list = new_list(count);
	if (!*ret_list)
		return -ENOMEM;
	json_object_foreach(object, key, value)
	{
		if (*key != '/')
			return wrong(ret_error, name, "object of absolute paths");
		(*ret_list)[i] = strdup(key);
		if (!(*ret_list)[i++])
			return -ENOMEM;
	}
	return 0;
}

static int compare_labels(const void *a, const void *b)
{
	const struct image_label *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static int get_labels(json_t *from, struct image_config *config, struct image_error *ret_error)
{
	json_t *object = json_object_get(from, "Labels"), *value;
	const char *key;
	size_t count = json_object_size(object);
	if (object && !json_is_null(object) && !json_is_object(object))
		return wrong(ret_error, "Labels", "object");
	if (count > IMAGE_CONFIG_LIST_MAX)
		return wrong(ret_error, "Labels", "object of a sane size");
	config->labels = calloc(count + 1, sizeof(*config->labels));
	if (!config->labels)
		return -ENOMEM;
	json_object_foreach(object, key, value)
	{
		struct image_label *label = &config->labels[config->label_count++];
		if (!json_is_string(value))
			return wrong(ret_error, "Labels", "object of texts");
		label->name = strdup(key);
		label->value = strdup(json_string_value(value));
		if (!label->name || !label->value)
			return -ENOMEM;
	}
	qsort(config->labels, config->label_count, sizeof(*config->labels), compare_labels);
	return 0;
}

static int get_diff_ids(json_t *root, struct image_config *config, struct image_error *ret_error)
{
	json_t *rootfs = json_object_get(root, "rootfs"), *ids = json_object_get(rootfs, "diff_ids"),
	       *type = json_object_get(rootfs, "type");
	size_t count = json_array_size(ids);
	if (type && (!json_is_string(type) || strcmp(json_string_value(type), "layers") != 0)) /* image-spec, config.md: an error */
		return wrong(ret_error, "rootfs.type", "'layers'");
	if (count == 0 || count > MANIFEST_LAYERS_MAX)
		return wrong(ret_error, "rootfs.diff_ids", "list of layers");
	config->diff_ids = calloc(count, sizeof(*config->diff_ids));
	if (!config->diff_ids)
		return -ENOMEM;
	config->layer_count = count;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(ids, i));
		if (!text || digest_parse(text, &config->diff_ids[i]))
			return wrong(ret_error, "rootfs.diff_ids", "list of sha256 digests");
	}
	return 0;
}

static int parse(json_t *root, struct image_config *config, struct image_error *ret_error)
{
	json_t *run = json_object_get(root, "config");
	int error;
	if (run && !json_is_null(run) && !json_is_object(run))
		return wrong(ret_error, "config", "object");
	if ((error = get_text(root, "os", &config->os, ret_error)) ||
	    (error = get_text(root, "architecture", &config->architecture, ret_error)) ||
	    (error = get_text(root, "created", &config->created, ret_error)) ||
	    (error = get_text(run, "User", &config->user, ret_error)) ||
	    (error = get_text(run, "WorkingDir", &config->working_dir, ret_error)) ||
	    (error = get_text(run, "StopSignal", &config->stop_signal, ret_error)) ||
	    (error = get_list(run, "Env", &config->env, ret_error)) ||
	    (error = get_list(run, "Entrypoint", &config->entrypoint, ret_error)) ||
	    (error = get_list(run, "Cmd", &config->cmd, ret_error)) ||
	    (error = get_names(run, "Volumes", &config->volumes, ret_error)) || (error = get_labels(run, config, ret_error)) ||
	    (error = get_diff_ids(root, config, ret_error)))
		return error;
	for (size_t i = 0; config->env && config->env[i]; i++)
		if (config->env[i][0] == '=' || config->env[i][0] == '\0')
			return wrong(ret_error, "Env", "list of NAME=VALUE");
	if (config->working_dir && config->working_dir[0] && config->working_dir[0] != '/')
		return wrong(ret_error, "WorkingDir", "absolute path");
	return 0;
}

int image_config_parse(const char *json, size_t size, struct image_config *ret_config, struct image_error *ret_error)
{
	struct image_config config = { 0 };
	json_t *root;
	int error = image_json_load(json, size, IMAGE_CONFIG_MAX, "image's configuration", &root, ret_error);
	if (error)
		return error;
	error = parse(root, &config, ret_error);
	json_decref(root);
	if (error == -ENOMEM)
		(void)image_fail(ret_error, error, "out of memory");
	if (error)
		image_config_done(&config);
	else
		*ret_config = config;
	return error;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void image_config_done(struct image_config *config)
{
	free_list(config->env);
	free_list(config->entrypoint);
	free_list(config->cmd);
	free_list(config->volumes);
	free(config->user);
	free(config->working_dir);
	free(config->stop_signal);
	for (size_t i = 0; i < config->label_count; i++) {
		free(config->labels[i].name);
		free(config->labels[i].value);
	}
	free(config->labels);
	free(config->os);
	free(config->architecture);
	free(config->created);
	free(config->diff_ids);
	*config = (struct image_config){ 0 };
}

static int put_text(json_t *to, const char *name, const char *text)
{
	return text && *text ? json_object_set_new(to, name, json_string(text)) : 0;
}

static int put_list(json_t *to, const char *name, char *const *list)
{
	json_t *array = json_array();
	int error = 0;
	for (size_t i = 0; list && list[i]; i++)
		error |= json_array_append_new(array, json_string(list[i]));
	if (error || json_array_size(array) == 0) {
		json_decref(array);
		return error;
	}
	return json_object_set_new(to, name, array);
}

static int put_diff_ids(json_t *to, const struct image_config *config)
{
	json_t *ids = json_array();
	int error = 0;
	for (size_t i = 0; i < config->layer_count; i++) {
		char text[DIGEST_TEXT_SIZE];
		error |= json_array_append_new(ids, json_string(digest_text(&config->diff_ids[i], text)));
	}
	json_t *rootfs = json_pack("{s:s, s:o}", "type", "layers", "diff_ids", ids);
	return error | json_object_set_new(to, "rootfs", rootfs);
}

char *image_config_write(const struct image_config *config)
{
	json_t *root = json_object(), *run = json_object(), *volumes = json_object(), *labels = json_object();
	int error = put_text(root, "created", config->created) | put_text(root, "architecture", config->architecture) |
		    put_text(root, "os", config->os) | put_text(run, "User", config->user) | put_list(run, "Env", config->env) |
		    put_list(run, "Entrypoint", config->entrypoint) | put_list(run, "Cmd", config->cmd) |
		    put_text(run, "WorkingDir", config->working_dir) | put_text(run, "StopSignal", config->stop_signal);
	for (size_t i = 0; config->volumes && config->volumes[i]; i++)
		error |= json_object_set_new(volumes, config->volumes[i], json_object());
	for (size_t i = 0; i < config->label_count; i++)
		error |= json_object_set_new(labels, config->labels[i].name, json_string(config->labels[i].value));
	if (json_object_size(volumes))
		error |= json_object_set(run, "Volumes", volumes);
	if (json_object_size(labels))
		error |= json_object_set(run, "Labels", labels);
	error |= json_object_set(root, "config", run) | put_diff_ids(root, config);
	char *text = error ? NULL : json_dumps(root, JSON_COMPACT);
	json_decref(labels);
	json_decref(volumes);
	json_decref(run);
	json_decref(root);
	return text;
}
