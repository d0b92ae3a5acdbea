/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a caged process: a filter that allows by list (cage_calls.def), as a program of the kernel's.
 *
 *   32-bit calls and x32    end the process: what their numbers mean nobody looks at
 *   not in the list         EPERM; ENOSYS where programs fall back, and of numbers that were not known when the list was written
 *   of some, arguments      by the low 32 bits of an `int`, which is what the kernel looks at
 *
 * It does not know the agent: what the agent does for its guest is filtered as if the guest did it. That the agent sees a call first, by RET_TRAP, changes
 * nothing: it cannot make it either.
 */
#ifndef LICHEN_CAGE_CAGE_SECCOMP_H
#define LICHEN_CAGE_CAGE_SECCOMP_H

#include <linux/filter.h>

#include "cage/policy.h"

/* chmod, chown, utimensat and their like. */
enum cage_attributes {
	CAGE_ATTRIBUTES_REFUSED,
	CAGE_ATTRIBUTES_ALLOWED, /* everywhere: mounts keep them to what may be written. Extended ones, too */
	CAGE_ATTRIBUTES_ASKED,   /* another filter asks (cage_notify.h); extended ones are refused */
};

/* What else decides on the list. */
struct cage_seccomp {
	const struct cage_policy *policy; /* processes.allow and deny */
	bool internet;                    /* AF_INET and AF_INET6 */
	bool local;                       /* AF_UNIX */
	bool netlink;                     /* NETLINK_ROUTE */
	enum cage_attributes attributes;
	bool ipc;  /* System V IPC and message queues */
	int agent; /* the agent's descriptor, which may be executed; negative: none */
};

#define CAGE_SECCOMP_NUMBERS 512u
#define CAGE_SECCOMP_MAX 4096u /* BPF_MAXINSNS */

/* Writes the program. Returns its length, or -E2BIG. */
int cage_seccomp_write(const struct cage_seccomp *spec, struct sock_filter program[CAGE_SECCOMP_MAX]) MUST_CHECK;
/* Installs it in the calling process. no_new_privs must be set. 0 or negative errno. */
int cage_seccomp_install(const struct cage_seccomp *spec) MUST_CHECK;
/* The number of a system call of x86-64 by its name; negative: there is none. */
int cage_seccomp_number(const char *name) MUST_CHECK;
/* Sets the bit of each number that it refuses, always or by its arguments, but for those that are answered ENOSYS. */
void cage_seccomp_refused(const struct cage_policy *policy, enum cage_attributes attributes, bool ipc,
			  u64 numbers[CAGE_SECCOMP_NUMBERS / 64]);
/* Sets the bit of each number that it refuses whatever the arguments, where the host gives all that it can (`ipc`: an IPC namespace, too): what processes.allow
 * would have to name. */
void cage_seccomp_unlisted(const struct cage_policy *policy, bool ipc, u64 numbers[CAGE_SECCOMP_NUMBERS / 64]);

#endif
