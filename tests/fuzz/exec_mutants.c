/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes mutated programs and scripts and says what came of each: the differential half of the fuzzing of execve.
 *
 *   exec_mutants DIRECTORY SEED COUNT [FIRST]
 *
 * Run natively and under lichen with the same numbers, its output must be the same: one line a mutant, 'errno NAME', 'exit N' or
 * 'signal N', and what was changed. Mutants derive from SEED alone: programs built here (static at a fixed address, static PIE), /bin/true,
 * its dynamic linker, and #! lines. Only headers, names and lengths are mutated, never code, and what runs may neither fork
 * nor use much time; address space randomisation is off. DIRECTORY must have a short name: it becomes PT_INTERP.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MAX_SIZE (1u << 20)

static uint64_t state;
static unsigned char image[FILE_MAX_SIZE], true_image[FILE_MAX_SIZE], linker_image[FILE_MAX_SIZE];
static size_t size, true_size, linker_size;
static char story[512]; /* what was changed */

static uint64_t chance(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
	size_t at = strlen(story);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(story + at, sizeof(story) - at, format, args);
	va_end(args);
}

static size_t slurp(const char *path, unsigned char *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while (have < FILE_MAX_SIZE && (n = read(fd, to + have, FILE_MAX_SIZE - have)) > 0)
		have += (size_t)n;
	(void)close(fd);
	return have;
}

static void spill(const char *path, const unsigned char *from, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, from, bytes) != (ssize_t)bytes || close(fd) < 0) {
		perror(path);
		exit(2);
	}
}

/* exit(7), then traps: wherever else a mutated entry point leads, it ends at once. */
static const unsigned char code[] = { 0xb8, 0x3c, 0, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05, 0xcc, 0xcc, 0xcc, 0xcc };

/* A program of text and data with bss, ET_EXEC or ET_DYN. */
static void build_program(uint16_t type)
{
	uint64_t base = type == ET_EXEC ? 0x400000 : 0;
	Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = type,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = base + 0x1000,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
	};
	Elf64_Phdr ph[] = {
		{ PT_LOAD, PF_R, 0, base, base, 0x200, 0x200, 0x1000 },
		{ PT_LOAD, PF_R | PF_X, 0x1000, base + 0x1000, base + 0x1000, 0x800, 0x800, 0x1000 },
		{ PT_LOAD, PF_R | PF_W, 0x1800, base + 0x2800, base + 0x2800, 0x900, 0x3000, 0x1000 },
		{ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 },
	};

	memset(image, 0xcc, 0x2100);
	memcpy(image, &e, sizeof(e));
	memcpy(image + sizeof(e), ph, sizeof(ph));
	memcpy(image + 0x1000, code, sizeof(code));
	size = 0x2100;
}

static uint64_t strange_value(void)
{
	static const uint64_t values[] = { 0,
					   1,
					   2,
					   3,
					   7,
					   55,
					   56,
					   57,
					   0xfff,
					   0x1000,
					   0x1001,
					   0x2000,
					   0x10000,
					   0x3fffff,
					   0x400000,
					   0x401000,
					   0x402fff,
					   0x403000,
					   0x7fffffff,
					   0x80000000,
					   0xffffffff,
					   1ull << 32,
					   1ull << 40,
					   1ull << 46,
					   1ull << 47,
					   1ull << 62,
					   1ull << 63,
					   UINT64_MAX,
					   (1ull << 47) - 4096,
					   UINT64_MAX - 4095 };

	return chance(4) ? values[chance(sizeof(values) / sizeof(values[0]))] : chance(UINT64_MAX);
}

struct field {
	const char *name;
	size_t offset, size;
};

#define EHDR(name)                                                                 \
	{                                                                          \
#name, offsetof(Elf64_Ehdr, name), sizeof(((Elf64_Ehdr *)0)->name) \
	}
#define PHDR(name)                                                                 \
	{                                                                          \
#name, offsetof(Elf64_Phdr, name), sizeof(((Elf64_Phdr *)0)->name) \
	}
static const struct field ehdr_fields[] = { EHDR(e_type),  EHDR(e_machine),   EHDR(e_version), EHDR(e_entry),  EHDR(e_phoff),
					    EHDR(e_flags), EHDR(e_phentsize), EHDR(e_phnum),   EHDR(e_ehsize), EHDR(e_shoff) };
static const struct field phdr_fields[] = { PHDR(p_type),   PHDR(p_flags), PHDR(p_offset), PHDR(p_vaddr),
					    PHDR(p_filesz), PHDR(p_memsz), PHDR(p_align) };

static void set_field(size_t at, const struct field *field, uint64_t value)
{
	if (at + field->offset + field->size <= size)
		memcpy(image + at + field->offset, &value, field->size);
	tell(" %s=%llx", field->name, (unsigned long long)value);
}

static void mutate_elf(void)
{
	uint64_t phoff = 64;
	unsigned count = image[56] ? image[56] : 1, which = (unsigned)chance(count);
	size_t at = phoff + which * sizeof(Elf64_Phdr);
	uint64_t value;

	switch (chance(8)) {
	case 0:
		set_field(0, &ehdr_fields[chance(sizeof(ehdr_fields) / sizeof(ehdr_fields[0]))], strange_value());
		break;
	case 1:
		size = chance(3) ? chance(size + 1) : chance(size < 400 ? size + 1 : 400);
		tell(" size=%zx", size);
		break;
	case 2: /* one bit of the headers */
		value = chance(64 + count * sizeof(Elf64_Phdr));
		image[value] ^= (unsigned char)(1u << chance(8));
		tell(" byte %llx=%02x", (unsigned long long)value, image[value]);
		break;
	case 3: /* two headers change places */
		if (at + sizeof(Elf64_Phdr) * 2 <= size && which + 1 < count) {
			Elf64_Phdr swap;

			memcpy(&swap, image + at, sizeof(swap));
			memcpy(image + at, image + at + sizeof(swap), sizeof(swap));
			memcpy(image + at + sizeof(swap), &swap, sizeof(swap));
			tell(" swap %u", which);
			break;
		}
		__attribute__((fallthrough));
	default: {
		const struct field *field = &phdr_fields[chance(sizeof(phdr_fields) / sizeof(phdr_fields[0]))];

		value = strange_value();
		if (field->offset == offsetof(Elf64_Phdr, p_type) && chance(2))
			value = chance(8);
		if (field->offset == offsetof(Elf64_Phdr, p_vaddr) && chance(2))
			value = 0x400000 + chance(0x5000);
		tell(" [%u]", which);
		set_field(at, field, value);
	}
	}
}

/* Replaces the interpreter's name in image, where there is room for it. */
static void set_interpreter(const char *name)
{
	Elf64_Ehdr e;

	memcpy(&e, image, sizeof(e));
	for (unsigned i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, image + e.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != PT_INTERP)
			continue;
		ph.p_filesz = ph.p_memsz = strlen(name) + 1;
		memcpy(image + ph.p_offset, name, ph.p_filesz);
		memcpy(image + e.e_phoff + i * sizeof(ph), &ph, sizeof(ph));
	}
}

static void make_script(const char *directory)
{
	static const char *const interpreters[] = { "/bin/true",   "/bin/false", "/nonexistent", "/etc",
						    "/etc/passwd", "",           "true",         "." };
	static const char *const blanks[] = { "", " ", "\t", "  \t ", "", "", "" };
	static const char *const ends[] = { "\n", "", "\n\n", " \n", "\r\n", "\n\0x", "\t" };
	char text[600];
	size_t n;
	int filled;

	n = (size_t)snprintf(text, sizeof(text), "#!%s%s%s", blanks[chance(7)], chance(3) ? interpreters[chance(8)] : directory,
			     chance(3) ? "" : "/script");
	if (chance(3) == 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%sargument%s", chance(2) ? " " : "\t", blanks[chance(7)]);
	if (chance(3) == 0) { /* around the length that the kernel looks at */
		filled = 250 + (int)chance(10);
		memset(text + n, chance(2) ? ' ' : 'a', (size_t)filled > n ? (size_t)filled - n : 0);
		n = (size_t)filled > n ? (size_t)filled : n;
	}
	if (chance(6) == 0)
		text[2 + chance(n - 1)] = 0;
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", ends[chance(7)]);
	if (chance(8) == 0)
		n = chance(n + 1);
	memcpy(image, text, n);
	size = n;
	tell(" script '");
	for (size_t i = 0; i < n; i++)
		tell(text[i] < ' ' ? "\\%x" : "%c", (unsigned char)text[i]);
	tell("'");
}

/* In the child: as little as possible can go wrong for the others. */
static _Noreturn void child(const char *path, int report)
{
	struct rlimit cpu = { 2, 2 }, core = { 0, 0 };
	char *argv[] = { (char *)(uintptr_t)path, NULL }, *envp[] = { NULL };
	int error;

	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_CORE, &core);
	(void)alarm(5);
	(void)execve(path, argv, envp);
	error = errno;
	(void)!write(report, &error, sizeof(error));
	_exit(0);
}

static void execute(const char *path, unsigned number)
{
	int report[2], error = 0, status;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		exit(2);
	pid = fork();
	if (pid == 0)
		child(path, report[1]);
	(void)close(report[1]);
	(void)!read(report[0], &error, sizeof(error));
	(void)close(report[0]);
	if (waitpid(pid, &status, 0) != pid)
		exit(2);
	if (error)
		printf("%u errno %s", number, strerrorname_np(error));
	else if (WIFEXITED(status))
		printf("%u exit %d", number, WEXITSTATUS(status));
	else
		printf("%u signal %d", number, WTERMSIG(status));
	printf(" :%s\n", story);
	(void)fflush(stdout);
}

static void make_mutant(const char *directory, const char *linker)
{
	unsigned kind = (unsigned)chance(10);

	story[0] = 0;
	if (kind >= 7) {
		make_script(directory);
		return;
	}
	if (kind < 4) {
		tell(kind < 2 ? " fixed" : " pie");
		build_program(kind < 2 ? ET_EXEC : ET_DYN);
	} else {
		memcpy(image, kind == 6 ? linker_image : true_image, size = kind == 6 ? linker_size : true_size);
		tell(kind == 6 ? " linker" : " true");
	}
	for (uint64_t i = 1 + chance(2); i > 0; i--)
		mutate_elf();
	if (kind == 6) { /* the mutant interprets /bin/true */
		spill(linker, image, size);
		memcpy(image, true_image, size = true_size);
		set_interpreter(linker);
	}
}

int main(int argc, char **argv)
{
	char program[256], linker[256], script[256];
	unsigned first = argc > 4 ? (unsigned)atoi(argv[4]) : 0;

	if (argc < 4)
		return 64;
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		(void)personality(ADDR_NO_RANDOMIZE);
		(void)execv("/proc/self/exe", argv);
	}
	(void)snprintf(program, sizeof(program), "%s/p", argv[1]);
	(void)snprintf(linker, sizeof(linker), "%s/l", argv[1]);
	(void)snprintf(script, sizeof(script), "%s/script", argv[1]);
	(void)mkdir(argv[1], 0755);
	true_size = slurp("/bin/true", true_image);
	linker_size = slurp("/lib64/ld-linux-x86-64.so.2", linker_image);
	if (!true_size || !linker_size || strlen(linker) > 26)
		return 2;
	spill(script, (const unsigned char *)"#!/bin/true\n", 12);
	(void)!chdir("/");
	for (unsigned i = 0; i < (unsigned)atoi(argv[3]); i++) {
		state = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15u + i * 0x2545f4914f6cdd1du + 1;
		for (int warm = 0; warm < 8; warm++)
			(void)chance(2);
		make_mutant(argv[1], linker);
		spill(program, image, size);
		if (i >= first)
			execute(program, i);
	}
	return 0;
}
