/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap namespaces: namespaces as files (ns_files.c), and who enters them (ns_enter.c). */
#ifndef LICHEN_GAPS_NAMESPACES_NS_INT_H
#define LICHEN_GAPS_NAMESPACES_NS_INT_H

#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)

/* Kinds that lichen supplies; a number of each is one in struct agent_spaces. */
enum ns_kind { NS_UTS, NS_IPC, NS_MNT, NS_PID, NS_CGROUP, NS_NET, NS_KINDS };

/* CLONE_NEW… */
u32 ns_kind_flag(enum ns_kind kind);
bool ns_is_supplied(enum ns_kind kind);
/* A descriptor of one, close-on-exec, or negative errno. */
long ns_open(enum ns_kind kind, u32 number) MUST_CHECK;
/* Whether a host path is the file of a namespace; what a descriptor that is a memfd stands for. */
bool ns_known(const char *text, enum ns_kind *ret_kind, u32 *ret_number);
bool ns_memfd_known(const char *text, enum ns_kind *ret_kind, u32 *ret_number);

/* ns_net.c: whether the kernel gives network namespaces; then, the caller's becomes the one of that number. 0 or negative errno. */
bool ns_net_of_kernel(void);
/* Whether there has been one, and it was not the kernel's: sockets made in it may be any task's by now. */
bool ns_net_by_filter(void);
long ns_net_enter(u32 number) MUST_CHECK;
/* Before an execve, which fails with prepare->error if the kernel cannot be made to keep the program from the network. */
void ns_net_exec(struct exec_prepare *prepare);

#endif
