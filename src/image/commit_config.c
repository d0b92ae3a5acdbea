// SPDX-License-Identifier: Apache-2.0
/* The configuration of an image that was made of a run (image-spec config.md). What is not known here is kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/commit.h"
#include "image/image_json.h"
#include "image/instruction.h"

/* A member that is an object, made when it is missing or null. */
static json_t *object_of(json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);
	if (json_is_object(value))
		return value;
	value = json_object();
	return json_object_set_new(from, name, value) ? NULL : value;
}

static bool has_variable(const json_t *env, const char *pair)
{
	size_t length = strcspn(pair, "=") + 1;
	for (size_t i = 0; i < json_array_size(env); i++) {
		const char *text = json_string_value(json_array_get(env, i));
		if (text && strncmp(text, pair, length) == 0)
			return true;
	}
	return false;
}

/* The run's variables, but for those that lichen adds to each and the image does not name. */
static int put_env(json_t *config, const json_t *given)
{
	json_t *env = json_array(), *pair;
	size_t i;
	json_array_foreach(given, i, pair)
	{
		const char *text = json_string_value(pair);
		bool added = text && (strncmp(text, "HOME=", 5) == 0 || strncmp(text, "TERM=", 5) == 0);
		if (text && (!added || has_variable(json_object_get(config, "Env"), text)) && json_array_append(env, pair))
			return -ENOMEM;
	}
	return json_object_set_new(config, "Env", env) ? -ENOMEM : 0;
}

/* The run's command: behind the image's entrypoint, if it begins so. */
static int put_command(json_t *config, const json_t *command)
{
	const json_t *entrypoint = json_object_get(config, "Entrypoint");
	size_t count = json_array_size(entrypoint), same = 0;
	while (same < count && json_equal(json_array_get(entrypoint, same), json_array_get(command, same)))
		same++;
	if (same < count) {
		(void)json_object_del(config, "Entrypoint");
		same = 0;
	}
	json_t *words = json_array();
	for (size_t i = same; i < json_array_size(command); i++)
		if (json_array_append(words, json_array_get(command, i)))
			return -ENOMEM;
	if (json_array_size(words) == 0) {
		json_decref(words);
		return json_object_set_new(config, "Cmd", json_null()) ? -ENOMEM : 0;
	}
	return json_object_set_new(config, "Cmd", words) ? -ENOMEM : 0;
}

static int put_run(json_t *root, const struct image_commit *commit, struct image_error *ret_error)
{
	json_t *config = object_of(root, "config");
	bool cmd_set = false;
	if (!config)
		return -ENOMEM;
	int error = put_env(config, commit->env);
	if (!error)
		error = put_command(config, commit->command);
	if (!error && commit->workdir && json_object_set_new(config, "WorkingDir", json_string(commit->workdir)))
		error = -ENOMEM;
	if (!error && json_object_size(commit->labels) && json_object_update(object_of(config, "Labels"), commit->labels))
		error = -ENOMEM;
	for (const char *const *at = commit->instructions; !error && at && *at; at++)
		error = instruction_apply(config, *at, &cmd_set, ret_error);
	return error;
}

/* One row a layer: those that the image lacks are added, so that the new one's stands in its place. */
static int put_history(json_t *root, size_t layers, const struct image_commit *commit, const char *now)
{
	json_t *history = json_object_get(root, "history"), *row, *word;
	size_t count = 0, i;
	if (!json_is_array(history)) {
		history = json_array();
		if (json_object_set_new(root, "history", history))
			return -ENOMEM;
	}
	json_array_foreach(history, i, row) count += !json_is_true(json_object_get(row, "empty_layer"));
	for (; count < layers; count++)
		if (json_array_append_new(history, json_pack("{s:s}", "created_by", "")))
			return -ENOMEM;
	char line[1024];
	size_t used = 0;
	line[0] = '\0';
	json_array_foreach(commit->command, i, word)
	{
		const char *text = json_string_value(word);
		if (!text || used + strlen(text) + 2 > sizeof(line)) /* whole words: what is cut is no UTF-8 */
			break;
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", used ? " " : "", text);
	}
	row = json_pack("{s:s, s:s}", "created", now, "created_by", line);
	if (!row || (commit->author && json_object_set_new(row, "author", json_string(commit->author))) ||
	    (commit->message && json_object_set_new(row, "comment", json_string(commit->message)))) {
		json_decref(row);
		return -ENOMEM;
	}
	return json_array_append_new(history, row) ? -ENOMEM : 0;
}

static int put_layer(json_t *root, const struct digest *layer, const char *now, const struct image_commit *commit)
{
	char text[DIGEST_TEXT_SIZE];
	json_t *ids = json_object_get(json_object_get(root, "rootfs"), "diff_ids");
	size_t before = json_array_size(ids);
	if (json_array_append_new(ids, json_string(digest_text(layer, text))) ||
	    json_object_set_new(root, "created", json_string(now)) ||
	    (commit->author && json_object_set_new(root, "author", json_string(commit->author))))
		return -ENOMEM;
	(void)json_object_del(root, "container"); /* Docker's words about the run that made the image below */
	(void)json_object_del(root, "container_config");
	return put_history(root, before, commit, now);
}

int commit_config(const char *parent, size_t size, const struct image_commit *commit, const struct digest *layer, const char *now,
		  char **ret_text, struct image_error *ret_error)
{
	json_t *root, *ids;
	int error = image_json_load(parent, size, IMAGE_CONFIG_MAX, "image's configuration", &root, ret_error);
	if (error)
		return error;
	ids = json_object_get(json_object_get(root, "rootfs"), "diff_ids");
	if (!json_is_array(ids))
		error = image_fail(ret_error, -EBADMSG, "the image's configuration names no layers");
	if (!error)
		error = put_run(root, commit, ret_error);
	if (!error)
		error = put_layer(root, layer, now, commit);
	char *text = error ? NULL : json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (!error && !text)
		error = -ENOMEM;
	if (error == -ENOMEM)
		(void)image_fail(ret_error, error, "out of memory, or text that is no UTF-8");
	*ret_text = text;
	return error;
}
