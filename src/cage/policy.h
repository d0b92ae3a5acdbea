/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies of cages: what a guest may do, as YAML (docs/cage-policy.md; docs/cage-policy.schema.json is its grammar). Deny by default: a list that is missing or
 * empty allows nothing.
 *
 * A policy is read in three steps. Grammar: what the schema says, too. Meaning: what it cannot say, such as names of system calls and addresses. Then, of a file,
 * what the machine knows of it: symbolic links and what is there. The first two depend on the text alone, so that a policy means the same everywhere.
 *
 * Paths are absolute (/usr), of the user's home (~/x), or relative to the directory of the policy's file (./x, ../x; of a built-in profile: the working
 * directory). They are no patterns, and ".." stands only in front.
 */
#ifndef LICHEN_CAGE_POLICY_H
#define LICHEN_CAGE_POLICY_H

#include <limits.h>
#include <sys/types.h>

#include "config/yaml_strict.h"

#define CAGE_DIGEST 32u              /* SHA-256 */
#define CAGE_LIMIT_MEMORY (6u << 20) /* the least that limits.memory may be */

/* What a rule for files allows. */
enum cage_access {
	CAGE_READ = 1,    /* read files, list directories */
	CAGE_EXECUTE = 2, /* execute, and read */
	CAGE_WRITE = 4,   /* write, create, delete, rename, and read */
};

struct cage_path {
	const char *written; /* in the policy */
	char *path;          /* absolute; neither ".", ".." nor double slashes are in it, nor a slash at its end */
	char *real;          /* the same without symbolic links; NULL: there is no such file (or nobody has looked) */
	u32 line, column;    /* 0: lichen added it */
	bool own;            /* it leads through /proc/self and its like, which is another for each process */
};

struct cage_paths {
	struct cage_path *path;
	size_t count;
};

/* Strings of a list in its order, and a NULL. */
struct cage_words {
	const char **word;
	size_t count;
};

struct cage_variable {
	const char *name, *value;
};

/* A denial that is expected. */
enum cage_denied {
#define DENIED(name, text, object) CAGE_DENIED_##name,
#include "cage/denied.def"
#undef DENIED
	CAGE_DENIED_COUNT
};

struct cage_quiet {
	enum cage_denied what;
	const char *object;    /* as written */
	struct cage_path path; /* of a WHAT whose object is a path; else path.path is NULL */
};

enum cage_network {
	CAGE_NETWORK_NONE,
	CAGE_NETWORK_HOST,  /* the machine's, unfiltered */
	CAGE_NETWORK_PROXY, /* TCP to what `allow` and `private` name, through lichen-proxy */
};

/* 0: no limit. */
struct cage_limits {
	u64 memory, file_size, output, disk; /* bytes */
	u64 wall, cpu_time;                  /* milliseconds */
	u32 cpu;                             /* thousandths of a processor */
	u32 processes, open_files;
};

struct cage_policy {
	char *name;             /* for messages: the file's name as given, or "offline" */
	bool built_in;          /* a profile of lichen's own, no file */
	char *directory;        /* that ./ means, absolute */
	char *home;             /* that ~ means; NULL: none is known */
	u8 digest[CAGE_DIGEST]; /* of the text */

	struct {
		struct cage_paths read, execute, write, deny;
		bool defaults; /* with cage_default_paths() */
		bool tmp;      /* and with a directory for temporary files, the run's own: cage_tmp.h */
	} files;
	struct {
		enum cage_network mode;
		struct cage_words allow, private; /* patterns that proxy_rule_parse() takes */
		struct cage_paths sockets;        /* sockets with paths that may be connected to */
		bool abstract;                    /* abstract sockets of others, too */
	} network;
	struct {
		bool user_given;
		uid_t uid;
		gid_t gid;
		struct cage_path *profile;     /* a seccomp profile of Docker's or the OCI's form; NULL: lichen's */
		struct cage_words allow, deny; /* names of system calls, besides the profile */
	} processes;
	struct {
		struct cage_words pass; /* names; "LC_*" is all that begin so */
		struct cage_variable *set;
		size_t set_count;
	} environment;
	struct cage_limits limits;
	struct {
		struct cage_path *directory; /* NULL: the usual one */
		bool redact;
	} audit;
	struct {
		struct cage_quiet *quiet;
		size_t count;
	} report;

	/* Where a guest may have made symbolic links (.real; the caller's, set before cage_policy_resolve()); NULL: in files.write */
	const struct cage_paths *touched;
	struct yaml_node *root; /* that owns the strings */
};

/* Why a policy was refused. */
struct cage_policy_error {
	struct yaml_error at; /* line 0: of the whole file */
	bool meaning;         /* its grammar is right: the schema would take it */
};

/*
 * Reads a policy's text: grammar and meaning; no file is looked at. `directory` (absolute) is what ./ means, `home` (absolute, or NULL) is ~. 0, -EINVAL with
 * *error filled, or -ENOMEM.
 */
int cage_policy_parse(const char *text, size_t length, const char *directory, const char *home, struct cage_policy **ret,
		      struct cage_policy_error *error) MUST_CHECK;
/*
 * Looks at the machine: fills `real` of every path, and denies `file` (NULL: none), where the policy stands, and its seccomp profile, if they lie in what may be written. A path through a
 * symbolic link below what may be written is refused: the guest of an earlier run may have made it. 0, -EINVAL with *error filled, or -ENOMEM.
 */
int cage_policy_resolve(struct cage_policy *policy, const char *file, struct cage_policy_error *error) MUST_CHECK;
/*
 * All of it, for a file, or a built-in profile (a name without a slash; a file of that name is ./NAME). 0, -ENOMEM, or another negative errno, and then *text
 * is "FILE:LINE:COLUMN: sentence" or "FILE: sentence", which the caller frees: exit status 78. `error` may be NULL.
 */
int cage_policy_load(const char *profile, struct cage_policy **ret, char **ret_text, struct cage_policy_error *error) MUST_CHECK;
/* A policy before anybody has understood it: text, for free(3), and where it stands. */
struct cage_policy_text {
	char *text;
	size_t length;
	char file[PATH_MAX];      /* without symbolic links; "": a pipe, or a built-in profile */
	char directory[PATH_MAX]; /* that ./ means */
};
/* The two halves of cage_policy_load() before cage_policy_resolve(), for who understands it elsewhere than where it stands; all as there. */
int cage_policy_text_read(const char *profile, struct cage_policy_text *ret, char **ret_text,
			  struct cage_policy_error *error) MUST_CHECK;
int cage_policy_text_parse(const char *profile, const struct cage_policy_text *text, const char *home, struct cage_policy **ret,
			   char **ret_text, struct cage_policy_error *error) MUST_CHECK;
/* What is wrong as one line: "NAME:LINE:COLUMN: sentence" or "NAME: sentence", for free(3). NULL: no memory. */
char *cage_policy_error_line(const char *name, const struct cage_policy_error *why) MUST_CHECK;
/* NULL is allowed. */
void cage_policy_free(struct cage_policy *policy);
static inline void cage_policy_done(struct cage_policy **policy)
{
	cage_policy_free(*policy);
}
#define CLEANUP_POLICY __attribute__((cleanup(cage_policy_done)))

/* A path that `files.defaults` allows, where it exists. */
struct cage_default {
	const char *path;
	u32 access; /* of enum cage_access */
};
const struct cage_default *cage_default_paths(size_t *ret_count);

/*
 * May the guest do that (one bit of enum cage_access) with an absolute path, canonical as in struct cage_path? Both `path` and `real` of rules are looked at.
 * *ret_rule (may be NULL): the rule that denies or allows, *ret_list the list that it stands in ("files.deny"); NULL when no rule knows the path, or a default allows.
 */
bool cage_policy_allows(const struct cage_policy *policy, enum cage_access wanted, const char *path,
			const struct cage_path **ret_rule, const char **ret_list);
/* Is `path` that directory, or below it? Both are canonical. */
bool policy_within(const char *directory, const char *path);
/* The directory that an absolute path is in; of "/" that itself. */
void policy_parent(const char *path, char ret[PATH_MAX]);
/* Is it, by its text, something of the process that asks, or of one by number: another, or none, in the cage? */
bool policy_of_process(const char *path);
/*
 * What a path is without symbolic links, as far as it is there; the rest is as it was. *ret_own: it leads through what policy_of_process() names. 0; -ELOOP: through a link that a
 * guest may have made (cage_policy_resolve()); -ENAMETOOLONG.
 */
int policy_real_path(const struct cage_policy *policy, const char *path, char real[PATH_MAX], bool *ret_own) MUST_CHECK;
/* The same without a policy: a guest may have made links below `real` of these. */
int policy_real_below(const struct cage_paths *roots, const char *path, char real[PATH_MAX], bool *ret_own) MUST_CHECK;
/* "fs.read" */
const char *cage_denied_name(enum cage_denied what);
/* Is that denial expected? `object` as it is told: a path, HOST:PORT, a name. */
bool cage_policy_quiet(const struct cage_policy *policy, enum cage_denied what, const char *object);

#endif
