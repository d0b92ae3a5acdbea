// SPDX-License-Identifier: Apache-2.0
/* What an ELF file tells about the program in it. Sources: elf(5), the System V ABI's AMD64 supplement, Go's debug/buildinfo. */
#include "host/elf_needs.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LOADS_MAX 64
#define LIBRARIES_MAX 512

struct elf {
	const struct elf_source *source;
	const struct elf_query *query;
	struct elf_facts facts;
	Elf64_Ehdr header;
	Elf64_Phdr loads[LOADS_MAX];
	size_t load_count;
	u64 dynamic, dynamic_size; /* file range of PT_DYNAMIC, 0 = none */
	char *strings;             /* the dynamic string table, with a NUL behind its end */
	u64 strings_size;
};

/* Reads exactly these bytes. A range beyond the end is -EBADMSG. */
static int read_at(const struct elf_source *source, u64 offset, void *to, size_t size)
{
	if (offset > source->size || size > source->size - offset)
		return -EBADMSG;
	if (source->memory) {
		memcpy(to, source->memory + offset, size);
		return 0;
	}
	for (size_t have = 0; have < size;) {
		ssize_t n = pread(source->fd, (char *)to + have, size - have, (off_t)(offset + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		have += (size_t)n;
	}
	return 0;
}

/* Where `size` bytes at a virtual address lie in the file. */
static int find_address(const struct elf *elf, u64 address, u64 size, u64 *ret_offset)
{
	for (size_t i = 0; i < elf->load_count; i++) {
		const Elf64_Phdr *load = &elf->loads[i];
		u64 inside = address - load->p_vaddr;
		if (address >= load->p_vaddr && inside < load->p_filesz && size <= load->p_filesz - inside) {
			*ret_offset = load->p_offset + inside; /* below size: read_headers() has checked the segment's range */
			return 0;
		}
	}
	return -EBADMSG;
}

/* A note of owner "Go" is in every program that Go's linker made. */
static void read_notes(struct elf *elf, const Elf64_Phdr *segment)
{
	u8 notes[4096];
	size_t size = segment->p_filesz < sizeof(notes) ? segment->p_filesz : sizeof(notes);
	if (read_at(elf->source, segment->p_offset, notes, size))
		return;
	for (size_t at = 0; size - at >= sizeof(Elf64_Nhdr) + 4;) {
		Elf64_Nhdr note;
		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		if (note.n_namesz == 4 && memcmp(notes + at, "Go\0", 4) == 0)
			elf->facts.go = true;
		u64 skip = ALIGN_UP((u64)note.n_namesz, 4) + ALIGN_UP((u64)note.n_descsz, 4);
		if (skip > size - at)
			break;
		at += skip;
	}
}

static int read_headers(struct elf *elf)
{
	Elf64_Ehdr *h = &elf->header;
	if (elf->source->size < sizeof(*h))
		return -ENOEXEC;
	int error = read_at(elf->source, 0, h, sizeof(*h));
	if (error)
		return error;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_machine != EM_X86_64 || (h->e_type != ET_EXEC && h->e_type != ET_DYN))
		return -ENOEXEC;
	if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0)
		return -EBADMSG;
	if (h->e_phnum > ELF_HEADERS_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr segment;
		error = h->e_phoff > elf->source->size
			      ? -EBADMSG
			      : read_at(elf->source, h->e_phoff + i * sizeof(segment), &segment, sizeof(segment));
		if (error)
			return error;
		bool inside = segment.p_offset <= elf->source->size && segment.p_filesz <= elf->source->size - segment.p_offset;
		if (segment.p_type == PT_INTERP)
			elf->facts.dynamic = true;
		if (segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC) {
			if (!inside)
				return -EBADMSG;
			if (segment.p_type == PT_DYNAMIC) {
				elf->dynamic = segment.p_offset;
				elf->dynamic_size = segment.p_filesz;
			} else if (elf->load_count < LOADS_MAX) {
				elf->loads[elf->load_count++] = segment;
			}
		}
		if (segment.p_type == PT_NOTE && inside)
			read_notes(elf, &segment);
	}
	return 0;
}

/* How many dynamic symbols there are: no entry of the dynamic section says it. */
static u64 symbol_count(const struct elf *elf, u64 symbols, u64 strings)
{
	const Elf64_Ehdr *h = &elf->header;
	for (unsigned i = 0; h->e_shentsize == sizeof(Elf64_Shdr) && i < h->e_shnum && i < ELF_HEADERS_MAX; i++) {
		Elf64_Shdr section;
		u64 at;
		if (__builtin_add_overflow(h->e_shoff, i * sizeof(section), &at) ||
		    read_at(elf->source, at, &section, sizeof(section)))
			break;
		if (section.sh_type == SHT_DYNSYM && section.sh_addr == symbols)
			return section.sh_size / sizeof(Elf64_Sym);
	}
	/* Every linker puts the strings right behind the symbols; glibc counts on it as well (elf/dl-addr.c). */
	return strings > symbols ? (strings - symbols) / sizeof(Elf64_Sym) : 0;
}

static int read_symbols(struct elf *elf, u64 symbols, u64 strings)
{
	u64 count = symbol_count(elf, symbols, strings), offset;
	if (count > ELF_SYMBOLS_MAX)
		return -E2BIG;
	int error = count ? find_address(elf, symbols, count * sizeof(Elf64_Sym), &offset) : 0;
	if (error || !count)
		return error;
	for (u64 i = 0; i < count;) {
		Elf64_Sym block[128];
		size_t n = count - i < ARRAY_SIZE(block) ? (size_t)(count - i) : ARRAY_SIZE(block);
		error = read_at(elf->source, offset + i * sizeof(block[0]), block, n * sizeof(block[0]));
		if (error)
			return error;
		for (size_t k = 0; k < n; k++) {
			if (block[k].st_shndx != SHN_UNDEF || block[k].st_name == 0)
				continue;
			if (block[k].st_name >= elf->strings_size)
				return -EBADMSG;
			elf->facts.imports++;
			elf->query->found(elf->query->arg, ELF_IMPORT, elf->strings + block[k].st_name);
		}
		i += n;
	}
	return 0;
}

/* The dynamic section: libraries and imports. */
static int read_dynamic(struct elf *elf)
{
	u64 needed[LIBRARIES_MAX], strings = 0, symbols = 0, offset;
	size_t needed_count = 0;
	if (elf->dynamic_size > ELF_DYNAMIC_MAX)
		return -E2BIG;
	for (u64 at = 0; elf->dynamic_size - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn entry;
		int error = read_at(elf->source, elf->dynamic + at, &entry, sizeof(entry));
		if (error)
			return error;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			strings = entry.d_un.d_ptr;
		else if (entry.d_tag == DT_STRSZ)
			elf->strings_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_SYMTAB)
			symbols = entry.d_un.d_ptr;
		else if (entry.d_tag == DT_NEEDED && needed_count < LIBRARIES_MAX)
			needed[needed_count++] = entry.d_un.d_val;
	}
	if (!strings || !symbols || !elf->strings_size)
		return needed_count ? -EBADMSG : 0;
	if (elf->strings_size > ELF_STRINGS_MAX)
		return -E2BIG;
	int error = find_address(elf, strings, elf->strings_size, &offset);
	if (error)
		return error;
	elf->strings = malloc(elf->strings_size + 1);
	if (!elf->strings)
		return -ENOMEM;
	elf->strings[elf->strings_size] = '\0';
	error = read_at(elf->source, offset, elf->strings, elf->strings_size);
	for (size_t i = 0; i < needed_count && !error; i++) {
		if (needed[i] >= elf->strings_size)
			return -EBADMSG;
		elf->facts.libraries++;
		elf->facts.dynamic = true;
		elf->query->found(elf->query->arg, ELF_LIBRARY, elf->strings + needed[i]);
	}
	return error ? error : read_symbols(elf, symbols, strings);
}

/* Takes one string, its length before it as a varint (Go's debug/buildinfo). Returns false when it runs over the end. */
static bool take_string(const u8 **at, const u8 *end, const u8 **ret_text, size_t *ret_size)
{
	u64 size = 0;
	for (unsigned shift = 0; *at < end && shift < 35; shift += 7) {
		u8 byte = *(*at)++;
		size |= (u64)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (size > (u64)(end - *at))
			return false;
		*ret_text = *at;
		*ret_size = (size_t)size;
		*at += size;
		return true;
	}
	return false;
}

static void copy_word(char *to, size_t room, const u8 *text, size_t size)
{
	size_t n = 0;
	for (; n < size && n + 1 < room && text[n] > ' ' && text[n] < 0x7f; n++)
		to[n] = (char)text[n];
	to[n] = '\0';
}

/*
 * Go's build information at `offset`: 14 bytes of magic, pointer size, flags, then, if flag 2 is set, from byte 32 the version and
 * the module information, in which a line "path\tPACKAGE" follows 16 bytes of a mark. Returns whether it is such information.
 */
static bool read_go(struct elf *elf, u64 offset)
{
	u8 info[4096];
	const u8 *text;
	size_t size = elf->source->size - offset < sizeof(info) ? (size_t)(elf->source->size - offset) : sizeof(info), length;
	if (size < 32 || read_at(elf->source, offset, info, size) || info[14] != 8)
		return false; /* something that looks for the magic, as this file does */
	elf->facts.go = true;
	if (!(info[15] & 2))
		return true;
	const u8 *at = info + 32, *end = info + size;
	if (!take_string(&at, end, &text, &length))
		return true;
	copy_word(elf->facts.go_version, sizeof(elf->facts.go_version), text, length);
	const u8 *path = memmem(at, (size_t)(end - at) < 64 ? (size_t)(end - at) : 64, "path\t", 5);
	if (path)
		copy_word(elf->facts.go_path, sizeof(elf->facts.go_path), path + 5, (size_t)(end - path - 5));
	return true;
}

/* Looks through the whole file, block by block; blocks overlap by more than the longest text. */
static int search_texts(struct elf *elf)
{
	enum { BLOCK = 1 << 20, OVERLAP = 64 };
	static const char magic[] = "\xff Go buildinf:";
	u64 seen = 0; /* bit per text */
	bool told = false;
	CLEANUP_FREE u8 *block = malloc(BLOCK);
	if (!block)
		return -ENOMEM;
	for (u64 at = 0; at < elf->source->size; at += BLOCK - OVERLAP) {
		size_t size = elf->source->size - at < BLOCK ? (size_t)(elf->source->size - at) : BLOCK;
		int error = read_at(elf->source, at, block, size);
		if (error)
			return error;
		const u8 *info = told ? NULL : memmem(block, size, magic, sizeof(magic) - 1);
		if (info && ((at + (u64)(info - block)) % 16) == 0)
			told = read_go(elf, at + (u64)(info - block));
		for (size_t i = 0; elf->query->texts[i] && i < 64; i++) {
			const char *text = elf->query->texts[i];
			if ((seen >> i & 1) || !memmem(block, size, text, strlen(text)))
				continue;
			seen |= UINT64_C(1) << i;
			elf->query->found(elf->query->arg, ELF_TEXT, text);
		}
		if (size < BLOCK)
			break;
	}
	return 0;
}

int elf_read(const struct elf_source *source, const struct elf_query *query, struct elf_facts *ret_facts)
{
	struct elf *elf = calloc(1, sizeof(*elf));
	if (!elf)
		return -ENOMEM;
	elf->source = source;
	elf->query = query;
	int error = read_headers(elf);
	if (!error && elf->dynamic)
		error = read_dynamic(elf);
	if (!error && (elf->facts.go || !elf->facts.dynamic))
		error = search_texts(elf);
	if (!error)
		*ret_facts = elf->facts;
	free(elf->strings);
	free(elf);
	return error;
}
