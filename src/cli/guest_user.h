/* SPDX-License-Identifier: Apache-2.0 */
/* Who a guest is: --user, --group-add, and what an image says. */
#ifndef LICHEN_CLI_GUEST_USER_H
#define LICHEN_CLI_GUEST_USER_H

#include "cli/guest_root.h"
#include "cli/options.h"
#include "host/users.h"

struct guest_user {
	const char *user; /* NULL: as the image says; else root where gap identity is filled, else as we are */
	struct option_words groups;
};

/* Option rows for a command whose struct `type` has a struct guest_user `field`. */
/* clang-format off */
#define GUEST_USER_OPTION(type, field) \
	{ .name = "user", .letter = 'u', .value = "USER[:GROUP]", .offset = offsetof(type, field.user), \
	  .help = "be this user, by name or number, of the tree's own /etc/passwd" }
#define GUEST_USER_OPTIONS(type, field) \
	GUEST_USER_OPTION(type, field), \
	{ .name = "group-add", .value = "GROUP", .offset = offsetof(type, field.groups), .parse = options_add_word, .rare = true, \
	  .help = "be in this group as well" }
/* clang-format on */

static inline bool guest_user_given(const struct guest_user *given)
{
	return given->user || given->groups.count;
}

/* Finds out who that is in the tree, `image_user` where the command line does not say. Returns -1, or the exit status after saying what is wrong. */
int guest_user_find(const struct command *command, const struct guest_user *given, const char *image_user,
		    const char *const *layers, u32 count, struct user_found *ret);

#endif
