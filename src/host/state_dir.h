/* SPDX-License-Identifier: Apache-2.0 */
/* The one directory below which lichen keeps what outlives a command: images, cells. */
#ifndef LICHEN_HOST_STATE_DIR_H
#define LICHEN_HOST_STATE_DIR_H

#include <limits.h>

#include "base/types.h"

/*
 * Opens the state directory, which is made with mode 0700 (its parents as well) when it is missing: $LICHEN_STATE; else for uid 0
 * /var/lib/lichen; else $XDG_STATE_HOME/lichen; else $HOME/.local/state/lichen (XDG Base Directory Specification 0.8: a relative
 * $XDG_STATE_HOME counts as unset). An empty variable counts as unset.
 *
 * `path` gets its absolute path with no symbolic link in it; also on failure, as far as it is known (then maybe not resolved), for a
 * message. Returns a descriptor (O_PATH is not set: it can be locked and listed) that the caller closes; -ENOENT with an empty path
 * when no variable names a directory; -EACCES when the directory belongs to another user and that is not root; or negative errno.
 */
int state_dir_open(char path[PATH_MAX]) MUST_CHECK;

/* Whether the state directory has a file or directory of this name. Nothing is made. */
bool state_dir_has(const char *name);

#endif
