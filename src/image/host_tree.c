// SPDX-License-Identifier: Apache-2.0
/*
 * Files of this machine, picked for an image. Libraries are looked for where Debian's loader looks without a cache (ld.so(8)); a program with a
 * RUNPATH elsewhere is told to lack them.
 */
#include "image/host_tree.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/elf_needs.h"
#include "host/tree.h"

#define LINKS_MAX 40 /* as the kernel follows */
#define DEPTH_MAX 64 /* of libraries that need libraries */

static const struct host_node *find(const struct host_tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->count; i++)
		if (strcmp(tree->nodes[i].path, path) == 0)
			return &tree->nodes[i];
	return NULL;
}

static int add_node(struct host_tree *tree, const struct host_node *node, const char *path, const char *link)
{
	struct host_node *nodes = reallocarray(tree->nodes, tree->count + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	tree->nodes = nodes;
	struct host_node *added = &nodes[tree->count++];
	*added = *node;
	added->path = strdup(path);
	added->link = link ? strdup(link) : NULL;
	return added->path && (!link || added->link) ? 0 : -ENOMEM;
}

int host_tree_add(struct host_tree *tree, char type, const char *path, u32 mode, const char *text)
{
	const struct host_node node = { .type = type, .mode = mode, .text = text, .size = text ? strlen(text) : 0 };
	return find(tree, path) ? 0 : add_node(tree, &node, path, NULL);
}

/* Puts a link's target in the place of the link in a path: `rest` is what follows it. */
static int follow(char path[PATH_MAX], size_t parent, const char *target, const char *rest)
{
	char joined[2 * PATH_MAX];
	int n = *target == '/' ? snprintf(joined, sizeof(joined), "%s%s", target, rest)
			       : snprintf(joined, sizeof(joined), "%.*s/%s%s", (int)parent, path, target, rest);
	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, joined, (size_t)n + 1);
	return 0;
}

/* Takes "x/.." and "." out of an absolute path whose earlier components are no links. */
static void straighten(char *path)
{
	char *to = path;
	for (const char *at = path; *at;) {
		size_t length = strcspn(at + 1, "/");
		if (length == 2 && at[1] == '.' && at[2] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (length > 0 && !(length == 1 && at[1] == '.')) {
			memmove(to, at, length + 1);
			to += length + 1;
		}
		at += length + 1;
	}
	*to = '\0';
}

/* Adds one component of a path: directory, link or file. Returns 1 for a link, whose target is in `target`. */
static int add_component(struct host_tree *tree, const char *path, char target[PATH_MAX])
{
	struct stat st;
	if (lstat(path, &st))
		return -errno;
	struct host_node node = { .mode = st.st_mode & 0777, .mtime = st.st_mtim.tv_sec };
	node.type = S_ISLNK(st.st_mode) ? '2' : S_ISDIR(st.st_mode) ? '5' : '0';
	if (node.type == '2') {
		ssize_t n = readlink(path, target, PATH_MAX - 1);
		if (n < 0)
			return -errno;
		target[n] = '\0';
	} else if (node.type == '0') {
		if (!S_ISREG(st.st_mode))
			return -ENOEXEC;
		node.size = (u64)st.st_size;
	}
	if (!find(tree, path + 1)) {
		int error = add_node(tree, &node, path + 1, node.type == '2' ? target : NULL);
		if (error)
			return error;
	}
	return node.type == '2';
}

/* Adds a file with the directories and links that lead to it. `path` (absolute) becomes where it truly lies. */
static int add_path(struct host_tree *tree, char path[PATH_MAX])
{
	char target[PATH_MAX] = "", prefix[PATH_MAX];
	int links = 0;
	for (size_t at = 1; path[at];) {
		size_t parent = at - 1, length = strcspn(path + at, "/");
		memcpy(prefix, path, at + length);
		prefix[at + length] = '\0';
		int result = add_component(tree, prefix, target);
		if (result < 0)
			return result;
		if (result == 1) {
			char rest[PATH_MAX];
			memcpy(rest, path + at + length, strlen(path + at + length) + 1);
			if (++links > LINKS_MAX)
				return -ELOOP;
			result = follow(path, parent, target, rest);
			if (result)
				return result;
			straighten(path);
			at = 1;
			continue;
		}
		at += length + (path[at + length] == '/');
	}
	return 0;
}

int host_tree_add_place(struct host_tree *tree, const char *path)
{
	char own[PATH_MAX] = "";
	int n = snprintf(own, sizeof(own), "%s", path);
	int error = n < PATH_MAX ? add_path(tree, own) : -ENAMETOOLONG;
	return error == -ENOENT ? 0 : error;
}

/* Libraries of one program. */
struct libraries {
	struct host_tree *tree;
	const char *program;
	int depth, error;
	struct image_error *ret_error;
};

static int add_needs(struct host_tree *tree, const char *path, int depth, struct image_error *ret_error);

static void add_library(void *arg, enum elf_clue clue, const char *name)
{
	static const char *const places[] = {
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"
	};
	struct libraries *libraries = arg;
	char path[PATH_MAX] = "";
	if (clue != ELF_LIBRARY || libraries->error)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(places) + 1; i++) {
		if (i == ARRAY_SIZE(places)) {
			libraries->error =
				image_fail(libraries->ret_error, -ENOENT, "%s needs %.100s, which is not where libraries lie",
					   libraries->program, name);
			return;
		}
		int n = strchr(name, '/') ? snprintf(path, sizeof(path), "%s", name)
					  : snprintf(path, sizeof(path), "%s/%s", places[i], name);
		if (n < PATH_MAX && *path == '/' && access(path, R_OK) == 0)
			break;
	}
	size_t before = libraries->tree->count;
	libraries->error = add_path(libraries->tree, path);
	if (libraries->error)
		libraries->error = image_fail_errno(libraries->ret_error, libraries->error, "cannot take %s", path);
	else if (libraries->tree->count != before) /* new: it has needs of its own */
		libraries->error = add_needs(libraries->tree, path, libraries->depth + 1, libraries->ret_error);
}

/* The program interpreter (PT_INTERP) of an x86-64 ELF file. Returns its length, 0 when there is none. */
static size_t read_interpreter(int file, char path[PATH_MAX])
{
	Elf64_Ehdr header;
	if (pread(file, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return 0;
	for (unsigned i = 0; i < header.e_phnum && i < ELF_HEADERS_MAX; i++) {
		Elf64_Phdr segment;
		if (pread(file, &segment, sizeof(segment), (off_t)(header.e_phoff + i * sizeof(segment))) !=
		    (ssize_t)sizeof(segment))
			return 0;
		if (segment.p_type != PT_INTERP || segment.p_filesz < 2 || segment.p_filesz > PATH_MAX)
			continue;
		if (pread(file, path, segment.p_filesz, (off_t)segment.p_offset) != (ssize_t)segment.p_filesz ||
		    path[segment.p_filesz - 1] != '\0' || *path != '/')
			return 0;
		return strlen(path);
	}
	return 0;
}

/* "#!INTERPRETER": a script's. */
static int add_script(struct host_tree *tree, int file, int depth, struct image_error *ret_error)
{
	char line[PATH_MAX] = "";
	ssize_t n = pread(file, line, sizeof(line) - 1, 0);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return -ENOEXEC;
	char *name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	if (*name != '/')
		return -ENOEXEC;
	int error = add_path(tree, name);
	return error ? error : add_needs(tree, name, depth + 1, ret_error);
}

static int add_needs(struct host_tree *tree, const char *path, int depth, struct image_error *ret_error)
{
	static const char *const no_texts[] = { NULL };
	struct libraries libraries = { .tree = tree, .program = path, .depth = depth, .ret_error = ret_error };
	const struct elf_query query = { .texts = no_texts, .found = add_library, .arg = &libraries };
	struct elf_facts facts;
	struct stat st;
	char interpreter[PATH_MAX];
	CLEANUP_FD int file = open(path, O_RDONLY | O_CLOEXEC);
	if (depth > DEPTH_MAX)
		return image_fail(ret_error, -EBADMSG, "%s needs what needs itself", path);
	if (file < 0 || fstat(file, &st))
		return image_fail_errno(ret_error, -errno, "cannot read %s", path);
	const struct elf_source source = { .fd = file, .size = (u64)st.st_size };
	int error = elf_read(&source, &query, &facts);
	if (error == -ENOEXEC)
		error = add_script(tree, file, depth, ret_error);
	else if (!error && !libraries.error && read_interpreter(file, interpreter))
		error = add_path(tree, interpreter);
	if (error == -ENOEXEC || error == -EBADMSG || error == -E2BIG)
		return image_fail(ret_error, -EBADMSG, "%s is no program for this machine", path);
	if (error)
		return image_fail_errno(ret_error, error, "cannot take what %s needs", path);
	return libraries.error;
}

/* Where a program lies. */
static int search(const char *program, char path[PATH_MAX])
{
	const char *at = getenv("PATH");
	if (strchr(program, '/'))
		return *program == '/' && snprintf(path, PATH_MAX, "%s", program) < PATH_MAX ? 0 : -ENOENT;
	for (at = at && *at ? at : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; *at;) {
		size_t length = strcspn(at, ":");
		struct stat st;
		int n = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, at, program);
		if (*at == '/' && n < PATH_MAX && access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
		at += length + (at[length] == ':');
	}
	return -ENOENT;
}

int host_tree_add_program(struct host_tree *tree, const char *program, struct image_error *ret_error)
{
	char path[PATH_MAX] = "";
	int error = *program ? search(program, path) : -ENOENT;
	if (error)
		return image_fail(ret_error, error, "there is no program '%.200s' here", program);
	straighten(path);
	error = add_path(tree, path);
	if (error)
		return image_fail_errno(ret_error, error, "cannot take '%.200s'", program);
	return add_needs(tree, path, 0, ret_error);
}

/* A file's bytes, as many as its header says. */
static int write_file(const struct tar_sink *sink, const struct host_node *node)
{
	char path[PATH_MAX], data[64 * 1024];
	if (node->text)
		return sink->write(sink->arg, node->text, node->size);
	snprintf(path, sizeof(path), "/%s", node->path);
	CLEANUP_FD int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	for (u64 left = node->size; left;) {
		ssize_t n = read(file, data, left < sizeof(data) ? (size_t)left : sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ESTALE; /* it was replaced meanwhile */
		int error = sink->write(sink->arg, data, (size_t)n);
		if (error)
			return error;
		left -= (u64)n;
	}
	return 0;
}

static int write_node(const struct tar_sink *sink, const struct host_node *node)
{
	char name[PATH_MAX + 1];
	snprintf(name, sizeof(name), "%s%s", node->path, node->type == '5' ? "/" : "");
	const struct tar_entry entry = {
		.name = name,
		.link = node->link,
		.type = node->type,
		.mode = node->mode,
		.mtime = node->mtime,
		.size = node->size,
	};
	int error = tar_header(sink, &entry);
	if (error || node->type != '0')
		return error;
	error = write_file(sink, node);
	return error ? error : tar_pad(sink, node->size);
}

static int compare_nodes(const void *a, const void *b)
{
	const struct host_node *x = a, *y = b;
	return strcmp(x->path, y->path);
}

int host_tree_write(struct host_tree *tree, const struct tar_sink *sink, struct image_error *ret_error)
{
	if (tree->count)
		qsort(tree->nodes, tree->count, sizeof(*tree->nodes), compare_nodes); /* a directory comes before what is in it */
	for (size_t i = 0; i < tree->count; i++) {
		int error = write_node(sink, &tree->nodes[i]);
		if (error)
			return image_fail_errno(ret_error, error, "cannot copy /%s", tree->nodes[i].path);
	}
	int error = tar_end(sink);
	return error ? image_fail_errno(ret_error, error, "cannot write the image") : 0;
}

void host_tree_done(struct host_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->nodes[i].path);
		free(tree->nodes[i].link);
	}
	free(tree->nodes);
	*tree = (struct host_tree){ 0 };
}
