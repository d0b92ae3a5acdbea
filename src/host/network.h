/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest without network (`--network none`), enforced by the kernel: a network namespace with nothing but loopback where the host lets us make one,
 * which is tried by doing; else a seccomp filter that refuses sockets of all families but AF_UNIX (EAFNOSUPPORT: as a kernel that has no other), and
 * io_uring, which could make them. In both, setns(2) is EPERM: there is no way back by it.
 *
 * Limits: sockets that the guest is handed stay what they are: its standard streams, and what comes over AF_UNIX. Abstract AF_UNIX names are
 * the machine's where it is a filter. A guest that is real root on the machine may make another process talk for it (ptrace(2)).
 */
#ifndef LICHEN_HOST_NETWORK_H
#define LICHEN_HOST_NETWORK_H

#include <sys/types.h>

#include "base/types.h"

/*
 * Takes the network away from the calling process and all that it starts, for good, in two steps: until the second one it may still enter other
 * namespaces. member: 0, or a process of the cell that it joins, whose namespace it shares where the host lets it; elsewhere it gets one of its own.
 * Returns whether it is in a namespace without network: to be told network_none_end().
 */
bool network_none_begin(pid_t member) MUST_CHECK;
/* Installs the filter. Sets no_new_privs where that is needed. 0, or negative errno: the process must not go on. */
int network_none_end(bool separate) MUST_CHECK;

/* Brings loopback up, which is down in a new network namespace, as far as it goes. */
void network_loopback_up(void);
/* Whether the calling process's namespace has a way to addresses of others. */
bool network_has_way_out(void) MUST_CHECK;
/* Whether the kernel lets us make a network namespace, and come back: tried in a child. */
bool network_namespaces_work(void) MUST_CHECK;
/* The filter (struct sock_filter) of a process in a network namespace that the kernel does not give: no sockets but AF_UNIX and AF_NETLINK. Its length. */
u32 network_write_filter(u64 *to, u32 max);

#endif
