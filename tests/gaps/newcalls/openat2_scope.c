/* SPDX-License-Identifier: Apache-2.0 */
/* openat2: RESOLVE_BENEATH and RESOLVE_IN_ROOT with every kind of path that would lead out, and what they open where they stay in. */
#include "openat2_test.h"

static const char *const paths[] = {
	"in",
	"./in",
	"sub/leaf",
	"sub//leaf",
	"sub/./leaf",
	"sub/../in",
	"sub/low/../../in",
	"sub/low/..",
	"sub/low/../",
	"sub/low/.",
	".",
	"..",
	"../",
	"../root/in",
	"../outside/secret",
	"sub/../..",
	"sub/../../root/in",
	"sub/low/../../../file",
	"/",
	"//",
	"/in",
	"/../in",
	"/sub/leaf",
	"/outside/secret",
	"escape",
	"escape/secret",
	"climb",
	"climb/etc",
	"back",
	"chain",
	"abs",
	"absdir",
	"absdir/leaf",
	"absdir/../in",
	"slash",
	"slash/in",
	"slash/../in",
	"sublink",
	"sublink/leaf",
	"sublink/",
	"sublink/..",
	"dangling",
	"dangling/x",
	"sub/parent",
	"sub/too_far",
	"in/",
	"in/.",
	"in/..",
	"in/x",
	"nothing",
	"nothing/x",
	"nothing/..",
	"sub/leaf/..",
};

static void walk_all(int root, const char *what, uint64_t resolve, uint64_t flags)
{
	say("%s, flags %#llo:", what, (unsigned long long)flags);
	for (unsigned i = 0; i < COUNT(paths); i++) {
		char label[128];

		snprintf(label, sizeof(label), "  %s", paths[i]);
		open_in(root, label, paths[i], flags, 0, resolve);
	}
}

static void creation(int root, uint64_t resolve)
{
	static const char *const names[] = { "new",    "sub/new", "sub/../new2", "../new", "escape/new", "dangling",     "new3/",
					     "sub/..", "sub",     "in",          "abs",    "slash/new4", "sublink/new5", "." };

	say("creation, resolve %llx:", (unsigned long long)resolve);
	for (unsigned i = 0; i < COUNT(names); i++) {
		char label[128];

		snprintf(label, sizeof(label), "  %s", names[i]);
		open_in(root, label, names[i], O_CREAT | O_RDWR, 0644, resolve);
		open_in(root, label, names[i], O_CREAT | O_EXCL | O_RDWR, 0644, resolve);
	}
	FACT(access("root/new", F_OK) == 0);
	FACT(access("root/sub/new", F_OK) == 0);
	FACT(access("root/new4", F_OK) == 0);
	FACT(access("root/nowhere", F_OK) == 0);
	FACT(access("new", F_OK) == 0);
	FACT(access("outside/new", F_OK) == 0);
	unlink("root/new");
	unlink("root/new2");
	unlink("root/new4");
	unlink("root/nowhere");
	unlink("root/sub/new");
	unlink("root/sub/new5");
}

int main(void)
{
	static const struct {
		const char *name;
		uint64_t resolve;
	} scopes[] = { { "RESOLVE_BENEATH", RESOLVE_BENEATH }, { "RESOLVE_IN_ROOT", RESOLVE_IN_ROOT } };
	static const uint64_t flags[] = { O_RDONLY,
					  O_PATH,
					  O_PATH | O_NOFOLLOW,
					  O_RDONLY | O_NOFOLLOW,
					  O_RDONLY | O_DIRECTORY,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
					  O_TMPFILE | O_RDWR };
	int root;

	make_tree();
	root = (int)MUST(open("root", O_PATH | O_DIRECTORY));
	for (unsigned s = 0; s < COUNT(scopes); s++) {
		for (unsigned f = 0; f < COUNT(flags); f++)
			walk_all(root, scopes[s].name, scopes[s].resolve, flags[f]);
		walk_all(root, "and no links", scopes[s].resolve | RESOLVE_NO_SYMLINKS, O_RDONLY);
		walk_all(root, "and no other mount", scopes[s].resolve | RESOLVE_NO_XDEV, O_RDONLY);
		creation(root, scopes[s].resolve);
		creation(root, scopes[s].resolve | RESOLVE_NO_XDEV);
	}
	MUST(chdir("root"));
	say("from the working directory:");
	open_as("  in", "in", O_RDONLY, 0, RESOLVE_BENEATH);
	open_as("  ../file", "../file", O_RDONLY, 0, RESOLVE_BENEATH);
	open_as("  /in", "/in", O_RDONLY, 0, RESOLVE_IN_ROOT);
	return 0;
}
