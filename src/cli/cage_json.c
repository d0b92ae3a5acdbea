// SPDX-License-Identifier: Apache-2.0
/* A policy as JSON: see docs/cage-json.md. */
#include "cli/cage_print.h"
#include "cli/json_out.h"
#include "lichen.h"

/* Functions of jansson that steal a reference take NULL for a failure, which the end reports: json_object_set_new() fails, and `ok` says so. */
struct making {
	json_t *root;
	bool ok;
};

static void set(struct making *m, json_t *object, const char *key, json_t *value)
{
	m->ok = json_object_set_new(object, key, value) == 0 && m->ok;
}

static void append(struct making *m, json_t *array, json_t *value)
{
	m->ok = json_array_append_new(array, value) == 0 && m->ok;
}

static json_t *section(struct making *m, json_t *policy, const char *key)
{
	json_t *object = json_object();
	set(m, policy, key, object);
	return m->ok ? object : NULL;
}

static json_t *one_path(struct making *m, const struct cage_path *path)
{
	json_t *object = json_object();
	set(m, object, "written", json_out_text(path->written));
	set(m, object, "path", json_out_text(path->path));
	set(m, object, "real", path->real ? json_out_text(path->real) : json_null());
	set(m, object, "line", json_integer(path->line));
	return object;
}

static void set_paths(struct making *m, json_t *object, const char *key, const struct cage_paths *paths)
{
	json_t *array = json_array();
	for (size_t i = 0; i < paths->count; i++)
		append(m, array, one_path(m, &paths->path[i]));
	set(m, object, key, array);
}

static void set_words(struct making *m, json_t *object, const char *key, const struct cage_words *words)
{
	json_t *array = json_array();
	for (size_t i = 0; i < words->count; i++)
		append(m, array, json_out_text(words->word[i]));
	set(m, object, key, array);
}

static void set_number(struct making *m, json_t *object, const char *key, u64 number)
{
	set(m, object, key, number ? json_integer((json_int_t)number) : json_null());
}

static void set_limits(struct making *m, json_t *object, const struct cage_limits *limits)
{
	set_number(m, object, "memory", limits->memory);
	set(m, object, "cpu", limits->cpu ? json_real(limits->cpu / 1000.0) : json_null());
	set_number(m, object, "processes", limits->processes);
	set_number(m, object, "open_files", limits->open_files);
	set_number(m, object, "file_size", limits->file_size);
	set_number(m, object, "output", limits->output);
	set_number(m, object, "disk", limits->disk);
	set_number(m, object, "wall_ms", limits->wall);
	set_number(m, object, "cpu_time_ms", limits->cpu_time);
}

static void set_files(struct making *m, json_t *object, const struct cage_policy *policy)
{
	set_paths(m, object, "read", &policy->files.read);
	set_paths(m, object, "execute", &policy->files.execute);
	set_paths(m, object, "write", &policy->files.write);
	set_paths(m, object, "deny", &policy->files.deny);
	size_t count = 0;
	const struct cage_default *defaults = cage_default_paths(&count);
	json_t *array = json_array();
	for (size_t i = 0; policy->files.defaults && i < count; i++)
		append(m, array, json_string(defaults[i].path));
	set(m, object, "defaults", array);
	set(m, object, "tmp", json_boolean(policy->files.tmp));
}

static void set_processes(struct making *m, json_t *object, const struct cage_policy *policy)
{
	char user[32];
	(void)snprintf(user, sizeof(user), "%u:%u", policy->processes.uid, policy->processes.gid);
	set(m, object, "user", policy->processes.user_given ? json_string(user) : json_null());
	set(m, object, "syscalls", json_out_text(policy->processes.profile ? policy->processes.profile->path : "default"));
	set_words(m, object, "allow", &policy->processes.allow);
	set_words(m, object, "deny", &policy->processes.deny);
}

static void set_environment(struct making *m, json_t *object, const struct cage_policy *policy)
{
	json_t *variables = json_object();
	for (size_t i = 0; i < policy->environment.set_count; i++)
		set(m, variables, policy->environment.set[i].name, json_out_text(policy->environment.set[i].value));
	set_words(m, object, "pass", &policy->environment.pass);
	set(m, object, "set", variables);
}

static void set_quiet(struct making *m, json_t *object, const struct cage_policy *policy)
{
	json_t *array = json_array();
	for (size_t i = 0; i < policy->report.count; i++) {
		const struct cage_quiet *quiet = &policy->report.quiet[i];
		json_t *row = json_object();
		set(m, row, "what", json_string(cage_denied_name(quiet->what)));
		set(m, row, "object", json_out_text(quiet->path.path ? quiet->path.path : quiet->object));
		append(m, array, row);
	}
	set(m, object, "quiet", array);
}

static void set_policy(struct making *m, json_t *object, const struct cage_policy *policy)
{
	set(m, object, "version", json_integer(1));
	set_files(m, section(m, object, "files"), policy);
	json_t *network = section(m, object, "network");
	set(m, network, "mode", json_string(cage_network_name(policy->network.mode)));
	set_words(m, network, "allow", &policy->network.allow);
	set_words(m, network, "private", &policy->network.private);
	set_paths(m, network, "unix", &policy->network.sockets);
	set(m, network, "abstract", json_boolean(policy->network.abstract));
	set_processes(m, section(m, object, "processes"), policy);
	set_environment(m, section(m, object, "environment"), policy);
	set_limits(m, section(m, object, "limits"), &policy->limits);
	json_t *audit = section(m, object, "audit");
	set(m, audit, "directory", policy->audit.directory ? json_out_text(policy->audit.directory->path) : json_null());
	set(m, audit, "redact", json_boolean(policy->audit.redact));
	set_quiet(m, section(m, object, "report"), policy);
}

static void add_layer(void *arg, const char *layer, const char *asked)
{
	struct making *m = arg;
	append(m, json_object_get(m->root, "layers"), json_pack("{s:s, s:o}", "layer", layer, "asked", json_out_text(asked)));
}

static void add_note(void *arg, const char *note)
{
	struct making *m = arg;
	append(m, json_object_get(m->root, "notes"), json_out_text(note));
}

static void set_head(struct making *m, const char *name, bool valid)
{
	set(m, m->root, "schema", json_string(LICHEN_CAGE_SCHEMA));
	set(m, m->root, "lichen", json_string(LICHEN_VERSION));
	set(m, m->root, "file", json_out_text(name));
	set(m, m->root, "valid", json_boolean(valid));
}

static json_t *finish(const struct making *m)
{
	if (m->ok)
		return m->root;
	json_decref(m->root);
	return NULL;
}

json_t *cage_policy_json(const struct cage_policy *policy)
{
	struct making m = { .root = json_object(), .ok = true };
	char digest[2 * CAGE_DIGEST + 1];
	set_head(&m, policy->name, true);
	set(&m, m.root, "sha256", json_string(cage_digest_text(policy, digest)));
	set_policy(&m, section(&m, m.root, "policy"), policy);
	set(&m, m.root, "layers", json_array());
	set(&m, m.root, "notes", json_array());
	cage_each_layer(policy, add_layer, &m);
	cage_each_note(policy, add_note, &m);
	return finish(&m);
}

json_t *cage_refusal_json(const char *name, const struct cage_policy_error *error)
{
	struct making m = { .root = json_object(), .ok = true };
	set_head(&m, name, false);
	json_t *object = section(&m, m.root, "error");
	set(&m, object, "line", json_integer(error->at.line));
	set(&m, object, "column", json_integer(error->at.column));
	set(&m, object, "text", json_out_text(error->at.text));
	return finish(&m);
}
