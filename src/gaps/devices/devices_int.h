/* SPDX-License-Identifier: Apache-2.0 */
/* Between the agent halves of gap devices. */
#ifndef LICHEN_GAPS_DEVICES_INT_H
#define LICHEN_GAPS_DEVICES_INT_H

#include "agent/agent.h"
#include "gaps/devices/devices.h"

#define O_ACCMODE_ 3
#define O_WRONLY_ 1
#define O_RDWR_ 2
#define O_APPEND_ 02000
#define O_NONBLOCK_ 04000
#define O_CLOEXEC_ 02000000
#define AF_UNIX_ 1
#define SOCK_SEQPACKET_ 5
#define SOCK_CLOEXEC_ O_CLOEXEC_
#define SOL_SOCKET_ 1
#define POLLIN_ 1
#define MSG_DONTWAIT_ 0x40
#define ANSWER_MS 2000 /* how long the supervisor may take to answer: every signal waits as long */
#define SEEK_END_ 2
#define SEEK_DATA_ 3

static inline struct devices_area *devices_area(void)
{
	return commons_area(GAP_devices);
}

static inline bool devices_refused(void)
{
	return commons()->refused & (1u << GAP_devices);
}

/* device_open.c: opens a device that /dev lacks, by its number; descriptor or negative errno. */
long device_open(u32 rdev, enum device_kind kind, int flags) MUST_CHECK;
/* Waits until there is something to read, or the end. False: nothing came in time. */
bool device_wait(s32 fd);
/* What the supervisor is asked with one end of a new pair: our end, or negative errno. flags: O_NONBLOCK and O_CLOEXEC count. */
long device_ask(u32 kind, s64 a, s64 b, int flags) MUST_CHECK;

/* kmsg_agent.c */
long kmsg_open(int flags) MUST_CHECK;
/* A record as written by the guest; how many bytes were taken or negative errno. */
long kmsg_written(const char *bytes, u64 size) MUST_CHECK;
/* 0, or -EPERM: what the log's reader lacks. all: reads that dmesg_restrict alone decides about. */
int kmsg_permission(bool all) MUST_CHECK;

#endif
