// SPDX-License-Identifier: Apache-2.0
/* Docker's config.json. */
#include "fetch/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CONFIG_MAX (1u << 20)
#define DOCKER_IO_KEY "https://index.docker.io/v1/"

static void wipe(char **text)
{
	if (*text)
		sodium_memzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void credentials_done(struct credentials *credentials)
{
	wipe(&credentials->user);
	wipe(&credentials->password);
	wipe(&credentials->identity_token);
	wipe(&credentials->registry_token);
}

/* Keys may be written as URLs: what counts is host and port. */
static bool key_is_for(const char *key, const char *registry)
{
	if (strcmp(registry, "docker.io") == 0 && (strcmp(key, DOCKER_IO_KEY) == 0 || strcmp(key, "index.docker.io") == 0))
		return true;
	if (strncmp(key, "https://", 8) == 0)
		key += 8;
	else if (strncmp(key, "http://", 7) == 0)
		key += 7;
	size_t length = strcspn(key, "/");
	return length == strlen(registry) && strncmp(key, registry, length) == 0 && strlen(key) - length <= strlen("/v1/");
}

static int bad(const struct credentials *in, const char *what, struct fetch_error *ret_error)
{
	return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: %s", in->source, what);
}

/* Copies a member that is a text without control characters. Empty counts as absent. */
static int take_text(json_t *entry, const char *name, char **to, const struct credentials *in, struct fetch_error *ret_error)
{
	json_t *member = json_object_get(entry, name);
	const char *text = json_string_value(member);
	if (member && !json_is_null(member) &&
	    (!text || strlen(text) != json_string_length(member) || strlen(text) > CREDENTIAL_MAX))
		return bad(in, "a credential is no text, or too long", ret_error);
	if (!text || !*text)
		return 0;
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return bad(in, "a credential has a control character in it", ret_error);
	*to = strdup(text);
	return *to ? 0 : fetch_fail_memory(ret_error);
}

/* "auth": base64 of USER:PASSWORD. */
static int take_auth(json_t *entry, struct credentials *ret, struct fetch_error *ret_error)
{
	CLEANUP_FREE char *auth = NULL;
	char plain[CREDENTIAL_MAX + 1];
	size_t length = 0;
	int error = take_text(entry, "auth", &auth, ret, ret_error);
	if (error || !auth)
		return error;
	if (sodium_base642bin((u8 *)plain, sizeof(plain) - 1, auth, strlen(auth), "\r\n ", &length, NULL,
			      sodium_base64_VARIANT_ORIGINAL))
		return bad(ret, "an \"auth\" is not base64", ret_error);
	while (length && !plain[length - 1]) /* old versions of Docker wrote NULs behind it */
		length--;
	plain[length] = '\0';
	char *colon = memchr(plain, ':', length);
	if (!colon || colon == plain || strlen(plain) != length)
		return bad(ret, "an \"auth\" is not USER:PASSWORD", ret_error);
	*colon = '\0';
	ret->user = strdup(plain);
	ret->password = strdup(colon + 1);
	sodium_memzero(plain, sizeof(plain));
	return ret->user && ret->password ? 0 : fetch_fail_memory(ret_error);
}

static int take_entry(json_t *entry, struct credentials *ret, struct fetch_error *ret_error)
{
	int error = take_auth(entry, ret, ret_error);
	if (!error && !ret->user) {
		error = take_text(entry, "username", &ret->user, ret, ret_error);
		if (!error)
			error = take_text(entry, "password", &ret->password, ret, ret_error);
		if (!ret->user || !ret->password) {
			wipe(&ret->user);
			wipe(&ret->password);
		}
	}
	if (!error)
		error = take_text(entry, "identitytoken", &ret->identity_token, ret, ret_error);
	if (!error)
		error = take_text(entry, "registrytoken", &ret->registry_token, ret, ret_error);
	return error;
}

int credentials_parse(const char *json, size_t size, const char *registry, struct credentials *ret, struct fetch_error *ret_error)
{
	json_error_t why;
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why), *entry;
	const char *key, *helper = NULL;
	int error = 0;
	if (!root)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: line %d: %s", ret->source, why.line, why.text);
	json_object_foreach(json_object_get(root, "auths"), key, entry)
	{
		if (key_is_for(key, registry) && !error && !ret->user && !ret->identity_token && !ret->registry_token)
			error = take_entry(entry, ret, ret_error);
	}
	json_object_foreach(json_object_get(root, "credHelpers"), key, entry)
	{
		if (key_is_for(key, registry))
			helper = json_string_value(entry);
	}
	if (!helper)
		helper = json_string_value(json_object_get(root, "credsStore"));
	if (helper && *helper && !ret->user && !ret->identity_token && !ret->registry_token) {
		snprintf(ret->helper_name, sizeof(ret->helper_name), "docker-credential-%s", helper);
		ret->helper = ret->helper_name;
	}
	json_decref(root);
	return error;
}

/* Reads a whole file. Returns its size, or negative errno. */
static ssize_t read_file(int fd, char *to, size_t size)
{
	size_t length = 0;
	while (length < size) {
		ssize_t n = read(fd, to + length, size - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)length;
		length += (size_t)n;
	}
	return -EFBIG;
}

int credentials_find(const char *registry, struct credentials *ret, struct fetch_error *ret_error)
{
	const char *config = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	int length = 0;
	memset(ret, 0, sizeof(*ret));
	if (config && *config)
		length = snprintf(ret->source, sizeof(ret->source), "%s/config.json", config);
	else if (home && *home)
		length = snprintf(ret->source, sizeof(ret->source), "%s/.docker/config.json", home);
	if (!length)
		return 0;
	if (length >= (int)sizeof(ret->source))
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "the directory of Docker's config.json has too long a name");
	CLEANUP_FD int fd = open(ret->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	CLEANUP_FREE char *text = malloc(CONFIG_MAX);
	if (!text)
		return fetch_fail_memory(ret_error);
	ssize_t size = fd < 0 ? -errno : read_file(fd, text, CONFIG_MAX);
	if (size < 0)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "cannot read %s: %s", ret->source, strerror((int)-size));
	int error = credentials_parse(text, (size_t)size, registry, ret, ret_error);
	sodium_memzero(text, (size_t)size);
	return error;
}

char *credentials_basic(const struct credentials *credentials)
{
	size_t user = strlen(credentials->user), password = strlen(credentials->password);
	size_t length = user + 1 + password, size = sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL);
	char *plain = malloc(length + 1), *header = malloc(6 + size);
	if (plain && header) {
		memcpy(plain, credentials->user, user);
		plain[user] = ':';
		memcpy(plain + user + 1, credentials->password, password + 1);
		memcpy(header, "Basic ", 6);
		sodium_bin2base64(header + 6, size, (const u8 *)plain, length, sodium_base64_VARIANT_ORIGINAL);
	} else {
		free(header);
		header = NULL;
	}
	wipe(&plain);
	return header;
}
