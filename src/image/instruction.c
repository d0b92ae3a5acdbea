// SPDX-License-Identifier: Apache-2.0
/* Instructions of a Dockerfile. */
#include "image/instruction.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define PORT_MAX 65535ul

struct instruction {
	json_t *config;
	const char *name, *rest; /* rest: without white space around it */
	bool *cmd_set;
	struct image_error *error;
};

static int wrong(const struct instruction *in, const char *what)
{
	return image_fail(in->error, -EINVAL, "%s: %s in '%.200s'", in->name, what, in->rest);
}

static const char *skip_space(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* The words of a JSON array; NULL: it is none. */
static json_t *exec_form(const char *rest)
{
	json_t *array = *rest == '[' ? json_loads(rest, 0, NULL) : NULL, *word;
	size_t i;
	json_array_foreach(array, i, word)
	{
		if (json_is_string(word))
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

/* ["a", "b"], or a line for the shell. */
static int put_command(const struct instruction *in, const char *member)
{
	json_t *words = exec_form(in->rest);
	if (!words)
		words = json_pack("[s, s, s]", "/bin/sh", "-c", in->rest);
	if (!words)
		return wrong(in, "text that is no UTF-8");
	return json_object_set_new(in->config, member, words) ? -ENOMEM : 0;
}

static int do_cmd(const struct instruction *in)
{
	*in->cmd_set = true;
	return put_command(in, "Cmd");
}

static int do_entrypoint(const struct instruction *in)
{
	if (!*in->cmd_set)
		(void)json_object_del(in->config, "Cmd");
	return put_command(in, "Entrypoint");
}

/* --- KEY=VALUE … ---------------------------------------------------------------------------------------------------------------------- */

/* One word, which ends at white space outside quotes; quotes and backslashes are taken out. Returns what follows, NULL: a quote is open. */
static const char *take_word(const char *at, char *out)
{
	char quote = 0;
	for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
		bool escapes = *at == '\\' && at[1] && (!quote || (quote == '"' && (at[1] == '"' || at[1] == '\\')));
		if (escapes)
			*out++ = *++at;
		else if (quote ? *at == quote : *at == '"' || *at == '\'')
			quote = quote ? 0 : *at;
		else
			*out++ = *at;
	}
	*out = '\0';
	return quote ? NULL : at;
}

/* Calls `put` for each KEY=VALUE; one KEY VALUE without '=' is taken, too, as Dockerfiles of old have it. */
static int each_pair(const struct instruction *in, int (*put)(const struct instruction *in, const char *key, const char *value))
{
	CLEANUP_FREE char *word = malloc(strlen(in->rest) + 1);
	const char *at = in->rest;
	if (!word)
		return -ENOMEM;
	if (strcspn(at, "=") > strcspn(at, " \t")) {
		size_t length = strcspn(at, " \t");
		memcpy(word, at, length);
		word[length] = '\0';
		at = skip_space(at + length);
		return *at ? put(in, word, at) : wrong(in, "no value");
	}
	while (*at) {
		at = take_word(at, word);
		char *equals = at ? strchr(word, '=') : NULL;
		if (!equals || equals == word)
			return wrong(in, at ? "no KEY=VALUE" : "an open quote");
		*equals = '\0';
		int error = put(in, word, equals + 1);
		if (error)
			return error;
		at = skip_space(at);
	}
	return 0;
}

/* A member of the configuration that is an array or object, made when it is missing or something else. NULL without memory. */
static json_t *member(const struct instruction *in, const char *name, bool array)
{
	json_t *value = json_object_get(in->config, name);
	if (array ? json_is_array(value) : json_is_object(value))
		return value;
	value = array ? json_array() : json_object();
	return json_object_set_new(in->config, name, value) ? NULL : value;
}

static int put_env(const struct instruction *in, const char *key, const char *value)
{
	json_t *env = member(in, "Env", true);
	CLEANUP_FREE char *pair = NULL;
	size_t length = strlen(key), i = 0;
	if (!env || asprintf(&pair, "%s=%s", key, value) < 0)
		return -ENOMEM;
	for (; i < json_array_size(env); i++) {
		const char *old = json_string_value(json_array_get(env, i));
		if (old && strncmp(old, pair, length + 1) == 0)
			break;
	}
	json_t *text = json_string(pair);
	if (!text)
		return wrong(in, "text that is no UTF-8");
	return (i < json_array_size(env) ? json_array_set_new(env, i, text) : json_array_append_new(env, text)) ? -ENOMEM : 0;
}

static int put_label(const struct instruction *in, const char *key, const char *value)
{
	json_t *labels = member(in, "Labels", false), *text = json_string(value);
	if (!labels || !text || json_object_set_new(labels, key, text))
		return wrong(in, "text that is no UTF-8");
	return 0;
}

static int do_env(const struct instruction *in)
{
	return each_pair(in, put_env);
}

static int do_label(const struct instruction *in)
{
	return each_pair(in, put_label);
}

/* --- lists ---------------------------------------------------------------------------------------------------------------------------- */

/* Calls `put` for each word, of a JSON array as well. */
static int each_word(const struct instruction *in, int (*put)(const struct instruction *in, const char *word))
{
	json_t *words = exec_form(in->rest), *word;
	CLEANUP_FREE char *copy = words ? NULL : strdup(in->rest);
	char *rest = copy;
	int error = words || copy ? 0 : -ENOMEM;
	size_t i;
	json_array_foreach(words, i, word)
	{
		if (!error)
			error = put(in, json_string_value(word));
	}
	json_decref(words);
	for (char *at; !error && rest && (at = strsep(&rest, " \t"));)
		error = *at ? put(in, at) : 0;
	return error;
}

static int put_volume(const struct instruction *in, const char *word)
{
	json_t *volumes = member(in, "Volumes", false);
	if (*word != '/')
		return wrong(in, "a path that is not absolute");
	if (!volumes || json_object_set_new(volumes, word, json_object()))
		return wrong(in, "text that is no UTF-8");
	return 0;
}

/* 80, 80/tcp, 8000-8010/udp */
static int put_port(const struct instruction *in, const char *word)
{
	char *end;
	if (!isdigit((unsigned char)*word))
		return wrong(in, "no port");
	unsigned long first = strtoul(word, &end, 10), last = first;
	if (*end == '-' && isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	const char *protocol = *end == '/' ? end + 1 : *end ? "" : "tcp";
	if (first < 1 || last < first || last > PORT_MAX ||
	    (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 && strcmp(protocol, "sctp") != 0))
		return wrong(in, "no port");
	json_t *ports = member(in, "ExposedPorts", false);
	for (; first <= last; first++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "%lu/%s", first, protocol);
		if (!ports || json_object_set_new(ports, name, json_object()))
			return -ENOMEM;
	}
	return 0;
}

static int do_volume(const struct instruction *in)
{
	return each_word(in, put_volume);
}

static int do_expose(const struct instruction *in)
{
	return each_word(in, put_port);
}

/* --- texts ---------------------------------------------------------------------------------------------------------------------------- */

static int put_text(const struct instruction *in, const char *name, const char *text)
{
	json_t *value = json_string(text);
	if (!value)
		return wrong(in, "text that is no UTF-8");
	return json_object_set_new(in->config, name, value) ? -ENOMEM : 0;
}

static int do_user(const struct instruction *in)
{
	return in->rest[strcspn(in->rest, " \t")] ? wrong(in, "more than one word") : put_text(in, "User", in->rest);
}

static int do_stopsignal(const struct instruction *in)
{
	return in->rest[strcspn(in->rest, " \t")] ? wrong(in, "more than one word") : put_text(in, "StopSignal", in->rest);
}

/* A path that is not absolute goes on from the one before. */
static int do_workdir(const struct instruction *in)
{
	const char *before = json_string_value(json_object_get(in->config, "WorkingDir"));
	CLEANUP_FREE char *path = NULL;
	if (*in->rest == '/')
		return put_text(in, "WorkingDir", in->rest);
	if (asprintf(&path, "%s/%s", before && strcmp(before, "/") != 0 ? before : "", in->rest) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return put_text(in, "WorkingDir", path);
}

static int do_onbuild(const struct instruction *in)
{
	json_t *list = member(in, "OnBuild", true), *text = json_string(in->rest);
	if (!list || !text || json_array_append_new(list, text))
		return wrong(in, "text that is no UTF-8");
	return 0;
}

static const struct {
	const char *name;
	int (*apply)(const struct instruction *in);
} known[] = {
	{ "CMD", do_cmd },         { "ENTRYPOINT", do_entrypoint }, { "ENV", do_env },   { "EXPOSE", do_expose },
	{ "LABEL", do_label },     { "ONBUILD", do_onbuild },       { "USER", do_user }, { "VOLUME", do_volume },
	{ "WORKDIR", do_workdir }, { "STOPSIGNAL", do_stopsignal },
};

int instruction_apply(json_t *config, const char *text, bool *cmd_set, struct image_error *ret_error)
{
	const char *at = skip_space(text), *rest = at + strcspn(at, " \t\n\r\v\f");
	size_t length = (size_t)(rest - at);
	CLEANUP_FREE char *copy = strdup(skip_space(rest));
	if (!copy)
		return image_fail(ret_error, -ENOMEM, "out of memory");
	for (size_t n = strlen(copy); n > 0 && isspace((unsigned char)copy[n - 1]); n--)
		copy[n - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct instruction in = { config, known[i].name, copy, cmd_set, ret_error };
		if (strlen(known[i].name) != length || strncasecmp(known[i].name, at, length) != 0)
			continue;
		if (!*copy)
			return image_fail(ret_error, -EINVAL, "%s needs a value", known[i].name);
		int error = known[i].apply(&in);
		return error == -ENOMEM ? image_fail(ret_error, error, "out of memory") : error;
	}
	return image_fail(
		ret_error, -EINVAL,
		"'%.100s' is no change of an image; known are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR",
		text);
}
