/*
 * fork and exec of our own binary: every child is what production runs, not a thread that shares
 * our memory. Deaths come by SIGCHLD; the first restart is soon, later ones back off, so that a
 * child that cannot start does not spin.
 */
#include "souk/demo/children.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ev.h>

#include "common/base/log.h"

#define LINE_MAX_BYTES   65536
#define READS_PER_TURN   16
#define RESTART_FIRST_MS 100
#define RESTART_MAX_MS   5000
#define GOOD_RUN_MS      10000

struct child {
	struct children *all;
	char name[32];
	char *argv[CHILD_ARGS_MAX];
	bool restart;
	void (*line)(void *ctx, struct str line);
	void (*ended)(void *ctx, int status);
	void *ctx;
	pid_t pid; /* 0: not running */
	int64_t started_ms;
	int64_t backoff_ms;
	bool is_asked_to_end;
	struct loop_timer *restart_timer;
	int out;
	struct ev_io out_io;
	char *text; /* an unfinished line of stdout */
	size_t text_n;
};

struct children {
	struct loop *loop;
	char folder[256];
	bool to_stderr;
	struct child child[CHILDREN_MAX];
	size_t n;
	unsigned restarts;
};

static void reap(void *ctx);

int children_new(struct children **ret, struct loop *loop, const char *run_folder, bool to_stderr)
{
	struct children *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->to_stderr = to_stderr;
	snprintf(c->folder, sizeof(c->folder), "%s", run_folder);
	r = loop_ev_signal(loop, SIGCHLD, reap, c);
	if (r) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

static struct child *find(struct children *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->child[i].name, name) == 0)
			return &c->child[i];
	return NULL;
}

static void close_output(struct child *c)
{
	if (c->out < 0)
		return;
	ev_io_stop(loop_ev(c->all->loop), &c->out_io);
	close(c->out);
	c->out = -1;
	c->text_n = 0;
}

/* Whole lines to the callback; a line that never ends is dropped at LINE_MAX_BYTES. At most @reads:
 * a child that talks without end leaves the others their turn. */
static void take_output(struct child *c, int reads)
{
	while (reads-- > 0) {
		ssize_t got = read(c->out, c->text + c->text_n, LINE_MAX_BYTES - c->text_n);
		size_t start = 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got == 0)
				close_output(c);
			return;
		}
		c->text_n += (size_t)got;
		for (char *nl; (nl = memchr(c->text + start, '\n', c->text_n - start)) != NULL;) {
			c->line(c->ctx,
				(struct str){ c->text + start, (size_t)(nl - c->text) - start });
			start = (size_t)(nl - c->text) + 1;
		}
		memmove(c->text, c->text + start, c->text_n - start);
		c->text_n -= start;
		if (c->text_n == LINE_MAX_BYTES)
			c->text_n = 0;
	}
}

static void on_output(struct ev_loop *ev, struct ev_io *io, int events)
{
	(void)ev;
	(void)events;
	take_output(io->data, READS_PER_TURN);
}

/*
 * In the child, between fork and exec, all signals blocked: async-signal-safe calls only. The
 * supervisor's handlers go first: a signal that was meant for this child must end it, not wake the
 * supervisor. Descriptors of libraries that did not think of exec stay behind, too.
 */
static void become(struct child *c, int out_write, int log_fd, pid_t supervisor)
{
	static const int HANDLED[] = { SIGCHLD, SIGINT, SIGTERM, SIGPIPE };
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(127);
	for (size_t i = 0; i < ARRAY_LEN(HANDLED); i++)
		signal(HANDLED[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup2(null_fd, STDIN_FILENO);
	dup2(out_write >= 0 ? out_write : log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	execvp(c->argv[0], c->argv);
	_exit(127);
}

/* 0 or -errno; c->pid is set on success only. */
static int fork_child(struct child *c, int out_write, int log_fd)
{
	const pid_t supervisor = getpid();
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	const pid_t pid = fork();

	if (pid == 0)
		become(c, out_write, log_fd, supervisor);
	const int r = pid < 0 ? -errno : 0;

	sigprocmask(SIG_SETMASK, &old, NULL);
	if (!r)
		c->pid = pid;
	return r;
}

static int open_log(const struct child *c)
{
	char path[320];

	if (c->all->to_stderr)
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	snprintf(path, sizeof(path), "%s/%s.log", c->all->folder, c->name);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void watch_output(struct child *c, int fd)
{
	close_output(c);
	c->out = fd;
	c->out_io.data = c;
	ev_io_init(&c->out_io, on_output, c->out, EV_READ);
	ev_io_start(loop_ev(c->all->loop), &c->out_io);
}

static int launch(struct child *c)
{
	int fds[2] = { -1, -1 };
	const int log_fd = open_log(c);

	if (log_fd < 0)
		return -errno;
	int r = c->line && pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;

	if (fds[1] >= 0) /* the child writes as it likes: only our end does not block */
		fcntl(fds[1], F_SETFL, 0);
	if (!r)
		r = fork_child(c, fds[1], log_fd);
	close(log_fd);
	if (fds[1] >= 0)
		close(fds[1]);
	if (r) {
		if (fds[0] >= 0)
			close(fds[0]);
		return r;
	}
	c->started_ms = loop_mono_ms(c->all->loop);
	if (c->line)
		watch_output(c, fds[0]);
	return 0;
}

static void restart(void *ctx)
{
	struct child *c = ctx;

	if (c->is_asked_to_end || c->pid)
		return;
	c->all->restarts++;
	if (launch(c))
		loop_timer_start(c->restart_timer, RESTART_MAX_MS);
}

static int copy_args(struct child *c, const char *const *argv)
{
	for (size_t n = 0; argv[n]; n++) {
		if (n == CHILD_ARGS_MAX - 1)
			return -E2BIG;
		c->argv[n] = strdup(argv[n]);
		if (!c->argv[n])
			return -ENOMEM;
	}
	return 0;
}

int children_start(struct children *all, const struct child_spec *spec)
{
	struct child *c;
	int r;

	if (find(all, spec->name))
		return -EEXIST;
	if (all->n == CHILDREN_MAX)
		return -ENOSPC;
	c = &all->child[all->n++];
	*c = (struct child){ .all = all, .out = -1 };
	snprintf(c->name, sizeof(c->name), "%s", spec->name);
	c->restart = spec->restart;
	c->line = spec->line;
	c->ended = spec->ended;
	c->ctx = spec->ctx;
	c->backoff_ms = RESTART_FIRST_MS;
	r = copy_args(c, spec->argv);
	if (r)
		return r;
	c->restart_timer = loop_timer_new(all->loop, restart, c);
	if (c->line)
		c->text = malloc(LINE_MAX_BYTES);
	if (!c->restart_timer || (c->line && !c->text))
		return -ENOMEM;
	return launch(c);
}

static void died(struct child *c, int status)
{
	const bool was_good = loop_mono_ms(c->all->loop) - c->started_ms > GOOD_RUN_MS;

	c->pid = 0;
	if (c->out >= 0)
		take_output(c, INT_MAX); /* the last words; a dead child adds none */
	close_output(c);
	if (c->restart && !c->is_asked_to_end) {
		c->backoff_ms = was_good                             ? RESTART_FIRST_MS
				: c->backoff_ms * 2 > RESTART_MAX_MS ? RESTART_MAX_MS
								     : c->backoff_ms * 2;
		log_warn("supervisor", "a child died, restarting", "name=%s status=%d in_ms=%lld",
			c->name, status, (long long)c->backoff_ms);
		loop_timer_start(c->restart_timer, c->backoff_ms);
	}
	if (c->ended)
		c->ended(c->ctx, status);
}

static void reap(void *ctx)
{
	struct children *all = ctx;

	for (size_t i = 0; i < all->n; i++) {
		int status;

		if (all->child[i].pid &&
			waitpid(all->child[i].pid, &status, WNOHANG) == all->child[i].pid)
			died(&all->child[i], status);
	}
}

void children_signal(struct children *all, const char *name, int signo)
{
	struct child *c = find(all, name);

	if (!c)
		return;
	if (signo == SIGTERM || signo == SIGINT)
		c->is_asked_to_end = true;
	if (c->pid)
		kill(c->pid, signo);
}

size_t children_alive(const struct children *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->child[i].pid != 0;
	return n;
}

static void signal_all(struct children *all, int signo)
{
	for (size_t i = 0; i < all->n; i++) {
		all->child[i].is_asked_to_end = true;
		if (all->child[i].pid)
			kill(all->child[i].pid, signo);
	}
}

void children_stop_all(struct children *all)
{
	signal_all(all, SIGTERM);
}

void children_kill_all(struct children *all)
{
	signal_all(all, SIGKILL);
}

unsigned children_restarts(const struct children *all)
{
	return all->restarts;
}

struct children *children_free(struct children *all)
{
	if (!all)
		return NULL;
	children_kill_all(all);
	for (size_t i = 0; i < all->n; i++) {
		struct child *c = &all->child[i];

		if (c->pid)
			waitpid(c->pid, NULL, 0);
		close_output(c);
		loop_timer_free(c->restart_timer);
		free(c->text);
		for (size_t a = 0; a < CHILD_ARGS_MAX; a++)
			free(c->argv[a]);
	}
	free(all);
	return NULL;
}
