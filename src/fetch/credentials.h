/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user may show a registry: the member "auths" of Docker's config.json, as `docker login`, `podman login` and `skopeo login` write it:
 *
 *     { "auths": { "ghcr.io": { "auth": "BASE64 OF USER:PASSWORD" }, "https://index.docker.io/v1/": { "username": …, "password": … } } }
 *
 * $DOCKER_CONFIG/config.json; without that variable ~/.docker/config.json. An "identitytoken" is a refresh token, for which the token server
 * gives an access token; a "registrytoken" is a Bearer token as it is. Credential helpers are other programs, which lichen-fetch does not run.
 */
#ifndef LICHEN_FETCH_CREDENTIALS_H
#define LICHEN_FETCH_CREDENTIALS_H

#include "fetch/fetch_error.h"

#define CREDENTIAL_MAX 8192 /* bytes of each text; a file with a longer one is refused */

struct credentials {
	char *user, *password; /* both or none */
	char *identity_token;  /* with or without a user */
	char *registry_token;
	const char *helper; /* the credential helper that keeps them instead; NULL: none */
	char helper_name[128];
	char source[4096]; /* the file that was looked in, for messages; "" when no variable names one */
};

/*
 * Finds what is kept for a registry ("docker.io", "localhost:5000"). Nothing found leaves all pointers NULL and is no error; nor is a missing
 * file. Returns 0 or an exit status. The caller frees with credentials_done(), also on failure.
 */
int credentials_find(const char *registry, struct credentials *ret, struct fetch_error *ret_error) MUST_CHECK;

/* The same from the text of a config.json; `ret->source` is set already. */
int credentials_parse(const char *json, size_t size, const char *registry, struct credentials *ret,
		      struct fetch_error *ret_error) MUST_CHECK;

/* Frees, and wipes what was secret. */
void credentials_done(struct credentials *credentials);

/* "Basic BASE64(USER:PASSWORD)" on the heap, or NULL when memory ran out. */
char *credentials_basic(const struct credentials *credentials);

#endif
