/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard streams of a command that outlives whoever looks at it, and those who are attached to them: any number of clients (attach.h), each by a
 * SOCK_SEQPACKET connection. What the command writes goes to its owner (a log) and to all of them, what they type to the command, in the order in which it comes.
 *
 *   console_new()       nobody is attached, there is no command
 *   console_terminal(), console_pipes()   the streams of one run of the command
 *   console_attach()    at any time
 *   console_drain()     the command has ended: what is left of its output is read. Then there may be another run
 *   console_end()       clients are told the exit status, and hung up
 *
 * Nothing blocks but the last two, which wait two seconds for a client that takes nothing. While the command runs, a client that does not
 * take what it is sent holds it up when its connection is full (some 200 KiB): nothing is dropped, and nothing kept in memory.
 */
#ifndef LICHEN_HOST_CONSOLE_H
#define LICHEN_HOST_CONSOLE_H

#include <sys/ioctl.h>

#include "base/types.h"
#include "host/cell_log.h"

#define CONSOLE_CHUNK 16384u /* at most so many bytes in a message */

/* A message is a byte, one of these, and what belongs to it. */
enum console_message {
	/* of a client */
	CONSOLE_INPUT = 1, /* bytes for the command */
	CONSOLE_SIZE,      /* struct winsize: of its terminal */
	CONSOLE_SIGNAL,    /* s32: for the command */
	CONSOLE_DETACH,    /* it goes, and the command stays */
	/* to a client */
	CONSOLE_STDOUT, /* bytes; of a terminal, all that is written there */
	CONSOLE_STDERR,
	CONSOLE_END, /* s32: exit status; the last one */
};

struct console_owner {
	void (*output)(void *data, enum cell_stream stream, const char *bytes, size_t size); /* NULL = nothing is kept */
	void (*signal)(void *data, int sig);
	void (*lost)(void *data); /* the client whose command it is has gone without CONSOLE_DETACH: it was killed */
	void *data;
};

enum console_client {
	CONSOLE_STARTER, /* whose command it is, until it detaches */
	CONSOLE_GUEST,   /* the terminal is painted again for it */
};

struct console;

/* owner is copied. NULL without memory or descriptors. */
struct console *console_new(const struct console_owner *owner) MUST_CHECK;
/* Can be read from when console_ready(), which takes the console, has something to do. */
int console_fd(const struct console *console);
void console_ready(void *data);

/* A terminal's end becomes the console's, at once as large as the clients'. input: what is typed goes there. 0 or negative errno. */
int console_terminal(struct console *console, int master, bool input) MUST_CHECK;
/* Pipes become the console's: output, error, and input (negative: the command reads something else). 0 or negative errno. */
int console_pipes(struct console *console, const int outputs[CELL_STREAMS], int input) MUST_CHECK;
bool console_has_terminal(const struct console *console);
bool console_takes_input(const struct console *console);

/* The connection becomes the console's; whatever is wrong with it, it is hung up. */
void console_attach(struct console *console, int connection, enum console_client kind);

void console_drain(struct console *console);
/* Frees it; nothing for NULL. */
void console_end(struct console *console, int status);

#endif
