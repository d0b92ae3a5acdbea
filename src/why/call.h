/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded system call as a C programmer would write it: names of calls, of flags, and of what pointers point at. */
#ifndef LICHEN_WHY_CALL_H
#define LICHEN_WHY_CALL_H

#include <stdio.h>

#include "abi/trace.h"

#define CALL_ARGS 6

/* What an argument is. One per kind; syscalls.def says which call takes what, names.def how values are called. */
enum arg_kind {
	ARG_END, /* no more arguments */
	ARG_FD,
	ARG_INT,
	ARG_UINT,
	ARG_HEX,
	ARG_PTR,
	ARG_SIZE,
	ARG_OFF,
	ARG_MODE,
	ARG_DEV,
	ARG_PID,
	ARG_UID,
	ARG_SIG,
	ARG_KEY,
	ARG_DIRFD,
	ARG_PATH, /* these four are told by the record's payload */
	ARG_STR,
	ARG_BUF,
	ARG_SOCKADDR,
	/* One value out of names.def. */
	ARG_FAMILY,
	ARG_SOCKTYPE, /* or'ed with SOCK_NONBLOCK and SOCK_CLOEXEC */
	ARG_SOCKPROTO,
	ARG_NETLINK, /* the protocol of an AF_NETLINK socket; so the five after it by socket level */
	ARG_SOCKLEVEL,
	ARG_SOCKOPT,
	ARG_IPSOCKOPT,
	ARG_IPGETOPT,
	ARG_TCPSOCKOPT,
	ARG_IPV6SOCKOPT,
	ARG_NETLINKSOCKOPT,
	ARG_MADVISE,
	ARG_WHENCE,
	ARG_SIGHOW,
	ARG_IDTYPE,
	ARG_RESOURCE,
	ARG_CLOCK,
	ARG_EPOLLOP,
	ARG_FCNTLCMD,
	ARG_IPCCMD,
	ARG_SCHEDPOLICY,
	ARG_SECCOMPOP,
	ARG_FSCONFIGCMD,
	ARG_FUTEXOP,
	ARG_KEYCTLOP,
	ARG_KEYRING,
	ARG_PRCTLOP,
	ARG_ARCHPRCTL,
	ARG_PTRACEOP,
	ARG_BPFCMD,
	ARG_IOCTL,
	/* Sets of bits. */
	ARG_OFLAGS,
	ARG_FDFLAGS, /* the names of ARG_OFLAGS */
	ARG_ATFLAGS,
	ARG_UNLINKFLAGS,
	ARG_ACCMODE,
	ARG_CLONEFLAGS,
	ARG_UNSHAREFLAGS, /* the names of ARG_CLONEFLAGS */
	ARG_MSGFLAGS,
	ARG_MOUNTFLAGS,
	ARG_UMOUNTFLAGS,
	ARG_PROT,
	ARG_MAPFLAGS,
	ARG_MREMAPFLAGS,
	ARG_FLOCKOP,
	ARG_WAITFLAGS,
	ARG_IPCFLAGS,
	ARG_SHMATFLAGS,
	ARG_XATTRFLAGS,
	ARG_RENAMEFLAGS,
	ARG_MEMFDFLAGS,
	ARG_STATXMASK,
};

struct call_form {
	const char *name;
	u8 args[CALL_ARGS]; /* enum arg_kind */
};

/* How a system call of x86-64 looks; NULL for a number that has none. */
const struct call_form *call_form(int nr);

/* The number of a system call by its name, -1 when there is none. */
int call_number(const char *name) MUST_CHECK;

/* Prints a TRACE_CALL record: openat(AT_FDCWD, "/dev/kmsg", O_RDONLY|O_CLOEXEC). What is no printable UTF-8 is escaped as C does. */
void call_print(const struct trace_record *record, FILE *to);

/* "SIGKILL" for 9; "signal 99" for numbers without a name. The result lives until the next call. */
const char *call_signal_name(int signal);

#endif
