// SPDX-License-Identifier: Apache-2.0
/* From the runtime to a container's program: limits, labels, who it is and what it may. */
#include "oci/oci_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/launch_command.h"
#include "host/network.h"

#define CAPABILITIES 64u

/* --- limits and labels ---------------------------------------------------------------------------------------------------------------------- */

static int write_self(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

int oci_process_limit(const struct oci_process *process, struct oci_notes *notes, struct oci_error *error)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", process->oom_score);
	if (process->has_oom_score && write_self("/proc/self/oom_score_adj", text) < 0) {
		if (errno != EACCES && errno != EPERM && errno != ENOENT)
			return oci_fail_errno(error, "setting oom_score_adj to %s", text);
		oci_note(notes, "oom_score_adj is not set to %s: %s", text, strerror(errno));
	}
	for (u32 i = 0; i < process->rlimit_count; i++)
		if (prlimit64(0, (enum __rlimit_resource)process->rlimits[i].resource, &process->rlimits[i].limit, NULL) < 0)
			return oci_fail_errno(error, "error setting rlimit type %d", process->rlimits[i].resource);
	return 0;
}

void oci_process_keyring(const char *id, struct oci_notes *notes)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "_ses.%.50s", id);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0 && errno != ENOSYS)
		oci_note(notes, "the container has no session keyring of its own: %s", strerror(errno));
}

int oci_process_label(const struct oci_process *process, struct oci_error *error)
{
	char text[4096];

	if (process->apparmor && *process->apparmor && strcmp(process->apparmor, "unconfined") != 0) {
		(void)snprintf(text, sizeof(text), "exec %s", process->apparmor);
		if (write_self("/proc/self/attr/apparmor/exec", text) < 0 && write_self("/proc/self/attr/exec", text) < 0)
			return oci_fail_errno(error, "unable to apply apparmor profile: %s", process->apparmor);
	}
	/* without SELinux the label means nothing, as runc has it */
	if (process->selinux && *process->selinux && access("/sys/fs/selinux/enforce", F_OK) == 0 &&
	    write_self("/proc/self/attr/exec", process->selinux) < 0)
		return oci_fail_errno(error, "unable to apply the label %s", process->selinux);
	return 0;
}

int oci_process_no_network(struct oci_error *error)
{
	int r = network_none_end(false);

	return r < 0 ? oci_fail(error, r, "refusing the container the network: %s", strerror(-r)) : 0;
}

/* --- the program -------------------------------------------------------------------------------------------------------------------------- */

/* HOME of a user, by the container's passwd(5). */
static void home_of(uid_t uid, char home[PATH_MAX])
{
	FILE *file = fopen("/etc/passwd", "re");
	char line[4096];

	(void)snprintf(home, PATH_MAX, "/");
	while (file && fgets(line, sizeof(line), file)) {
		char *field[6] = { line }, *end = NULL;
		size_t n = 1;

		for (char *at = line; n < 6 && (at = strchr(at, ':')); n++) {
			*at++ = '\0';
			field[n] = at;
		}
		if (n < 6 || strtoul(field[2], &end, 10) != uid || end == field[2] || *end)
			continue;
		field[5][strcspn(field[5], ":\n")] = '\0';
		if (*field[5])
			(void)snprintf(home, PATH_MAX, "%s", field[5]);
		break;
	}
	if (file)
		(void)fclose(file);
}

static char **make_env(const struct oci_process *process)
{
	char home[PATH_MAX], *text = NULL, **env;
	size_t count = 0;
	bool has_home = false;

	while (process->env[count]) {
		has_home |= strncmp(process->env[count], "HOME=", 5) == 0 && process->env[count][5];
		count++;
	}
	env = calloc(count + 2, sizeof(*env));
	if (!env)
		return NULL;
	memcpy((void *)env, (const void *)process->env, count * sizeof(*env));
	home_of(process->user.uid, home);
	if (!has_home && asprintf(&text, "HOME=%s", home) >= 0)
		env[count] = text;
	return env;
}

static int find_program(const char *name, char *const *env, char program[PATH_MAX])
{
	struct stat st;
	int r = launch_find_command(name, env, program);

	if (r == 0 && (stat(program, &st) < 0 || S_ISDIR(st.st_mode) || !(st.st_mode & 0111)))
		r = -EACCES;
	return r;
}

int oci_process_find(const struct oci_process *process, char program[PATH_MAX], char ***ret_env, struct oci_error *error)
{
	const char *name = process->args[0];
	char **env;
	struct stat st;
	int r;

	if (chdir(process->cwd) < 0 && errno != EACCES && errno != ENOENT)
		return oci_fail_errno(error, "exec: chdir %s", process->cwd);
	env = make_env(process);
	if (!env)
		return oci_fail(error, -ENOMEM, "out of memory");
	r = strchr(name, '/') && stat(name, &st) < 0 ? -errno : 0;
	if (r < 0)
		r = oci_fail(error, r, "exec: \"%s\": stat %s: %s", name, name,
			     r == -ENOENT ? "no such file or directory" : strerror(-r));
	else if ((r = find_program(name, env, program)) == -EACCES)
		r = oci_fail(error, r, "exec: \"%s\": permission denied", name);
	else if (r < 0)
		r = oci_fail(error, r, "exec: \"%s\": executable file not found in $PATH", name);
	if (r < 0)
		free((void *)env);
	else
		*ret_env = env;
	return r;
}

/* --- who it is ---------------------------------------------------------------------------------------------------------------------------- */

/* Pipes and files that it got for its streams may be the runtime's: it can open them again by /proc/self/fd. */
static void give_streams(const struct oci_user *user)
{
	struct stat st, null;

	if (stat("/dev/null", &null) < 0)
		memset(&null, 0, sizeof(null));
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && st.st_uid != user->uid && (!S_ISCHR(st.st_mode) || st.st_rdev != null.st_rdev))
			(void)!fchown(fd, user->uid, (gid_t)-1); /* what cannot be given away it has open anyway */
}

static int read_capabilities(struct __user_cap_data_struct data[2], u64 *ret_permitted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret_permitted = data[0].permitted | (u64)data[1].permitted << 32;
	return 0;
}

static int set_capabilities(u64 effective, u64 permitted, u64 inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { (u32)effective, (u32)permitted, (u32)inheritable },
						  { (u32)(effective >> 32), (u32)(permitted >> 32), (u32)(inheritable >> 32) } };

	return (int)syscall(SYS_capset, &header, data);
}

/* What is not in the bounding set no program can get, whatever its file says. */
static int drop_bounding(u64 bounding)
{
	for (unsigned cap = 0; cap < CAPABILITIES; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break; /* the kernel's last one was before */
		if (has && !(bounding >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

static int raise_ambient(u64 ambient)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* EINVAL: Linux before 4.3 */
	for (unsigned cap = 0; cap < CAPABILITIES; cap++)
		if (ambient >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -1;
	return 0;
}

static int change_user(const struct oci_user *user, struct oci_error *error)
{
	(void)umask(user->umask == OCI_UMASK_NONE ? 022 : user->umask);
	give_streams(user);
	if (setgroups(user->group_count, user->groups) < 0 && (errno != EPERM || user->group_count))
		return oci_fail_errno(error, "unable to setup user: setgroups");
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return oci_fail_errno(error, "unable to setup user: setgid %u", user->gid);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return oci_fail_errno(error, "unable to setup user: setuid %u", user->uid);
	return 0;
}

bool oci_process_filters_last(const struct oci_process *process)
{
	return process->no_new_privileges;
}

int oci_process_become(const struct oci_process *process, const struct oci_seccomp *seccomp, struct oci_notes *notes,
		       struct oci_error *error)
{
	const struct oci_capabilities *caps = &process->capabilities;
	struct __user_cap_data_struct had[2];
	bool inside;
	u64 mine = 0;
	int r;

	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return oci_fail_errno(error, "setting no_new_privs");
	r = oci_process_filters_last(process) ? 0 : oci_seccomp_install(seccomp);
	if (r == 0)
		r = read_capabilities(had, &mine);
	if (r < 0) {
		errno = -r;
		return oci_fail_errno(error, "unable to init seccomp or capabilities");
	}
	if (caps->permitted & ~mine) /* a container with less; nobody is less safe for that */
		oci_note(notes, "capabilities that this machine does not give are left out: %#llx",
			 (unsigned long long)(caps->permitted & ~mine));
	if (drop_bounding(caps->bounding) < 0)
		return oci_fail_errno(error, "unable to apply bounding set");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return oci_fail_errno(error, "unable to set keep caps");
	inside = chdir(process->cwd) == 0; /* it may be one that only we may enter, or only the user */
	r = change_user(&process->user, error);
	if (r < 0)
		return r;
	if (!inside && chdir(process->cwd) < 0)
		return oci_fail_errno(error, "chdir to cwd (\"%s\") set in config.json failed", process->cwd);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ||
	    set_capabilities(caps->effective & mine, caps->permitted & mine, caps->inheritable & mine) < 0)
		return oci_fail_errno(error, "unable to apply caps");
	if (raise_ambient(caps->ambient & caps->permitted & caps->inheritable & mine) < 0)
		return oci_fail_errno(error, "unable to apply ambient caps");
	return 0;
}
