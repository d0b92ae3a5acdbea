/* SPDX-License-Identifier: Apache-2.0 */
/* `lichen run IMAGE`: which image, and what it says of the command and its environment. */
#ifndef LICHEN_CLI_GUEST_IMAGE_H
#define LICHEN_CLI_GUEST_IMAGE_H

#include "cli/guest.h"
#include "image/image.h"

enum guest_pull {
	PULL_DEFAULT, /* where `--` says that an image is meant: PULL_MISSING; else PULL_NEVER */
	PULL_MISSING,
	PULL_ALWAYS,
	PULL_NEVER,
};

struct guest_image_options {
	enum guest_pull pull;
	const char *platform;   /* "linux/amd64" */
	const char *entrypoint; /* NULL: the image's; "": none */
};

int guest_parse_pull(void *field, const char *value, struct option_error *error);
int guest_parse_platform(void *field, const char *value, struct option_error *error);

/* Option rows for a command whose struct `type` has a struct guest_image_options `field`. */
/* clang-format off */
#define GUEST_IMAGE_OPTIONS(type, field) \
	{ .name = "entrypoint", .value = "PROGRAM", .offset = offsetof(type, field.entrypoint), .may_be_empty = true, .rare = true, \
	  .help = "run this with CMD as its arguments, instead of the image's entrypoint" }, \
	{ .name = "pull", .value = "WHEN", .offset = offsetof(type, field.pull), .parse = guest_parse_pull, .rare = true, \
	  .help = "download the image: missing, always, never (missing, when -- follows IMAGE; else never)" }, \
	{ .name = "platform", .value = "OS/ARCH", .offset = offsetof(type, field.platform), .parse = guest_parse_platform, .rare = true, \
	  .help = "what the image must be for: linux/amd64 is what runs here" }
/* clang-format on */

struct guest_image {
	bool used;
	struct image image;
	char *const *words; /* of the command line behind the image's name, NULL-terminated */
};

/*
 * Decides whether the words of a command line name an image: the first one, unless `--` stands before it, when one follows it or the store has
 * an image of that name. Then opens it, downloaded where that is asked for.
 * Returns -1, or the exit status after saying what is wrong.
 */
int guest_image_begin(const struct command *command, int argc, char **argv, int first, const struct guest_image_options *given,
		      struct guest_image *ret);
void guest_image_end(struct guest_image *given);

/* The command: --entrypoint or the image's, then *words or the image's own (image: NULL = a tree without an image). An array that is the caller's; NULL without
 * memory. It may be empty. */
char **guest_command(const struct guest_image_options *given, const struct image_config *config, char *const *words) MUST_CHECK;

/*
 * The environment: the image's own, what every program counts on, then what the command line says. home: "HOME=…", kept by the caller; tty: the
 * guest has a terminal of its own. NULL without memory.
 */
char **guest_image_env(const struct image_config *config, const struct option_words *given, char *home, bool tty) MUST_CHECK;

#endif
