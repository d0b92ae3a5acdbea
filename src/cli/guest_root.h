/* SPDX-License-Identifier: Apache-2.0 */
/* The options that give a guest a file tree of its own, and what is mounted in it. */
#ifndef LICHEN_CLI_GUEST_ROOT_H
#define LICHEN_CLI_GUEST_ROOT_H

#include <limits.h>

#include "cli/options.h"
#include "host/mount_spec.h"
#include "host/native.h"
#include "host/root.h"

/* A tree that has been laid out: by who makes it; both NULL: the machine's. */
struct guest_tree {
	struct fs_state *agent;
	struct native_root *native;
};

struct guest_root {
	const char *directory; /* NULL: the machine's own tree */
	const char *upper;     /* directory for what is changed; NULL: `directory` itself */
	const char *work;      /* beside it; NULL: its path and ".work" */
	const char *
		scratch; /* for what this guest alone needs, made where it is missing; NULL: a temporary one is made when it is needed */
	const char *hostname; /* NULL: /etc/hostname and /etc/hosts are the tree's and the machine's; else they name the guest */
	bool ephemeral;       /* `upper` is a temporary one */
	bool native;          /* the kernel makes the tree */
	bool read_only, init;
	struct mount_specs mounts;
	u64 shm_size;              /* of /dev/shm; 0: a directory of the tree */
	struct option_words hosts; /* "NAME:ADDRESS" */
	struct option_words dns, dns_search, dns_options;
	char temporary[4096]; /* the temporary directory; "": none was made */
};

int guest_parse_volume(void *field, const char *value, struct option_error *error);
int guest_parse_mount(void *field, const char *value, struct option_error *error);
int guest_parse_tmpfs(void *field, const char *value, struct option_error *error);
int guest_parse_size(void *field, const char *value, struct option_error *error);
int guest_parse_host(void *field, const char *value, struct option_error *error);
int guest_parse_address(void *field, const char *value, struct option_error *error);
int guest_parse_line(void *field, const char *value, struct option_error *error);

/* Option rows for a command whose struct `type` has a struct guest_root `field`. */
/* clang-format off */
#define GUEST_ROOT_OPTIONS(type, field) \
	{ .name = "rootfs", .value = "DIR", .offset = offsetof(type, field.directory), \
	  .help = "run the command with this directory as its root, as chroot does, but without any privilege" }, \
	{ .name = "volume", .letter = 'v', .value = "SRC:DST[:ro]", .offset = offsetof(type, field.mounts), .parse = guest_parse_volume, \
	  .help = "show a path of this machine, or a named volume, in the tree" }, \
	{ .name = "mount", .value = "type=…,dst=…", .offset = offsetof(type, field.mounts), .parse = guest_parse_mount, .rare = true, \
	  .help = "the same in words: type=bind, volume or tmpfs, src=, dst=, readonly, tmpfs-size=, tmpfs-mode=, volume-nocopy" }, \
	{ .name = "tmpfs", .value = "DST[:size=…]", .offset = offsetof(type, field.mounts), .parse = guest_parse_tmpfs, .rare = true, \
	  .help = "an empty directory, which vanishes with the guest" }, \
	{ .name = "upper", .value = "DIR", .offset = offsetof(type, field.upper), .rare = true, \
	  .help = "keep what is changed in this directory, as overlayfs does; the one of --rootfs stays as it is" }, \
	{ .name = "ephemeral", .offset = offsetof(type, field.ephemeral), .rare = true, \
	  .help = "forget what is changed in the tree of --rootfs when the command ends" }, \
	{ .name = "read-only", .offset = offsetof(type, field.read_only), \
	  .help = "let nothing be changed but in volumes and --tmpfs" }, \
	{ .name = "shm-size", .value = "BYTES", .offset = offsetof(type, field.shm_size), .parse = guest_parse_size, .rare = true, \
	  .help = "give the tree a /dev/shm of this size" }, \
	{ .name = "init", .offset = offsetof(type, field.init), .rare = true, \
	  .help = "run a small init first, which starts the command, passes signals on and reaps orphans" }, \
	{ .name = "add-host", .value = "NAME:IP", .offset = offsetof(type, field.hosts), .parse = guest_parse_host, .rare = true, \
	  .help = "add a line to the tree's /etc/hosts; host-gateway stands for this machine" }, \
	{ .name = "dns", .value = "IP", .offset = offsetof(type, field.dns), .parse = guest_parse_address, .rare = true, \
	  .help = "name server for the tree's /etc/resolv.conf, instead of this machine's" }, \
	{ .name = "dns-search", .value = "DOMAIN", .offset = offsetof(type, field.dns_search), .parse = guest_parse_line, .rare = true, \
	  .help = "domain to search there; . for none" }, \
	{ .name = "dns-option", .value = "OPTION", .offset = offsetof(type, field.dns_options), .parse = guest_parse_line, .rare = true, \
	  .help = "option for there: ndots:2" }
/* clang-format on */

/* Lays out the tree that was asked for, and whatever is mounted there; guest_tree_done() releases it. Returns -1, or the exit status after saying what is
 * wrong. In either case guest_root_end() follows, once the guest has ended. */
int guest_root_stage(const struct command *command, struct guest_root *given, const char *workdir, struct guest_tree *ret);
void guest_tree_done(struct guest_tree *tree);
/* The directory on whose file system changes of the tree will be kept, and NULL when there are none to be kept apart: that of --upper, of what is
 * temporary, of cells. layered: there are such changes. */
const char *guest_root_place(const struct guest_root *given, bool layered, bool cell, char path[PATH_MAX]);
/* Removes what was temporary. */
void guest_root_end(struct guest_root *given);

/* What needs a tree and has none. Returns -1, or the exit status after saying so. */
int guest_root_check(const struct command *command, const struct guest_root *given);

/* The directories that the tree is made of, topmost first (tree_look.h); the machine's own without --rootfs. Their number. */
u32 guest_root_layers(const struct guest_root *given, const char *layers[2]);

/* guest_mounts.c: puts what is to be mounted into spec->binds; `scratch` makes and names the directory for what this guest alone needs. Returns -1,
 * or the exit status after saying what is wrong. */
int guest_mounts_stage(const struct command *command, struct guest_root *given, struct root_spec *spec);
/* The scratch directory, made. NULL after saying why not. */
const char *guest_root_scratch(const struct command *command, struct guest_root *given);

/* Where --init has lichen's own program in a tree. */
#define GUEST_INIT "/sbin/lichen-init"

/* Lets lichen itself start the command (--init): *argv, which is free(3)d, becomes another. False without memory. */
bool guest_prepend_init(const struct guest_root *given, char ***argv);

/* guest_resolve.c: the text of /etc/hosts and /etc/resolv.conf with what was asked for; allocated, NULL without memory; *ret NULL where the machine's will do. */
int guest_resolve_hosts(const struct guest_root *given, char **ret);
int guest_resolve_resolver(const struct guest_root *given, char **ret);

#endif
