#pragma once

/*
 * Configuration from one table: YAML file < environment < flags, each value with the place it came
 * from.
 *
 * A program is the union of sections; a section is a prefix, a table of rows and the struct its
 * rows fill. Parsing, defaults, validation, `souk config check | print | doc` and the environment
 * names all come from the rows. Unknown keys are errors that name file, line, column, the key and
 * the nearest valid one.
 *
 *	struct pricing_config { int64_t offer_ttl_ms; char *rules_file; struct config_list … };
 *	static const struct config_row rows[] = {
 *		{ .key = "offer_ttl_ms", .type = CONFIG_INT, .def = "30000",
 *			.offset = offsetof(…), .min = 1000, .max = 600000, .help = "…" },
 *
 * File form: the section's prefix is a YAML mapping; dots in a key are nesting
 * (`max_age_ms.profile`). Environment form: SOUK_<SECTION>_<KEY> upper case, dots as underscores;
 * SOUK_<SECTION>_ with no such key is an error, other variables are ignored. Flag form: --set
 * section.key=value. Lists: a YAML sequence, or text separated by ','. A sequence item that is a
 * mapping of scalars becomes the text `k=v;k=v` in file order. Maps (CONFIG_MAP): a YAML mapping of
 * scalars, items "k=v"; in a flag `--set kafka.properties.k=v`.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"

enum config_type {
	CONFIG_STR,  /* char *, owned, NULL when the default is NULL and nothing was given */
	CONFIG_INT,  /* int64_t within min..max */
	CONFIG_BOOL, /* bool: true | false */
	CONFIG_ENUM, /* int64_t: index into `choices` */
	CONFIG_LIST, /* struct config_list of texts */
	CONFIG_MAP,  /* struct config_list of "k=v" */
};

enum config_flags {
	CONFIG_SECRET = 1,   /* printed as "***" */
	CONFIG_REQUIRED = 2, /* must be given */
};

struct config_list {
	char **items;
	size_t n;
};

struct config_row {
	const char *key;
	enum config_type type;
	const char *def; /* as in a flag; NULL = none */
	size_t offset;
	int64_t min, max;           /* CONFIG_INT */
	const char *const *choices; /* CONFIG_ENUM, NULL-terminated */
	unsigned flags;
	const char *help;
};

/* Where a value came from. */
struct config_origin {
	enum { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENV, CONFIG_FROM_FLAG } from;
	const char *file;      /* borrows config_source.file */
	unsigned line, column; /* from 1 */
};

struct config_section {
	const char *name;
	const struct config_row *rows;
	size_t n_rows;
	/* Zeroed by the caller; filled by config_load. NULL: the section is known but not wanted
	 * (another program's part of the same file): its keys and values are checked, nothing is
	 * stored, nothing is required. */
	void *base;
	/* n_rows of the caller's, for config_print; NULL: not kept */
	struct config_origin *origins;
	/* CONFIG_REQUIRED keys may be missing: this process does not run that part */
	bool is_partial;
};

struct config_source {
	const char *file;        /* YAML path or NULL */
	const char *const *sets; /* "section.key=value" */
	size_t n_sets;
	char *const *env; /* environ, or NULL for none */
};

/*
 * Fills every section. 0, or -EINVAL (bad key or value), another -errno (the file: -ENOENT,
 * -EACCES, -EFBIG beyond 1 MiB), -ENOMEM, with @f->text ready for a person. On error the sections
 * hold nothing that must be freed.
 */
MUST_CHECK int config_load(const struct config_section *sections, size_t n_sections,
	const struct config_source *source, struct fault *f);

/* Frees what config_load allocated in the sections and zeroes it. */
void config_unload(const struct config_section *sections, size_t n_sections);

/* The effective values as YAML (secrets hidden), each with a comment of its source (default,
 * file:line:column, env NAME, flag) if the section keeps origins. Read back, it gives the same
 * values (but for the secrets). Unwanted sections are left out. */
void config_print(const struct config_section *sections, size_t n_sections, FILE *out);

/* The reference (Markdown): a table per section, key, type, default, environment name, help. */
void config_doc(const struct config_section *sections, size_t n_sections, FILE *out);

/* Whole file into a NUL-terminated heap text, at most @max bytes (-EFBIG): for secrets and
 * documents. 0 or -errno; @ret_n may be NULL. */
MUST_CHECK int file_read(const char *path, size_t max, char **ret, size_t *ret_n, struct fault *f);
