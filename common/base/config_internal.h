#pragma once

/*
 * Between the files of the configuration: what a load carries along, and the ways into a row.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/config.h"
#include "common/base/str.h"

#define CONFIG_NAME_MAX  160  /* bytes of `section.key` or of an environment name, with the NUL */
#define CONFIG_ITEMS_MAX 4096 /* of a list or a map */

struct config_loader {
	const struct config_section *sections;
	size_t n_sections;
	struct config_origin *origins; /* of all rows of all sections, one after the other */
	struct fault *f;
};

/* A row and what belongs to it. */
struct config_slot {
	const struct config_section *section;
	const struct config_row *row;
	struct config_origin *origin;
};

/* `section.key` and SOUK_SECTION_KEY. */
void config_full_name(
	char ret[CONFIG_NAME_MAX], const struct config_section *s, const struct config_row *row);
void config_env_name(
	char ret[CONFIG_NAME_MAX], const struct config_section *s, const struct config_row *row);

/* Fills the fault: place, @key (may be NULL), text. Returns -EINVAL. */
int config_error(const struct config_loader *l, const struct config_origin *at, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for a key that does not exist, with the nearest one (in environment form if @at is one).
 */
int config_unknown(const struct config_loader *l, const struct config_origin *at, const char *key);

/* The row called @name; false if there is none. */
bool config_find(const struct config_loader *l, struct str name, struct config_slot *ret);

/* Whether @name is a section or a dotted prefix of keys: a mapping in the file. */
bool config_is_group(const struct config_loader *l, struct str name);

/* Each checks and stores a value, replacing the earlier one. @key is the name errors give. */
MUST_CHECK int config_set_text(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str text);
/* Takes the items of @list on success and leaves it empty. */
MUST_CHECK int config_set_list(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct config_list *list);
/* One entry of a map, keeping the others. */
MUST_CHECK int config_set_entry(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str entry_key, struct str value);

/* Lets go of what the row holds and zeroes it. */
void config_clear(const struct config_section *s, const struct config_row *row);

/* Copies @item. 0, -ENOMEM, or -ENOSPC beyond CONFIG_ITEMS_MAX. */
MUST_CHECK int config_list_add(struct config_list *list, struct str item);
void config_list_fini(struct config_list *list);
static inline void config_list_finip(struct config_list *list)
{
	config_list_fini(list);
}

/* The file's values. 0, -EINVAL or -errno of the file. */
MUST_CHECK int config_yaml(struct config_loader *l, const char *path);
