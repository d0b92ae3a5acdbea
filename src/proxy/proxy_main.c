// SPDX-License-Identifier: Apache-2.0
/*
 * lichen-proxy --control=FD: the command line, and what happens before the first connection. Over the control socket come, in this order, one line of
 * JSON (proxy_config.h) and, after "ready" was told, one byte with a descriptor: of a socket that listens ('l'), which whoever is caged makes, inside of a network
 * namespace that has no other way out; or of one over which lichen sends connections that it has made itself ('d').
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lichen.h"
#include "proxy/proxy_server.h"

static const char usage[] = "Usage: lichen-proxy --control=FD\n"
			    "Lets a caged command reach the hosts that its policy names. lichen runs it.\n"
			    "\n"
			    "      --control=FD    the socket over which rules and listener come\n"
			    "      --version       print the version and exit\n"
			    "  -h, --help          print this and exit\n"
			    "\n"
			    "Decisions are printed as lines of JSON. Exit status: 0 ended by SIGTERM, 64 wrong\n"
			    "command line, 70 internal, 74 nobody reads, 76 no listener came, 78 configuration.\n";

static const struct option long_options[] = {
	{ "control", required_argument, NULL, 'c' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int wrong(int status, const char *what, const char *value)
{
	fprintf(stderr, "lichen-proxy: %s%s\n", what, value);
	return status;
}

/* Reads one line, without its newline. Returns its length or negative errno. */
static ssize_t read_line(int fd, char *to, size_t size)
{
	size_t length = 0;
	for (;;) {
		ssize_t n = read(fd, to + length, size - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		length += (size_t)n;
		if (to[length - 1] == '\n')
			return (ssize_t)length - 1;
		if (length == size)
			return -EMSGSIZE;
	}
}

/* Takes the listener, or the door. A descriptor or negative errno. */
static int receive_listener(int control, bool *ret_door)
{
	char byte = 0;
	CLEANUP_FD int fd = proxy_receive(control, &byte);
	if (fd < 0)
		return fd;
	bool door = byte == 'd';
	int found = 0;
	socklen_t length = sizeof(found);
	if (getsockopt(fd, SOL_SOCKET, door ? SO_TYPE : SO_ACCEPTCONN, &found, &length) ||
	    (door ? found != SOCK_SEQPACKET : !found))
		return -ENOTSOCK;
	*ret_door = door;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Whoever is caged may run as the same user: it must not reach into us; and we have no business with a terminal. */
static void harden(u32 connections)
{
	struct rlimit files;
	sigset_t ending;
	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGTERM); /* taken when the listener has come */
	(void)sigprocmask(SIG_BLOCK, &ending, NULL);
	const rlim_t wanted = 2ull * connections + 64;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setsid();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= wanted)
		return; /* with fewer than wanted, accept4(2) will fail, and clients wait */
	files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int serve(int control)
{
	CLEANUP_FREE char *line = malloc(PROXY_CONFIG_MAX);
	char error[PROXY_ERROR_MAX] = "";
	struct proxy_config config;
	if (!line)
		return wrong(LICHEN_PROXY_SOFTWARE, "out of memory", "");
	ssize_t length = read_line(control, line, PROXY_CONFIG_MAX);
	if (length < 0)
		return wrong(LICHEN_PROXY_CONFIGURATION, "no configuration came: ", strerror((int)-length));
	if (proxy_config_parse(line, (size_t)length, &config, error))
		return wrong(LICHEN_PROXY_CONFIGURATION, "the configuration is wrong: ", *error ? error : strerror(ENOMEM));
	harden(config.limits.connections);
	struct proxy_report report = { .fd = STDOUT_FILENO };
	report_ready(&report);
	bool door = false;
	CLEANUP_FD int listener = receive_listener(control, &door);
	int r = listener < 0 ? listener : proxy_serve(&config, listener, door, STDOUT_FILENO);
	proxy_config_free(&config);
	if (listener < 0)
		return wrong(LICHEN_PROXY_NO_LISTENER, "no listener came: ", strerror(-r));
	if (r == -EPIPE)
		return wrong(LICHEN_PROXY_IO, "nobody reads what it tells", "");
	return r ? wrong(LICHEN_PROXY_SOFTWARE, "it cannot go on: ", strerror(-r)) : 0;
}

int main(int argc, char **argv)
{
	long control = -1;
	char *end = NULL;
	for (int code; (code = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
		switch (code) {
		case 'c':
			control = strtol(optarg, &end, 10);
			if (*end || end == optarg || control < 0 || control > INT32_MAX || fcntl((int)control, F_SETFD, FD_CLOEXEC))
				return wrong(LICHEN_PROXY_USAGE, "--control is the number of an open descriptor, not ", optarg);
			break;
		case 'v':
			puts("lichen-proxy " LICHEN_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default: /* getopt_long has said what is wrong */
			fputs("Try 'lichen-proxy --help'.\n", stderr);
			return LICHEN_PROXY_USAGE;
		}
	}
	if (argc != optind || control < 0)
		return wrong(LICHEN_PROXY_USAGE, "it takes --control=FD and nothing else", "");
	return serve((int)control);
}
