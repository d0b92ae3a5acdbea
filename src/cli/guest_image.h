/* SPDX-License-Identifier: Apache-2.0 */
/* `lichen run IMAGE`: what an image says of the command, its environment, its user and its tree. */
#ifndef LICHEN_CLI_GUEST_IMAGE_H
#define LICHEN_CLI_GUEST_IMAGE_H

#include "cli/guest.h"
#include "cli/guest_root.h"
#include "host/launch.h"
#include "image/image.h"

struct guest_image {
	bool used;
	struct image image;
	char **argv, **env; /* what is run, with what; words belong to the image, the command line or the process */
	const char *workdir;
	struct identity_start identity; /* who it is */
};

/*
 * Decides whether the words of a command line name an image: the first one, unless `--` stands before it, when one follows it or the store has
 * an image of that name. Then opens it, and fills *ret; *words become the image's own command, or what followed.
 * env: the environment that --env made (NULL = none); only what it added is taken over: a guest of an image does not get ours.
 * Returns -1, or the exit status after saying what is wrong.
 */
int guest_image_begin(const struct command *command, int argc, char **argv, int first, char *const *env, struct guest_image *ret);
void guest_image_end(struct guest_image *given);

#endif
