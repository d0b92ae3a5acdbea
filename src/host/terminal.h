/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal of a guest in the foreground (-t): a pseudo terminal of its own, whose other end is relayed to our standard input and output by the
 * supervisor. With input, ours is in raw mode meanwhile: Ctrl-C, Ctrl-Z and the rest are characters, which the guest's terminal makes signals of.
 *
 *   terminal_new()    the pair is made, as large as ours; ours is as it was
 *   terminal_begin()  raw mode; from here on bytes go both ways, and the guest's terminal follows the size of ours (SIGWINCH)
 *   supervise_end()   what the guest wrote last is written, and our terminal is as it was
 *
 * Our ends are opened anew, non-blocking: their flags are shared with whoever started us. What cannot be written yet is kept, and nothing more is
 * read from where it came from: neither side is ever waited for.
 * Limit: SIGKILL of lichen itself leaves the terminal raw (`reset` helps); there are no keys to detach.
 */
#ifndef LICHEN_HOST_TERMINAL_H
#define LICHEN_HOST_TERMINAL_H

#include "host/supervise.h"

struct terminal;

/* input: our standard input goes to the guest; it is a terminal. member: 0, or a process whose /dev/pts the pair belongs to. *ret_slave: for the guest's streams, close-on-exec, the caller's. 0 or negative errno. */
int terminal_new(bool input, pid_t member, struct terminal **ret, int *ret_slave) MUST_CHECK;
/* 0 or negative errno. */
int terminal_begin(struct terminal *terminal, struct supervisor *supervisor) MUST_CHECK;
/* Nothing for NULL. */
void terminal_end(struct terminal *terminal);

#endif
