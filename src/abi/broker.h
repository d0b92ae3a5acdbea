/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker: services that need a process that outlives its askers, done by the supervisor (`lichen run`) beside waiting for the guest.
 * A member sends one request and one descriptor over the broker socket (a SOCK_SEQPACKET pair; the members' end is a reserved descriptor).
 * There is no reply on it: what the request asks for happens on the descriptor.
 */
#ifndef LICHEN_ABI_BROKER_H
#define LICHEN_ABI_BROKER_H

#include <assert.h>

#include "base/types.h"

enum broker_kind {
	BROKER_KMSG =
		1, /* fd: one end of a SOCK_SEQPACKET pair. a: enum broker_kmsg_flag. Each datagram from it becomes a kernel-log
	                       * record; with BROKER_KMSG_READ all records from number b on, old and new, are sent to it, one a datagram */
	BROKER_DEVICE =
		3, /* fd: one end of a SOCK_SEQPACKET pair; the answer is one datagram, s32: 0 with the open device attached, or negative
		    * errno. a: device, major << 8 | minor, of gap devices' list. b: open(2) flags, BROKER_DEVICE_SERVED */
	BROKER_WATCH_SPACE =
		4, /* fd: the same; a: index of a pid namespace (abi/view_state.h). When the owner has ended, so do its members */
	BROKER_WATCH_CHILD = 5, /* fd: likewise. When the owner has ended, process a is sent SIGCHLD */
	BROKER_CGROUP_EVENT =
		6, /* fd: an eventfd(2), which is told of a control group (abi/cgroup_state.h). a: the group's number, its generation << 32;
		    * b: when it uses more than so many bytes, or no longer; -1: when it is out of memory. Both when the group is gone */
	BROKER_NETWORK =
		7, /* fd: one end of a pair, closed when `network` of the commons has been decided (enum network_namespaces) */
	BROKER_WATCH_PID =
		2, /* fd: a stream socket with an owner (F_SETOWN_EX). When the owner has ended, a zombie or reaped, the other end
	                       * becomes readable for good: fd is shut down for sending */
};

/* A datagram that begins with NUL is no record: a member sends NUL and a u64, the number of the record to go on with (one that is too
 * high: the next to come); the answer, one NUL, parts what was sent before from what comes now. */
enum broker_kmsg_flag {
	BROKER_KMSG_READ = 1,
	BROKER_KMSG_WRITE = 2,
	BROKER_KMSG_ONCE =
		4, /* what there is now, then the end; without READ the end comes at once, which tells that what was asked for
	                       * before has been done */
};

#define BROKER_DEVICE_SERVED (INT64_C(1) << 32) /* as if there were no real device */

/* Who makes network namespaces. It costs a process to try, so it is tried when the first one is wanted. */
enum network_namespaces {
	NETWORK_UNDECIDED,
	NETWORK_BY_KERNEL,
	NETWORK_BY_FILTER, /* the kernel gives none: gaps/namespaces/ns_net.c */
};

struct broker_request {
	u32 kind; /* enum broker_kind */
	u32 reserved;
	s64 a, b;
};
static_assert(sizeof(struct broker_request) == 24, "sent between agent and supervisor");

#endif
