// SPDX-License-Identifier: Apache-2.0
/*
 * Which gaps a program needs, and how that is known.
 *
 * A name is looked up first (that of the file, of what a link points to, of Go's main package). A script that is not known by its name is
 * judged by its interpreter. What the file tells is added: it decides only about programs whose name is not known.
 */
#include "host/program_needs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/workload.h"

enum level {
	NEEDS,
	USES,
};

/* --- the tables of program_needs.def ------------------------------------------------------------------------------------- */

struct program_row {
	const char *name;
	const char *workload; /* NULL: the rest of the row says it */
	int gap;              /* -1: none */
	enum level level;
	const char *why, *source;
};

static const struct program_row programs[] = {
#define PROGRAM_IS(name, workload) { name, workload, -1, NEEDS, NULL, NULL },
#define PROGRAM(name, gap, level, why, source) { name, NULL, GAP_##gap, level, why, source },
#define PROGRAM_PLAIN(name, why) { name, NULL, -1, NEEDS, why, NULL },
#include "host/program_needs.def"
};

struct clue_row {
	enum elf_clue clue;
	const char *text;
	enum gap_id gap;
	enum level level;
};

static const struct clue_row clues[] = {
#define CLUE_IMPORT(function, gap, level) { ELF_IMPORT, function, GAP_##gap, level },
#define CLUE_LIBRARY(start, gap, level) { ELF_LIBRARY, start, GAP_##gap, level },
#define CLUE_TEXT(text, gap, level) { ELF_TEXT, text, GAP_##gap, level },
#include "host/program_needs.def"
};

static const char *const texts[] = {
#define CLUE_TEXT(text, gap, level) text,
#include "host/program_needs.def"
	NULL,
};

static_assert(ARRAY_SIZE(texts) <= 64, "elf_read() keeps one bit a text");

/* --- putting it together --------------------------------------------------------------------------------------------------- */

/* Adds to a text, "…" where it is full. Bytes of untrusted names that are no letters become '?'. */
static void append(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
static void append(char *text, size_t size, const char *format, ...)
{
	static const char more[] = ", …";
	size_t used = strlen(text);
	va_list args;
	if (used >= sizeof(more) - 1 && strcmp(text + used - (sizeof(more) - 1), more) == 0)
		return;
	va_start(args, format);
	int length = vsnprintf(text + used, size - used, format, args);
	va_end(args);
	if (length < 0 || (size_t)length + sizeof(more) > size - used) /* room for the mark is always kept */
		snprintf(text + used, size - used, "%s", more);
}

/* Adds a gap to the set of its level; a need outweighs a use. */
static void add(struct program_needs *needs, enum gap_id gap, enum level level)
{
	if (level == NEEDS) {
		needs->needs |= GAP_BIT(gap);
		needs->uses &= ~GAP_BIT(gap);
	} else if (!(needs->needs & GAP_BIT(gap))) {
		needs->uses |= GAP_BIT(gap);
	}
}

/* Equal, or followed by a version: "-1.2", "15". */
static bool fits(const char *known, const char *name)
{
	size_t length = strlen(known);
	if (strncmp(known, name, length) != 0)
		return false;
	return name[length + strspn(name + length, "-.0123456789")] == '\0';
}

/* The row's name that fits best: the longest. NULL when none does. */
static const char *find_known(const char *name)
{
	const char *best = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (fits(programs[i].name, name) && (!best || strlen(programs[i].name) > strlen(best)))
			best = programs[i].name;
	return best;
}

/* Adds to what kind of program it is. */
static void say(struct program_needs *needs, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct program_needs *needs, const char *format, ...)
{
	char words[sizeof(needs->what)];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	append(needs->what, sizeof(needs->what), "%s%s", needs->what[0] ? "; " : "", words);
}

/* Takes over what is known by this name. Returns whether anything is. */
static bool judge_name(struct program_needs *needs, const char *name)
{
	const char *known = needs->known[0] ? NULL : find_known(name);
	if (!known)
		return false;
	snprintf(needs->known, sizeof(needs->known), "%s", known);
	needs->needs = needs->uses = 0;
	needs->plain = false;
	memset(needs->how, 0, sizeof(needs->how));
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct program_row *row = &programs[i];
		u32 gaps = 0;
		if (strcmp(row->name, known) != 0)
			continue;
		if (row->workload && workload_by_name(row->workload, &gaps) == 0) {
			needs->needs |= gaps;
			for (int id = 0; id < GAP_COUNT; id++)
				if (gaps & GAP_BIT(id))
					append(needs->how[id], sizeof(needs->how[id]), "known: workload %s cannot do without",
					       row->workload);
		} else if (row->gap >= 0) {
			add(needs, (enum gap_id)row->gap, row->level);
			append(needs->how[row->gap], sizeof(needs->how[row->gap]), "known: %s [%s]", row->why, row->source);
		} else if (row->why) {
			say(needs, "%s", row->why);
			needs->plain = true;
		}
	}
	return true;
}

static void found_clue(void *arg, enum elf_clue clue, const char *name)
{
	static const char *const verbs[] = { [ELF_IMPORT] = "imports", [ELF_LIBRARY] = "loads", [ELF_TEXT] = "contains" };
	struct program_needs *needs = arg;
	if (needs->plain)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(clues); i++) {
		const struct clue_row *row = &clues[i];
		bool hit = row->clue == clue &&
			   (clue == ELF_LIBRARY ? strncmp(name, row->text, strlen(row->text)) == 0 : strcmp(name, row->text) == 0);
		if (!hit)
			continue;
		char *how = needs->how[row->gap], verb[16];
		size_t size = sizeof(needs->how[row->gap]);
		snprintf(verb, sizeof(verb), "%s ", verbs[clue]);
		/* The file's own text, never the file's name of it: that one may be anything. */
		append(how, size, "%s%s%s", how[0] ? strstr(how, verb) ? ", " : "; " : "", strstr(how, verb) ? "" : verb,
		       row->text);
		if (needs->known[0])
			add(needs, row->gap, USES); /* a name that is known decides */
		else
			add(needs, row->gap, row->level);
		return;
	}
}

static void describe(struct program_needs *needs, const struct elf_facts *facts)
{
	if (facts->go)
		say(needs, "a %s Go program%s%s%s%s: its calls bypass libc, so texts in it are all that can be seen",
		    facts->dynamic ? "dynamic" : "static", facts->go_version[0] ? ", " : "", facts->go_version,
		    facts->go_path[0] ? ", " : "", facts->go_path);
	else if (facts->dynamic)
		say(needs, "a dynamic program; %u %s, %u imported symbols", facts->libraries,
		    facts->libraries == 1 ? "library" : "libraries", facts->imports);
	else
		say(needs, "a static program: which calls it makes cannot be seen in its file, only texts");
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int program_judge(const char *name, const struct elf_source *source, struct program_needs *needs)
{
	const struct elf_query query = { .texts = texts, .found = found_clue, .arg = needs };
	struct elf_facts facts = { 0 };
	judge_name(needs, name);
	int error = elf_read(source, &query, &facts);
	if (error)
		return error;
	/* Only Go tells the name that a file was built under. Its rows replace the clues, which are then looked for again. */
	if (facts.go_path[0] && judge_name(needs, last_part(facts.go_path)))
		error = elf_read(source, &query, &facts);
	if (!error)
		describe(needs, &facts);
	return error;
}

/* --- finding files --------------------------------------------------------------------------------------------------------- */

/* Looks for a program as a shell does; daemons stand in directories that a user's PATH may lack. */
static int find_program(const char *name, char path[PATH_MAX])
{
	static const char standard[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *lists[] = { getenv("PATH"), standard };
	if (strchr(name, '/')) {
		if (strlen(name) >= PATH_MAX)
			return -ENAMETOOLONG;
		memcpy(path, name, strlen(name) + 1);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (const char *at = lists[i]; at && *at;) {
			size_t length = strcspn(at, ":");
			struct stat st;
			int n = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, at, name);
			if (length > 0 && n > 0 && n < PATH_MAX && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
			    (st.st_mode & 0111))
				return 0;
			at += length + (at[length] == ':');
		}
	}
	return -ENOENT;
}

/* Opens a regular file, and nothing else: a FIFO would hang. Returns a descriptor or negative errno. */
static int open_file(const char *path, u64 *ret_size)
{
	struct stat st;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_size = (u64)st.st_size;
	return take_fd(&fd);
}

int program_recognise(const char *path)
{
	char magic[4] = "";
	u64 size;
	CLEANUP_FD int fd = open_file(path, &size);
	if (fd < 0)
		return fd;
	ssize_t n = pread(fd, magic, sizeof(magic), 0);
	if (n < 0)
		return -errno;
	return (n == 4 && memcmp(magic, "\177ELF", 4) == 0) || (n >= 2 && memcmp(magic, "#!", 2) == 0);
}

/* The interpreter of a script's first line: its path, or with env(1) the program that env looks for. Returns whether there is one. */
static bool interpreter_of(char *line, char name[PATH_MAX])
{
	char *rest = line + 2, *word = NULL;
	line[strcspn(line, "\n")] = '\0';
	bool env = false, found = false;
	while (!found && (word = strsep(&rest, " \t\r"))) {
		if (!*word || (env && (*word == '-' || strchr(word, '='))))
			continue;
		if (!env && strcmp(last_part(word), "env") == 0)
			env = true;
		else
			found = true;
	}
	if (!found || strlen(word) >= PATH_MAX)
		return false;
	memcpy(name, word, strlen(word) + 1);
	return true;
}

/* Judges the file at `path`, through scripts. */
static int examine_file(const char *path, struct program_needs *needs)
{
	char next[PATH_MAX];
	for (unsigned scripts = 0;; scripts++) {
		CLEANUP_FREE char *real = realpath(path, NULL);
		struct elf_source source = { .fd = FD_NONE };
		CLEANUP_FD int fd = open_file(path, &source.size);
		char line[256] = "";
		judge_name(needs, last_part(path));
		if (real)
			judge_name(needs, last_part(real));
		if (fd < 0)
			return fd;
		source.fd = fd;
		if (pread(fd, line, sizeof(line) - 1, 0) < 0)
			return -errno;
		if (memcmp(line, "#!", 2) != 0)
			return program_judge(last_part(path), &source, needs);
		if (scripts == PROGRAM_SCRIPTS_MAX)
			return -ELOOP;
		char interpreter[PATH_MAX];
		if (!interpreter_of(line, interpreter))
			return -ENOEXEC;
		say(needs, "a script for %s", interpreter);
		if (needs->known[0])
			return 0;
		int error = find_program(interpreter, next);
		if (error)
			return error;
		path = next;
	}
}

int program_examine(const char *name, struct program_needs *ret_needs)
{
	struct program_needs *needs = ret_needs;
	memset(needs, 0, sizeof(*needs));
	int error = find_program(name, needs->path);
	if (!error) {
		error = examine_file(needs->path, needs);
		if (error == -ENOENT && !needs->known[0])
			needs->path[0] = '\0';
	} else {
		needs->path[0] = '\0';
		judge_name(needs, last_part(name));
	}
	/* A known name is enough where the file is absent or may not be read. */
	bool judged = needs->known[0] && (error == -ENOENT || error == -EACCES);
	if (judged)
		say(needs, "%s", error == -ENOENT ? "not installed here: judged by its name" : "not readable: judged by its name");
	return judged ? 0 : error;
}
