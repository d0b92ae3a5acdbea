// SPDX-License-Identifier: Apache-2.0
/* chroot in the root: what absolute paths, .., links and descriptors from outside mean then; children inherit it; and who may. */
#include "../fs/fs_test.h"

static void where(const char *what)
{
	char text[128];
	long n = syscall(SYS_getcwd, text, sizeof(text));

	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static ino_t root_inode(void)
{
	struct stat st;

	return stat("/", &st) == 0 ? st.st_ino : 0;
}

static void refused(void)
{
	static const char *const paths[] = { "", "file", "file/", "new", "loop", "dangling", "to_file", "out", "/t/file/x" };

	for (size_t i = 0; i < COUNT(paths); i++)
		show_path("chroot", paths[i], chroot(paths[i]));
	OK(chroot(bad_pointer()));
	CHILD(if (geteuid() != 0 || become(65534, 65534)) OK(chroot("/t/dir")););
}

static void inside(void)
{
	struct stat st;
	ino_t before = root_inode(), tree;
	int outer = (int)MUST(open("/", O_RDONLY | O_DIRECTORY)), dir = (int)MUST(open("/t/dir", O_RDONLY | O_DIRECTORY));

	if (OK(chroot("/t/to_dir/..")) != 0)
		return;
	tree = root_inode();
	FACT(before != tree);
	where("still there");
	OK(stat("/file", &st));
	OK(stat("/t/file", &st));
	OK(stat("/dir/../../../file", &st));
	OK(stat("/abs_file", &st));
	OK(stat("/dot/to_file", &st));
	OK(stat("/above", &st));
	FACT(stat("/root", &st) == 0 && st.st_ino == tree);
	FACT(stat("/dir/up/..", &st) == 0 && st.st_ino == tree);
	FACT(stat("..", &st) == 0 && st.st_ino == tree);
	FACT(fstatat(dir, "../..", &st, 0) == 0 && st.st_ino == tree);
	FACT(fstatat(outer, ".", &st, 0) == 0 && st.st_ino == before);
	FACT(fstatat(outer, "..", &st, 0) == 0 && st.st_ino == before);
	FACT(fstatat(outer, "t/dir", &st, 0) == 0);
	FACT(fstatat(outer, "t/abs_dir", &st, 0) == 0);
	FACT(fstatat(outer, "prog", &st, 0) == 0);
	OK(open("/made", O_RDWR | O_CREAT, 0644));
	OK(unlink("made"));
	MUST(chdir("/dir"));
	where("dir");
	MUST(chdir("../../.."));
	where("above");
	OK(fchdir(outer));
	where("outside");
	OK(access("t/file", F_OK));
	OK(access("../../prog", F_OK));
	OK(access("/prog", F_OK));
	OK(chdir("t"));
	where("in the new root, from outside");
	OK(chdir(".."));
	where("up from it");
	CHILD(where("child"); OK(access("/file", F_OK)); OK(access("/t", F_OK)););
	OK(chdir("/dir"));
	OK(chroot("."));
	where("twice");
	OK(access("/in", F_OK));
	OK(access("/up/in", F_OK));
	OK(chdir("/.."));
	where("root of it");
	OK(fchdir(outer));
	OK(chroot("."));
	where("back");
	OK(access("/t/file", F_OK));
	FACT(root_inode() == before);
}

static void *thread(void *arg)
{
	OK(chroot("/t"));
	return arg;
}

static void threads(void)
{
	pthread_join(thread_start(thread, NULL), NULL);
	OK(access("/file", F_OK));
	OK(access("/t", F_OK));
}

static void execute_in_dir(void)
{
	OK(chroot("/t/dir"));
	OK(chdir("/"));
	EXEC_CHILD("program", execl("/program", "x", "@", NULL));
	EXEC_CHILD("link", execl("link", "x", "@", NULL));
	EXEC_CHILD("script", execl("script", "x", "@", NULL));
	EXEC_CHILD("outside", execl("/prog", "x", "@", NULL));
}

/* Programs under another root. */
static void executing(void)
{
	copy_file("/prog", "/t/dir/program", 0755);
	MUST(symlink("/program", "/t/dir/link"));
	write_file("/t/dir/script", "#!/program\n", 0755);
	CHILD(execute_in_dir());
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		OK(access("/in", F_OK));
		OK(access("/t", F_OK));
		where("executed");
		return 0;
	}
	tree_make();
	refused();
	CHILD(inside());
	CHILD(threads());
	executing();
	where("unchanged");
	return 0;
}
