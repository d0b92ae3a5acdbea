/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which gaps a program needs: by its name where it is known, else by what its file tells (elf_needs.h), with the reason for each.
 * The knowledge is program_needs.def.
 */
#ifndef LICHEN_HOST_PROGRAM_NEEDS_H
#define LICHEN_HOST_PROGRAM_NEEDS_H

#include <limits.h>

#include "gaps/registry.h"
#include "host/elf_needs.h"

#define PROGRAM_SCRIPTS_MAX 4 /* scripts whose interpreter is a script: as many as the kernel follows (BINPRM_MAX_RECURSION) */

struct program_needs {
	u32 needs, uses;          /* bit per gap: does not work without it; can use it. Disjoint */
	char path[PATH_MAX];      /* of the file that was read; empty when the program is not here and was judged by its name */
	char known[64];           /* the name in program_needs.def, empty when the file alone told */
	bool plain;               /* known to need nothing by itself */
	char what[256];           /* what kind of program it is, in words */
	char how[GAP_COUNT][160]; /* why each gap of the two sets is in it: "imports shmget, semop" */
};

/* Whether a file begins as a program: ELF magic or #!. Returns 1, 0, or the negative errno of reading it. */
int program_recognise(const char *path) MUST_CHECK;

/*
 * Judges a program: a path, or a name that is looked for along PATH and in the sbin directories. Returns 0; -ENOENT when there is no such
 * file and the name is not known either; -ENOEXEC when it is neither an x86-64 program nor a script; -EBADMSG, -E2BIG (elf_read());
 * -ELOOP for too many scripts; or the negative errno of reading it.
 */
int program_examine(const char *name, struct program_needs *ret_needs) MUST_CHECK;

/* Judges a program whose file is at hand, for tests: `name` is the file's name, without directories. The same results. */
int program_judge(const char *name, const struct elf_source *source, struct program_needs *needs) MUST_CHECK;

#endif
