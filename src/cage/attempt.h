/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest tried, from a record of its calls (abi/trace.h). A record is the guest's own word: any bytes may be in it, and what comes out here has been
 * checked, but need not be true. Nothing of it confines anybody.
 */
#ifndef LICHEN_CAGE_ATTEMPT_H
#define LICHEN_CAGE_ATTEMPT_H

#include <limits.h>
#include <sys/socket.h>

#include "abi/trace.h"
#include "base/types.h"

enum cage_attempt_kind {
	CAGE_OPENS,    /* path, flags */
	CAGE_CHANGES,  /* path: its object */
	CAGE_NAMES,    /* path: an entry of its directory is made or removed */
	CAGE_EXECUTES, /* path */
	CAGE_LOOKS,    /* path */
	CAGE_CONNECTS, /* address */
	CAGE_BINDS,    /* address */
	CAGE_SOCKETS,  /* number: the family; flags: the type; protocol */
	CAGE_SIGNALS,  /* number: the process, as the guest counts them */
	CAGE_CALLS,    /* nothing but the number of the call */
};

struct cage_attempt {
	enum cage_attempt_kind kind;
	s32 nr;     /* of the system call */
	s64 result; /* as in the record: a negative errno, or that it worked */
	u32 flags;
	s64 number;
	s32 protocol;
	char path[PATH_MAX]; /* absolute, without ".", ".." and double slashes, links as they are; "" = not known */
	bool cut;            /* there was more of the path */
	bool links;          /* the call follows a link that the whole path names */
	struct sockaddr_storage address;
	socklen_t address_size;
};

/* The n-th thing (from 0) that the call of a well-formed record tries. False when there is none. */
bool cage_attempt_get(const struct trace_record *record, u32 n, struct cage_attempt *ret) MUST_CHECK;

/* The program that a TRACE_EXEC is about, as CAGE_EXECUTES. False: not known. */
bool cage_attempt_program(const struct trace_record *record, struct cage_attempt *ret) MUST_CHECK;

/* Replaces symbolic links of an absolute path as far as there are files, the last name's only if `last`. What is below /proc stays as it is: its
 * links mean other things to other processes. */
void cage_attempt_resolve(char path[PATH_MAX], bool last);

/* The name of a system call; "syscall N" of one that has none here. */
#define CAGE_CALL_NAME 32u
const char *cage_call_name(s32 nr, char buffer[CAGE_CALL_NAME]);

#endif
