/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What values have to do with each other, as in the kernel:
 *   - two names of one variable: net.ipv4.ip_forward is conf.all.forwarding, net.nf_conntrack_max that of netfilter, user.max_inotify_* …;
 *   - conf.all.forwarding and conf.all.disable_ipv6 set every interface; interfaces that were not set follow conf.default and neigh.default
 *     (IPv4's conf, both neigh);
 *   - limits that are other values (ipfrag_low_thresh below ipfrag_high_thresh, ports), and settings that cannot be taken back;
 *   - setting vm.dirty_bytes makes vm.dirty_ratio 0 and the other way round; so do two more pairs.
 */
#include "gaps/sysctl/sysctl_int.h"

/* The file's other name, under which its value is kept; NULL when it has none. */
static const char *other_name(const char *path)
{
	if (!strcmp(path, "net/ipv4/ip_forward"))
		return "net/ipv4/conf/*/forwarding";
	if (!strcmp(path, "net/nf_conntrack_max"))
		return "net/netfilter/nf_conntrack_max";
	if (!strcmp(path, "user/max_inotify_instances"))
		return "fs/inotify/max_user_instances";
	if (!strcmp(path, "user/max_inotify_watches"))
		return "fs/inotify/max_user_watches";
	if (!strcmp(path, "user/max_fanotify_groups"))
		return "fs/fanotify/max_user_groups";
	if (!strcmp(path, "user/max_fanotify_marks"))
		return "fs/fanotify/max_user_marks";
	return NULL;
}

void sysctl_key_of(const struct sysctl_found *found, struct sysctl_key *key)
{
	const char *name = other_name(sysctl_row_at(found->row)->path);

	memset(key, 0, sizeof(*key));
	key->row = name ? sysctl_row_of(name) : found->row;
	if (!name)
		memcpy(key->instance, found->instance, SYSCTL_INSTANCE_SIZE);
	else if (!strncmp(name, "net/ipv4/conf/", 14))
		memcpy(key->instance, "all", 4);
}

/* Whether writing the row for "all" sets every interface. */
static bool sets_all(const char *path)
{
	return !strcmp(path, "net/ipv4/conf/*/forwarding") || !strcmp(path, "net/ipv6/conf/*/forwarding") ||
	       !strcmp(path, "net/ipv6/conf/*/disable_ipv6");
}

/* Whose value an interface has that was not set itself: "all", "default", or NULL. */
static const char *follows(const struct sysctl_key *key)
{
	const char *path = sysctl_row_at(key->row)->path;

	if (!key->instance[0] || !strcmp(key->instance, "all") || !strcmp(key->instance, "default"))
		return NULL;
	if (sets_all(path) && path[7] == '6')
		return "all";
	return !strncmp(path, "net/ipv6/conf/", 14) ? NULL : "default";
}

long sysctl_written(const struct sysctl_key *key, char *text)
{
	long length = sysctl_store_get(key, text);
	const char *leader = length < 0 ? follows(key) : NULL;
	struct sysctl_key other = { .row = key->row };

	if (!leader)
		return length;
	memcpy(other.instance, leader, strlen(leader) + 1);
	return sysctl_store_get(&other, text);
}

/* The kernel's own value; text has SYSCTL_TEXT_SIZE bytes. Length or negative errno. */
static long ask_kernel(const struct sysctl_key *key, char *text)
{
	static const char prefix[] = "/proc/sys/";
	const char *pattern = sysctl_row_at(key->row)->path;
	char path[128];
	u64 at = sizeof(prefix) - 1;
	long fd, n;

	if (commons()->refused & (1u << GAP_sysctl))
		return -ENOENT;
	memcpy(path, prefix, at);
	for (; *pattern; pattern++) {
		u64 size = *pattern == '*' ? strlen(key->instance) : 1;

		memcpy(path + at, *pattern == '*' ? key->instance : pattern, size);
		at += size;
	}
	path[at] = 0;
	fd = sys3(__NR_open, path, 02000000 /* O_CLOEXEC */, 0);
	if (fd < 0)
		return fd;
	n = sys3(__NR_read, fd, text, SYSCTL_TEXT_SIZE - 1);
	(void)sys1(__NR_close, fd);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n >= 0)
		text[n] = 0;
	return n;
}

u64 sysctl_current(const struct sysctl_key *key, char *text)
{
	long length = sysctl_written(key, text);

	if (length < 0)
		length = ask_kernel(key, text);
	return length < 0 ? sysctl_truth(key, text) : (u64)length;
}

static s64 number_of(const char *path)
{
	struct sysctl_key key = { .row = sysctl_row_of(path) };
	char text[SYSCTL_TEXT_SIZE];

	(void)sysctl_current(&key, text);
	return sysctl_value_number(text);
}

/* Narrows the limits of a write by other values. */
static void find_limits(const char *path, s64 current, struct sysctl_write *write)
{
	if (!strcmp(path, "net/ipv4/ipfrag_high_thresh"))
		write->min = number_of("net/ipv4/ipfrag_low_thresh");
	else if (!strcmp(path, "net/ipv4/ipfrag_low_thresh"))
		write->max = number_of("net/ipv4/ipfrag_high_thresh");
	else if (!strcmp(path, "net/ipv6/ip6frag_high_thresh"))
		write->min = number_of("net/ipv6/ip6frag_low_thresh");
	else if (!strcmp(path, "net/ipv6/ip6frag_low_thresh"))
		write->max = number_of("net/ipv6/ip6frag_high_thresh");
	else if (!strcmp(path, "net/netfilter/nf_conntrack_frag6_high_thresh"))
		write->min = number_of("net/netfilter/nf_conntrack_frag6_low_thresh");
	else if (!strcmp(path, "net/netfilter/nf_conntrack_frag6_low_thresh"))
		write->max = number_of("net/netfilter/nf_conntrack_frag6_high_thresh");
	else if (!strcmp(path, "net/ipv4/ip_unprivileged_port_start"))
		write->max = number_of("net/ipv4/ip_local_port_range");
	else if (!strcmp(path, "net/ipv4/ip_local_port_range"))
		write->min = 1;
	else if (!strcmp(path, "kernel/yama/ptrace_scope") && current == 3)
		write->min = 3;
}

/* What becomes 0 when `path` is set. */
static const char *rival_of(const char *path)
{
	if (!strcmp(path, "vm/dirty_bytes"))
		return "vm/dirty_ratio";
	if (!strcmp(path, "vm/dirty_ratio"))
		return "vm/dirty_bytes";
	if (!strcmp(path, "vm/dirty_background_bytes"))
		return "vm/dirty_background_ratio";
	if (!strcmp(path, "vm/dirty_background_ratio"))
		return "vm/dirty_background_bytes";
	if (!strcmp(path, "vm/overcommit_ratio"))
		return "vm/overcommit_kbytes";
	if (!strcmp(path, "vm/overcommit_kbytes"))
		return "vm/overcommit_ratio";
	return NULL;
}

/* A value was set: what follows for others. */
static int spread(const struct sysctl_key *key, const char *text, bool changed)
{
	const char *path = sysctl_row_at(key->row)->path, *rival = rival_of(path);
	struct sysctl_key other = { .row = key->row, .instance = "default" };

	if (rival && (changed || !strncmp(path, "vm/over", 7))) {
		memset(&other, 0, sizeof(other));
		other.row = sysctl_row_of(rival);
		return sysctl_store_set(&other, "0");
	}
	if (sets_all(path) && !strcmp(key->instance, "all")) {
		sysctl_store_set_all(key->row, text);
		return sysctl_store_set(&other, text);
	}
	return 0;
}

/* Refusals that are no question of form. */
static int may_change(const char *path, const char *old, const char *text, s64 low)
{
	if (!strcmp(path, "kernel/unprivileged_bpf_disabled") && !strcmp(old, "1") && strcmp(text, "1"))
		return -EPERM;
	if (!strcmp(path, "net/ipv4/ip_local_port_range") && sysctl_value_number(text) < low)
		return -EINVAL;
	if (!strcmp(path, "net/ipv6/conf/*/addr_gen_mode") && !strcmp(text, "2"))
		return -EINVAL; /* wants a stable_secret, which is not supplied */
	return 0;
}

long sysctl_apply(const struct sysctl_key *key, struct sysctl_write *write, char *text, u64 room)
{
	const struct sysctl_row *row = sysctl_row_at(key->row);
	char old[64] = "";
	s64 low = 0;
	long taken;
	int r;

	if (room == SYSCTL_TEXT_SIZE) { /* a BITMAP of the kernel's would not fit, and only offsets ask for it */
		(void)sysctl_current(key, text);
		memcpy(old, text, sizeof(old) - 1);
	} else if (sysctl_written(key, text) < 0) {
		(void)sysctl_truth(key, text);
	}
	write->min = row->min;
	write->max = row->max;
	find_limits(row->path, sysctl_value_number(old), write);
	if (row->kind == SYSCTL_RANGE)
		low = number_of("net/ipv4/ip_unprivileged_port_start");
	taken = sysctl_value_write(row, write, text, room);
	if (taken == 0 || row->kind == SYSCTL_ACTION || row->kind == SYSCTL_IGNORED || (taken < 0 && row->count < 2))
		return taken;
	r = may_change(row->path, old, text, low);
	if (r < 0)
		return r;
	r = sysctl_store_set(key, text);
	if (r == 0)
		r = spread(key, text, strncmp(old, text, sizeof(old) - 1) != 0);
	return r < 0 ? r : taken;
}
