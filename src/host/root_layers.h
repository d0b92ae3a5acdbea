/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of a cell's file tree: its directory, which is not changed, below an upper one that gets the changes (agent/fs_layers.h). */
#ifndef LICHEN_HOST_ROOT_LAYERS_H
#define LICHEN_HOST_ROOT_LAYERS_H

#include <limits.h>
#include <sys/types.h>

#include "host/root.h"

/* Makes the mount that was added last an overlay. top: its directory, canonical; the lowest but for spec->lowers. Takes the upper directory for
 * this process alone as long as it lives. Returns 0 or negative errno with error->what filled; -EBUSY: somebody else has it. */
int root_layers_stage(const struct root_spec *spec, const char *top, struct fs_state *fs, struct root_error *error) MUST_CHECK;

/* Tries in a directory of the upper layer's file system how whiteouts and attributes can be kept, and notes it. 0 or negative errno. */
int root_layers_features(const char *work, struct fs_state *fs);

/* Makes the upper and the work directory, takes the upper one as above, empties the other, and says where they are. */
int root_layers_take(const struct root_spec *spec, const char *top, char upper[PATH_MAX], char work[PATH_MAX],
		     struct root_error *error) MUST_CHECK;

/* In a tree whose root is an overlay: the canonical path of a guest path, as far as it is there. 0 or negative errno. */
int root_layers_canonical(const struct fs_state *fs, const char *guest, char out[PATH_MAX]) MUST_CHECK;
/* Makes a directory that lower layers have, and what it lies in, one of the upper layer. */
void root_layers_raise(struct fs_state *fs, const char *path);
/* Makes a mount point that is missing, or a symbolic link with this text, in the upper layer. path: canonical; mode: of what kind it is. */
void root_layers_point(struct fs_state *fs, const char *path, mode_t mode, const char *link);

#endif
