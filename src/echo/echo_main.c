// SPDX-License-Identifier: Apache-2.0
/* lichen-echo-model: the command line and the socket. One process a connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "echo/echo.h"
#include "lichen.h"

static const char usage[] = "Usage: lichen-echo-model [OPTION…] --socket=PATH | --port=N\n"
			    "Answers as a server of language models does, with the words that it was asked.\n"
			    "For tests and examples: there is no model in it.\n"
			    "\n"
			    "      --socket=PATH    listen on this UNIX socket, which must not exist\n"
			    "      --port=N         listen on 127.0.0.1; 0: any free port\n"
			    "      --usage=HOW      its account of tokens: true (default), none, zero, low, high,\n"
			    "                       huge, negative, text, fraction\n"
			    "      --delay=MS       wait before the account\n"
			    "      --forever        streams do not end, whatever max_tokens says\n"
			    "      --cut            the connection ends in the middle of the answer\n"
			    "      --garbage        the answer is not JSON\n"
			    "      --status=N       answer with this status and an error\n"
			    "      --version        print the version and exit\n"
			    "  -h, --help           print this and exit\n"
			    "\n"
			    "Prints one line when it is ready: where it listens.\n";

enum option_code {
	OPTION_SOCKET = 256,
	OPTION_PORT,
	OPTION_USAGE,
	OPTION_DELAY,
	OPTION_FOREVER,
	OPTION_CUT,
	OPTION_GARBAGE,
	OPTION_STATUS,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "usage", required_argument, NULL, OPTION_USAGE },
	{ "delay", required_argument, NULL, OPTION_DELAY },
	{ "forever", no_argument, NULL, OPTION_FOREVER },
	{ "cut", no_argument, NULL, OPTION_CUT },
	{ "garbage", no_argument, NULL, OPTION_GARBAGE },
	{ "status", required_argument, NULL, OPTION_STATUS },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct place {
	const char *socket;
	long port; /* -1: none */
};

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "lichen-echo-model: %s%s\nTry 'lichen-echo-model --help'.\n", what, value);
	return LICHEN_EXIT_USAGE;
}

static int take_usage(const char *word, enum echo_usage *ret)
{
	static const char *const words[] = {
		[ECHO_USAGE_TRUE] = "true",         [ECHO_USAGE_NONE] = "none", [ECHO_USAGE_ZERO] = "zero",
		[ECHO_USAGE_LOW] = "low",           [ECHO_USAGE_HIGH] = "high", [ECHO_USAGE_HUGE] = "huge",
		[ECHO_USAGE_NEGATIVE] = "negative", [ECHO_USAGE_TEXT] = "text", [ECHO_USAGE_FRACTION] = "fraction",
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum echo_usage)i;
			return -1;
		}
	return wrong("--usage is true, none, zero, low, high, huge, negative, text or fraction, not ", word);
}

static int take_number(const char *name, long least, long most, long *ret)
{
	char *end;
	errno = 0;
	long number = strtol(optarg, &end, 10);
	if (errno || *end || end == optarg || number < least || number > most)
		return wrong(name, optarg);
	*ret = number;
	return -1;
}

/* One option. Returns -1, or the status to end with. */
static int take_option(int code, struct echo_options *options, struct place *place)
{
	switch (code) {
	case OPTION_SOCKET:
		place->socket = optarg;
		return -1;
	case OPTION_PORT:
		return take_number("--port is a number up to 65535, not ", 0, 65535, &place->port);
	case OPTION_USAGE:
		return take_usage(optarg, &options->usage);
	case OPTION_DELAY:
		return take_number("--delay is a number up to 3600000, not ", 0, 3600000, &options->delay);
	case OPTION_STATUS:
		return take_number("--status is a number from 400 to 599, not ", 400, 599, &options->status);
	case OPTION_FOREVER:
		options->forever = true;
		return -1;
	case OPTION_CUT:
		options->cut = true;
		return -1;
	case OPTION_GARBAGE:
		options->garbage = true;
		return -1;
	case OPTION_VERSION:
		puts("lichen-echo-model " LICHEN_VERSION);
		return 0;
	case 'h':
		fputs(usage, stdout);
		return 0;
	default: /* getopt_long has said what is wrong */
		fputs("Try 'lichen-echo-model --help'.\n", stderr);
		return LICHEN_EXIT_USAGE;
	}
}

static int listen_on_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
		return -errno;
	return take_fd(&fd);
}

static int listen_on_port(long port, u16 *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((u16)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int on = 1;
	CLEANUP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, (struct sockaddr *)&address, size) ||
	    listen(fd, 64) || getsockname(fd, (struct sockaddr *)&address, &size))
		return -errno;
	*ret_port = ntohs(address.sin_port);
	return take_fd(&fd);
}

static int serve(int listener, const struct echo_options *options)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return LICHEN_EXIT_SOFTWARE;
		pid_t parent = getpid(), pid = fork();
		if (pid == 0) {
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
				echo_serve(fd, options);
			_exit(0);
		}
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct echo_options options = { .usage = ECHO_USAGE_TRUE };
	struct place place = { .port = -1 };
	u16 port = 0;
	for (int code; (code = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
		int status = take_option(code, &options, &place);
		if (status >= 0)
			return status;
	}
	if (optind != argc || (place.socket != NULL) == (place.port >= 0))
		return wrong("it takes --socket or --port", "");
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	int listener = place.socket ? listen_on_path(place.socket) : listen_on_port(place.port, &port);
	if (listener < 0) {
		fprintf(stderr, "lichen-echo-model: cannot listen: %s\n", strerror(-listener));
		return LICHEN_EXIT_UNAVAILABLE;
	}
	if (place.socket)
		printf("listening on %s\n", place.socket);
	else
		printf("listening on http://127.0.0.1:%u/v1\n", port);
	if (fflush(stdout))
		return LICHEN_EXIT_IO;
	return serve(listener, &options);
}
