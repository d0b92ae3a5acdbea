/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image may be had: the mirrors of its registry in their order, then the registry itself. An endpoint is what comes before
 * "manifests/…" and "blobs/…" in a URL, and how one shows oneself there.
 *
 * Mirrors are rows, `REGISTRY URL [URL…]`, `#` starts a comment. $LICHEN_MIRRORS holds such rows, separated by newlines or semicolons; without
 * that variable they are read from the file $XDG_CONFIG_HOME/lichen/mirrors (~/.config/lichen/mirrors), and if there is none from
 * /etc/lichen/mirrors. A URL's path comes before the name of the repository: https://harbor.example/hub has docker.io/library/debian as
 * /v2/hub/library/debian. A mirror is asked first for everything; when it fails in any way, the next one is asked.
 *
 * Plain HTTP is spoken to loopback (where TLS is tried first), and to all when --plain-http is given; never else.
 */
#ifndef LICHEN_FETCH_ENDPOINT_H
#define LICHEN_FETCH_ENDPOINT_H

#include "fetch/fetch_error.h"
#include "image/reference.h"

#define ENDPOINTS_MAX 8 /* more mirrors are refused */
#define ORIGIN_MAX 300  /* "https://" and a host with its port */

struct endpoint {
	char origin[ORIGIN_MAX];               /* "https://registry-1.docker.io" */
	char name[2 * REFERENCE_NAME_MAX + 2]; /* repository with the mirror's path before it */
	char registry[REFERENCE_NAME_MAX + 1]; /* whose credentials are shown: "docker.io", or the mirror's HOST[:PORT] */
	bool mirror;
	bool may_fall_back;  /* loopback: plain HTTP when TLS is not spoken */
	char *authorization; /* value of the field Authorization; NULL until asked for one */
	unsigned generation; /* how often that was made anew */
};

struct endpoints {
	struct endpoint all[ENDPOINTS_MAX];
	size_t count; /* the last is the registry itself */
	bool plain_http;
};

/*
 * Finds the endpoints for an image. `plain_http`: --plain-http. Returns 0 or an exit status: a malformed mirror, or one that needs plain HTTP.
 * endpoints_done() frees.
 */
int endpoints_find(const struct image_reference *reference, bool plain_http, struct endpoints *ret,
		   struct fetch_error *ret_error) MUST_CHECK;

void endpoints_done(struct endpoints *endpoints);

/* Adds the mirrors that `text` names for a registry. `source` is what messages call the text. Returns 0 or an exit status. */
int endpoints_add_mirrors(struct endpoints *endpoints, const char *text, const char *source,
			  const struct image_reference *reference, struct fetch_error *ret_error) MUST_CHECK;

/* May this URL be asked: https, or http where that is allowed? Anything else is no. */
bool endpoint_url_allowed(const char *url, bool plain_http);

/* Have both URLs the same scheme, host and port? Only then is what was shown to one shown to the other. */
bool endpoint_same_origin(const char *a, const char *b);

/* Is HOST[:PORT] at the start of a text this machine? localhost, 127.0.0.0/8, [::1]. */
bool host_is_loopback(const char *host);

#endif
