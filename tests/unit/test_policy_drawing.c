/* Goal: docs/policy.md says who may what as the code decides it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/buf.h"

#include "unit.h"
#include "lib/err.h"
#include "lib/file.h"
#include "policy/policy_report.h"
#include "settings/sources/settings_load.h"

#define PICTURE	   "docs/policy.md"
#define DRAWN_ANEW "build/policy.md"
#define NOW	   INT64_C(1767225600000)

static const struct {
	const char *role; /* as the settings name it */
	int64_t person;
	const char *place;
	const char *heading;
} columns[] = {
	{ "admin", 11, "production", "admin" },
	{ "staging", 33, "staging", "staging: in *staging*" },
	{ "staging", 33, "production", "staging: beside it" },
	{ "allowed user", 44, "production", "allowed user" },
};

static const char head[] =
    "# Who may what\n\nDrawn from server/types/policy_action.h, server/settings/settings_defaults.def and "
    "server/policy/policy.c by\n`test_policy_drawing`. A grant is `ACTION:APPLICATION/ENVIRONMENT`; a `*` "
    "stands for any. What is not granted is denied;\nan environment on which somebody has no grant at "
    "all is answered as one that does not exist.\n\n## Actions, and the roles that are built in\n\n";

static const char tail[] =
    "\n*\\**: granted by `*` alone. *known*: "
    "whoever has any grant.\n*anyone*: everybody, in private. *target*: an environment or a client. "
    "*server*: only a grant on `*/*` holds it, of\nthe settings file; `apps/NAME.env` gives none. "
    "*any*: of a target, or of none. `deploy` grants `status` of that very target too,\n"
    "and so does `do` of a client.\n\n## What the built-in roles grant\n\n";

static void
draw_actions(const struct settings *settings, struct buf *out)
{
	static const char *const by[] = { "grant", "\\*", "known", "anyone" };
	static const char *const of[] = { "target", "server", "any" };

	buf_adds(out, "| action | by | of | lets one |");
	for (size_t c = 0; c < COUNT(columns); c++)
		buf_addf(out, " %s |", columns[c].heading);
	buf_adds(out, "\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
		const struct policy_action_row *row = &policy_action_rows[i];

		buf_addf(out, "| %s | %s | %s | %s |", row->word, by[row->who], of[row->scope],
		    row->help);
		for (size_t c = 0; c < COUNT(columns); c++)
			buf_addf(out, " %s |",
			    policy_may(settings, principal_of_person(columns[c].person),
				(enum policy_action)i, columns[c].place, NOW) ?
				"yes" :
				"");
		buf_adds(out, "\n");
	}
}

static void
draw_roles(const struct roles *roles, struct buf *out)
{
	buf_adds(out, "| role | people | grants |\n|---|---|---|\n");
	for (size_t i = 0; i < roles->count; i++) {
		const struct role *role = &roles->role[i];

		buf_addf(out, "| %s | `%s` | ", role->name, role->setting);
		for (size_t g = 0; g < role->grant_count; g++) {
			const struct grant *grant = &roles->grant[role->first_grant + g];

			buf_addf(out, "%s`%s`", g > 0 ? ", " : "", grant->text);
			if (grant->beside[0] != '\0')
				buf_addf(out, " where there is a %s", grant->beside);
		}
		buf_adds(out, " |\n");
	}
}

TEST(the_table_in_docs_is_the_policy)
{
	char *list[] = { "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
		"ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=33", "ALLOWED_USERS=44",
		"GITHUB_REPOSITORY=acme/shop", NULL };
	struct settings_report report = { 0 };
	struct settings *settings;
	struct buf out;
	struct err err;
	char *there;

	assert_true(settings_load(NULL, list, &settings, &report));
	buf_init(&out, 1 << 16);
	buf_adds(&out, head);
	draw_actions(settings, &out);
	buf_adds(&out, tail);
	draw_roles(settings->roles, &out);
	assert_false(buf_failed(&out));
	settings_unref(settings);
	there = file_read(PICTURE, 1 << 16, NULL, &err);
	if (there == NULL || strcmp(there, buf_text(&out)) != 0) {
		assert_true(file_mkdirs("build", 0755, &err));
		assert_true(file_write(DRAWN_ANEW, out.data, out.size, 0644, &err));
		print_error("cp " DRAWN_ANEW " " PICTURE "\n");
	}
	assert_non_null(there);
	assert_string_equal(there, buf_text(&out));
	free(there);
	buf_done(&out);
}
