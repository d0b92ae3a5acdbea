// SPDX-License-Identifier: Apache-2.0
/* Looks at files: which component of a path is closed or missing, what a program needs to start, how full a file system is. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "why/look_int.h"

#define ROOM (UINT64_C(1) << 20) /* bytes that must be free in a file system that is not full */

/* "mode 0700, owner 0 (root), group 0" */
static void describe(const struct stat *st, char *text, size_t size)
{
	static char line[256];
	char key[32], user[64] = "";
	FILE *file = fopen("/etc/passwd", "re"); /* not getpwuid(): a static program cannot load NSS modules */
	snprintf(key, sizeof(key), ":%u:", st->st_uid);
	while (file && !*user && fgets(line, sizeof(line), file)) {
		char *second = strchr(line, ':');
		second = second ? strchr(second + 1, ':') : NULL;
		if (second && strncmp(second, key, strlen(key)) == 0)
			snprintf(user, sizeof(user), " (%.*s)", (int)strcspn(line, ":"), line);
	}
	if (file)
		(void)fclose(file);
	snprintf(text, size, "mode %04o, owner %u%s, group %u", st->st_mode & 07777, st->st_uid, user, st->st_gid);
}

/* The first component of a path that is missing or may not be passed. */
void look_path(const struct look_subject *subject, char *text, size_t size)
{
	char part[PATH_MAX], mode[160];
	struct stat st;
	const char *path = subject->path;
	if (!path || path[0] != '/' || strlen(path) >= sizeof(part))
		return;
	for (size_t end = 1;; end++) {
		if (path[end] != '/' && path[end] != '\0')
			continue;
		memcpy(part, path, end);
		part[end] = '\0';
		if (lstat(part, &st) < 0) {
			if (errno == ENOENT)
				snprintf(text, size, "%s does not exist", part);
			return;
		}
		if (stat(part, &st) < 0) {
			snprintf(text, size, "%s is a symbolic link to something that does not exist", part);
			return;
		}
		if (path[end] == '\0')
			break;
		if (!S_ISDIR(st.st_mode)) {
			snprintf(text, size, "%s is not a directory", part);
			return;
		}
		if (access(part, X_OK) < 0) {
			describe(&st, mode, sizeof(mode));
			snprintf(text, size, "the folder %s may not be passed (%s)", part, mode);
			return;
		}
	}
	describe(&st, mode, sizeof(mode));
	if (subject->refusal && subject->refusal->error == ENOENT)
		snprintf(text, size, "it is there now (%s)", mode);
	else
		snprintf(text, size, "%s has %s", path, mode);
}

/* Reads the beginning of a file. Returns its length, 0 when it cannot be read. */
static size_t read_head(const char *path, u8 *head, size_t size)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t length = fd >= 0 ? read(fd, head, size) : -1;
	return length > 0 ? (size_t)length : 0;
}

static const char *machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} rows[] = {
		{ EM_386, "32-bit x86" }, { EM_X86_64, "x86-64" }, { EM_ARM, "32-bit ARM" },
		{ EM_AARCH64, "ARM64" },  { EM_PPC64, "PowerPC" }, { EM_S390, "s390" },
		{ EM_RISCV, "RISC-V" },   { EM_MIPS, "MIPS" },     { EM_LOONGARCH, "LoongArch" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].machine == machine)
			return rows[i].name;
	return "another machine";
}

/* The interpreter that a script or an ELF file names; false: it names none. */
static bool interpreter_of(const u8 *head, size_t length, char *path, size_t size)
{
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	if (length > 2 && head[0] == '#' && head[1] == '!') {
		const char *at = (const char *)head + 2;
		at += strspn(at, " \t");
		snprintf(path, size, "%.*s", (int)strcspn(at, " \t\n"), at);
		return true;
	}
	if (length < sizeof(ehdr) || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64)
		return false;
	memcpy(&ehdr, head, sizeof(ehdr));
	for (unsigned i = 0; i < ehdr.e_phnum; i++) {
		u64 at = ehdr.e_phoff + (u64)i * sizeof(phdr);
		if (at > length - sizeof(phdr))
			return false;
		memcpy(&phdr, head + at, sizeof(phdr));
		if (phdr.p_type != PT_INTERP || phdr.p_offset >= length || phdr.p_filesz > length - phdr.p_offset)
			continue;
		snprintf(path, size, "%.*s", (int)phdr.p_filesz, (const char *)head + phdr.p_offset);
		return true;
	}
	return false;
}

void look_elf(const struct look_subject *subject, char *text, size_t size)
{
	u8 head[4097];
	char found[PATH_MAX];
	const char *path = subject->path;
	if (path && !strchr(path, '/') && look_on_path(path, found, sizeof(found)))
		path = found;
	size_t length = path ? read_head(path, head, sizeof(head) - 1) : 0;
	if (length == 0) {
		if (path && access(path, F_OK) == 0)
			snprintf(text, size, "%s is empty or cannot be read", path);
		return;
	}
	if (length >= 20 && memcmp(head, ELFMAG, SELFMAG) == 0) {
		unsigned machine = (unsigned)head[18] | (unsigned)head[19] << 8;
		if (head[EI_CLASS] == ELFCLASS32 && machine == EM_386)
			snprintf(text, size, "%s is made for 32-bit x86, which this kernel may not run", path);
		else if (machine != EM_X86_64)
			snprintf(text, size, "%s is made for %s, this machine is x86-64", path, machine_name(machine));
		else
			snprintf(text, size, "%s is an ELF file for x86-64, but damaged or no program", path);
	} else if (head[0] != '#' || head[1] != '!') {
		snprintf(text, size, "%s is neither an ELF file nor does it begin with #!", path);
	}
}

bool look_interpreter_missing(const char *path, char *interpreter, size_t size)
{
	u8 head[4097];
	size_t length = strchr(path, '/') ? read_head(path, head, sizeof(head) - 1) : 0;
	head[length] = '\0';
	return length > 0 && interpreter_of(head, length, interpreter, size) && access(interpreter, F_OK) < 0;
}

/* An execve that found nothing: the program is not there, or what it names as its interpreter is not. */
void look_program(const struct look_subject *subject, char *text, size_t size)
{
	char found[PATH_MAX], interpreter[PATH_MAX];
	const char *name = subject->name ? subject->name : subject->path ? model_name(subject->path) : NULL;
	const char *path = subject->path;
	if (path && strchr(path, '/') && access(path, F_OK) == 0) {
		if (look_interpreter_missing(path, interpreter, sizeof(interpreter))) {
			const char *package = look_package(model_name(interpreter));
			snprintf(text, size, "%s names %s as its interpreter, and that does not exist%s%s", path, interpreter,
				 package ? "; Debian's package is " : "", package ? package : "");
		}
		return;
	}
	if (!name)
		return;
	if (path && strchr(path, '/') && !subject->name)
		snprintf(text, size, "%s does not exist", path);
	else if (look_on_path(name, found, sizeof(found)))
		snprintf(text, size, "%s is installed as %s, but was not searched for there: see PATH", name, found);
	else if (look_package(name))
		snprintf(text, size, "%s is not installed here; it is in Debian's package %s", name, look_package(name));
	else
		snprintf(text, size, "%s is not on PATH here", name);
}

void look_library(const struct look_subject *subject, char *text, size_t size)
{
	static const char *const places[] = {
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/local/lib", "/lib64", "/usr/lib64", "/usr/lib"
	};
	const char *name = subject->name;
	char path[PATH_MAX];
	if (!name)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", places[i], name);
		if (access(path, F_OK) == 0) {
			snprintf(text, size, "%s is there now", path);
			return;
		}
	}
	const char *package = look_package(name);
	snprintf(text, size, "%s is in none of the usual places%s%s", name, package ? "; it is in Debian's package " : "",
		 package ? package : "");
}

char *look_mount_point(const char *path, char *text, size_t size)
{
	char line[4096];
	size_t longest = 0;
	FILE *file = fopen("/proc/self/mounts", "re");
	snprintf(text, size, "/");
	while (file && fgets(line, sizeof(line), file)) {
		char *point = strchr(line, ' ');
		size_t length = point ? strcspn(++point, " ") : 0;
		if (length < longest || length == 0 || length >= size || strncmp(path, point, length) != 0)
			continue;
		if (length > 1 && path[length] != '/' && path[length] != '\0')
			continue;
		longest = length;
		snprintf(text, size, "%.*s", (int)length, point);
	}
	if (file)
		(void)fclose(file);
	return text;
}

/* Whether what was full is so no more, or is another file system as seen from here. */
bool look_has_room(const char *point)
{
	struct statvfs fs;
	return statvfs(point, &fs) == 0 && fs.f_bavail * fs.f_frsize >= ROOM && (fs.f_files == 0 || fs.f_favail > 0);
}

void look_disk(const struct look_subject *subject, char *text, size_t size)
{
	struct statvfs fs;
	char point[PATH_MAX], total[24], left[24];
	const char *path = subject->path;
	if (!path || path[0] != '/')
		return;
	look_mount_point(path, point, sizeof(point));
	if (statvfs(point, &fs) < 0)
		return;
	look_bytes((u64)fs.f_blocks * fs.f_frsize, total);
	look_bytes((u64)fs.f_bavail * fs.f_frsize, left);
	if (fs.f_flag & ST_RDONLY)
		snprintf(text, size, "%s is mounted read-only", point);
	else if (fs.f_files > 0 && fs.f_favail == 0)
		snprintf(text, size, "%s has no inodes left (%llu in all), though %s are free", point,
			 (unsigned long long)fs.f_files, left);
	else if (subject->refusal && subject->refusal->error == ENOSPC && look_has_room(point))
		snprintf(text, size,
			 "%s has room now, as seen from here (%s free): it was freed since, or the process saw another mount there",
			 point, left);
	else
		snprintf(text, size, "%s has %s, of which %s are free now", point, total, left);
}

void look_shm(const struct look_subject *subject, char *text, size_t size)
{
	struct look_subject shm = *subject;
	shm.path = "/dev/shm/";
	look_disk(&shm, text, size);
}
