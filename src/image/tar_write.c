// SPDX-License-Identifier: Apache-2.0
/* Headers of tar archives (POSIX.1-2017 pax, "pax Interchange Format"; attributes as star and GNU tar write them). */
#include "image/tar_write.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BLOCK 512u
#define OCTAL_7 07777777u              /* what seven digits hold: owner, mode */
#define OCTAL_11 INT64_C(077777777777) /* what eleven digits hold: size, time */
#define PAX_MAX ((size_t)1024 * 1024)  /* bytes of extended headers of one entry; readers take no more */

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], uname[32],
		gname[32], major[8], minor[8], prefix[155], pad[12];
};
static_assert(sizeof(struct ustar) == BLOCK, "POSIX");

/* Extended records of one entry. */
struct pax {
	char *text;
	size_t size;
	int error;
};

static void pax_add(struct pax *pax, const char *key, const void *value, size_t size)
{
	size_t rest = 1 + strlen(key) + 1 + size + 1, length = rest + 1; /* " KEY=VALUE\n", after the length's own digits */
	char digits[24];
	while ((size_t)snprintf(digits, sizeof(digits), "%zu", length) + rest != length)
		length = (size_t)snprintf(digits, sizeof(digits), "%zu", length) + rest;
	if (pax->error || pax->size + length > PAX_MAX) {
		pax->error = -E2BIG;
		return;
	}
	char *text = realloc(pax->text, pax->size + length + 1);
	if (!text) {
		pax->error = -ENOMEM;
		return;
	}
	pax->text = text;
	int n = snprintf(text + pax->size, length + 1, "%zu %s=", length, key);
	memcpy(text + pax->size + n, value, size);
	text[pax->size + length - 1] = '\n';
	pax->size += length;
}

static void pax_number(struct pax *pax, const char *key, s64 value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);
	pax_add(pax, key, text, (size_t)n);
}

static void octal(char *to, size_t size, u64 value)
{
	char text[32];
	snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)value);
	memcpy(to, text, size);
}

static void text_field(char *to, size_t size, const char *text)
{
	size_t length = strlen(text);
	memcpy(to, text, length < size ? length : size);
}

static int write_block(const struct tar_sink *sink, struct ustar *header)
{
	unsigned sum = 0;
	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += ((const u8 *)header)[i];
	snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
	return sink->write(sink->arg, header, sizeof(*header));
}

int tar_pad(const struct tar_sink *sink, u64 size)
{
	static const char zeros[BLOCK];
	return size % BLOCK ? sink->write(sink->arg, zeros, BLOCK - size % BLOCK) : 0;
}

int tar_end(const struct tar_sink *sink)
{
	static const char zeros[2 * BLOCK];
	return sink->write(sink->arg, zeros, sizeof(zeros));
}

static int write_pax(const struct tar_sink *sink, const struct pax *pax)
{
	struct ustar header = { .name = "./PaxHeader", .type = 'x', .magic = "ustar", .version = { '0', '0' } };
	octal(header.mode, sizeof(header.mode), 0644);
	octal(header.uid, sizeof(header.uid), 0);
	octal(header.gid, sizeof(header.gid), 0);
	octal(header.size, sizeof(header.size), pax->size);
	octal(header.mtime, sizeof(header.mtime), 0);
	int error = write_block(sink, &header);
	if (!error)
		error = sink->write(sink->arg, pax->text, pax->size);
	return error ? error : tar_pad(sink, pax->size);
}

static void collect_pax(struct pax *pax, const struct tar_entry *entry)
{
	char key[300];
	if (strlen(entry->name) > 100)
		pax_add(pax, "path", entry->name, strlen(entry->name));
	if (entry->link && strlen(entry->link) > 100)
		pax_add(pax, "linkpath", entry->link, strlen(entry->link));
	if (entry->size > (u64)OCTAL_11)
		pax_number(pax, "size", (s64)entry->size);
	if (entry->uid > OCTAL_7)
		pax_number(pax, "uid", entry->uid);
	if (entry->gid > OCTAL_7)
		pax_number(pax, "gid", entry->gid);
	if (entry->mtime < 0 || entry->mtime > OCTAL_11)
		pax_number(pax, "mtime", entry->mtime);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		snprintf(key, sizeof(key), "SCHILY.xattr.%s", entry->xattrs[i].name);
		pax_add(pax, key, entry->xattrs[i].value, entry->xattrs[i].size);
	}
}

int tar_header(const struct tar_sink *sink, const struct tar_entry *entry)
{
	struct pax pax = { 0 };
	struct ustar header = { .type = entry->type, .magic = "ustar", .version = { '0', '0' } };
	collect_pax(&pax, entry);
	int error = pax.error;
	if (!error && pax.size)
		error = write_pax(sink, &pax);
	free(pax.text);
	if (error)
		return error;
	text_field(header.name, sizeof(header.name), entry->name);
	if (entry->link)
		text_field(header.link, sizeof(header.link), entry->link);
	octal(header.mode, sizeof(header.mode), entry->mode & 07777);
	octal(header.uid, sizeof(header.uid), entry->uid > OCTAL_7 ? 0 : entry->uid);
	octal(header.gid, sizeof(header.gid), entry->gid > OCTAL_7 ? 0 : entry->gid);
	octal(header.size, sizeof(header.size), entry->size > (u64)OCTAL_11 ? 0 : entry->size);
	octal(header.mtime, sizeof(header.mtime), entry->mtime < 0 || entry->mtime > OCTAL_11 ? 0 : (u64)entry->mtime);
	octal(header.major, sizeof(header.major), entry->major & OCTAL_7);
	octal(header.minor, sizeof(header.minor), entry->minor & OCTAL_7);
	return write_block(sink, &header);
}
