/* Goal: an archive is deployed by who may, within its limits, and none stays that nobody needs.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"
#include "decide_aid_inside.h"
#include "factor_aid.h"
#include "lib/text.h"
#include "types/git_answer.h"

#define FIRST  WORLD_UPLOADS "456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SECOND WORLD_UPLOADS "222222222222222222222222222222222222222222222222222222222222"
#define TREE   "7777777777777777777777777777777777777777777777777777777777777777"
#define DAY_MS INT64_C(86400000)

#define UPLOADS			  "STAGING_UPLOADS=true", STAGING_URL
#define UPLOAD_TEST(name)	  WORLD_TEST_OF(name, UPLOADS)
#define UPLOAD_TEST_OF(name, ...) WORLD_TEST_OF(name, UPLOADS, __VA_ARGS__)

static void
send_sized(struct world *w, int64_t person, const char *text, int64_t size)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, person);

	update_set_text(event->u.update, text);
	event->u.update->file = (struct update_file){ "BQACAgIAAxk", "site.zip", size };
	(void)world_decide(w, event);
}

/* What the runner, or whoever is before it, says of it. */
static void
not_unpacked(struct world *w, int status, bool is_here, const char *said)
{
	struct effect *effect = world_must_take(w, EFFECT_GIT_QUERY);

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_UNPACK);
	effect->result->u.git_answered.exit_status = status;
	effect->result->u.git_answered.unreachable = !is_here;
	effect->result->u.git_answered.answer = strdup(said);
	world_report(w, effect);
}

static void
fetched(struct world *w, const char *digest, const char *why)
{
	struct effect *effect = world_must_take(w, EFFECT_FETCH_FILE);

	text_set(effect->result->u.file_fetched.digest, digest);
	text_set(effect->result->u.file_fetched.why, why);
	effect->result->u.file_fetched.size = 1000;
	world_report(w, effect);
}

static void
purged(struct world *w, const char *digest)
{
	struct effect *effect = world_must_take(w, EFFECT_PURGE_UPLOAD);

	assert_string_equal(effect->u.purge_upload.digest, digest);
	assert_true(effect->u.purge_upload.at > 0);
	world_report(w, effect);
}

static void
goes_live(struct world *w, const char *digest)
{
	struct world_message *question;

	world_archive(w, WORLD_ADMIN, "/deploy staging", digest);
	world_unpacked(w, TREE);
	question = world_says_in(w, WORLD_ADMIN, "Deploy to staging?");
	assert_non_null(question);
	(void)world_press(w, WORLD_ADMIN, question->chat, world_button(question, "Deploy"));
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

static void
is_refused(struct world *w, const char *says)
{
	assert_non_null(world_says(w, says));
	assert_null(world_peek(w, EFFECT_FETCH_FILE));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* From now on its rows say that. */
static void
rewrite(struct world *w, const char *sql)
{
	world_rewrite(w, sql);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
}

/* --- who may, and how often --- */

UPLOAD_TEST(deploy_alone_is_no_grant_for_it)
{
	int64_t refusals = world_refusals(w);

	send_sized(w, WORLD_STAGING_USER, "/deploy staging", 1000);
	is_refused(w, "upload");
	assert_int_equal(world_refusals(w), refusals + 1);
	assert_int_equal(world_newest(w, "staging").id, 0);
}

UPLOAD_TEST_OF(who_has_the_grant_may_where_they_may_deploy,
    "ROLE_DESIGN_MAY=deploy:*/staging, upload:*/staging", "ROLE_DESIGN_IDS=44")
{
	send_sized(w, 44, "/deploy staging", 1000);
	assert_non_null(world_peek(w, EFFECT_FETCH_FILE));
}

/* Both rights hold at the start too, and of who confirms it. */
UPLOAD_TEST_OF(a_right_to_send_that_has_ended_starts_none,
    "ROLE_DESIGN_MAY=deploy:*/staging, upload:*/staging", "ROLE_DESIGN_IDS=44")
{
	struct world_message *question;

	world_archive(w, 44, "/deploy staging", FIRST);
	world_unpacked(w, TREE);
	question = world_says_in(w, 44, "Deploy to staging?");
	assert_non_null(question);
	world_settings(w, UPLOADS, "ROLE_DESIGN_MAY=deploy:*/staging", "ROLE_DESIGN_IDS=44", NULL);
	(void)world_press(w, 44, question->chat, world_button(question, "Deploy"));
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
}

/* The built-in role of staging has `deploy` there, and neither `upload` nor `confirm`. */
UPLOAD_TEST_OF(who_may_deploy_alone_answers_nobody_elses_archive, TEAM, STAGING_IS)
{
	const struct local_peer peer = api_aid_peer(STAGING, NULL);
	static const char *const answers[] = { "{\"answer\": \"yes\"}", "{\"answer\": \"no\"}" };

	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	world_unpacked(w, TREE);
	for (size_t i = 0; i < COUNT(answers); i++) {
		assert_int_equal(
		    api_aid_answer(w, peer, API_ANSWER, "/v1/answer/1", answers[i]).status, 403);
		SAID(w, "Only @ada or who may confirm may answer this.");
		assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
		assert_int_equal(world_deployment(w, 1).confirmed_by, 0);
	}
	assert_int_equal(world_audited(w, "\"confirmed\"", ""), 0);
}

UPLOAD_TEST(where_the_settings_take_none_it_is_refused)
{
	send_sized(w, WORLD_ADMIN, "/deploy production", 1000);
	is_refused(w, "an admin can set PRODUCTION_UPLOADS=true for it");
}

/* Whoever may send one where they are taken reads how; nobody else does. */
UPLOAD_TEST(help_says_how_to_whom_may)
{
	static const char how[] = "send it to me in private, under it /deploy staging";

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/help");
	assert_non_null(strstr(world_plain(world_last(w)), how));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/help");
	assert_null(strstr(world_plain(world_last(w)), "archive"));
	world_settings(w, STAGING_URL, NULL);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/help");
	assert_null(strstr(world_plain(world_last(w)), "archive"));
}

static struct event *
file_alone(struct world *w)
{
	struct event *event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_ADMIN);

	event->u.update->is_private = event->u.update->is_caption = true;
	event->u.update->has_file = true;
	event->u.update->refusal = UPDATE_REFUSED_CAPTION;
	return event;
}

UPLOAD_TEST(who_forgets_the_caption_is_told_so)
{
	(void)world_decide(w, file_alone(w));
	assert_non_null(world_says(w, "Archive not taken: send it here as one file"));
	assert_null(world_peek(w, EFFECT_FETCH_FILE));
}

WORLD_TEST_OF(where_nobody_takes_archives_a_file_is_nobodys_business, STAGING_URL)
{
	(void)world_decide(w, file_alone(w));
	assert_null(world_says(w, "Archive not taken"));
}

/* The reason for a freeze's exception comes as a reply, without the file. */
UPLOAD_TEST(what_a_freeze_kept_back_is_what_a_reply_deploys)
{
	struct event *event;

	(void)world_text(w, WORLD_ADMIN, "/freeze staging 2h");
	send_sized(w, WORLD_ADMIN, "/deploy staging", 1000);
	assert_null(world_peek(w, EFFECT_FETCH_FILE));
	event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_ADMIN);
	update_set_text(event->u.update, "the customer waits");
	event->u.update->reply_to = w->screen_remote[world_last(w)->row];
	(void)world_decide(w, event);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_non_null(world_peek(w, EFFECT_FETCH_FILE));
}

UPLOAD_TEST(an_archive_has_no_branch_and_20_MB_at_most)
{
	send_sized(w, WORLD_ADMIN, "/deploy staging main", 1000);
	is_refused(w, "an archive has no branch");
	send_sized(w, WORLD_ADMIN, "/deploy staging", LIMIT_UPLOAD + 1);
	is_refused(w, "larger than 20 MB");
	send_sized(w, WORLD_ADMIN, "/deploy staging", LIMIT_UPLOAD);
	assert_non_null(world_peek(w, EFFECT_FETCH_FILE));
}

UPLOAD_TEST(a_person_sends_three_in_an_hour)
{
	for (int i = 0; i < 3; i++) {
		world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
		world_unpacked(w, TREE);
		(void)world_text(w, WORLD_ADMIN, "/cancel staging");
		w->aid.at += 60 * 1000;
	}
	send_sized(w, WORLD_ADMIN, "/deploy staging", 1000);
	is_refused(w, "three archives within an hour, which is the most. Send it again in 57 min.");
	w->aid.at += 57 * 60 * 1000;
	send_sized(w, WORLD_ADMIN, "/deploy staging", 1000);
	assert_non_null(world_peek(w, EFFECT_FETCH_FILE));
}

/* A file that Telegram does not give costs nothing, and neither does what was not asked for. */
UPLOAD_TEST(what_was_not_fetched_is_none_of_three)
{
	for (int i = 0; i < 3; i++) {
		send_sized(w, WORLD_ADMIN, "/deploy staging", 1000);
		fetched(w, "", "the file was not received: no answer");
		assert_non_null(world_says(w, "the file was not received: no answer"));
		send_sized(w, WORLD_ADMIN, "/deploy staging", LIMIT_UPLOAD + 1);
		is_refused(w, "larger than 20 MB");
	}
	send_sized(w, WORLD_ADMIN, "/deploy staging", 1000);
	assert_non_null(world_peek(w, EFFECT_FETCH_FILE));
}

/* Of somebody else's kept archive nothing goes for what is not deployed. */
UPLOAD_TEST_OF(what_a_lock_refuses_takes_no_room_and_is_said_not_to_be_kept, "UPLOADS_TOTAL=40K",
    ADA_IS, STAGING_IS, ADMIN_IS, STRANGER_IS, TEAM)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	world_unpacked(w, TREE);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	rewrite(w, "UPDATE upload SET size = 40960, unpacked = 0, at = 1");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging 2h incident");
	assert_int_equal(api_aid_ask(w, ADA, API_UPLOAD, "/v1/upload/staging", NULL), 403);
	assert_non_null(strstr(w->aid.said, "The archive is not kept: send it again then."));
	purged(w, UPLOADED);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
}

/* A code is typed in between, and the archive is not sent again. */
FACTOR_TEST(one_that_needs_a_code_is_what_was_sent, "REQUIRE_OTP=deploy:staging")
{
	world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:staging", UPLOADS, NULL);
	send_sized(w, ada.id, "/deploy staging", 1000);
	assert_null(world_peek(w, EFFECT_FETCH_FILE));
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(world_peek(w, EFFECT_FETCH_FILE));
	assert_string_equal(world_peek(w, EFFECT_FETCH_FILE)->u.fetch_file.file, "BQACAgIAAxk");
	assert_string_equal(world_newest(w, "staging").subject, "site.zip");
}

/* --- over /v1 --- */

WORLD_TEST_BARE(what_came_over_the_socket_is_unpacked_at_once)
{
	world_open(w, ADA_IS, STAGING_IS, ADMIN_IS, STRANGER_IS, TEAM, UPLOADS, NULL);
	assert_int_equal(api_aid_ask(w, ADA, API_UPLOAD, "/v1/upload/staging", NULL), 200);
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, UPLOADED);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
	world_unpacked(w, TREE);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
}

WORLD_TEST_BARE(what_is_refused_over_the_socket_goes)
{
	world_open(w, ADA_IS, STAGING_IS, ADMIN_IS, STRANGER_IS, TEAM, UPLOADS, NULL);
	assert_int_equal(api_aid_ask(w, STAGING, API_UPLOAD, "/v1/upload/staging", NULL), 403);
	purged(w, UPLOADED);
	assert_int_equal(api_aid_ask(w, ADA, API_UPLOAD, "/v1/upload/production", NULL), 409);
	purged(w, UPLOADED);
	/* The same while it is asked about stays. */
	assert_int_equal(api_aid_ask(w, ADA, API_UPLOAD, "/v1/upload/staging", NULL), 200);
	assert_int_equal(api_aid_ask(w, STAGING, API_UPLOAD, "/v1/upload/staging", NULL), 403);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
}

/* --- what the runner says --- */

UPLOAD_TEST(a_bad_one_is_refused_in_its_sentence_audited_and_goes)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	not_unpacked(w, 65, true,
	    "error \"../x\" leads out of the archive's folder\nviolation archive_traversal\nend\n");
	assert_non_null(world_says(w, "leads out of the archive's folder"));
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_int_equal(world_audited(w, "\"violation_type\":\"archive_traversal\"", FIRST), 1);
	purged(w, FIRST);
	assert_null(world_peek(w, EFFECT_RUN));
}

UPLOAD_TEST(an_archive_of_another_machine_is_fetched_again)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	not_unpacked(w, GIT_NO_ARCHIVE, false, "the archive is not here");
	assert_string_equal(world_peek(w, EFFECT_FETCH_FILE)->u.fetch_file.digest, FIRST);
	fetched(w, FIRST, "");
	world_unpacked(w, TREE);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
}

UPLOAD_TEST(another_file_behind_the_same_word_is_not_taken_for_it)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	not_unpacked(w, GIT_NO_ARCHIVE, false, "the archive is not here");
	fetched(w, SECOND, "");
	assert_non_null(world_says(w, "another file by now: send it again"));
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	purged(w, SECOND);
}

/* The runner's own "66" is an answer, and no reason to fetch it for ever. */
UPLOAD_TEST(what_the_runner_does_not_find_is_not_fetched_again)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	not_unpacked(w, GIT_NO_ARCHIVE, true, "error the archive cannot be read\nend\n");
	assert_null(world_peek(w, EFFECT_FETCH_FILE));
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
}

WORLD_TEST_BARE(one_of_the_socket_is_sent_again_where_it_is_gone)
{
	world_open(w, ADA_IS, STAGING_IS, ADMIN_IS, STRANGER_IS, TEAM, UPLOADS, NULL);
	assert_int_equal(api_aid_ask(w, ADA, API_UPLOAD, "/v1/upload/staging", NULL), 200);
	not_unpacked(w, GIT_NO_ARCHIVE, false, "the archive is not here");
	assert_null(world_peek(w, EFFECT_FETCH_FILE));
	assert_non_null(world_says(w, "not on this machine any more: send it again"));
}

UPLOAD_TEST(what_comes_when_nobody_waits_any_more_goes)
{
	send_sized(w, WORLD_ADMIN, "/deploy staging", 1000);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(w), DEPLOY_CANCELLED);
	fetched(w, FIRST, "");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	purged(w, FIRST);
}

/* --- what is kept --- */

UPLOAD_TEST(one_that_can_be_rolled_back_to_stays_and_others_go_after_their_days)
{
	goes_live(w, FIRST);
	goes_live(w, SECOND);
	w->aid.at += 31 * DAY_MS;
	world_due(w, TIMER_DAILY);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
	rewrite(w, "UPDATE release SET removed_at = 1 WHERE number = 1");
	w->aid.at += DAY_MS;
	world_due(w, TIMER_DAILY);
	purged(w, FIRST);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
}

UPLOAD_TEST(one_that_waits_stays_and_one_that_nobody_confirmed_goes_after_its_days)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	world_unpacked(w, TREE);
	rewrite(w, "UPDATE upload SET at = 1");
	world_due(w, TIMER_DAILY);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	w->aid.at += DAY_MS;
	world_due(w, TIMER_DAILY);
	purged(w, FIRST);
}

UPLOAD_TEST_OF(
    above_the_total_the_oldest_goes_and_none_is_taken_where_all_are_needed, "UPLOADS_TOTAL=40K")
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	world_unpacked(w, TREE);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	rewrite(w, "UPDATE upload SET size = 40000, unpacked = 0, at = 1");
	world_archive(w, WORLD_ADMIN, "/deploy staging", SECOND);
	purged(w, FIRST);
	world_unpacked(w, TREE);
	rewrite(w, "UPDATE upload SET size = 40000, unpacked = 0");
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	assert_non_null(world_says(w, "fill UPLOADS_TOTAL"));
	purged(w, FIRST);
}

UPLOAD_TEST_OF(its_files_take_room_too, "UPLOADS_TOTAL=30K")
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", FIRST);
	world_unpacked(w, TREE);
	assert_non_null(world_says(w, "fill UPLOADS_TOTAL"));
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	purged(w, FIRST);
}

/* A crash between an archive's name and its row leaves one that no row knows. */
UPLOAD_TEST(at_the_start_goes_what_no_row_knows)
{
	struct event *event = store_aid_event(&w->aid, EVENT_STARTED);

	goes_live(w, FIRST);
	event->u.started.uploads = calloc(2, LIMIT_DIGEST);
	event->u.started.n_uploads = 2;
	text_set(event->u.started.uploads[0], FIRST);
	text_set(event->u.started.uploads[1], SECOND);
	(void)world_decide(w, event);
	purged(w, SECOND);
	assert_null(world_peek(w, EFFECT_PURGE_UPLOAD));
}
