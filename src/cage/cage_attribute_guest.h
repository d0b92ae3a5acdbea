/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread of a guest's that has asked for something and waits: what it has is looked at through /proc, and things are done as it would do them. User, groups and
 * capabilities are those of the calling thread alone; guest_end() gives it its own back.
 */
#ifndef LICHEN_CAGE_CAGE_ATTRIBUTE_GUEST_H
#define LICHEN_CAGE_CAGE_ATTRIBUTE_GUEST_H

#include <limits.h>
#include <sys/types.h>

#include "base/types.h"

#define GUEST_GROUPS 1024u /* of more the call is refused */

struct guest {
	pid_t thread;
	int memory;
	uid_t uid; /* for file systems */
	gid_t gid;
	u64 capabilities; /* effective */
	bool taken;       /* ours are to be given back: user, capabilities, */
	u64 own_capabilities;
	gid_t *groups; /* and groups, if the guest is another user; else NULL */
	int group_count;
};

/* Takes the guest's user and groups. 0; -EPERM when it cannot be looked at; or negative errno. guest_end() in any case. */
int guest_begin(struct guest *guest, pid_t thread) MUST_CHECK;
void guest_end(struct guest *guest);
/* And its effective capabilities, as far as we have them. Nothing of it can be looked at any more. 0 or negative errno. */
int guest_act_as(struct guest *guest) MUST_CHECK;

/* 0 or -EFAULT. */
int guest_read(const struct guest *guest, u64 address, void *to, size_t size) MUST_CHECK;
/* 0, -EFAULT or -ENAMETOOLONG. */
int guest_read_path(const struct guest *guest, u64 address, char path[PATH_MAX]) MUST_CHECK;
/* Whether a descriptor of its is one of O_PATH, of which the kernel takes only the place. */
bool guest_fd_is_path(const struct guest *guest, int fd) MUST_CHECK;
/* What a descriptor of its has, and its working directory: O_PATH. A descriptor, -EBADF, or other negative errno. */
int guest_open_fd(const struct guest *guest, int fd) MUST_CHECK;
int guest_open_cwd(const struct guest *guest) MUST_CHECK;

#endif
