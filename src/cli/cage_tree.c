// SPDX-License-Identifier: Apache-2.0
/* A cage in a tree of the command's own: see the header. */
#include "cli/cage_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "audit/audit_log.h"
#include "base/cleanup.h"
#include "cli/guest.h"
#include "lichen.h"

static int no_memory(void)
{
	fputs("lichen run: out of memory\n", stderr);
	return LICHEN_EXIT_FAILED;
}

/* Of a policy: what its error says. Frees the text. Returns the exit status. */
static int refuse_policy(const char *name, int r, char *text, const struct cage_policy_error *error)
{
	if (!text && r == -EINVAL)
		text = cage_policy_error_line(name, error);
	if (!text)
		return no_memory();
	fprintf(stderr, "lichen: %s\n", text);
	free(text);
	return LICHEN_EXIT_CONFIG;
}

/* --- 1: outside ------------------------------------------------------------------------------------------------------------------------------ */

/* What needs files of the machine's at the time when there are none. */
static int refuse_machines(const struct cage_policy *policy)
{
	if (policy->network.mode == CAGE_NETWORK_PROXY) {
		fprintf(stderr,
			"lichen: nothing was started: %s needs the layer 'network', which a cage in a tree of its own lacks: lichen-proxy lies outside; use network.mode none or host\n",
			policy->name);
		return LICHEN_EXIT_UNAVAILABLE;
	}
	if (policy->processes.profile) {
		fprintf(stderr,
			"lichen: %s: processes.syscalls: a file of this machine cannot be read in a tree of its own; use default\n",
			policy->name);
		return LICHEN_EXIT_CONFIG;
	}
	return -1;
}

int cage_tree_begin(const struct cage_options *given, struct run_audit *audit, struct cage_inside *ret)
{
	CLEANUP_POLICY struct cage_policy *policy = NULL;
	struct cage_policy_error error;
	char *text = NULL;
	*ret = (struct cage_inside){
		.begun = true, .log_fd = FD_NONE, .key_fd = FD_NONE, .visit = NATIVE_VISIT_NONE, .name = strdup(given->policy)
	};
	if (!ret->name)
		return no_memory();
	(void)uname(&ret->machine);
	int r = cage_policy_text_read(given->policy, &ret->text, &text, &error);
	if (r == 0)
		r = cage_policy_text_parse(given->policy, &ret->text, getenv("HOME"), &policy, &text, &error);
	if (r < 0 || !policy)
		return refuse_policy(given->policy, r, text, &error);
	int status = refuse_machines(policy);
	return status < 0 ? cage_run_choose_log(policy, audit) : status;
}

int cage_tree_check(const struct cage_inside *inside, const struct native_plan *plan)
{
	if (plan->state == NATIVE_KERNEL)
		return -1;
	fprintf(stderr,
		"lichen: nothing was started: %s needs the layer 'files', which this tree lacks: lichen itself would make it, in the command's own process, and that is no confinement (%s); "
		"run it as root where namespaces and overlayfs work, or without --rootfs or an image\n",
		inside->name, plan->reason);
	return LICHEN_EXIT_UNAVAILABLE;
}

/* --- where files of the machine are in the tree ------------------------------------------------------------------------------------------------- */

#define NAMES_MAX 4u

/* The names in the tree of a file of the machine; *ret_count may be more than NAMES_MAX. */
struct names {
	char path[NAMES_MAX][PATH_MAX];
	size_t count;
};

static void add_name(struct names *names, const char *from, const char *to, const char *path)
{
	const char *rest = path + (from[1] ? strlen(from) : 0);
	if (!policy_within(from, path))
		return;
	if (names->count < NAMES_MAX)
		(void)snprintf(names->path[names->count], PATH_MAX, "%s%.*s", to[1] ? to : "", PATH_MAX / 2,
			       *rest || to[1] ? rest : "/");
	names->count++;
}

static void find_names(const struct native_root *root, const char *path, struct names *ret)
{
	ret->count = 0;
	add_name(ret, root->directory, "/", path);
	if (root->upper)
		add_name(ret, root->upper, "/", path);
	for (u32 i = 0; i < root->lower_count; i++)
		add_name(ret, root->lowers[i], "/", path);
	for (u32 i = 0; i < root->bind_count; i++) {
		CLEANUP_FREE char *real = root->binds[i].kind == ROOT_TMPFS ? NULL : realpath(root->binds[i].host, NULL);
		if (real)
			add_name(ret, real, root->binds[i].guest, path);
	}
}

/* --- 2 to 4 --------------------------------------------------------------------------------------------------------------------------------- */

/* From here on it goes by its descriptor. */
static int open_log(struct cage_inside *inside, struct run_audit *audit)
{
	(void)snprintf(inside->log, sizeof(inside->log), "%s", audit->path);
	(void)mkdir(audit->path, 0700);
	inside->log_fd = open(audit->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (inside->log_fd < 0) {
		fprintf(stderr, "lichen: nothing was started: the audit log '%s': %s (%s)\n", audit->path, strerror(errno),
			errno_name(errno));
		return LICHEN_EXIT_IO;
	}
	(void)snprintf(audit->path, sizeof(audit->path), AUDIT_DESCRIPTOR, inside->log_fd);
	return -1;
}

static char *take_variable(const char *name)
{
	const char *value = getenv(name);
	char *copy = value ? strdup(value) : NULL;
	(void)unsetenv(name);
	return copy;
}

/* A key that lies elsewhere: in the tree its path would be another's. A new log gets its key now. */
static int open_key(struct cage_inside *inside, const struct run_audit *audit)
{
	const char *path = getenv("LICHEN_AUDIT_KEY");
	char by_descriptor[32];
	struct audit_error why;
	struct audit_log *log;
	if (!path || !*path)
		return -1;
	int r = audit_log_open(audit->path, NULL, &log, &why);
	if (r == 0) {
		audit_log_close(log);
		inside->key_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (inside->key_fd < 0)
			(void)audit_fail_errno(&why, -errno, "cannot read the key '%.200s'", path);
	}
	if (inside->key_fd < 0) {
		fprintf(stderr, "lichen: nothing was started: the audit log '%s': %s\n", inside->log, why.text);
		return r == -EBADMSG || r == -ENOKEY ? LICHEN_EXIT_DATA : LICHEN_EXIT_IO;
	}
	inside->key = take_variable("LICHEN_AUDIT_KEY");
	(void)snprintf(by_descriptor, sizeof(by_descriptor), AUDIT_DESCRIPTOR, inside->key_fd);
	return inside->key && setenv("LICHEN_AUDIT_KEY", by_descriptor, 1) == 0 ? -1 : no_memory();
}

/* What lichen asks of itself and of mounts it asks /proc: an image has no say in that. */
static int check_proc(const struct native_root *root)
{
	struct stat st;
	struct statfs fs;
	bool kernels =
		lstat("/proc", &st) == 0 && S_ISDIR(st.st_mode) && statfs("/proc", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	for (u32 i = 0; i < root->bind_count && kernels; i++) {
		CLEANUP_FREE char *real = realpath(root->binds[i].guest, NULL);
		kernels = !real || !(policy_within("/proc", real) || policy_within("/proc", root->binds[i].guest));
	}
	if (kernels)
		return -1;
	fputs("lichen: nothing was started: in a cage /proc must be the kernel's: no symbolic link, and no volume there\n", stderr);
	return LICHEN_EXIT_CONFIG;
}

static int visit(struct cage_inside *inside, const struct native_root *root)
{
	struct native_failure failure;
	int r = native_visit_begin(root, &inside->visit, &failure);
	if (r < 0) {
		fprintf(stderr, "lichen run: cannot enter the tree: %s: %s (%s)\n", failure.step, strerror(-r), errno_name(-r));
		return LICHEN_EXIT_FAILED;
	}
	inside->state = take_variable("LICHEN_STATE");
	inside->temporary = take_variable("TMPDIR");
	return -1;
}

/* Only in volumes may an earlier run have left anything. */
static int find_volumes(struct cage_inside *inside, const struct native_root *root, struct cage_policy *policy)
{
	inside->volumes.path = calloc(root->bind_count + 1, sizeof(*inside->volumes.path));
	if (!inside->volumes.path)
		return no_memory();
	for (u32 i = 0; i < root->bind_count; i++)
		inside->volumes.path[inside->volumes.count++].real = realpath(root->binds[i].guest, NULL);
	policy->touched = &inside->volumes;
	return -1;
}

/* The policy as it is meant in the tree. file: where its text lies there; NULL: nowhere. */
static int understand(struct cage_inside *inside, const struct native_root *root, const struct user_found *user, const char *file,
		      struct cage_policy **ret)
{
	struct cage_policy_error error;
	char *text = NULL;
	(void)snprintf(inside->text.directory, sizeof(inside->text.directory), "%s", root->workdir);
	int r = cage_policy_text_parse(inside->name, &inside->text, user ? user->home : getenv("HOME"), ret, &text, &error);
	if (r == 0 && root->temporary && find_volumes(inside, root, *ret) >= 0)
		return LICHEN_EXIT_FAILED;
	if (r == 0)
		r = cage_policy_resolve(*ret, file, &error);
	if (r < 0)
		return refuse_policy(inside->name, r, text, &error);
	if (user && (user->identity.uid || user->identity.gid) && !(*ret)->processes.user_given) {
		(*ret)->processes.user_given = true;
		(*ret)->processes.uid = user->identity.uid;
		(*ret)->processes.gid = user->identity.gid;
	}
	return -1;
}

int cage_tree_enter(struct cage_inside *inside, const struct native_root *root, const struct user_found *user, u32 weaker,
		    struct run_audit *audit, struct cage_run *ret)
{
	CLEANUP_FREE struct names *file = calloc(3, sizeof(*file));
	char name[PATH_MAX + 8];
	cage_run_key(audit->path, name);
	CLEANUP_FREE char *log = cage_run_real(audit->path), *key = cage_run_real(name);
	ret->tmp = CAGE_TMP_NONE;
	if (!file || !log || !key)
		return no_memory();
	find_names(root, inside->text.file, &file[0]);
	find_names(root, log, &file[1]);
	find_names(root, key, &file[2]);
	if (file[0].count > 1 || file[1].count > NAMES_MAX || file[2].count > NAMES_MAX) {
		fprintf(stderr,
			"lichen: nothing was started: the policy %s, or the audit log, is in the tree at more than one place\n",
			inside->name);
		return LICHEN_EXIT_CONFIG;
	}
	int status = open_log(inside, audit);
	if (status < 0)
		status = open_key(inside, audit);
	if (status < 0)
		status = visit(inside, root);
	if (status < 0)
		status = check_proc(root);
	if (status < 0)
		status = understand(inside, root, user, file[0].count ? file[0].path[0] : NULL, &ret->policy);
	for (size_t i = 0; i < file[1].count && status < 0; i++)
		status = cage_run_keep_out(ret->policy, file[1].path[i], inside->log, false);
	for (size_t i = 0; i < file[2].count && status < 0; i++)
		status = cage_run_keep_out(ret->policy, file[2].path[i], name, true);
	return status < 0 ? cage_run_start(ret, weaker) : status;
}

/* --- the environment ---------------------------------------------------------------------------------------------------------------------------- */

/* Whether the policy sets it, or lichen for the policy. */
static bool is_set(const struct cage_policy *policy, const char *variable)
{
	size_t length = strcspn(variable, "=");
	for (size_t i = 0; i < policy->environment.set_count; i++)
		if (strlen(policy->environment.set[i].name) == length &&
		    !strncmp(policy->environment.set[i].name, variable, length))
			return true;
	return false;
}

char **cage_tree_env(const struct cage_run *run, char *const *image, const struct option_words *given)
{
	size_t count = 0;
	while (run->env[count])
		count++;
	CLEANUP_FREE const char **words = calloc(count + 1, sizeof(*words));
	struct option_words ours = { .words = words };
	if (!words)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!image || is_set(run->policy, run->env[i]) || !guest_env_has(image, run->env[i]))
			words[ours.count++] = run->env[i];
	static char *const nothing[] = { NULL };
	CLEANUP_FREE char **env = guest_env(&ours, image ? image : nothing);
	return env ? guest_env(given, env) : NULL;
}

/* --- 5 -------------------------------------------------------------------------------------------------------------------------------------------- */

static void put_back(const char *name, char *value)
{
	if (value)
		(void)setenv(name, value, 1);
	free(value);
}

void cage_tree_end(struct cage_inside *inside)
{
	if (!inside->begun)
		return;
	int r = native_visit_end(&inside->visit);
	if (r < 0) {
		fprintf(stderr, "lichen run: cannot leave the tree, what was temporary stays: %s (%s)\n", strerror(-r),
			errno_name(-r));
		exit(LICHEN_EXIT_FAILED);
	}
	put_back("LICHEN_STATE", inside->state);
	put_back("TMPDIR", inside->temporary);
	put_back("LICHEN_AUDIT_KEY", inside->key);
	close_fd(&inside->log_fd);
	close_fd(&inside->key_fd);
	for (size_t i = 0; i < inside->volumes.count; i++)
		free(inside->volumes.path[i].real);
	free(inside->volumes.path);
	free(inside->text.text);
	free(inside->name);
	*inside = (struct cage_inside){ .begun = false };
}
