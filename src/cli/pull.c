// SPDX-License-Identifier: Apache-2.0
/*
 * A pull: lichen-fetch downloads into a staging directory, which is locked for as long as either of the two lives; then the store takes what lies
 * there. A pull that was interrupted anywhere is taken up by the next one.
 */
#include "cli/pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/image_words.h"
#include "cli/pull_progress.h"
#include "cli/words.h"
#include "host/helper.h"
#include "image/staging.h"
#include "lichen.h"

/* What lichen-fetch said that counts. */
struct said {
	char digest[DIGEST_TEXT_SIZE]; /* of the manifest, when it is done */
	bool failed;                   /* its message has been shown */
};

static void read_event(const struct command *command, const char *line, struct pull_progress *progress, struct said *said)
{
	json_t *event = json_loads(line, 0, NULL);
	const char *kind = json_string_value(json_object_get(event, "event"));
	const char *digest = json_string_value(json_object_get(event, "digest")),
		   *message = json_string_value(json_object_get(event, "message"));
	if (kind && strcmp(kind, "done") == 0 && digest) {
		snprintf(said->digest, sizeof(said->digest), "%s", digest);
	} else if (kind && strcmp(kind, "error") == 0 && message) {
		pull_progress_end(progress);
		fprintf(stderr, "lichen %s: %s\n", command->name, message);
		said->failed = true;
	} else if (kind) {
		pull_progress_event(progress, event);
	}
	json_decref(event);
}

static int follow(const struct command *command, struct helper *helper, struct pull_progress *progress, struct said *said)
{
	FILE *events = fdopen(helper->out, "r");
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;
	if (!events)
		return -errno;
	helper->out = FD_NONE;
	while (getline(&line, &size, events) > 0)
		read_event(command, line, progress, said);
	fclose(events);
	return helper_wait(helper);
}

/* What it wrote to stderr without saying so as an event: the dynamic loader's words, for one. */
static void show_stderr(const struct helper *helper)
{
	char text[1024];
	ssize_t n;
	while ((n = read(helper->err, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, stderr);
}

static int no_helper(const struct command *command, const char *path, int error)
{
	if (error != -ENOENT)
		fprintf(stderr, "lichen %s: cannot run %s: %s (%s)\n", command->name, path, strerror(-error), errno_name(-error));
	else
		fprintf(stderr,
			"lichen %s: lichen-fetch, the program that downloads, is not there: it belongs beside lichen (%s) or into " LICHEN_LIBEXEC
			"\n",
			command->name, *path ? path : "its directory is not known");
	return LICHEN_EXIT_OS_FILE;
}

static int download(const struct command *command, const char *reference, const struct pull_options *options,
		    const struct staging *staging, struct said *said)
{
	char path[PATH_MAX];
	const char *argv[12] = { "lichen-fetch" };
	int count = 1, error = helper_find("lichen-fetch", path);
	struct helper helper;
	struct pull_progress progress;
	char ca[PATH_MAX + 8], reuse[PATH_MAX + 16];
	if (error)
		return no_helper(command, path, error);
	if (options->plain_http)
		argv[count++] = "--plain-http";
	if (options->ca && snprintf(ca, sizeof(ca), "--ca=%s", options->ca) < (int)sizeof(ca))
		argv[count++] = ca;
	if (access(staging->blobs, X_OK) == 0) {
		snprintf(reuse, sizeof(reuse), "--reuse=%s", staging->blobs);
		argv[count++] = reuse;
	}
	argv[count++] = "--";
	argv[count++] = reference;
	argv[count++] = staging->layout;
	error = helper_start(path, (char *const *)argv, staging->dir, &helper);
	if (error)
		return no_helper(command, path, error);
	pull_progress_begin(&progress, stderr, options->quiet);
	int status = follow(command, &helper, &progress, said);
	pull_progress_end(&progress);
	if (status && !said->failed)
		show_stderr(&helper);
	if (status > 128)
		fprintf(stderr, "lichen %s: lichen-fetch was ended by signal %d\n", command->name, status - 128);
	helper_close(&helper);
	if (status == 0 && !said->digest[0]) {
		fprintf(stderr, "lichen %s: %s ended without saying what it downloaded\n", command->name, path);
		status = -EPROTO;
	}
	/* A status that was not explained is not one of those that lichen-fetch documents. */
	return status && !said->failed ? LICHEN_EXIT_SOFTWARE : status;
}

static int add(const struct command *command, const char *reference, const struct staging *staging, const char *manifest,
	       const struct pull_options *options, struct digest *ret_id)
{
	struct digest digest;
	struct image_store store;
	struct image_error why;
	struct image_add adding = { 0 };
	if (digest_parse(manifest, &digest))
		return LICHEN_EXIT_SOFTWARE;
	int status = image_store_begin(command, &store);
	if (status)
		return status;
	if (!options->quiet)
		image_progress_begin(&adding);
	int error = staging_add(staging, &store, &digest, reference, &adding, &why);
	image_progress_end(command, &adding);
	if (error)
		status = image_say(command, error, &why);
	else
		*ret_id = adding.id;
	return image_store_end(command, &store, status);
}

int pull_image(const struct command *command, const char *reference, const struct pull_options *options, struct digest *ret_id)
{
	struct staging staging = STAGING_NONE;
	struct said said = { .failed = false };
	struct image_error why;
	int error = staging_open(reference, false, &staging, &why);
	if (error == -EBUSY) {
		if (!options->quiet)
			fprintf(stderr, "%s; waiting for it\n", why.text);
		error = staging_open(reference, true, &staging, &why);
	}
	if (error)
		return image_say(command, error, &why);
	int status = download(command, reference, options, &staging, &said);
	if (status) {
		staging_close(&staging);
		return status;
	}
	status = add(command, reference, &staging, said.digest, options, ret_id);
	/* What is malformed stays malformed; what the disk had no room for may be taken up. */
	if (status == 0 || status == LICHEN_EXIT_DATA)
		staging_remove(&staging);
	else
		staging_close(&staging);
	return status;
}
