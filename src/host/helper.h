/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of lichen's own that do what lichen itself must not (lichen-fetch: the network). They lie beside the lichen that runs, as in a build
 * directory or where both were copied to; or in ../libexec/lichen of its directory; or where they were installed.
 */
#ifndef LICHEN_HOST_HELPER_H
#define LICHEN_HOST_HELPER_H

#include <limits.h>
#include <sys/types.h>

#include "base/types.h"

/* Finds the program. Returns 0 or -ENOENT; `path` then holds the first place that was looked at, "" when not even that is known. */
int helper_find(const char *name, char path[PATH_MAX]) MUST_CHECK;

/* A helper at work. */
struct helper {
	pid_t pid;
	int out; /* read end of its standard output */
	int err; /* a memfd that takes its standard error */
};

/*
 * Starts it with stdin from /dev/null. It gets SIGTERM when lichen ends, however that happens. `keep`: a descriptor that it holds open, too,
 * so that a lock on it lasts as long as either lives; FD_NONE: none. Returns 0 or negative errno; that of execve as well.
 */
int helper_start(const char *path, char *const argv[], int keep, struct helper *ret_helper) MUST_CHECK;

/* The same with `in` as its standard input; FD_NONE: /dev/null. Signals that are blocked here are not blocked there. */
int helper_start_input(const char *path, char *const argv[], int in, int keep, struct helper *ret_helper) MUST_CHECK;

/* Waits for its end. Returns its exit status, 128+n when signal n ended it; or negative errno. `err` stays open for reading, at its start. */
int helper_wait(struct helper *helper) MUST_CHECK;

/* Closes what is open. */
void helper_close(struct helper *helper);

#endif
