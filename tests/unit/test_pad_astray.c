/* Goal: a code that is typed in a wrong place is deleted, and stands in no file of the database.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <glob.h>

#include "commands/commands.h"
#include "factor_aid.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/store_inside.h"

TESTS_OF_A_FILE

#define CODE	 "918273"
#define FILE_MAX (size_t)(16 << 20)

/* Its log is one of them. */
static bool
is_on_disk(struct world *w, const char *word)
{
	bool is_there = false;
	char pattern[sizeof(w->aid.path) + 1];
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), "%s*", w->aid.path);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct err err;
		size_t size;
		char *bytes = file_read(found.gl_pathv[i], FILE_MAX, &size, &err);

		assert_non_null(bytes);
		is_there = is_there || memmem(bytes, size, word, strlen(word)) != NULL;
		free(bytes);
	}
	globfree(&found);
	return is_there;
}

static void
open_world(struct world *w, const char *more)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=deploy:staging", "ROLE_RATE_LIMIT=0",
	    "RATE_LIMIT_REQUESTS=0", more, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_add_recovery, &ada);
}

static void
deletes_it(struct world *w, const char *text, bool is_deleted)
{
	struct effect *effect = world_take(w, EFFECT_DELETE_MESSAGE);

	if ((effect != NULL) != is_deleted)
		fail_msg("\"%s\" is%s deleted", text, is_deleted ? " not" : "");
	if (effect != NULL)
		(void)store_aid_report(&w->aid, effect);
}

static void
leaves_nothing(struct world *w, const char *text)
{
	(void)world_text_in(w, ada.id, ada.id, text);
	if (is_on_disk(w, CODE) || is_on_disk(w, "GAYT") || is_on_disk(w, "gayt"))
		fail_msg("\"%s\" leaves its code in the database", text);
}

static void
types(struct world *w, const char *text, bool is_deleted)
{
	leaves_nothing(w, text);
	deletes_it(w, text, is_deleted);
}

/* What is a letter beside "/2fa", or has no slash: that is offered, without what stood behind. */
FACTOR_TEST_BARE(a_code_behind_a_word_that_is_nearly_its_command_is_kept_nowhere)
{
	static const char *const words[] = { "2fa", "2FA", "2 fa", "/2f", "/2faa", "/2af", "/fa",
		"/2fq", "2fa:", " /2fa", "/ 2fa", "//2fa" };
	static const char *const behind[] = { "confirm " CODE, "recover " FACTOR_RECOVERY,
		"recover gayt emzu gu3d oobz", CODE, "confirm 918 273" };
	char text[80];

	open_world(w, NULL);
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t k = 0; k < COUNT(behind); k++) {
			(void)snprintf(text, sizeof(text), "%s %s", words[i], behind[k]);
			leaves_nothing(w, text);
		}
}

FACTOR_TEST_BARE(a_code_behind_what_is_nearly_its_command_is_deleted_and_the_command_is_offered)
{
	open_world(w, NULL);
	types(w, "2fa confirm " CODE, true);
	assert_non_null(strstr(world_plain(world_last(w)), "Did you mean /2fa?"));
	assert_string_equal(world_last(w)->buttons.at[0].label, "/2fa");
	types(w, "/2f recover " FACTOR_RECOVERY, true);
	assert_string_equal(world_last(w)->buttons.at[0].label, "/2fa");
	types(w, "/2f", false); /* nothing stood there */
	types(w, "/stauts production", false);
	assert_string_equal(world_last(w)->buttons.at[0].label, "/status production");
}

/* While one is asked for: "/approve 12 918273". */
FACTOR_TEST_BARE(a_code_behind_any_command_while_a_pad_is_open_is_kept_nowhere)
{
	char text[80];

	open_world(w, STAGING_URL);
	(void)world_text(w, ada.id, "/deploy staging");
	(void)factor_pad(w, &ada);
	for (size_t i = 0; i < commands_count(); i++) {
		const char *word = commands_get(i)->word;

		(void)snprintf(text, sizeof(text), "/%s production %s", word, CODE);
		types(w, text, strcmp(word, "2fa") != 0);
		(void)snprintf(text, sizeof(text), "/%s 12 918 273", word);
		types(w, text, strcmp(word, "2fa") != 0);
	}
	assert_non_null(strstr(world_plain(world_last(w)), "Not taken: press the code on the pad"));
	types(w, "/show 918274", false); /* a number of some work */
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* Where no code is asked for a number is what it was typed as. */
FACTOR_TEST_BARE(a_number_behind_a_command_is_no_code_where_none_is_asked_for)
{
	open_world(w, NULL);
	(void)world_text_in(w, ada.id, ada.id, "/lock staging " CODE);
	deletes_it(w, "/lock", false);
	assert_true(is_on_disk(w, CODE));
}
