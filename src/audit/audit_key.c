// SPDX-License-Identifier: Apache-2.0
/*
 * The key of a log, and how a log begins: key, key.pub, and a checkpoint of no entries, each durable before the next. So a directory with a key and nothing
 * else is a beginning that was interrupted, and one with tiles or a journal but no checkpoint is broken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <sodium/utils.h>

#include "audit/audit_log_int.h"
#include "audit/journal.h"
#include "base/cleanup.h"

static bool there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* HOST/audit/RANDOM: unique, and looks like the name that a log is given in public. */
static int new_key(struct note_key *ret_key)
{
	char name[NOTE_NAME_MAX + 1], host[65];
	struct utsname names;
	u32 random;
	size_t used = 0;

	if (uname(&names) < 0 || getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	for (const char *at = names.nodename; *at && used < sizeof(host) - 1; at++)
		if ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '-' ||
		    *at == '.')
			host[used++] = *at;
	host[used] = 0;
	(void)snprintf(name, sizeof(name), "%s/audit/%08x", used ? host : "localhost", random);
	return note_key_new(name, ret_key);
}

static int make_key(const struct audit_io *io, int dir, const char *path, struct note_key *ret_key, struct audit_error *error)
{
	char text[NOTE_KEY_TEXT + 1], key[NOTE_KEY_TEXT];
	int r = new_key(ret_key);

	if (r < 0)
		return audit_fail_errno(error, r, "cannot make a key");
	(void)snprintf(text, sizeof(text), "%s\n", note_key_signer(ret_key, key));
	sodium_memzero(key, sizeof(key));
	if (strcmp(path, AUDIT_KEY) == 0) {
		r = audit_file_replace(io, dir, AUDIT_KEY, text, strlen(text), 0600);
	} else { /* nobody else's file is overwritten */
		CLEANUP_FD int fd = io->create(AT_FDCWD, path, O_WRONLY | O_EXCL, 0600);

		r = fd < 0 ? -errno : audit_write(io, fd, text, strlen(text));
		if (r == 0 && io->sync(fd) < 0)
			r = -errno;
	}
	sodium_memzero(text, sizeof(text));
	return r < 0 ? audit_fail_errno(error, r, "cannot write the key '%.200s'", path) : 0;
}

static int read_key(int dir, const char *path, struct note_key *ret_key, struct audit_error *error)
{
	char *text;
	size_t size;
	int r = audit_file_read(dir, path, NOTE_KEY_TEXT, &text, &size);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return audit_fail_errno(error, r, "cannot read the key '%.200s'", path);
	r = note_key_parse(text, ret_key);
	sodium_memzero(text, size);
	free(text);
	if (r < 0 || !ret_key->signs)
		return audit_fail(error, -EINVAL, "'%.200s' is no key that signs", path);
	return 0;
}

/* The verifier, and the tree of nothing. */
static int begin_log(const struct audit_io *io, int dir, const struct note_key *key, struct audit_error *error)
{
	struct merkle_edge none = { 0 };
	struct merkle_hash root = merkle_edge_root(&none);
	char text[NOTE_KEY_TEXT + 1], verifier[NOTE_KEY_TEXT], note[NOTE_MAX];
	int r, size = checkpoint_sign(key, 0, &root, note);

	(void)snprintf(text, sizeof(text), "%s\n", note_key_verifier(key, verifier));
	r = size < 0 ? size : audit_file_replace(io, dir, AUDIT_KEY_PUBLIC, text, strlen(text), 0644);
	if (r == 0 && io->mkdir(dir, AUDIT_RUNS, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		r = audit_file_replace(io, dir, AUDIT_CHECKPOINT, note, (size_t)size, 0644);
	return r < 0 ? audit_fail_errno(error, r, "cannot begin the log") : 0;
}

int audit_key_load(const struct audit_io *io, int dir, struct note_key *ret_key, struct audit_error *error)
{
	const char *given = getenv("LICHEN_AUDIT_KEY"), *path = given && *given ? given : AUDIT_KEY;
	bool begun = there(dir, AUDIT_CHECKPOINT);
	int r = read_key(given && *given ? AT_FDCWD : dir, path, ret_key, error);

	if (!begun && (there(dir, "tile") || there(dir, JOURNAL_NAME)))
		return audit_fail(error, -EBADMSG, "the file 'checkpoint' is missing");
	if (r == -ENOENT && begun)
		return audit_fail(error, -ENOKEY, "there is no key '%.200s' to sign the log with", path);
	if (r == -ENOENT)
		r = make_key(io, dir, path, ret_key, error);
	if (r < 0 || begun)
		return r;
	return begin_log(io, dir, ret_key, error);
}
