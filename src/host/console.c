// SPDX-License-Identifier: Apache-2.0
/* Streams and clients: see the header. */
#include "host/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

#define EVENTS_AT_ONCE 64    /* then signals are looked at */
#define READS_AT_ONCE 16     /* of one source, then others are looked at */
#define LAST_WORDS_MS 2000   /* so long a client may take nothing when the command has ended */
#define NEVER_LISTENED (~0u) /* events of a source that epoll does not know */

struct source {
	void (*ready)(struct console *console, struct source *source, u32 happened);
	int fd;
	u32 events; /* listened to */
};

struct client {
	struct source source; /* the first member */
	struct client *next, **link;
	bool starter, gone; /* gone: freed as soon as nobody looks at it */
	size_t unsent;      /* bytes of `message` that the connection did not take */
	char message[CONSOLE_CHUNK + 1];
};

struct console {
	struct console_owner owner;
	int epoll;
	bool terminal, sized;
	struct winsize size;
	struct source outputs[CELL_STREAMS], input;
	struct client *clients;
	size_t typed_at, typed_size; /* what the command has not taken yet */
	char typed[CONSOLE_CHUNK];
};

static const struct source no_source = { NULL, FD_NONE, NEVER_LISTENED };

/* Listens to what is waited for, and to nothing else: to be woken is to be able to go on. */
static int listen_to(const struct console *console, struct source *source, u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int op = source->events == NEVER_LISTENED ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (source->fd < 0 || source->events == events)
		return 0;
	if (epoll_ctl(console->epoll, op, source->fd, &event) < 0)
		return -errno;
	source->events = events;
	return 0;
}

/* No more events, hang-ups included. */
static void ignore(const struct console *console, struct source *source)
{
	if (source->fd >= 0 && source->events != NEVER_LISTENED)
		(void)epoll_ctl(console->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->events = NEVER_LISTENED;
}

static void drop(const struct console *console, struct source *source)
{
	ignore(console, source);
	close_fd(&source->fd);
	*source = no_source;
}

static bool held_up(const struct console *console)
{
	for (const struct client *client = console->clients; client; client = client->next)
		if (client->unsent)
			return true;
	return false;
}

/* Who is listened to depends on what waits: output on clients, clients' input on the command. */
static void listen_again(struct console *console)
{
	bool held = held_up(console), typed = console->typed_size > 0;

	for (int i = 0; i < CELL_STREAMS; i++) {
		if (held)
			ignore(console, &console->outputs[i]);
		else
			(void)listen_to(console, &console->outputs[i], EPOLLIN);
	}
	if (typed)
		(void)listen_to(console, &console->input, EPOLLOUT);
	else
		ignore(console, &console->input);
	for (struct client *client = console->clients; client; client = client->next)
		(void)listen_to(console, &client->source, (typed ? 0 : EPOLLIN) | (client->unsent ? EPOLLOUT : 0));
}

/* --- to clients ----------------------------------------------------------------------------------------------------------------- */

/* It has hung up, or is to be: what it has sent before is looked at, for it may have detached. */
static void client_gone(struct console *console, struct client *client)
{
	char message[CONSOLE_CHUNK + 1];

	if (client->gone)
		return;
	while (client->starter && recv(client->source.fd, message, sizeof(message), MSG_DONTWAIT) > 0)
		if (message[0] == CONSOLE_DETACH)
			client->starter = false;
	drop(console, &client->source);
	client->gone = true;
	client->unsent = 0;
	if (client->starter)
		console->owner.lost(console->owner.data);
}

static void free_gone(struct console *console)
{
	struct client *next;

	for (struct client *client = console->clients; client; client = next) {
		next = client->next;
		if (!client->gone)
			continue;
		*client->link = next;
		if (next)
			next->link = client->link;
		free(client);
	}
}

static void send_to(struct console *console, struct client *client, char kind, const char *bytes, size_t size)
{
	struct iovec parts[] = { { &kind, 1 }, { (void *)(uintptr_t)bytes, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (client->gone || sendmsg(client->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	if (errno != EAGAIN && errno != EINTR) {
		client_gone(console, client);
		return;
	}
	client->message[0] = kind;
	memcpy(client->message + 1, bytes, size);
	client->unsent = size + 1;
}

static void send_rest(struct console *console, struct client *client)
{
	if (!client->unsent || send(client->source.fd, client->message, client->unsent, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		client->unsent = 0;
	else if (errno != EAGAIN && errno != EINTR)
		client_gone(console, client);
}

static void output_ready(struct console *console, struct source *source, u32 happened)
{
	enum cell_stream stream = source == &console->outputs[CELL_STDOUT] ? CELL_STDOUT : CELL_STDERR;
	char bytes[CONSOLE_CHUNK];

	(void)happened;
	for (int i = 0; i < READS_AT_ONCE && !held_up(console); i++) {
		ssize_t n = read(source->fd, bytes, sizeof(bytes));

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			drop(console, source);
		if (n <= 0)
			break;
		if (console->owner.output)
			console->owner.output(console->owner.data, stream, bytes, (size_t)n);
		for (struct client *client = console->clients; client; client = client->next)
			send_to(console, client, stream == CELL_STDOUT ? CONSOLE_STDOUT : CONSOLE_STDERR, bytes, (size_t)n);
	}
}

/* --- from clients --------------------------------------------------------------------------------------------------------------- */

static void set_size(const struct console *console)
{
	if (console->terminal && console->sized)
		(void)ioctl(console->outputs[CELL_STDOUT].fd, TIOCSWINSZ, &console->size);
}

/* For a moment the terminal has another size: a program that has painted it paints it again. */
static void take_size(struct console *console, const struct winsize *size, bool starter)
{
	struct winsize other = *size;

	other.ws_row++;
	if (console->terminal && console->sized && !starter && memcmp(&console->size, size, sizeof(*size)) == 0)
		(void)ioctl(console->outputs[CELL_STDOUT].fd, TIOCSWINSZ, &other);
	console->size = *size;
	console->sized = true;
	set_size(console);
}

static void write_typed(struct console *console)
{
	while (console->typed_size) {
		ssize_t n = console->input.fd < 0
				  ? (ssize_t)console->typed_size
				  : write(console->input.fd, console->typed + console->typed_at, console->typed_size);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) { /* nobody reads it any more */
			drop(console, &console->input);
			n = (ssize_t)console->typed_size;
		}
		console->typed_at += (size_t)n;
		console->typed_size -= (size_t)n;
	}
}

static void input_ready(struct console *console, struct source *source, u32 happened)
{
	(void)source;
	(void)happened;
	write_typed(console);
}

static void take_message(struct console *console, struct client *client, const char *message, size_t size)
{
	struct winsize window;
	s32 number;

	if (message[0] == CONSOLE_INPUT) {
		memcpy(console->typed, message + 1, size - 1);
		console->typed_at = 0;
		console->typed_size = size - 1;
		write_typed(console);
	} else if (message[0] == CONSOLE_SIZE && size == 1 + sizeof(window)) {
		memcpy(&window, message + 1, sizeof(window));
		take_size(console, &window, client->starter);
	} else if (message[0] == CONSOLE_SIGNAL && size == 1 + sizeof(number)) {
		memcpy(&number, message + 1, sizeof(number));
		console->owner.signal(console->owner.data, number);
	} else {
		client->starter &= message[0] != CONSOLE_DETACH;
		client_gone(console, client);
	}
}

static void client_ready(struct console *console, struct source *source, u32 happened)
{
	struct client *client = (struct client *)source;
	char message[CONSOLE_CHUNK + 1];

	send_rest(console, client);
	if (happened & (EPOLLHUP | EPOLLERR) && console->typed_size) /* what it has sent would have to wait */
		client_gone(console, client);
	for (int i = 0; i < READS_AT_ONCE && !client->gone && !console->typed_size; i++) {
		ssize_t n = recv(source->fd, message, sizeof(message), MSG_DONTWAIT);

		if (n > 0)
			take_message(console, client, message, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			client_gone(console, client);
		else
			break;
	}
}

void console_attach(struct console *console, int connection, enum console_client kind)
{
	struct client *client = calloc(1, sizeof(*client));
	int flags = fcntl(connection, F_GETFL);

	if (!client || flags < 0 || fcntl(connection, F_SETFL, flags | O_NONBLOCK) < 0) {
		free(client);
		(void)close(connection);
		return;
	}
	client->source = (struct source){ client_ready, connection, NEVER_LISTENED };
	client->starter = kind == CONSOLE_STARTER;
	client->next = console->clients;
	client->link = &console->clients;
	if (client->next)
		client->next->link = &client->next;
	console->clients = client;
	if (listen_to(console, &client->source, EPOLLIN) < 0)
		client_gone(console, client);
	else
		client_ready(console, &client->source, 0); /* the size of its terminal */
	listen_again(console);
	free_gone(console);
}

/* --- runs of the command ---------------------------------------------------------------------------------------------------------- */

struct console *console_new(const struct console_owner *owner)
{
	struct console *console = calloc(1, sizeof(*console));

	if (!console)
		return NULL;
	console->owner = *owner;
	console->outputs[CELL_STDOUT] = console->outputs[CELL_STDERR] = console->input = no_source;
	console->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (console->epoll >= 0)
		return console;
	free(console);
	return NULL;
}

int console_fd(const struct console *console)
{
	return console->epoll;
}

/* One event at a time: what it does may end another's source. */
void console_ready(void *data)
{
	struct console *console = data;
	struct epoll_event event;

	for (int i = 0; i < EVENTS_AT_ONCE && epoll_wait(console->epoll, &event, 1, 0) == 1; i++) {
		struct source *source = event.data.ptr;

		source->ready(console, source, event.events);
		free_gone(console);
		listen_again(console);
	}
}

static int use(struct console *console, struct source *source, int fd, void (*ready)(struct console *, struct source *, u32))
{
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	*source = (struct source){ ready, fd, NEVER_LISTENED };
	if (fd >= 0 && (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
		return -errno;
	listen_again(console);
	return 0;
}

int console_terminal(struct console *console, int master, bool input)
{
	int again = input ? fcntl(master, F_DUPFD_CLOEXEC, 3) : FD_NONE,
	    r = use(console, &console->outputs[CELL_STDOUT], master, output_ready);

	console->terminal = true;
	set_size(console);
	if (input && again < 0)
		return -EMFILE;
	return r < 0 ? r : use(console, &console->input, again, input_ready);
}

int console_pipes(struct console *console, const int outputs[CELL_STREAMS], int input)
{
	int r = use(console, &console->input, input, input_ready);

	console->terminal = false;
	for (int i = 0; i < CELL_STREAMS; i++) {
		int error = use(console, &console->outputs[i], outputs[i], output_ready);

		r = r < 0 ? r : error;
	}
	return r;
}

bool console_has_terminal(const struct console *console)
{
	return console->terminal;
}

bool console_takes_input(const struct console *console)
{
	return console->input.fd >= 0;
}

/* Waits until every client has taken what it was sent. Who takes nothing is left behind. */
static void send_all(struct console *console)
{
	for (struct client *client = console->clients; client; client = client->next) {
		struct pollfd polled = { .fd = client->source.fd, .events = POLLOUT };

		while (client->unsent && poll(&polled, 1, LAST_WORDS_MS) == 1)
			send_rest(console, client);
		client->starter &= !client->unsent;
		if (client->unsent)
			client_gone(console, client);
	}
}

void console_drain(struct console *console)
{
	drop(console, &console->input);
	console->typed_size = 0;
	/* all writers are dead: what they wrote is there, and then the end */
	for (int i = 0; i < CELL_STREAMS; i++) {
		struct pollfd polled = { .fd = console->outputs[i].fd, .events = POLLIN };

		while (console->outputs[i].fd >= 0 && poll(&polled, 1, 0) == 1) {
			output_ready(console, &console->outputs[i], 0);
			send_all(console);
		}
		drop(console, &console->outputs[i]);
	}
	send_all(console);
	free_gone(console);
}

void console_end(struct console *console, int status)
{
	struct client *next;

	if (!console)
		return;
	console_drain(console);
	for (struct client *client = console->clients; client; client = client->next) {
		s32 number = status;

		client->starter = false;
		send_to(console, client, CONSOLE_END, (const char *)&number, sizeof(number));
	}
	send_all(console);
	for (struct client *client = console->clients; client; client = next) {
		next = client->next;
		drop(console, &client->source);
		free(client);
	}
	(void)close(console->epoll);
	free(console);
}
