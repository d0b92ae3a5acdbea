/* SPDX-License-Identifier: Apache-2.0 */
/* Copies what lies in a directory. */
#ifndef LICHEN_HOST_TREE_COPY_H
#define LICHEN_HOST_TREE_COPY_H

#include "base/types.h"

/*
 * Copies all that lies in the directory `from` into the directory `to`, and the mode, owner and attributes of `from` itself: files, directories, links,
 * FIFOs and devices with their modes, times, owners and extended attributes as far as the host lets us set them; of hard links, each becomes a file.
 * What is there already is left as it is, but for files that were cut short. Sockets are left out. Descriptors as of tree_enter(). 0 or negative errno.
 */
int tree_copy(int from, int to) MUST_CHECK;

#endif
