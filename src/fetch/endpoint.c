// SPDX-License-Identifier: Apache-2.0
/* Registries and their mirrors. */
#include "fetch/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MIRRORS_FILE_MAX 65536

static bool is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

static bool is_http(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0;
}

bool host_is_loopback(const char *host)
{
	char name[REFERENCE_NAME_MAX + 1];
	size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
	if (length >= sizeof(name) || length > strlen(host))
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	unsigned part[4];
	int end = 0;
	if (sscanf(name, "%3u.%3u.%3u.%3u%n", &part[0], &part[1], &part[2], &part[3], &end) == 4 && !name[end])
		return part[0] == 127 && part[1] < 256 && part[2] < 256 && part[3] < 256;
	return strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0;
}

/* No user, no blank, a host. */
static bool authority_plain(const char *authority)
{
	size_t length = strcspn(authority, "/?#");
	return length && length < ORIGIN_MAX - 8 && !memchr(authority, '@', length) && strcspn(authority, " \t\r\n\\\"") >= length;
}

bool endpoint_url_allowed(const char *url, bool plain_http)
{
	if (is_https(url))
		return authority_plain(url + 8);
	return is_http(url) && authority_plain(url + 7) && (plain_http || host_is_loopback(url + 7));
}

bool endpoint_same_origin(const char *a, const char *b)
{
	size_t scheme = is_https(a) ? 8 : 7;
	size_t length = scheme + strcspn(a + scheme, "/?#");
	return is_https(a) == is_https(b) && strncasecmp(a, b, length) == 0 && (!b[length] || strchr("/?#", b[length]));
}

static bool path_plain(const char *path)
{
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")] == '\0' &&
	       !strstr(path, "..") && !strstr(path, "//");
}

/* One URL of a row. */
static int add_mirror(struct endpoints *endpoints, const char *url, const char *source, const struct image_reference *reference,
		      struct fetch_error *ret_error)
{
	struct endpoint *made = &endpoints->all[endpoints->count];
	size_t scheme = is_https(url) ? 8 : 7;
	if ((!is_https(url) && !is_http(url)) || !authority_plain(url + scheme))
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: '%s' is no mirror: http:// or https://, a host, maybe a path",
				  source, url);
	const char *path = url + scheme + strcspn(url + scheme, "/?#");
	size_t host = (size_t)(path - url) - scheme, length = strlen(path);
	while (length && path[length - 1] == '/')
		length--;
	if (!path_plain(path) || length > REFERENCE_NAME_MAX || host > REFERENCE_NAME_MAX)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: the path of mirror '%s' is none that a repository can have",
				  source, url);
	if (!endpoint_url_allowed(url, endpoints->plain_http))
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE,
				  "%s: mirror '%s' needs plain HTTP, which is spoken to loopback only unless --plain-http is given",
				  source, url);
	if (endpoints->count + 1 >= ENDPOINTS_MAX)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: %s has more than %d mirrors", source, reference->registry,
				  ENDPOINTS_MAX - 1);
	*made = (struct endpoint){ .mirror = true };
	snprintf(made->origin, sizeof(made->origin), "%.*s", (int)(scheme + host), url);
	snprintf(made->registry, sizeof(made->registry), "%.*s", (int)host, url + scheme);
	snprintf(made->name, sizeof(made->name), "%.*s%s%s", length ? (int)length - 1 : 0, path + (length > 0), length ? "/" : "",
		 reference->repository);
	endpoints->count++;
	return 0;
}

int endpoints_add_mirrors(struct endpoints *endpoints, const char *text, const char *source,
			  const struct image_reference *reference, struct fetch_error *ret_error)
{
	static const char blanks[] = " \t\r";
	while (*text) {
		char row[2048];
		size_t length = strcspn(text, "\n;"), end = length;
		const char *comment = memchr(text, '#', length);
		if (comment)
			end = (size_t)(comment - text);
		if (end >= sizeof(row))
			return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: a row is longer than %zu bytes", source,
					  sizeof(row) - 1);
		memcpy(row, text, end);
		row[end] = '\0';
		/* A comment goes on to the end of the line. */
		text += comment ? strcspn(text, "\n") : length;
		text += *text != '\0';
		char *rest = NULL, *registry = strtok_r(row, blanks, &rest), *url = NULL;
		if (!registry)
			continue;
		bool wanted = strcmp(registry, reference->registry) == 0;
		unsigned urls = 0;
		while ((url = strtok_r(NULL, blanks, &rest))) {
			int error = wanted ? add_mirror(endpoints, url, source, reference, ret_error) : 0;
			if (error)
				return error;
			urls++;
		}
		if (!urls)
			return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s: the row of '%s' has no URL", source, registry);
	}
	return 0;
}

/* Reads a file of mirrors; one that is not there is no error, and *ret_there stays false. */
static int read_mirrors(struct endpoints *endpoints, const char *path, const struct image_reference *reference, bool *ret_there,
			struct fetch_error *ret_error)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t length = 0;
	ssize_t n = 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "cannot read %s: %s", path, strerror(errno));
	CLEANUP_FREE char *text = malloc(MIRRORS_FILE_MAX);
	if (!text)
		return fetch_fail_memory(ret_error);
	while (length + 1 < MIRRORS_FILE_MAX && (n = read(fd, text + length, MIRRORS_FILE_MAX - 1 - length)) > 0)
		length += (size_t)n;
	if (n < 0)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "cannot read %s: %s", path, strerror(errno));
	if (length + 1 >= MIRRORS_FILE_MAX)
		return fetch_fail(ret_error, LICHEN_FETCH_USAGE, "%s is longer than %d bytes", path, MIRRORS_FILE_MAX - 2);
	text[length] = '\0';
	*ret_there = true;
	return endpoints_add_mirrors(endpoints, text, path, reference, ret_error);
}

static int find_mirrors(struct endpoints *endpoints, const struct image_reference *reference, struct fetch_error *ret_error)
{
	const char *given = getenv("LICHEN_MIRRORS"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[4096] = "";
	bool there = false;
	if (given)
		return endpoints_add_mirrors(endpoints, given, "$LICHEN_MIRRORS", reference, ret_error);
	if (config && *config == '/')
		snprintf(path, sizeof(path), "%s/lichen/mirrors", config);
	else if (home && *home)
		snprintf(path, sizeof(path), "%s/.config/lichen/mirrors", home);
	int error = *path ? read_mirrors(endpoints, path, reference, &there, ret_error) : 0;
	if (!error && !there)
		error = read_mirrors(endpoints, "/etc/lichen/mirrors", reference, &there, ret_error);
	return error;
}

int endpoints_find(const struct image_reference *reference, bool plain_http, struct endpoints *ret, struct fetch_error *ret_error)
{
	*ret = (struct endpoints){ .plain_http = plain_http };
	int error = find_mirrors(ret, reference, ret_error);
	if (error)
		return error;
	struct endpoint *own = &ret->all[ret->count++];
	bool docker_io = strcmp(reference->registry, "docker.io") == 0;
	*own = (struct endpoint){ .may_fall_back = !plain_http && host_is_loopback(reference->registry) };
	snprintf(own->origin, sizeof(own->origin), "%s://%s", plain_http ? "http" : "https",
		 docker_io ? "registry-1.docker.io" : reference->registry);
	memcpy(own->registry, reference->registry, sizeof(own->registry));
	memcpy(own->name, reference->repository, sizeof(reference->repository));
	return 0;
}

void endpoints_done(struct endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->count; i++)
		free(endpoints->all[i].authorization);
	endpoints->count = 0;
}
