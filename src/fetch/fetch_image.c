// SPDX-License-Identifier: Apache-2.0
/*
 * An image, step by step: its manifest (through an index, for one platform), its config, its layers, and at last the index of the
 * directory. Each document is checked against the digest by which it was named.
 */
#include "fetch/fetch_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fetch/transfer.h"

#define INDEX_DEPTH_MAX 3u /* an index may list indexes */

/* Where the way from the reference to the manifest has come to. */
struct resolved {
	struct descriptor at;               /* what is fetched next, then what was fetched */
	char index[DIGEST_TEXT_LENGTH + 1]; /* the first index on the way; "" when there is none */
	struct remote_manifest manifest;
};

static int check_document(const struct transfer *transfer, const char *wanted, const char *is, struct fetch_error *ret_error)
{
	if (*wanted && strcmp(wanted, is) != 0)
		return fetch_fail(ret_error, LICHEN_FETCH_MISMATCH, "what the registry gives as %s has the digest %s",
				  transfer->path, is);
	/* For a tag the registry says the digest, if it says it. */
	if (digest_valid(transfer->content_digest) && strcmp(transfer->content_digest, is) != 0)
		return fetch_fail(ret_error, LICHEN_FETCH_MISMATCH, "the registry says that %s has the digest %s, but it has %s",
				  transfer->path, transfer->content_digest, is);
	return 0;
}

/* Fetches and parses one document. `name`: tag or digest; `wanted`: its digest, or "" when that is not known. */
static int fetch_document(struct fetcher *fetcher, const char *name, const char *wanted, struct resolved *to,
			  struct fetch_error *ret_error)
{
	struct transfer transfer = { .accept = REMOTE_MANIFEST_ACCEPT };
	snprintf(transfer.path, sizeof(transfer.path), "manifests/%s", name);
	int status = transfers_run(fetcher, &transfer, 1, ret_error);
	CLEANUP_FREE char *text = transfer.text;
	if (status)
		return status;
	if (to->at.size && to->at.size != (s64)transfer.size)
		return fetch_fail(ret_error, LICHEN_FETCH_MISMATCH, "manifest %s has %zu bytes, not the %lld that its index says",
				  name, transfer.size, (long long)to->at.size);
	digest_text_of(text, transfer.size, to->at.digest);
	to->at.size = (s64)transfer.size;
	status = check_document(&transfer, wanted, to->at.digest, ret_error);
	if (!status)
		status = remote_manifest_parse(text, transfer.size, transfer.content_type, &to->manifest, ret_error);
	if (status)
		return status;
	memcpy(to->at.media_type, to->manifest.media_type, sizeof(to->at.media_type));
	if (to->manifest.is_index)
		return 0;
	return layout_put(&fetcher->layout, to->at.digest, text, transfer.size, ret_error);
}

static const char *platform_text(const struct platform *platform, char text[200])
{
	snprintf(text, 200, "%s/%s%s%s", platform->os, platform->architecture, platform->variant[0] ? "/" : "", platform->variant);
	return text;
}

/* From the reference to the manifest for the platform. */
static int resolve(struct fetcher *fetcher, const struct fetch_options *options, struct resolved *to, struct fetch_error *ret_error)
{
	const struct image_reference *reference = &options->reference;
	char platform[200], name[REFERENCE_TEXT_MAX + 1], wanted[DIGEST_TEXT_LENGTH + 1];
	int status = fetch_document(fetcher, reference->digest[0] ? reference->digest : reference->tag, reference->digest, to,
				    ret_error);
	for (unsigned depth = 0; !status && to->manifest.is_index; depth++) {
		const struct descriptor *chosen = remote_manifest_choose(&to->manifest, &options->platform);
		if (!to->index[0])
			memcpy(to->index, to->at.digest, sizeof(to->index));
		if (depth == INDEX_DEPTH_MAX)
			return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "indexes list indexes more than %u deep",
					  INDEX_DEPTH_MAX);
		if (!chosen)
			return fetch_fail(ret_error, LICHEN_FETCH_NOT_FOUND, "%s is not there for %s",
					  image_reference_text(reference, name), platform_text(&options->platform, platform));
		to->at = *chosen;
		memcpy(wanted, chosen->digest, sizeof(wanted));
		remote_manifest_done(&to->manifest);
		status = fetch_document(fetcher, wanted, wanted, to, ret_error);
	}
	return status;
}

/* Looks for a blob and, when it is not here whole, adds a transfer. */
static int add_blob(struct fetcher *fetcher, const struct descriptor *descriptor, const char *kind, struct blob *blob,
		    struct transfer *transfer, struct fetch_error *ret_error)
{
	*blob = (struct blob){ .kind = kind, .size = descriptor->size, .fd = FD_NONE };
	memcpy(blob->digest, descriptor->digest, sizeof(blob->digest));
	int status = blob_look(&fetcher->layout, blob, ret_error);
	if (!status && !blob->complete && blob->have == blob->size) {
		/* Whole, but killed before it was checked; or a blob of no bytes. */
		switch (blob_settle(&fetcher->layout, blob, ret_error)) {
		case BLOB_IO:
			return ret_error->status;
		case BLOB_WRONG:
			if (blob->size == 0)
				return ret_error->status;
			break;
		default:
			break;
		}
	}
	if (status)
		return status;
	events_blob(&fetcher->events, blob->digest, kind, blob->size, blob->have);
	*transfer = (struct transfer){ .blob = blob };
	snprintf(transfer->path, sizeof(transfer->path), "blobs/%s", blob->digest);
	return 0;
}

static bool is_listed(const struct blob *blobs, size_t count, const char *digest)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(blobs[i].digest, digest) == 0)
			return true;
	return false;
}

/* Fetches blobs; one that is listed twice once. */
static int fetch_blobs(struct fetcher *fetcher, const struct descriptor *list, size_t count, const char *kind,
		       struct fetch_error *ret_error)
{
	CLEANUP_FREE struct blob *blobs = calloc(count + 1, sizeof(*blobs));
	CLEANUP_FREE struct transfer *transfers = calloc(count + 1, sizeof(*transfers));
	size_t looked = 0, wanted = 0;
	int status = 0;
	if (!blobs || !transfers)
		return fetch_fail_memory(ret_error);
	for (size_t i = 0; i < count && !status; i++) {
		if (is_listed(blobs, looked, list[i].digest))
			continue;
		status = add_blob(fetcher, &list[i], kind, &blobs[looked], &transfers[wanted], ret_error);
		if (!status && !blobs[looked].complete)
			wanted++;
		looked++;
	}
	if (!status)
		status = transfers_run(fetcher, transfers, wanted, ret_error);
	for (size_t i = 0; i < looked; i++)
		blob_done(&blobs[i]);
	return status;
}

static int fetch_config(struct fetcher *fetcher, const struct fetch_options *options, const struct descriptor *config,
			struct fetch_error *ret_error)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	int status = fetch_blobs(fetcher, config, 1, "config", ret_error);
	if (!status)
		status = layout_read(&fetcher->layout, config->digest, REMOTE_MANIFEST_BYTES_MAX, &text, &size, ret_error);
	if (!status)
		status = remote_manifest_check_config(text, size, &options->platform, ret_error);
	return status;
}

static int fetch_all(struct fetcher *fetcher, const struct fetch_options *options, struct resolved *to,
		     struct fetch_error *ret_error)
{
	char platform[200];
	int status = endpoints_find(&options->reference, options->plain_http, &fetcher->endpoints, ret_error);
	if (!status)
		status = layout_open(&fetcher->layout, options->dir, options->reuse, ret_error);
	if (!status)
		status = http_init(&fetcher->http, options->ca, options->stall, ret_error);
	if (!status)
		status = resolve(fetcher, options, to, ret_error);
	if (status)
		return status;
	events_manifest(&fetcher->events, to->at.digest, to->index[0] ? to->index : NULL, to->at.media_type,
			platform_text(&options->platform, platform));
	status = fetch_config(fetcher, options, &to->manifest.config, ret_error);
	if (!status)
		status = fetch_blobs(fetcher, to->manifest.list, to->manifest.count, "layer", ret_error);
	if (!status)
		status = layout_finish(&fetcher->layout, &options->reference, &to->at, ret_error);
	if (!status)
		events_done(&fetcher->events, to->at.digest, to->index[0] ? to->index : NULL);
	return status;
}

int fetch_image(const struct fetch_options *options, FILE *to, struct fetch_error *ret_error)
{
	static struct fetcher fetcher;
	struct resolved resolved = { .index = "" };
	char name[REFERENCE_TEXT_MAX + 1];
	fetcher = (struct fetcher){ .retries = options->retries, .layout = { FD_NONE, FD_NONE, FD_NONE, FD_NONE } };
	events_start(&fetcher.events, to, image_reference_text(&options->reference, name));
	int status = fetch_all(&fetcher, options, &resolved, ret_error);
	if (status)
		events_error(&fetcher.events, ret_error);
	remote_manifest_done(&resolved.manifest);
	layout_close(&fetcher.layout);
	endpoints_done(&fetcher.endpoints);
	http_done(&fetcher.http);
	return status;
}
