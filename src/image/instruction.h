/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions of a Dockerfile that change an image's configuration, as `docker commit --change` takes them: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD,
 * STOPSIGNAL, USER, VOLUME, WORKDIR (docs.docker.com, Dockerfile reference). Variables ($NAME) are not expanded.
 */
#ifndef LICHEN_IMAGE_INSTRUCTION_H
#define LICHEN_IMAGE_INSTRUCTION_H

#include <jansson.h>

#include "image/image_error.h"

/* Applies one to the member `config` of an image's configuration. An ENTRYPOINT drops Cmd, unless *cmd_set: an earlier CMD wrote it. Returns 0;
 * -EINVAL with ret_error; -ENOMEM. */
int instruction_apply(json_t *config, const char *text, bool *cmd_set, struct image_error *ret_error) MUST_CHECK;

#endif
