/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named volumes: directories that outlive cells, below `volumes` of the state directory.
 *
 *   volumes/NAME        locked (flock): shared by who uses it, for as long as any process of that lichen lives; exclusively by who fills or removes it
 *   volumes/NAME/_data  what cells see
 *   volumes/NAME/filling  is there while an empty volume is being filled from an image: what a killed lichen has left of that is done again
 */
#ifndef LICHEN_HOST_VOLUMES_H
#define LICHEN_HOST_VOLUMES_H

#include <limits.h>

#include "base/types.h"

#define VOLUME_NAME_MAX 128u

/* Letters, digits and _.-; a letter or digit first. */
bool volumes_name_valid(const char *name);

/* Opens the directory of volumes; `path` (PATH_MAX) as for state_dir_open(). A descriptor or negative errno. */
int volumes_open(char path[PATH_MAX]) MUST_CHECK;

/* Makes a volume that is missing. 1: made, 0: it was there; or negative errno. */
int volume_make(int volumes, const char *name) MUST_CHECK;

/*
 * Takes a volume into use, made where it is missing: the lock goes with this process and its children. `fill`: -1, or a directory whose content an
 * empty volume gets, owners, modes, times and attributes included. 0 or negative errno.
 */
int volume_use(int volumes, const char *name, int fill) MUST_CHECK;

/* Removes a volume. 0; -ENOENT; -EBUSY: somebody uses it; or negative errno. */
int volume_remove(int volumes, const char *name) MUST_CHECK;

/* The names of all volumes, sorted, in one allocation (free(3) it). The count, or negative errno. */
int volumes_list(int volumes, char (**ret_names)[VOLUME_NAME_MAX + 1]) MUST_CHECK;

#endif
