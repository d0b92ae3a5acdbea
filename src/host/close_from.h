/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All descriptors from a number on, however many are open and whatever RLIMIT_NOFILE is by now: close_range(2), else what /proc/self/fd lists, else the numbers up to
 * one that was the highest while there was a /proc.
 */
#ifndef LICHEN_HOST_CLOSE_FROM_H
#define LICHEN_HOST_CLOSE_FROM_H

#include "base/types.h"

#define CLOSE_NO_HIGHEST (-1)

/* The highest number that is open, where it will be needed when /proc is gone; else, or if nobody can tell, CLOSE_NO_HIGHEST. */
int close_highest(void) MUST_CHECK;
/* Closes them. 0 or negative errno: what is still open is not known. */
int close_from(unsigned first, int highest) MUST_CHECK;
/* Lets execve(2) close them. Likewise. */
int close_on_exec_from(unsigned first, int highest) MUST_CHECK;

#endif
