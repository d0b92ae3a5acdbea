// SPDX-License-Identifier: Apache-2.0
/* Who a guest is. */
#include "cli/guest_user.h"

#include "cli/commands.h"
#include "lichen.h"

int guest_user_find(const struct command *command, const struct guest_user *given, const char *image_user,
		    const char *const *layers, u32 count, struct user_found *ret)
{
	const char *text = given->user ? given->user : image_user;
	if (users_find(layers, count, text, given->groups.words, ret) == 0)
		return -1;
	fprintf(stderr, "lichen %s: user '%.100s'%s: %s\n", command->name, text && *text ? text : "0",
		given->user ? "" : " of the image", ret->why);
	return LICHEN_EXIT_FAILED;
}
