/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ELF file tells about the program in it: which libraries it loads, which functions it imports, whether Go made it, which
 * well-known texts it contains.
 *
 * The file is not trusted: every offset and count is checked against what is there before it is used, sizes have limits, and a file that
 * shrinks while it is read is an error like any other. Program headers are believed, section headers only for the number of
 * symbols: stripped programs have no others. Nothing of the program is executed.
 */
#ifndef LICHEN_HOST_ELF_NEEDS_H
#define LICHEN_HOST_ELF_NEEDS_H

#include "base/types.h"

#define ELF_HEADERS_MAX 1024u               /* program or section headers */
#define ELF_DYNAMIC_MAX (64u * 1024u)       /* bytes of the dynamic section */
#define ELF_STRINGS_MAX (64u * 1024 * 1024) /* bytes of the dynamic string table */
#define ELF_SYMBOLS_MAX (1u << 20)          /* dynamic symbols that are looked at */

/* Where the bytes are: a file, or memory (for tests). */
struct elf_source {
	int fd;           /* readable with pread(2); not used when memory is set */
	const u8 *memory; /* NULL: the file */
	u64 size;
};

enum elf_clue {
	ELF_IMPORT,  /* a dynamic symbol that the program does not define itself */
	ELF_LIBRARY, /* DT_NEEDED */
	ELF_TEXT, /* one of elf_query.texts occurs; looked for only in programs whose imports do not tell all (static ones, Go) */
};

struct elf_query {
	const char *const *texts; /* NULL-terminated; each of 4 to 64 bytes */
	/* Called once for each clue. `name` lives until it returns; it may hold any bytes but NUL. */
	void (*found)(void *arg, enum elf_clue clue, const char *name);
	void *arg;
};

struct elf_facts {
	bool dynamic; /* its interpreter loads libraries for it */
	bool go;
	u32 libraries, imports;
	char go_version[32]; /* "go1.19.8"; empty when not told (Go before 1.18 tells it in another way) */
	char go_path[128];   /* of the main package: "k8s.io/kubernetes/cmd/kubelet"; may be empty */
};

/*
 * Reads a program. Returns 0; -ENOEXEC when it is no x86-64 program or library; -EBADMSG when its headers contradict the file;
 * -E2BIG when a part is longer than the limits above; -ENOMEM; or the negative errno of reading.
 */
int elf_read(const struct elf_source *source, const struct elf_query *query, struct elf_facts *ret_facts) MUST_CHECK;

#endif
