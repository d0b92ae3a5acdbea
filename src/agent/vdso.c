/* SPDX-License-Identifier: Apache-2.0 */
/* Finds functions of the vDSO, so that time stamps of emulated objects and of trace records cost no system call (vdso(7)). */
#include <elf.h>

#include "agent/engine.h"

u64 vdso_find(u64 base, const char *name)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(base + e->e_phoff);
	const Elf64_Dyn *dynamic = NULL;
	const Elf64_Sym *symbols = NULL;
	const char *names = NULL;
	const u32 *hash = NULL;
	u64 bias = base;

	for (u32 i = 0; i < e->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			bias = base + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dynamic = (const Elf64_Dyn *)(base + ph[i].p_offset);
	}
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		u64 at = dynamic->d_un.d_ptr + bias;

		if (dynamic->d_tag == DT_SYMTAB)
			symbols = (const Elf64_Sym *)at;
		else if (dynamic->d_tag == DT_STRTAB)
			names = (const char *)at;
		else if (dynamic->d_tag == DT_HASH)
			hash = (const u32 *)at;
	}
	if (!symbols || !names || !hash)
		return 0;
	for (u32 i = 0; i < hash[1]; i++)
		if (symbols[i].st_shndx && !strcmp(names + symbols[i].st_name, name))
			return symbols[i].st_value + bias;
	return 0;
}

s64 agent_now(void)
{
	s64 (*vdso)(s64 *) = (s64(*)(s64 *)) private()->vdso_time;

	return vdso ? vdso(NULL) : sys1(__NR_time, 0);
}
