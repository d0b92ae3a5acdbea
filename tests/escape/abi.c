/* SPDX-License-Identifier: Apache-2.0 */
/* The other ways into the kernel of x86-64: x32 numbers, int 0x80, and a 32-bit program. Each has numbers of its own, which a filter must know. */
#include "attack.h"

#include <elf.h>
#include <sys/mman.h>

static int x32(const struct attack *a)
{
	(void)a;
	return outcome(syscall(0x40000000 | SYS_getpid));
}

static long int80(long number, long one, long two)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(one), "c"(two), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* open is 5 there; pointers have 32 bits. */
static int int80_open(const struct attack *a)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd;

	if (low == MAP_FAILED)
		return errno;
	(void)below(low, 4096, a->outside, "secret");
	fd = int80(5, (long)(uintptr_t)low, O_RDONLY);
	return fd < 0 ? (int)-fd : is_secret((int)fd);
}

static int int80_call(const struct attack *a)
{
	(void)a;
	return int80(20, 0, 0) == getpid() ? 0 : NOTHING;
}

/* mov eax, 1; mov ebx, 42; int 0x80: exit(42) */
#define CODE "\xb8\x01\x00\x00\x00\xbb\x2a\x00\x00\x00\xcd\x80"

static int elf32(const struct attack *a)
{
	char path[4096];
	int status = 0, fd;
	pid_t child;
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
		char code[sizeof(CODE)];
	} program = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_EXEC,
			    .e_machine = EM_386,
			    .e_version = EV_CURRENT,
			    .e_entry = 0x10000 + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			    .e_phoff = sizeof(Elf32_Ehdr),
			    .e_ehsize = sizeof(Elf32_Ehdr),
			    .e_phentsize = sizeof(Elf32_Phdr),
			    .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD, .p_vaddr = 0x10000, .p_flags = PF_R | PF_X, .p_align = 0x1000 },
		.code = CODE,
	};

	program.segment.p_filesz = program.segment.p_memsz = sizeof(program);
	fd = open(below(path, sizeof(path), a->work, "elf32"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, &program, sizeof(program)) != sizeof(program))
		return errno;
	(void)close(fd);
	child = fork();
	if (child == 0) {
		(void)execl(path, path, (char *)NULL);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return errno;
	if (WIFSIGNALED(status))
		(void)raise(WTERMSIG(status));
	return WEXITSTATUS(status) == 42 ? 0 : WEXITSTATUS(status);
}

static const struct way ways[] = {
	{ "x32", x32 },
	{ "int80", int80_call },
	{ "int80_open", int80_open },
	{ "program_32", elf32 },
};

ATTACK_MAIN(ways)
