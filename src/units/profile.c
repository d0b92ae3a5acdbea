/* SPDX-License-Identifier: Apache-2.0 */
/* What lichen knows of well-known daemons. */
#include "units/profile.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "units/unit_command.h"
#include "units/unit_env.h"

/* The words of the daemon's command line, variables replaced. 0 or negative errno. */
static int command_line(const struct unit *unit, struct word_list *ret)
{
	struct unit_commands commands = { 0 };
	struct word_list env = { 0 };
	char *why = NULL;
	int r = unit_commands(unit, "Service", "ExecStart", &commands, &why);

	if (r == 0)
		r = unit_env(unit, environ, &env, &why);
	if (r == 0 && commands.count)
		r = unit_command_expand(&commands.rows[commands.count - 1], &env, ret);
	word_list_done(&env);
	unit_commands_done(&commands);
	free(why);
	return r;
}

/* The value of an option: "-p", "--port": the next word, or what is behind `=`, or (of a letter) behind it; of several the last. NULL: it is not there. */
static const char *option_value(const struct word_list *words, const char *name)
{
	const char *value = NULL;
	size_t length = strlen(name);

	for (size_t i = 1; i < words->count; i++) {
		const char *word = words->words[i];

		if (strcmp(word, name) == 0)
			value = i + 1 < words->count ? words->words[i + 1] : NULL;
		else if (strncmp(word, name, length) == 0 && word[length] == '=')
			value = word + length + 1;
		else if (length == 2 && name[1] != '-' && strncmp(word, name, 2) == 0)
			value = word + 2;
	}
	return value;
}

/* The value that a line of a file begins with: `key value`, `key = value`, without quotes and what follows. False: no line has it. */
static bool file_value(const char *path, const char *key, bool any_case, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(key);
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " \t");

		if ((any_case ? strncasecmp(at, key, length) : strncmp(at, key, length)) != 0)
			continue;
		at += length;
		if (!isspace((unsigned char)*at) && *at != '=')
			continue;
		at += strspn(at, " \t=");
		at += *at == '\'' || *at == '"';
		(void)snprintf(value, size, "%.*s", (int)strcspn(at, "'\"#;, \t\r\n"), at);
		found = *value;
	}
	if (file)
		(void)fclose(file);
	return found;
}

static bool find_redis(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	const char *port = option_value(words, "--port");
	char value[256] = "6379";

	(void)set;
	(void)unit;
	if (!port && words->count > 1 && *words->words[1] != '-') {
		if (file_value(words->words[1], "port", true, value, sizeof(value)) && strcmp(value, "0") == 0) {
			ret->kind = REQUEST_REDIS;
			return file_value(words->words[1], "unixsocket", true, ret->address, sizeof(ret->address));
		}
	}
	*ret = (struct request){ .kind = REQUEST_REDIS };
	(void)snprintf(ret->address, sizeof(ret->address), "127.0.0.1:%s", port ? port : value);
	return true;
}

static bool find_postgres(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	char path[640], cluster[UNIT_NAME_MAX + 1], port[16] = "5432", directory[160] = "/var/run/postgresql";

	(void)set;
	(void)words;
	(void)snprintf(cluster, sizeof(cluster), "%s", unit->name.instance);
	for (char *dash = cluster; (dash = strchr(dash, '-')); *dash = '/') /* %I as pg_ctlcluster has it: the first one */
		if (dash != cluster) {
			*dash = '/';
			break;
		}
	(void)snprintf(path, sizeof(path), "/etc/postgresql/%s/postgresql.conf", cluster);
	(void)file_value(path, "port", false, port, sizeof(port));
	(void)file_value(path, "unix_socket_directories", false, directory, sizeof(directory));
	*ret = (struct request){ .kind = REQUEST_POSTGRES };
	(void)snprintf(ret->address, sizeof(ret->address), "%s/.s.PGSQL.%s", directory, port);
	return true;
}

/* The first `listen` of files that speaks plain HTTP. */
static bool nginx_listens(const char *pattern, char *address, size_t size)
{
	glob_t found;
	bool any = false;
	char value[200];

	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc && !any; i++) {
		const char *rest;

		if (!file_value(found.gl_pathv[i], "listen", false, value, sizeof(value)))
			continue;
		rest = strrchr(value, ':');
		any = true;
		if (strncmp(value, "unix:", 5) == 0)
			(void)snprintf(address, size, "%s", value + 5);
		else if (!rest && strspn(value, "0123456789") == strlen(value))
			(void)snprintf(address, size, "127.0.0.1:%s", value);
		else if (rest && *value != '[' && *value != '*')
			(void)snprintf(address, size, "%s", value);
		else
			(void)snprintf(address, size, "127.0.0.1%s", rest ? rest : ":80");
	}
	globfree(&found);
	return any;
}

static bool find_nginx(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	const char *file = option_value(words, "-c");

	(void)set;
	(void)unit;
	*ret = (struct request){ .kind = REQUEST_HTTP };
	if (file || nginx_listens("/etc/nginx/nginx.conf", ret->address, sizeof(ret->address)))
		return !file || nginx_listens(file, ret->address, sizeof(ret->address));
	return nginx_listens("/etc/nginx/conf.d/*.conf", ret->address, sizeof(ret->address)) ||
	       nginx_listens("/etc/nginx/sites-enabled/*", ret->address, sizeof(ret->address));
}

static bool find_ssh(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	const char *port = option_value(words, "-p"), *file = option_value(words, "-f");
	char value[128] = "22", host[128] = "127.0.0.1";

	(void)set;
	(void)unit;
	file = file ? file : "/etc/ssh/sshd_config";
	if (!port && file_value(file, "Port", true, value, sizeof(value)))
		port = value;
	if (file_value(file, "ListenAddress", true, host, sizeof(host)) && (strchr(host, ':') || strcmp(host, "0.0.0.0") == 0))
		return false;
	*ret = (struct request){ .kind = REQUEST_SSH };
	(void)snprintf(ret->address, sizeof(ret->address), "%s:%s", host, port ? port : "22");
	return true;
}

/* Where the socket that activates a service listens; NULL: there is none. */
static const char *activated_at(const struct unit_set *set, const struct unit *unit, char path[PATH_MAX])
{
	for (size_t i = 0; i < set->count; i++) {
		CLEANUP_FREE char *given = NULL;

		if (!unit_is_socket(set->units[i]) || unit_set_service_of(set, set->units[i]) != unit)
			continue;
		given = unit_get_text(set->units[i], "Socket", "ListenStream");
		if (given)
			unit_own_path(&set->units[i]->place, given, path);
		return given ? path : NULL;
	}
	return NULL;
}

static bool find_docker(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	const char *host = option_value(words, "-H");
	char path[PATH_MAX];

	if (!host)
		host = option_value(words, "--host");
	if (host && strncmp(host, "fd:", 3) == 0)
		host = activated_at(set, unit, path);
	*ret = (struct request){ .kind = REQUEST_DOCKER };
	if (host && strncmp(host, "unix://", 7) == 0)
		(void)snprintf(ret->address, sizeof(ret->address), "%s", host + 7);
	else if (host && strncmp(host, "tcp://", 6) == 0)
		(void)snprintf(ret->address, sizeof(ret->address), "%s", host + 6);
	else if (host && *host == '/')
		(void)snprintf(ret->address, sizeof(ret->address), "%.255s", host);
	else
		(void)snprintf(ret->address, sizeof(ret->address), "/run/docker.sock");
	return true;
}

static bool find_containerd(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	const char *address = option_value(words, "--address"), *file = option_value(words, "--config");

	(void)set;
	(void)unit;
	if (!address)
		address = option_value(words, "-a");
	if (!file)
		file = option_value(words, "-c");
	*ret = (struct request){ .kind = REQUEST_CONTAINERD };
	if (address)
		(void)snprintf(ret->address, sizeof(ret->address), "%s", address);
	else if (!file_value(file ? file : "/etc/containerd/config.toml", "address", false, ret->address, sizeof(ret->address)))
		(void)snprintf(ret->address, sizeof(ret->address), "/run/containerd/containerd.sock");
	return true;
}

static bool fits(const char *pattern, const struct unit *unit)
{
	return fnmatch(pattern, unit->name.full, 0) == 0;
}

/* words: of its command line, with what is added. */
static bool find_request(const struct unit_set *set, const struct unit *unit, const struct word_list *words, struct request *ret)
{
	static const struct {
		const char *unit;
		bool (*find)(const struct unit_set *set, const struct unit *unit, const struct word_list *words,
			     struct request *ret);
	} rows[] = {
#define PROFILE_REQUEST(of, how, source) { of, how },
#include "units/profile.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fits(rows[i].unit, unit))
			return rows[i].find(set, unit, words, ret);
	return false;
}

static void find_proof(const struct unit *unit, struct unit_profile *ret)
{
	static const struct {
		const char *unit;
		enum proof_kind kind;
	} rows[] = {
#define PROFILE_PROOF(of, kind, source) { of, kind },
#include "units/profile.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows) && ret->request.kind != REQUEST_NONE; i++)
		if (fits(rows[i].unit, unit))
			ret->proof = rows[i].kind;
	ret->proves = ret->proof != PROOF_NONE && unit_get_bool(unit, "X-Lichen", "Proof", true);
}

static const struct flag {
	const char *unit;
	u32 gap, filled; /* one of them is 0 */
	const char *words, *why;
} flags[] = {
#define PROFILE_FLAG(of, gap, words, because, source) { of, GAP_BIT(GAP_##gap), 0, words, because },
#define PROFILE_FILLED(of, gap, words, because, source) { of, 0, GAP_BIT(GAP_##gap), words, because },
#include "units/profile.def"
};

u32 unit_profiles_without(const struct unit_set *set, u32 missing)
{
	u32 without = 0;

	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(flags); j++)
			if (fits(flags[j].unit, set->units[i]))
				without |= flags[j].gap & missing;
	return without;
}

static bool has_word(const struct word_list *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->words[i], word) == 0)
			return true;
	return false;
}

static int add_flags(const struct unit *unit, u32 missing, u32 filled, struct unit_profile *ret)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags) && r == 0; i++) {
		const struct flag *flag = &flags[i];

		if (!((flag->gap & missing) | (flag->filled & filled)) || !fits(flag->unit, unit))
			continue;
		for (const char *word = flag->words; *word && r == 0; word += strlen(word) + 1) {
			if (has_word(&ret->added, word))
				continue;
			r = word_list_add(&ret->added, word);
			if (r == 0)
				r = word_list_add(&ret->why, flag->why);
		}
	}
	return r;
}

/* What it leaves in /run. words: of its command line. */
static int find_leaves(const struct unit *unit, const struct word_list *words, struct unit_profile *ret)
{
	static const struct {
		const char *unit, *options, *path;
	} rows[] = {
#define PROFILE_LEAVES(of, options, path, source) { of, options, path },
#include "units/profile.def"
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++) {
		const char *given = NULL;

		if (!fits(rows[i].unit, unit))
			continue;
		for (const char *option = rows[i].options; *option && !given; option += strlen(option) + 1)
			given = option_value(words, option);
		if (!given || *given == '/')
			r = word_list_add(&ret->leaves, given ? given : rows[i].path);
	}
	return r;
}

/* Places of the user's own. words: of its command line. */
static int add_own(const struct unit *unit, const struct word_list *words, struct unit_profile *ret)
{
	static const struct {
		const char *unit, *option, *value, *why;
	} rows[] = {
#define PROFILE_OWN(of, option, value, because, source) { of, option, value, because },
#include "units/profile.def"
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++) {
		const char *given = option_value(words, rows[i].option);
		CLEANUP_FREE char *value = NULL;

		if (unit->place.system || !fits(rows[i].unit, unit) ||
		    (given && strncmp(given, "/run/", 5) != 0 && strncmp(given, "/var/", 5) != 0))
			continue;
		r = unit_specifiers(rows[i].value, &unit->name, &unit->place, &value);
		if (r == 0)
			r = word_list_printf(&ret->added, "%s=%s", rows[i].option, value);
		if (r == 0)
			r = word_list_add(&ret->why, rows[i].why);
	}
	return r;
}

/* Directories that its cell has of its own. */
static int add_private(const struct unit *unit, u32 filled, struct unit_profiles *ret)
{
	static const struct {
		const char *unit, *directory, *except, *why;
	} rows[] = {
#define PROFILE_PRIVATE(of, directory, except, because, source) { of, directory, except, because },
#include "units/profile.def"
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++) {
		if (unit->place.system || !(filled & GAP_BIT(GAP_mounts)) || !fits(rows[i].unit, unit))
			continue;
		r = word_list_add(&ret->own, rows[i].directory);
		if (r == 0)
			r = word_list_add(&ret->own, rows[i].except);
		if (r == 0)
			r = word_list_add(&ret->own_why, rows[i].why);
	}
	return r;
}

static int find_profile(const struct unit_set *set, const struct unit *unit, u32 missing, u32 filled, struct unit_profile *ret)
{
	struct word_list words = { 0 };
	int r = command_line(unit, &words);

	if (r != -ENOMEM) /* what else is wrong with the command is told when it is started */
		r = add_own(unit, &words, ret);
	if (r == 0)
		r = add_flags(unit, missing, filled, ret);
	for (size_t i = 0; i < ret->added.count && r == 0; i++)
		r = word_list_add(&words, ret->added.words[i]);
	if (r == 0 && (words.count == ret->added.count || !find_request(set, unit, &words, &ret->request)))
		ret->request.kind = REQUEST_NONE;
	find_proof(unit, ret);
	if (r == 0)
		r = find_leaves(unit, &words, ret);
	word_list_done(&words);
	return r;
}

int unit_profiles_find(const struct unit_set *set, u32 missing, u32 filled, struct unit_profiles *ret)
{
	int r = 0;

	*ret = (struct unit_profiles){ 0 };
	for (size_t i = 0; i < set->count && r == 0; i++) {
		if (!unit_is_service(set->units[i]))
			continue;
		r = find_profile(set, set->units[i], missing, filled, &ret->of[i]);
		if (r == 0)
			r = add_private(set->units[i], filled, ret);
	}
	if (r < 0)
		unit_profiles_done(ret);
	return r;
}

void unit_profiles_done(struct unit_profiles *profiles)
{
	word_list_done(&profiles->own);
	word_list_done(&profiles->own_why);
	for (size_t i = 0; i < UNIT_SET_MAX; i++) {
		word_list_done(&profiles->of[i].added);
		word_list_done(&profiles->of[i].why);
		word_list_done(&profiles->of[i].leaves);
	}
}

const char *unit_package(const char *unit)
{
	static const struct {
		const char *unit, *package;
	} rows[] = {
#define PROFILE_PACKAGE(of, package) { of, package },
#include "units/profile.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fnmatch(rows[i].unit, unit, 0) == 0)
			return rows[i].package;
	return NULL;
}
