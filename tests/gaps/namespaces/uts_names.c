/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a UTS namespace: what may be set, by whom, and where it is told. */
#include "difftest.h"
#include <sys/utsname.h>

#define HOST "/proc/sys/kernel/hostname"
#define DOMAIN "/proc/sys/kernel/domainname"

static void told(const char *what)
{
	struct utsname name;
	char file[256], host[128];

	MUST(uname(&name));
	memset(host, 'x', sizeof(host));
	MUST(gethostname(host, sizeof(host)));
	say("%s: [%s] [%s] [%s]", what, name.nodename, host, name.domainname);
	read_file(HOST, file, sizeof(file));
	say("  %s", file);
	read_file(DOMAIN, file, sizeof(file));
	say("  %s", file);
}

static void lengths(void)
{
	char text[80];

	memset(text, 'n', sizeof(text));
	SHOW(sethostname(text, 64));
	SHOW(setdomainname(text, 64));
	told("the longest");
	SHOW(sethostname(text, 65));
	SHOW(setdomainname(text, 65));
	SHOW(syscall(SYS_sethostname, text, -1));
	SHOW(syscall(SYS_sethostname, text, INT_MIN));
	SHOW(sethostname("a\0b", 3));
	told("a NUL in it");
	SHOW(sethostname("", 0));
	SHOW(setdomainname("", 0));
	told("none");
	SHOW(sethostname(bad_pointer(), 1));
	SHOW(sethostname((char *)tail_copy("abcd", 4), 5));
	SHOW(sethostname((char *)tail_copy("abcd", 4), 4));
	SHOW(sethostname(bad_pointer(), 65));
	SHOW(syscall(SYS_uname, bad_pointer()));
	SHOW(syscall(SYS_uname, tail(sizeof(struct utsname))));
	SHOW(syscall(SYS_uname, tail(sizeof(struct utsname) - 1)));
	told("afterwards");
}

/* One write after the other. */
static void write_to(const char *file, const char *text, const char *then)
{
	int fd = (int)MUST(open(file, O_WRONLY | O_CLOEXEC));

	say("write \"%.20s\" = %zd", text, write(fd, text, strlen(text)));
	if (then)
		say("  then \"%.20s\" = %zd", then, write(fd, then, strlen(then)));
	close(fd);
}

static void files(void)
{
	char text[101];
	struct stat st;

	memset(text, 'f', 100);
	text[100] = 0;
	write_to(HOST, "written\n", NULL);
	write_to(DOMAIN, "do.main", NULL);
	told("written");
	write_to(HOST, "a\nb\n", NULL);
	told("two lines");
	write_to(HOST, text, NULL);
	told("too long");
	write_to(HOST, "\n", NULL);
	told("empty");
	write_to(HOST, "abc", "XY\nZ");
	told("in two parts");
	write_to(DOMAIN, "a\nb", "no");
	told("beyond the end");
	MUST(stat(HOST, &st));
	say("mode %o, uid %d, size %d", st.st_mode, (int)st.st_uid, (int)st.st_size);
	SHOW(open(HOST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	SHOW(access(HOST, R_OK | W_OK));
	SHOW(access(HOST, X_OK));
	SHOW(truncate(HOST, 0));
}

static void privilege(void)
{
	AS_USER(1000, 1000, {
		SHOW(sethostname("x", 1));
		SHOW(syscall(SYS_sethostname, "x", 65));
		SHOW(sethostname(bad_pointer(), 1));
		SHOW(setdomainname("x", 1));
		SHOW(open(HOST, O_WRONLY | O_CLOEXEC));
		told("another user");
	});
	CHILD({
		SHOW(sethostname("child", 5));
		told("in the child");
	});
	told("in its parent");
	CHILD(execl("/bin/uname", "uname", "-n", NULL));
}

int main(void)
{
	MUST(sethostname("alpha", 5));
	MUST(setdomainname("beta.example", 12));
	told("set");
	lengths();
	files();
	privilege();
	return 0;
}
