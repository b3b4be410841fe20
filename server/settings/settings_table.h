/* settings_table.h - the rows of settings.def as data, and what can be said of them without a snapshot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/settings_member.h"

struct buf;
struct redact;

enum settings_whose { WHOSE_SERVER, WHOSE_RUNNER, WHOSE_BOTH };
enum settings_scope { SCOPE_SERVER, SCOPE_SHARED, SCOPE_OWN, SCOPE_EACH }; /* runner/settings.def */

struct settings_spec {
	const char
	    *name; /* of a family's: with the member's place in it, <ENV>_HOST (setting_name) */
	enum setting_type type;
	const char *fallback;
	bool is_secret;
	enum settings_whose whose;
	enum settings_scope scope;
	const char *help;
	enum family family; /* of a family's */
	bool is_shipping;   /* may be said for one environment: <ENV>_NAME */
};

extern const struct settings_spec settings_table[SETTING_COUNT];
extern const struct settings_spec settings_table_families[FAMILY_SETTING_COUNT];

struct settings_family {
	const char *stem;     /* what names of its settings begin with: <ENV>_ */
	enum setting members; /* who lists them */
	const char *help;
};

extern const struct settings_family settings_families[FAMILY_COUNT];

/* The member of that name, and the next one of a family from *at on; NULL: there is none. */
struct settings_member *settings_member(
    const struct settings *s, enum family family, const char *name);
struct settings_member *settings_next_member(
    const struct settings *s, enum family family, size_t *at);

/* The default there: NULL for none.  Staging and production have some of their own. */
const char *settings_table_fallback(enum family_setting setting, const char *member);

bool settings_table_needs_restart(const char *name);

/* What may be said for one environment, without its <ENV>_: "DEPLOY_USER", of a secret
 * "REGISTRY_PASSWORD_FILE" too.  False: it is none of these. */
bool settings_table_special(const char *name, size_t size, enum setting *ret);

/* Calls with each name of an own setting that an application with these environments may have. */
typedef void settings_each_name(
    void *ctx, const char *name, const char *pattern, const char *fallback);
void settings_for_own_names(const char *environments, settings_each_name *call, void *ctx);

/* What the process environment says, in a list of NAME=VALUE; NULL: nothing, or it is empty. */
const char *settings_environ_text(char *const environ_list[], const char *name);

/* What the runner may see by that name: a row of the runner's and both's, their _FILE forms, and
 * those of families' members; NULL for the server's own and for what is unknown.  s may be NULL:
 * then there is no member.  runner: a remote one, for what its environments have, alone or with
 * others; NULL: the local one, which has all. */
const struct settings_spec *settings_runners_spec(
    const struct settings *s, const char *runner, const char *name);

/* Teaches redact every secret value in the snapshot. */
MUST_USE bool settings_redact(const struct settings *s, struct redact *redact, struct err *err);

/* Appends the text of .env.example. */
void settings_example(struct buf *out);
