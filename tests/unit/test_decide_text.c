/* Goal: text from outside that is no Unicode is replaced before it is decided on, on both engines.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "forges/forge_row.h"
#include "telegram/telegram_update.h"

#define BYTES "\xff\xc0\xaf\xed\xa0\x80"
#define ODD   "\\u0000\\ud800" BYTES
#define PUT   "\xef\xbf\xbd" /* U+FFFD */

static store_decode *const decoders[EVENT_SOURCE_COUNT] = {
	[SOURCE_TELEGRAM_WEBHOOK] = telegram_update_decode_webhook,
	[SOURCE_DELIVERY] = forge_decode,
};

/* As the bytes come in. */
static struct event *
raw(struct world *w, enum event_kind kind, enum event_source source, const char *body)
{
	struct event *event = store_aid_event(&w->aid, kind);

	if (w->aid.config.decoders == NULL) {
		w->aid.config.decoders = decoders;
		store_aid_reopen(&w->aid);
	}
	event->source = source;
	event->raw = (struct bytes){ strdup(body), strlen(body) };
	assert_non_null(event->raw.data);
	return event;
}

/* Each text of a row is looked at where it is bound: lib/db.c. */
WORLD_TEST(what_somebody_writes_and_is_called_is_kept)
{
	struct event *event = raw(w, EVENT_UPDATE, SOURCE_TELEGRAM_WEBHOOK,
	    "{\"update_id\":9,\"message\":{\"message_id\":1,\"date\":1,\"from\":{\"id\":11,"
	    "\"is_bot\":false,\"first_name\":\"A" ODD
	    "\"},\"chat\":{\"id\":11,\"type\":\"private\"},"
	    "\"text\":\"/lock staging 1h why" ODD "\"}}");

	assert_int_equal(world_decide(w, event).status, 200);
	assert_non_null(world_says(w, "why" PUT PUT PUT));
	assert_int_equal(world_audited(w, "lock", "why"), 1);
}

/* Its row takes 250 bytes of it, and a letter has two. */
WORLD_TEST_OF(a_health_answer_that_is_cut_inside_a_letter_is_kept, STAGING_URL)
{
	char failure[LIMIT_LINE] = "a";

	for (size_t i = 0; 3 + 2 * i < sizeof(failure); i++)
		memcpy(failure + 1 + 2 * i, "\xc3\xa9", 3);
	world_deploy_starts(w, COMMIT_A);
	world_run_ends(w, GOOD);
	world_probed(w, failure);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_FAILED);
}

WORLD_TEST(what_a_forge_and_git_say_of_a_commit_is_kept)
{
	struct event *push = world_push(w, "");
	struct event *event = raw(w, EVENT_DELIVERY, SOURCE_DELIVERY,
	    "{\"ref\":\"refs/heads/develop\",\"before\":\"" COMMIT_B "\",\"after\":\"" COMMIT_A
	    "\",\"commits\":[{\"message\":\"" ODD "\"}],\"head_commit\":{\"id\":\"" COMMIT_A
	    "\"},\"created\":false,\"deleted\":false,\"forced\":false,\"repository\":{\"id\":1,"
	    "\"full_name\":\"Acme/Shop\"},\"sender\":{\"login\":\"o" ODD "\",\"id\":7}}");

	event->u.delivery = push->u.delivery;
	event_free(push);
	assert_int_equal(world_decide(w, event).status, 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .subject = "Make" BYTES " it blue" });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_non_null(world_says(w, "\"Make it blue\""));
	world_run_ends(w, GOOD);
}
