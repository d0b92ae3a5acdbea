// SPDX-License-Identifier: Apache-2.0
/* Looks at this machine after a run: which look is which, and what they share. */
#include "why/look.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "why/call.h"
#include "why/look_int.h"

bool look_file_line(const char *path, const char *key, char *text, size_t size)
{
	char line[1024];
	FILE *file = fopen(path, "re");
	bool found = false;
	size_t length = key ? strlen(key) : 0;
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (key && strncmp(line, key, length) != 0)
			continue;
		char *start = line + length;
		start += strspn(start, " \t:");
		start[strcspn(start, "\n")] = '\0';
		snprintf(text, size, "%s", start);
		found = true;
	}
	if (file)
		(void)fclose(file);
	return found;
}

const char *look_bytes(u64 bytes, char text[24])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;
	double value = (double)bytes;
	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 24, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

bool look_on_path(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	/* Daemons are often found only by root's path. */
	const char *const lists[] = { dirs ? dirs : "", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const char *at = lists[i]; *at;) {
			size_t length = strcspn(at, ":");
			snprintf(path, size, "%.*s/%s", (int)length, at, name);
			if (length > 0 && access(path, X_OK) == 0)
				return true;
			at += length + (at[length] == ':');
		}
	return false;
}

int look_pid_of(const char *name)
{
	DIR *proc = opendir("/proc");
	int found = 0;
	for (struct dirent *entry; proc && !found && (entry = readdir(proc));) {
		char path[300], comm[64];
		if (!isdigit((u8)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (look_file_line(path, NULL, comm, sizeof(comm)) && strncmp(comm, name, 15) == 0 &&
		    (strlen(name) >= 15 || strcmp(comm, name) == 0))
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	if (proc)
		(void)closedir(proc);
	return found;
}

/* Whether one of a process's descriptors is this socket. */
static bool holds(const char *pid, const char *socket)
{
	char path[600], target[64];
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	DIR *fds = opendir(path);
	bool found = false;
	for (struct dirent *entry; fds && !found && (entry = readdir(fds));) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, entry->d_name);
		ssize_t length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		found = strcmp(target, socket) == 0;
	}
	if (fds)
		(void)closedir(fds);
	return found;
}

bool look_holder(unsigned long inode, char *text, size_t size)
{
	DIR *proc = opendir("/proc");
	char socket[40];
	bool found = false;
	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	for (struct dirent *entry; proc && !found && (entry = readdir(proc));) {
		char path[300], comm[64] = "?";
		if (!isdigit((u8)entry->d_name[0]) || !holds(entry->d_name, socket))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		(void)look_file_line(path, NULL, comm, sizeof(comm));
		snprintf(text, size, "%s (pid %s)", comm, entry->d_name);
		found = true;
	}
	if (proc)
		(void)closedir(proc);
	return found;
}

int look_port_of(const struct trace_record *record)
{
	const struct call_form *form = call_form(record->nr);
	struct trace_field field;
	struct sockaddr_in in; /* the port is at the same place in both families */
	for (u8 i = 0; form && i < CALL_ARGS; i++) {
		if (form->args[i] != ARG_SOCKADDR || !trace_field_find(record, i, 0, &field) || field.length < 8)
			continue;
		memcpy(&in, field.bytes, 8);
		if (in.sin_family == AF_INET || in.sin_family == AF_INET6)
			return ntohs(in.sin_port);
	}
	return 0;
}

const char *look_package(const char *name)
{
	static const struct {
		const char *name, *package;
	} rows[] = {
#define PACKAGE(name, package) { name, package },
#include "why/packages.def"
#undef PACKAGE
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].package;
	return NULL;
}

/* A limit that lichen was started with, and so was the command. */
static void look_limit(int resource, const char *name, const char *letter, char *text, size_t size)
{
	struct rlimit limit;
	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		snprintf(text, size,
			 "%s was unlimited when lichen started the command: the program, its shell or its container set it", name);
	else
		snprintf(text, size, "%s (ulimit %s) is %llu, and may be raised to %lld", name, letter,
			 (unsigned long long)limit.rlim_cur, (long long)limit.rlim_max);
}

char *look_at(enum look look, const struct look_subject *subject, char *text, size_t size)
{
	text[0] = '\0';
	switch (look) {
	case LOOK_NONE:
		break;
	case LOOK_PATH:
		look_path(subject, text, size);
		break;
	case LOOK_PROGRAM:
		look_program(subject, text, size);
		break;
	case LOOK_LIBRARY:
		look_library(subject, text, size);
		break;
	case LOOK_ELF:
		look_elf(subject, text, size);
		break;
	case LOOK_DAEMON:
		look_daemon(subject, text, size);
		break;
	case LOOK_PORT:
		look_port(subject, text, size);
		break;
	case LOOK_PORT_LOW:
		look_port_low(subject, text, size);
		break;
	case LOOK_SOCKET:
		look_socket(subject, text, size);
		break;
	case LOOK_DISK:
		look_disk(subject, text, size);
		break;
	case LOOK_MEMORY:
		look_memory(subject, text, size);
		break;
	case LOOK_OOM:
		look_oom(subject, text, size);
		break;
	case LOOK_SHM:
		look_shm(subject, text, size);
		break;
	case LOOK_INOTIFY: {
		char value[32];
		if (look_file_line("/proc/sys/fs/inotify/max_user_watches", NULL, value, sizeof(value)))
			snprintf(text, size, "fs.inotify.max_user_watches is %s", value);
		break;
	}
	case LOOK_ROUTE:
		look_route(subject, text, size);
		break;
	case LOOK_DNS:
		look_dns(subject, text, size);
		break;
	case LOOK_PRIVILEGE:
		look_privilege(subject, text, size);
		break;
	case LOOK_LIMIT_NOFILE:
		look_limit(RLIMIT_NOFILE, "the limit on open files", "-n", text, size);
		break;
	case LOOK_LIMIT_NPROC:
		look_limit(RLIMIT_NPROC, "the limit on processes of this user", "-u", text, size);
		break;
	case LOOK_LIMIT_FSIZE:
		look_limit(RLIMIT_FSIZE, "the limit on the size of files", "-f", text, size);
		break;
	case LOOK_LIMIT_MEMLOCK:
		look_limit(RLIMIT_MEMLOCK, "the limit on locked memory", "-l", text, size);
		break;
	case LOOK_LIMIT_CPU:
		look_limit(RLIMIT_CPU, "the limit on processor time", "-t", text, size);
		break;
	}
	return text;
}
