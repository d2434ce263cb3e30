#pragma once

/*
 * The supervisor's children: started, watched, restarted when they die, ended in order.
 *
 * Each child is in a process group of its own (a Ctrl-C in the terminal reaches the supervisor
 * only) and dies with the supervisor (PR_SET_PDEATHSIG). Its stderr goes to <run
 * folder>/<name>.log; its stdout there too, or line by line to a callback.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "common/base/str.h"
#include "common/io/loop.h"

#define CHILDREN_MAX   16
#define CHILD_ARGS_MAX 48

struct children;

struct child_spec {
	const char *name;
	const char *const *argv;                  /* NULL-terminated; copied */
	bool restart;                             /* after a death that was not asked for */
	void (*line)(void *ctx, struct str line); /* stdout, or NULL */
	void (*ended)(void *ctx, int status);     /* wait status; NULL: nobody asks */
	void *ctx;
};

MUST_CHECK int children_new(
	struct children **ret, struct loop *loop, const char *run_folder, bool to_stderr);
struct children *children_free(struct children *c); /* kills what is left and waits for it */

/* 0, -EEXIST (a name starts once), -ENOSPC, -E2BIG, or another -errno. */
MUST_CHECK int children_start(struct children *c, const struct child_spec *spec);
/* SIGTERM: asked for, no restart */
void children_signal(struct children *c, const char *name, int signo);
size_t children_alive(const struct children *c);
void children_stop_all(struct children *c); /* SIGTERM to everyone, no restarts */
void children_kill_all(struct children *c); /* SIGKILL, no restarts */
unsigned children_restarts(const struct children *c);
