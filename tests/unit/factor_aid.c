/* factor_aid.c - people with a second factor, and how they type codes, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include <liboath/oath.h>
#include <unistd.h>

#include "decide/factor/decide_enrol.h"
#include "decide/factor/decide_factor_state.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_factor.h"

static char key_path[64];
char factor_key_setting[96];

void
factor_write_key(const char *text)
{
	FILE *file;

	(void)snprintf(key_path, sizeof(key_path), "/tmp/test_factor.%ld.key", (long)getpid());
	(void)snprintf(
	    factor_key_setting, sizeof(factor_key_setting), "TOTP_KEY_FILE=%s", key_path);
	file = fopen(key_path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

/* --- people with a second factor --- */

struct person ada = { .id = WORLD_ADMIN }, bob = { .id = WORLD_OTHER_ADMIN };

void
factor_enrol(struct tx *tx, void *arg)
{
	struct person *person = arg;
	struct factor_secret made;
	struct factor factor;
	struct err err;

	if (!row_factor_make(tx, person->id, 0, &made, &err))
		fail_msg("%s", err.text);
	memcpy(person->secret, made.totp, sizeof(person->secret));
	factor = row_factor_get(tx, person->id);
	factor.enrolled_at = tx->at;
	row_factor_save(tx, &factor);
	row_chat_note_private(tx, person->id);
}

void
factor_add_recovery(struct tx *tx, void *arg)
{
	const struct person *person = arg;
	struct factor_secret secret;

	assert_true(row_factor_open(tx, person->id, &secret, NULL));
	row_factor_add_recovery(tx, person->id, &secret, (const uint8_t *)"0123456789");
}

void
factor_open(struct world *w, const char *required)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, required, STAGING_URL, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
}

void
factor_close(struct world *w)
{
	world_close(w);
	(void)unlink(key_path);
}

int
factor_set_up(void **state, const char *required)
{
	(void)world_set_up_none(state);
	factor_open(*state, required);
	return 0;
}

int
factor_tear_down(void **state)
{
	(void)unlink(key_path);
	return world_tear_down(state);
}

/* --- on the machine --- */

char factor_said[512];

int
factor_ask(struct tx *tx, int64_t who, const char *word, int64_t person, const char *code)
{
	struct api_request api = {
		.from = { .person = who, .name = "@somebody" },
		.request = request_of(word, ""),
	};
	struct json_out json;
	struct buf out;
	int status;

	request_add_number(&api.request, "person", person);
	(void)text_copy(api.code, sizeof(api.code), totp_is_code(code) ? code : "");
	(void)text_copy(api.recovery, sizeof(api.recovery), code);
	buf_init(&out, 1 << 16);
	json = json_out_begin(&out, '{');
	decide_enrol(tx, &api, &json);
	json_out_end(&json);
	buf_wipe(&out);
	(void)snprintf(
	    factor_said, sizeof(factor_said), "%s", tx->answer.text != NULL ? tx->answer.text : "");
	free(tx->answer.text);
	tx->answer.text = NULL;
	status = decide_factor_is_wanted(tx) ? 428 : tx->answer.status;
	decide_factor_drop(tx);
	tx->answer.status = 200; /* the tx goes on */
	return status;
}

/* --- codes --- */

const char *
factor_code(struct world *w, const struct person *person, int later)
{
	static char code[TOTP_DIGITS + 1];

	assert_int_equal(oath_totp_generate((const char *)person->secret, TOTP_SECRET,
			     (time_t)(w->aid.at / 1000 + later * TOTP_STEP_S), TOTP_STEP_S, 0,
			     TOTP_DIGITS, code),
	    OATH_OK);
	return code;
}

const char *
factor_wrong(struct world *w, const struct person *person)
{
	static char code[TOTP_DIGITS + 1] = "000000";

	for (char i = '0'; totp_match(person->secret, w->aid.at / 1000, code) >= 0; i++)
		code[0] = i;
	return code;
}

/* --- the pad --- */

struct world_message *
factor_pad(struct world *w, const struct person *person)
{
	struct world_message *pad = world_says_in(w, person->id, "Code for");

	assert_non_null(pad);
	return pad;
}

void
factor_press(struct world *w, int64_t who, const struct world_message *pad, const char *key)
{
	(void)world_press(w, who, pad->chat, world_button(pad, key));
}

void
factor_type(struct world *w, const struct person *person, const char *code)
{
	struct world_message *pad = factor_pad(w, person);

	for (char key[2] = ""; *code != '\0'; code++) {
		key[0] = *code;
		factor_press(w, person->id, pad, key);
	}
}

size_t
factor_begun(struct world *w)
{
	return world_count(w, EFFECT_GIT_QUERY);
}

static void
read_failures(struct tx *tx, void *arg)
{
	*(int64_t *)arg = row_factor_get(tx, ada.id).failures;
}

int64_t
factor_failures(struct world *w)
{
	int64_t n = -1;

	world_act(w, read_failures, &n);
	return n;
}
