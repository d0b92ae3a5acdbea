/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: rights to files, and scopes, that a process gives up for itself and all that it starts (landlock(7)). Of the rights that this kernel's ABI knows all
 * are handled, so what no rule gives is refused (EACCES; EXDEV for a rename out of a directory).
 *
 * It does not judge chmod, chown, utimensat, setxattr, stat, chdir, and ioctl(2) of what is no device: cage_view.h and cage_seccomp.h do.
 */
#ifndef LICHEN_CAGE_LANDLOCK_H
#define LICHEN_CAGE_LANDLOCK_H

#include "base/types.h"

#define LANDLOCK_ABI_SCOPES 6 /* Linux 6.12: abstract sockets and signals */

/* The ABI of this kernel; 0: it has none. */
int landlock_abi(void) MUST_CHECK;

/* A ruleset that handles all file rights of an ABI (files), and keeps signals and connections to abstract sockets inside, where the ABI knows that. A
 * descriptor, or negative errno. */
int landlock_new(int abi, bool files, bool scope_signals, bool scope_abstract) MUST_CHECK;
/* Allows something (bits of enum cage_access, policy.h) for what a descriptor (O_PATH) stands for, and all below it. 0 or negative errno. */
int landlock_allow(int ruleset, int abi, int fd, u32 access) MUST_CHECK;
/* From here on. no_new_privs must be set. 0 or negative errno. */
int landlock_enforce(int ruleset) MUST_CHECK;

#endif
