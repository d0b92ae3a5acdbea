/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a UTS namespace: uname(2), sethostname(2), setdomainname(2), as kernel/sys.c of Linux 6.18 has them. */
#include "gaps/namespaces/namespaces_int.h"

#define NAME_MAX_ 64u /* __NEW_UTS_LEN */

struct new_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

/* The row of the caller's UTS namespace. */
static struct uts_row *own_row(void)
{
	return &namespaces_area()->uts[namespaces_uts()];
}

void uts_names_get(struct uts_names *ret)
{
	struct uts_row *row = own_row();
	u32 seq;

	do {
		seq = __atomic_load_n(&row->seq, __ATOMIC_ACQUIRE);
		memcpy(ret, &row->names[seq & 1], sizeof(*ret));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&row->seq, __ATOMIC_ACQUIRE) != seq);
}

long uts_set(enum uts_name which, const char *text, u64 length)
{
	struct uts_row *row = own_row();
	struct uts_names *next;
	char *name;
	int died;
	u32 seq;

	if (member_self() < 0)
		return -ENOMEM;
	died = lock_take((struct lock *)&row->lock);
	(void)died; /* what a dead writer left is not published: it is overwritten */
	seq = row->seq;
	next = &row->names[(seq + 1) & 1];
	*next = row->names[seq & 1];
	name = which == UTS_HOST ? next->host : next->domain;
	memset(name, 0, sizeof(next->host));
	memcpy(name, text, length);
	__atomic_store_n(&row->seq, seq + 1, __ATOMIC_RELEASE);
	lock_release((struct lock *)&row->lock);
	return 0;
}

enum verdict uts_uname(struct call *call)
{
	struct new_utsname told;
	struct uts_names names;
	long r = sys1(__NR_uname, &told);

	if (r < 0)
		return namespaces_done(call, r);
	uts_names_get(&names);
	memcpy(told.nodename, names.host, sizeof(told.nodename));
	memcpy(told.domainname, names.domain, sizeof(told.domainname));
	return namespaces_done(call, guest_write(call->arg[0], &told, sizeof(told)));
}

static enum verdict set_name(struct call *call, enum uts_name which)
{
	s32 length = (s32)call->arg[1];
	struct agent_creds creds;
	char text[NAME_MAX_];

	agent_creds_get(&creds);
	if (!creds.cap_sys_admin)
		return namespaces_done(call, -EPERM);
	if (length < 0 || length > (s32)NAME_MAX_)
		return namespaces_done(call, -EINVAL);
	if (guest_read(text, call->arg[0], (u64)length) < 0)
		return namespaces_done(call, -EFAULT);
	return namespaces_done(call, uts_set(which, text, (u64)length));
}

enum verdict uts_sethostname(struct call *call)
{
	return set_name(call, UTS_HOST);
}

enum verdict uts_setdomainname(struct call *call)
{
	return set_name(call, UTS_DOMAIN);
}
