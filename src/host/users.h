/* SPDX-License-Identifier: Apache-2.0 */
/* Who USER[:GROUP] is in a tree: by its own /etc/passwd and /etc/group, as docker and the image specification have it. */
#ifndef LICHEN_HOST_USERS_H
#define LICHEN_HOST_USERS_H

#include "abi/commons.h"
#include "base/types.h"

struct user_found {
	struct identity_start identity;
	char home[256]; /* "/" when passwd does not tell */
	char why[320];  /* on failure: which word, as a sentence without a full stop */
};

/*
 * `layers`: the tree's directories, topmost first (tree_look.h). text: "NAME", "UID", with ":GROUP" or ":GID"; NULL or "" is root. A number need not be in
 * the files. Without a group, it is that of passwd, and the further ones are those of /etc/group that list the user; with one, it is the only one.
 * groups: NULL-terminated names or numbers that come on top (--group-add); may be NULL. 0; -ENOENT: there is no such user or group; -E2BIG: more
 * than IDENTITY_GROUPS_MAX groups were asked for; -EINVAL: no such number can be.
 */
int users_find(const char *const *layers, u32 count, const char *text, const char *const *groups,
	       struct user_found *ret) MUST_CHECK;

#endif
