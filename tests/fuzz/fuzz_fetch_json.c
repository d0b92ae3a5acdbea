/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that lichen-fetch reads: input is a letter that says what it is, then the text. Manifests and indexes (m), configs (c), answers of
 * token servers (t), Docker's config.json (d), and rows of mirrors, which are no JSON (r). What is accepted keeps within its limits; what
 * is refused has a status and a reason of printable ASCII.
 */
#include "fetch/credentials.h"
#include "fetch/endpoint.h"
#include "fetch/remote_manifest.h"
#include "fetch/token.h"
#include "fuzz.h"

static void check_error(const struct fetch_error *error, int status)
{
	MUST(status == error->status && status >= 64 && status <= 78 && error->text[0] &&
	     memchr(error->text, 0, sizeof(error->text)));
	for (const char *at = error->text; *at; at++)
		MUST(*at >= ' ' && *at <= '~');
}

static void check_descriptor(const struct descriptor *descriptor)
{
	MUST(digest_valid(descriptor->digest) && descriptor->size >= 0 && descriptor->size <= BLOB_BYTES_MAX);
	MUST(memchr(descriptor->media_type, 0, sizeof(descriptor->media_type)));
}

static void read_manifest(const char *text, size_t size)
{
	static const struct platform wanted = { "linux", "amd64", "" };
	struct remote_manifest manifest;
	struct fetch_error error = { 0 };
	int status = remote_manifest_parse(text, size, "", &manifest, &error);

	if (status) {
		check_error(&error, status);
		MUST(!manifest.list);
		return;
	}
	for (size_t i = 0; i < manifest.count; i++)
		check_descriptor(&manifest.list[i]);
	if (manifest.is_index)
		(void)remote_manifest_choose(&manifest, &wanted);
	else
		check_descriptor(&manifest.config);
	remote_manifest_done(&manifest);
}

static void read_config(const char *text, size_t size)
{
	static const struct platform wanted = { "linux", "amd64", "" };
	struct fetch_error error = { 0 };
	int status = remote_manifest_check_config(text, size, &wanted, &error);

	if (status)
		check_error(&error, status);
}

static void read_token(const char *text, size_t size)
{
	char *token = token_parse(text, size);

	MUST(!token || (*token && strlen(token) <= TOKEN_MAX && !strpbrk(token, "\r\n \"")));
	free(token);
}

static void read_credentials(const char *text, size_t size)
{
	struct credentials credentials = { .source = "config.json" };
	struct fetch_error error = { 0 };
	int status = credentials_parse(text, size, "r.io", &credentials, &error);

	if (status)
		check_error(&error, status);
	MUST(status || !credentials.user == !credentials.password);
	if (!status && credentials.user) {
		char *basic = credentials_basic(&credentials);
		MUST(basic && strncmp(basic, "Basic ", 6) == 0 && !strpbrk(basic, "\r\n"));
		free(basic);
	}
	credentials_done(&credentials);
}

static void read_mirrors(const char *text)
{
	static const struct image_reference reference = { "docker.io", "library/debian", "12", "" };
	struct endpoints endpoints = { .count = 0 };
	struct fetch_error error = { 0 };
	int status = endpoints_add_mirrors(&endpoints, text, "rows", &reference, &error);

	if (status)
		check_error(&error, status);
	MUST(endpoints.count < ENDPOINTS_MAX);
	for (size_t i = 0; i < endpoints.count; i++) {
		MUST(endpoint_url_allowed(endpoints.all[i].origin, false) &&
		     endpoint_same_origin(endpoints.all[i].origin, endpoints.all[i].origin));
		MUST(strstr(endpoints.all[i].name, "library/debian") && !strstr(endpoints.all[i].name, ".."));
	}
	endpoints_done(&endpoints);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	char kind = (char)input_number(&in, 1), *text = malloc(in.left + 1);

	if (in.left)
		memcpy(text, in.at, in.left);
	text[in.left] = '\0';
	switch (kind) {
	case 'm':
		read_manifest(text, in.left);
		break;
	case 'c':
		read_config(text, in.left);
		break;
	case 't':
		read_token(text, in.left);
		break;
	case 'd':
		read_credentials(text, in.left);
		break;
	case 'r':
		read_mirrors(text);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
