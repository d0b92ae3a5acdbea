/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chmod(2), chown(2), utimensat(2) and their like of a guest, where no mount can be made read-only: Landlock does not judge them, so they are asked of the
 * supervisor (cage_notify.h), which does them itself.
 *
 *   1 what is meant is opened (O_PATH) as the guest would: from its directory, by its descriptor, with its user, groups and links
 *   2 its name, as the kernel knows it, must lie in a place that may be written; else EROFS, as of a mount that is read-only
 *   3 the change is made to what was opened, with the guest's user, groups and effective capabilities
 *
 * The kernel never carries out such a call of the guest's own, and what it changes after 1 changes nothing. Devices are left as they are: EROFS.
 *
 * Limits: what is not readable of the guest (PR_SET_DUMPABLE, or another user than before and no execve since) is EPERM. A path that comes to a descriptor of
 * /proc/self by a link is ELOOP, but for /dev/fd, /dev/stdin and their like. A signal whose handler has no SA_RESTART may come before the call is taken: EINTR.
 */
#ifndef LICHEN_CAGE_CAGE_ATTRIBUTE_H
#define LICHEN_CAGE_CAGE_ATTRIBUTE_H

#include "cage/cage_notify.h"

struct cage;

/* The calls, for a cage that has grants. Who answers them may be any thread; its user, groups and capabilities are others meanwhile. */
struct cage_notify_calls cage_attribute_calls(const struct cage *cage) MUST_CHECK;

#endif
