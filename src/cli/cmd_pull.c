// SPDX-License-Identifier: Apache-2.0
/* lichen pull: downloads an image into the store. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/image_words.h"
#include "cli/pull.h"
#include "lichen.h"

static const struct option_row options[] = {
	{ .name = "quiet", .letter = 'q', .offset = offsetof(struct pull_options, quiet), .help = "show no progress" },
	{ .name = "plain-http",
	  .offset = offsetof(struct pull_options, plain_http),
	  .help = "speak HTTP without TLS; loopback needs no leave" },
	{ .name = "ca",
	  .value = "FILE",
	  .offset = offsetof(struct pull_options, ca),
	  .help = "trust the certificates in this file, too" },
};

static int run(int argc, char **argv)
{
	struct pull_options given = { 0 };
	char name[IMAGE_NAME_MAX], id[DIGEST_TEXT_SIZE];
	struct image_error why;
	struct digest made;
	int first, status = command_parse(&command_pull, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_pull, "it takes one image, not %d", argc - first);
	int error = image_name(argv[first], name, &why);
	if (error)
		return image_say(&command_pull, error, &why);
	status = pull_image(&command_pull, name, &given, &made);
	if (status == 0)
		printf("%s\n", digest_text(&made, id));
	return command_flush(status);
}

static const char *const notes[] = {
	"Prints the image's id. What an interrupted pull brought is taken up again. Logins are those of Docker; "
	"lichen-fetch(1) tells about them and about mirrors.",
	"Exit status: 0; 64 wrong words or configuration, 65 malformed, digest or size wrong, 66 no such image, 69 network, 70 lichen failed, "
	"72 no lichen-fetch, 73 disk full, 74 not writable, 75 busy, 76 answer or certificate wrong, 77 unauthorized.",
	NULL,
};

const struct command command_pull = {
	.name = "pull",
	.synopsis = "[OPTION…] [REGISTRY/]NAME[:TAG][@DIGEST]",
	.summary = "Downloads an image",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
