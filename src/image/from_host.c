// SPDX-License-Identifier: Apache-2.0
/* A tiny image of this machine's own programs: to try everything with no registry. */
#include <errno.h>

#include "image/host_tree.h"
#include "image/image_int.h"

/* What a shell at work expects; those that this machine lacks are left out. */
static const char *const usual[] = {
	"sh",       "bash",    "ls",       "cat",   "cp",     "mv",        "rm",     "mkdir", "rmdir",   "ln",       "touch",
	"chmod",    "chown",   "chgrp",    "echo",  "printf", "true",      "false",  "sleep", "test",    "[",        "env",
	"pwd",      "id",      "whoami",   "uname", "date",   "head",      "tail",   "wc",    "sort",    "uniq",     "cut",
	"tr",       "tee",     "seq",      "stat",  "du",     "df",        "dd",     "mknod", "mkfifo",  "readlink", "realpath",
	"basename", "dirname", "mktemp",   "sync",  "nproc",  "sha256sum", "grep",   "sed",   "awk",     "find",     "xargs",
	"tar",      "gzip",    "hostname", "ps",    "kill",   "mount",     "umount", "su",    "setpriv",
};

static const struct {
	const char *path, *text; /* no text: a directory */
	u32 mode;
} made[] = {
	{ "dev", NULL, 0755 },
	{ "etc", NULL, 0755 },
	{ "home", NULL, 0755 },
	{ "proc", NULL, 0555 },
	{ "root", NULL, 0700 },
	{ "run", NULL, 0755 },
	{ "sys", NULL, 0555 },
	{ "tmp", NULL, 01777 },
	{ "var", NULL, 0755 },
	{ "var/tmp", NULL, 01777 },
	{ "etc/passwd",
	  "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
	  0644 },
	{ "etc/group", "root:x:0:\ndaemon:x:1:\ntty:x:5:\nusers:x:100:\nnogroup:x:65534:\n", 0644 },
	{ "etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n", 0644 },
	{ "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", 0644 },
	{ "etc/os-release", "NAME=\"lichen image from-host\"\nID=lichen-host\nPRETTY_NAME=\"programs of the host\"\n", 0644 },
};

static int to_blob(void *arg, const void *data, size_t size)
{
	return blob_add(arg, data, size);
}

static int collect(struct host_tree *tree, char *const *programs, size_t count, struct image_error *ret_error)
{
	static const char *const places[] = { "/bin", "/sbin", "/lib", "/lib64" }; /* directories, or links into /usr */
	int error = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places) && !error; i++)
		error = host_tree_add_place(tree, places[i]);
	for (size_t i = 0; i < ARRAY_SIZE(made) && !error; i++)
		error = host_tree_add(tree, made[i].text ? '0' : '5', made[i].path, made[i].mode, made[i].text);
	if (error)
		return image_fail_errno(ret_error, error, "cannot collect the files");
	for (size_t i = 0; i < count && !error; i++)
		error = host_tree_add_program(tree, programs[i], ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(usual) && !count && !error; i++) {
		error = host_tree_add_program(tree, usual[i], ret_error);
		if (error == -ENOENT || error == -EBADMSG)
			error = 0;
	}
	return error;
}

int image_from_host(const struct image_store *store, char *const *programs, size_t count, const char *reference,
		    struct image_add *add, struct image_error *ret_error)
{
	struct image_config config = { 0 };
	struct host_tree tree = { 0 };
	struct blob_writer blob;
	struct digest digest;
	int error = collect(&tree, programs, count, ret_error);
	if (!error && (error = blob_begin(store, &blob)))
		(void)image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	else if (!error) {
		const struct tar_sink sink = { to_blob, &blob };
		error = host_tree_write(&tree, &sink, ret_error);
		if (error)
			blob_abort(&blob);
		else if ((error = blob_commit(&blob, &digest)))
			(void)image_fail_errno(ret_error, error, "cannot write to %s", store->path);
	}
	host_tree_done(&tree);
	if (!error)
		error = image_add_layer(store, &digest, &config, reference, add, ret_error);
	image_config_done(&config);
	return error;
}
