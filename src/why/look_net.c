// SPDX-License-Identifier: Apache-2.0
/* Looks at sockets, ports, routes and daemons. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "why/look_int.h"

#define LISTENING 0x0a /* TCP_LISTEN in /proc/net/tcp */

/* The inode of the socket that has a local port; 0 = none. */
static unsigned long find_port(const char *table, int port, bool listening)
{
	char line[512];
	FILE *file = fopen(table, "re");
	unsigned long found = 0;
	while (file && !found && fgets(line, sizeof(line), file)) {
		unsigned local, state;
		unsigned long inode;
		/* sl local:port remote:port state tx:rx tr:when retransmits uid timeout inode */
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &local, &state,
			   &inode) == 3 &&
		    (int)local == port && (!listening || state == LISTENING))
			found = inode;
	}
	if (file)
		(void)fclose(file);
	return found;
}

/* The first number behind a colon, or behind "port ", that can be a port. */
static int port_in(const char *line)
{
	for (const char *at = line; at && *at; at++) {
		bool before = *at == ':' || strncasecmp(at, "port ", 5) == 0;
		long value = before ? strtol(at + (*at == ':' ? 1 : 5), NULL, 10) : 0;
		if (value > 0 && value < 65536)
			return (int)value;
	}
	return 0;
}

void look_port(const struct look_subject *subject, char *text, size_t size)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6" };
	int port = subject->port ? subject->port : subject->line ? port_in(subject->line) : 0;
	unsigned long inode = 0;
	char holder[128];
	if (port == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(tables) && !inode; i++)
		inode = find_port(tables[i], port, i < 2);
	if (!inode)
		snprintf(text, size, "nobody holds port %d any more", port);
	else if (look_holder(inode, holder, sizeof(holder)))
		snprintf(text, size, "port %d is held by %s", port, holder);
	else
		snprintf(text, size, "port %d is held by a process that this user, or this namespace, does not see", port);
}

void look_port_low(const struct look_subject *subject, char *text, size_t size)
{
	char start[32] = "1024";
	(void)look_file_line("/proc/sys/net/ipv4/ip_unprivileged_port_start", NULL, start, sizeof(start));
	snprintf(text, size, "port %d is below %s, where the ports for everybody begin", subject->port, start);
}

/* Whether somebody accepts connections at a Unix socket: 0, or negative errno. */
static int try_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

void look_socket(const struct look_subject *subject, char *text, size_t size)
{
	if (!subject->path)
		return;
	if (access(subject->path, F_OK) < 0)
		snprintf(text, size, "%s is gone now", subject->path);
	else if (try_socket(subject->path) == 0)
		snprintf(text, size, "a process listens at %s", subject->path);
	else
		snprintf(text, size, "nobody listens at %s: the file was left behind", subject->path);
}

/* Well-known daemons: where they listen, what they are called, and where their pid stands. */
static const struct service {
	const char *client; /* part of the client's name, or of the socket's path */
	const char *daemon, *socket, *pid_file;
	int port;
} services[] = {
	{ "docker", "dockerd", "/var/run/docker.sock", "/var/run/docker.pid", 2375 },
	{ "containerd", "containerd", "/run/containerd/containerd.sock", NULL, 0 },
	{ "ctr", "containerd", "/run/containerd/containerd.sock", NULL, 0 },
	{ "psql", "postgres", "/var/run/postgresql/.s.PGSQL.5432", NULL, 5432 },
	{ "PGSQL", "postgres", "/var/run/postgresql/.s.PGSQL.5432", NULL, 5432 },
	{ "redis-cli", "redis-server", NULL, "/run/redis/redis-server.pid", 6379 },
	{ "mysql", "mariadbd", "/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.pid", 3306 },
	{ "kubectl", "kube-apiserver", NULL, NULL, 6443 },
	{ "etcdctl", "etcd", NULL, NULL, 2379 },
};

static const struct service *find_service(const struct look_subject *subject)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if ((subject->program && strstr(model_name(subject->program), services[i].client)) ||
		    (subject->path && strstr(subject->path, services[i].client)))
			return &services[i];
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (subject->port && services[i].port == subject->port)
			return &services[i];
	return NULL;
}

/* Tells four things apart: not installed, crashed or never started, still starting, listening elsewhere. */
void look_daemon(const struct look_subject *subject, char *text, size_t size)
{
	const struct service *service = find_service(subject);
	char path[256], pid[32] = "";
	const char *asked = subject->path && subject->path[0] == '/' ? subject->path : NULL;
	if (!service) {
		if (asked && access(asked, F_OK) < 0)
			snprintf(text, size, "%s is not there: its daemon does not run, or listens elsewhere", asked);
		else if (asked)
			snprintf(text, size, "%s",
				 try_socket(asked) ? "its daemon has gone and left the socket behind"
						   : "somebody listens there now: the daemon was still starting");
		else if (subject->port)
			snprintf(text, size, "no process listens on port %d", subject->port);
		return;
	}
	int running = look_pid_of(service->daemon);
	if (!running && !look_on_path(service->daemon, path, sizeof(path)) && !strstr(service->daemon, "postgres")) {
		const char *package = look_package(service->daemon);
		snprintf(text, size, "%s is not installed%s%s", service->daemon, package ? "; it is in Debian's package " : "",
			 package ? package : "");
		return;
	}
	if (running && service->socket && try_socket(service->socket) == 0) {
		snprintf(text, size, "%s runs (pid %d) and listens at %s: %s", service->daemon, running, service->socket,
			 asked && strcmp(asked, service->socket) != 0 ? "that is another socket" : "it was still starting");
		return;
	}
	if (running) {
		snprintf(text, size, "%s runs (pid %d), but does not listen yet, or listens elsewhere", service->daemon, running);
		return;
	}
	if (service->pid_file && look_file_line(service->pid_file, NULL, pid, sizeof(pid)))
		snprintf(text, size, "%s is installed and ran (%s says pid %s), but has crashed or was killed: see its log",
			 service->daemon, service->pid_file, pid);
	else if (service->socket && access(service->socket, F_OK) == 0)
		snprintf(text, size, "%s is installed and has left %s behind, but does not run: see its log", service->daemon,
			 service->socket);
	else
		snprintf(text, size, "%s is installed, but does not run", service->daemon);
}

void look_route(const struct look_subject *subject, char *text, size_t size)
{
	char line[512];
	FILE *file = fopen("/proc/net/route", "re");
	bool any = false;
	(void)subject;
	while (file && !any && fgets(line, sizeof(line), file))
		any = strstr(line, "\t00000000\t") != NULL;
	if (file)
		(void)fclose(file);
	snprintf(text, size, any ? "there is a default route (/proc/net/route)" : "there is no default route (/proc/net/route)");
}

void look_dns(const struct look_subject *subject, char *text, size_t size)
{
	char server[128], route[128];
	if (access("/etc/resolv.conf", R_OK) < 0) {
		snprintf(text, size, "/etc/resolv.conf cannot be read");
		return;
	}
	look_route(subject, route, sizeof(route));
	if (!look_file_line("/etc/resolv.conf", "nameserver", server, sizeof(server)))
		snprintf(text, size, "/etc/resolv.conf names no nameserver; %s", route);
	else
		snprintf(text, size, "the nameserver is %s (/etc/resolv.conf); %s", server, route);
}
