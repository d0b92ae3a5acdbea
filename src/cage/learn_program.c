/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel executes besides a program: the interpreter that a script's first line names (execve(2)), or a dynamic program's (elf(5), PT_INTERP). */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/learn_int.h"

#define HEADERS_MOST 64u

static bool script_interpreter(const char *line, size_t size, char interpreter[PATH_MAX])
{
	size_t at = 2, length;

	while (at < size && (line[at] == ' ' || line[at] == '\t'))
		at++;
	for (length = 0; at + length < size && !strchr(" \t\n", line[at + length]); length++)
		;
	if (!length || length >= PATH_MAX)
		return false;
	memcpy(interpreter, line + at, length);
	interpreter[length] = 0;
	return true;
}

static bool elf_interpreter(int fd, const Elf64_Ehdr *head, char interpreter[PATH_MAX])
{
	Elf64_Phdr program;

	if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_phentsize != sizeof(program))
		return false;
	for (u32 i = 0; i < head->e_phnum && i < HEADERS_MOST; i++) {
		if (pread(fd, &program, sizeof(program), (off_t)(head->e_phoff + i * sizeof(program))) != sizeof(program))
			return false;
		if (program.p_type != PT_INTERP)
			continue;
		if (program.p_filesz < 2 || program.p_filesz > PATH_MAX ||
		    pread(fd, interpreter, program.p_filesz, (off_t)program.p_offset) != (ssize_t)program.p_filesz)
			return false;
		interpreter[program.p_filesz - 1] = 0;
		return true;
	}
	return false;
}

/* A regular file's first bytes. Their number; negative: there is none. *ret_fd is open, or negative. */
static ssize_t read_begin(const char *path, void *begin, size_t size, int *ret_fd)
{
	struct stat st;
	CLEANUP_FD int fd =
		stat(path, &st) == 0 && S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : FD_NONE;
	ssize_t n = fd < 0 ? -1 : pread(fd, begin, size, 0);

	*ret_fd = take_fd(&fd);
	return n;
}

bool learn_is_library(const char *path)
{
	Elf64_Ehdr head;
	CLEANUP_FD int fd = FD_NONE;

	return read_begin(path, &head, sizeof(head), &fd) == (ssize_t)sizeof(head) && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	       head.e_type != ET_REL;
}

bool learn_interpreter(const char *path, char interpreter[PATH_MAX])
{
	CLEANUP_FD int fd = FD_NONE;
	union {
		char text[256];
		Elf64_Ehdr head;
	} begin = { 0 };
	ssize_t n = read_begin(path, &begin, sizeof(begin), &fd);

	if (n < 3)
		return false;
	if (begin.text[0] == '#' && begin.text[1] == '!')
		return script_interpreter(begin.text, (size_t)n, interpreter);
	return n >= (ssize_t)sizeof(begin.head) && elf_interpreter(fd, &begin.head, interpreter);
}
