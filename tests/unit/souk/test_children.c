/* With real processes: what is tested is what the kernel does with them. The loop runs until the
 * last child is gone, so nothing here waits for a time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "souk/demo/children.h"

static struct loop *loop;
static struct children *children;
static char folder[] = "/tmp/test-children-XXXXXX";

static char said[4096]; /* the lines, one after the other, with their line feeds */
static int ended, last_status, stop_after;

static void setup(void)
{
	cr_assert(mkdtemp(folder) != NULL);
	cr_assert(zero(int, loop_ev_new(&loop)));
	cr_assert(zero(int, children_new(&children, loop, folder, false)));
	stop_after = 1;
}

static void teardown(void)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	children_free(children);
	loop_free(loop);
	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(folder);
}

static void on_line(void *ctx, struct str line)
{
	(void)ctx;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), STR_FMT "\n", STR_ARG(line));
}

static void on_ended(void *ctx, int status)
{
	(void)ctx;
	last_status = status;
	if (++ended == stop_after)
		loop_stop(loop);
}

static int start(const char *script, bool restart)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return children_start(children, &(struct child_spec){ .name = "child",
						.argv = argv,
						.restart = restart,
						.line = on_line,
						.ended = on_ended });
}

TestSuite(children, .init = setup, .fini = teardown);

Test(children, lines_come_whole_and_the_end_comes_last)
{
	cr_assert(zero(int, start("printf 'one\\ntw'; printf 'o\\nno line feed'; exit 3", false)));
	loop_run(loop);
	cr_expect(eq(str, said, "one\ntwo\n"));
	bool exited = WIFEXITED(last_status);

	cr_expect(exited);
	cr_expect(eq(int, WEXITSTATUS(last_status), 3));
	cr_expect(eq(sz, children_alive(children), 0));
}

Test(children, a_line_without_end_is_dropped_and_the_next_is_heard)
{
	cr_assert(zero(int,
		start("head -c 65536 /dev/zero | tr '\\0' x; printf 'rest\\nnext\\n'", false)));
	loop_run(loop);
	cr_expect(eq(str, said, "rest\nnext\n"));
}

Test(children, one_that_dies_is_started_again)
{
	stop_after = 2;
	cr_assert(zero(int, start("echo here", true)));
	loop_run(loop);
	cr_expect(eq(str, said, "here\nhere\n"));
	cr_expect(eq(uint, children_restarts(children), 1));
}

Test(children, one_that_was_asked_to_end_stays_dead)
{
	cr_assert(zero(int, start("exec sleep 60", true)));
	children_signal(children, "child", SIGTERM);
	loop_run(loop);
	cr_expect(zero(uint, children_restarts(children)));
	cr_expect(zero(sz, children_alive(children)));
}

static void on_own_signal(void *ctx)
{
	(void)ctx;
	cr_fatal("the supervisor got its child's signal");
}

/* Between fork and exec the child still has the supervisor's handlers: a signal must not be lost
 * there. */
Test(children, a_signal_right_after_the_start_ends_the_child)
{
	static const char *const argv[] = { "sleep", "60", NULL };

	cr_assert(zero(int, loop_ev_signal(loop, SIGTERM, on_own_signal, NULL)));
	for (int i = 0; i < CHILDREN_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i);
		cr_assert(zero(int, children_start(children, &(struct child_spec){ .name = name,
								     .argv = argv,
								     .ended = on_ended })));
		children_signal(children, name, SIGTERM);
	}
	stop_after = CHILDREN_MAX;
	loop_run(loop);
	cr_expect(zero(sz, children_alive(children)));
}

Test(children, a_child_inherits_no_descriptor)
{
	int ends[2];

	cr_assert(zero(int, pipe(ends))); /* not close-on-exec, as some libraries make theirs */
	cr_assert(zero(int, start("ls /proc/self/fd | wc -l", false)));
	loop_run(loop);
	cr_expect(eq(str, said, "4\n")); /* the three, and the folder that ls reads */
	close(ends[0]);
	close(ends[1]);
}

Test(children, a_name_starts_once)
{
	cr_assert(zero(int, start("exit 0", false)));
	cr_expect(eq(int, start("exit 0", false), -EEXIST));
	loop_run(loop);
	cr_expect(eq(int, start("exit 0", false), -EEXIST));
}

Test(children, too_many_arguments_are_refused)
{
	const char *argv[CHILD_ARGS_MAX + 1] = { "true" };

	for (size_t i = 1; i < CHILD_ARGS_MAX; i++)
		argv[i] = "x";
	cr_expect(eq(int,
		children_start(children, &(struct child_spec){ .name = "child", .argv = argv }),
		-E2BIG));
	cr_expect(zero(sz, children_alive(children)));
}

Test(children, what_cannot_be_executed_ends_with_127)
{
	static const char *const argv[] = { "/nonexistent/program", NULL };

	cr_assert(zero(int,
		children_start(children,
			&(struct child_spec){ .name = "child", .argv = argv, .ended = on_ended })));
	loop_run(loop);
	cr_expect(eq(int, WEXITSTATUS(last_status), 127));
}
