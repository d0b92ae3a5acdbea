/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One who is attached to a command's streams (console.h): what the command writes goes to our standard output and error, what we read to the command.
 * With a terminal at both ends ours is in raw mode meanwhile: Ctrl-C, Ctrl-Z and the rest are characters, which the command's terminal makes signals
 * of, and its terminal is as large as ours.
 *
 * Our ends are opened anew, non-blocking: their flags are shared with whoever started us. What cannot be written yet is kept, and nothing more is
 * read from where it came from.
 * Limit: SIGKILL of lichen itself leaves the terminal raw (`reset` helps).
 */
#ifndef LICHEN_HOST_ATTACH_H
#define LICHEN_HOST_ATTACH_H

#include "base/types.h"
#include "host/detach_keys.h"

struct attach {
	int connection; /* a client's end; the caller's */
	bool terminal;  /* the command has one */
	bool input;     /* our standard input is read */
	/* It is our command: signals are passed on to it, and what nobody takes of its output is dropped. Else a signal, and output that nobody takes, end us. */
	bool ours;
	bool proxy;              /* not ours: signals are passed on all the same, but a hang-up of our terminal */
	struct detach_keys keys; /* looked for where there are terminals at both ends */
};

enum attach_end {
	ATTACH_ENDED,    /* the command has: *ret_status is its exit status */
	ATTACH_DETACHED, /* the keys were typed */
	ATTACH_LOST,     /* the other end is gone without a word: it was killed */
};

/* Makes the two ends of an attachment: ret[0] for attach_run(), which has said how large our terminal is; ret[1] for console_attach(). 0 or negative errno. */
int attach_pair(int ret[2]) MUST_CHECK;
/* Says how large our terminal is, if we have one. */
void attach_say_size(int connection);

/* Stays until one of these. An enum attach_end, or negative errno: then nothing was done. */
int attach_run(const struct attach *attach, int *ret_status) MUST_CHECK;

#endif
