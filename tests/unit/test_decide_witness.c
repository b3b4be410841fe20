/* Goal: what is audited goes to its witness in order, once; nothing new starts long without.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_witness.h"
#include "decide_aid.h"
#include "lib/text.h"
#include "store/audit_segment.h"
#include "store/audit_verify.h"
#include "store/row_audit.h"
#include "store/row_witness.h"

#define MINUTE INT64_C(60000)
#define BUCKET "AUDIT_S3_BUCKET=acme-audit", "AUDIT_S3_REGION=eu-central-1"

static const struct witness_answer good = { .verdict = WITNESS_CONFIRMED };
static const struct witness_answer refused = { .verdict = WITNESS_REFUSED, .detail = "HTTP 403" };
static const struct witness_answer unknown = { .verdict = WITNESS_UNKNOWN, .detail = "timed out" };
static const struct witness_answer taken = { .verdict = WITNESS_TAKEN, .detail = "HTTP 412" };

static void
act_row(struct tx *tx, void *arg)
{
	*(struct witness_row *)arg = row_witness_get(tx);
}

static struct witness_row
row_of(struct world *w)
{
	struct witness_row row;

	world_act(w, act_row, &row);
	return row;
}

static void
answer(struct world *w, const struct witness_answer *with)
{
	world_witnessed(w, with);
}

static const struct effect_witness *
sent(struct world *w)
{
	struct effect *effect = world_peek(w, EFFECT_WITNESS);

	assert_non_null(effect);
	return &effect->u.witness;
}

WORLD_TEST(without_a_bucket_nothing_goes_out)
{
	world_writes_entries(w, 3);
	assert_int_equal(world_count(w, EFFECT_WITNESS), 0);
	assert_null(strstr(row_of(w).place, "s3"));
}

WORLD_TEST_OF(what_is_written_goes_out_once_a_minute_and_what_is_confirmed_is_a_row, BUCKET)
{
	int64_t last, at;

	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, 1);
	assert_false(sent(w)->is_repeated);
	assert_true(sent(w)->lines[sent(w)->size - 1] == '\n');
	last = sent(w)->last;
	at = w->aid.at;
	answer(w, &good);
	assert_int_equal(row_of(w).confirmed, last);
	assert_int_equal(world_count(w, EFFECT_WITNESS), 0);
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h a reason");
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_int_equal(world_count(w, EFFECT_WITNESS), 0);
	world_due(w, TIMER_WITNESS);
	assert_true(w->aid.at >= at + MINUTE);
	assert_int_equal(sent(w)->first, last + 1);
	assert_int_equal(sent(w)->last, last + 2);
	answer(w, &good);
	assert_int_equal(row_of(w).confirmed, last + 2);
}

static void
always_fails(struct tx *tx, UNUSED const struct event *event)
{
	tx_fail(tx, ERR_INVALID, "a bug");
}

/* No handler writes that entry, so none has seen it. */
WORLD_TEST_OF(what_a_quarantine_has_written_goes_out_with_the_next_decision, BUCKET)
{
	store_handler *handler;
	int64_t last;

	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	last = sent(w)->last;
	answer(w, &good);
	assert_int_equal(world_count(w, EFFECT_WITNESS), 0);
	handler = w->aid.handlers[EVENT_UPDATE];
	w->aid.handlers[EVENT_UPDATE] = always_fails;
	(void)world_text(w, WORLD_ADMIN, "/status");
	w->aid.handlers[EVENT_UPDATE] = handler;
	assert_int_equal(world_audited(w, "\"code\":\"event_quarantined\"", NULL), 1);
	(void)world_text(w, WORLD_ADMIN, "/status");
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, last + 1);
}

/* Its name is its entries and their head: only so a 412 says that it is ours. */
WORLD_TEST_OF(what_may_be_there_already_is_sent_again_as_it_was, BUCKET)
{
	struct effect_witness before;

	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	before = *sent(w);
	answer(w, &unknown);
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h a reason");
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, before.first);
	assert_int_equal(sent(w)->last, before.last);
	assert_string_equal(sent(w)->head, before.head);
	assert_true(sent(w)->is_repeated);
	answer(w, &refused); /* says nothing of what the first came to */
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->last, before.last);
	assert_true(sent(w)->is_repeated);
	answer(w, &good);
	assert_int_equal(row_of(w).confirmed, before.last);
	/* The rest was there already, and goes at once. */
	assert_int_equal(sent(w)->first, before.last + 1);
	assert_false(sent(w)->is_repeated);
}

WORLD_TEST_OF(what_was_refused_goes_out_with_what_was_written_since, BUCKET)
{
	int64_t last, at;

	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	last = sent(w)->last;
	at = w->aid.at;
	answer(w, &refused);
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h a reason");
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, 1);
	assert_true(sent(w)->last > last);
	assert_false(sent(w)->is_repeated);
	answer(w, &refused); /* the second in a row is said, once */
	world_due(w, TIMER_WITNESS);
	assert_true(w->aid.at >= at + 3 * MINUTE);
	answer(w, &refused);
	assert_int_equal(world_audited(w, "\"code\":\"witness_lost\"", "HTTP 403"), 1);
	world_due(w, TIMER_WITNESS);
	answer(w, &good);
	assert_int_equal(world_audited(w, "\"code\":\"witness_back\"", NULL), 1);
	assert_int_equal(row_of(w).tries, 0);
}

WORLD_TEST_OF(a_name_that_somebody_else_took_is_no_confirmation_and_an_alarm, BUCKET)
{
	char head[LIMIT_AUDIT_HEAD];

	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	(void)text_copy(head, sizeof(head), sent(w)->head);
	answer(w, &taken);
	assert_int_equal(row_of(w).confirmed, 0);
	assert_int_equal(world_audited(w, "\"code\":\"witness_taken\"", "witness_name_taken"), 1);
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, 1);
	assert_string_not_equal(sent(w)->head, head); /* the entry of it is in it */
	assert_false(sent(w)->is_repeated);
}

WORLD_TEST(a_backlog_goes_out_as_objects_of_four_megabytes_the_oldest_first)
{
	int64_t n = 16000, last = 0, objects = 0;

	world_writes_entries(w, n);
	world_settings(w, BUCKET, NULL);
	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	while (world_count(w, EFFECT_WITNESS) > 0) {
		assert_int_equal(sent(w)->first, last + 1);
		assert_true(sent(w)->size <= WITNESS_OBJECT_MAX);
		last = sent(w)->last;
		objects++;
		answer(w, &good);
	}
	assert_true(objects >= 2);
	assert_true(last >= n);
}

WORLD_TEST_OF(another_bucket_gets_all_of_it_and_the_old_one_goes_on_where_it_was, BUCKET)
{
	world_writes_entries(w, 2);
	world_due(w, TIMER_WITNESS);
	answer(w, &good);
	world_settings(w, "AUDIT_S3_BUCKET=other", "AUDIT_S3_REGION=eu-central-1", NULL);
	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, 1);
	answer(w, &good);
	world_settings(w, BUCKET, NULL);
	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	assert_int_equal(sent(w)->first, 4); /* behind the start's and those two */
}

/* --- AUDIT_KEEP_DAYS --- */

#define KEEP "AUDIT_KEEP_DAYS=2"
#define DAY  (24 * 3600 * INT64_C(1000))

static void
project(struct world *w)
{
	struct queue_list outcomes = { 0 };

	assert_false(store_project(w->aid.store, &outcomes));
	outcome_free_all(&outcomes);
}

static size_t
closed_files(struct world *w)
{
	struct audit_segments closed;
	size_t n;

	assert_true(audit_segments_list(w->aid.audit_path, &closed, NULL));
	n = closed.n;
	audit_segments_done(&closed);
	return n;
}

/* Two closed files that are old enough, and a newest one. */
static void
write_days(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		world_writes_entries(w, 1);
		project(w);
		w->aid.at += DAY;
	}
	w->aid.at += 2 * DAY;
	world_writes_entries(w, 1);
	project(w);
}

/* Two hours later, and something is written. */
static void
pass(struct world *w)
{
	w->aid.at += 2 * 3600 * INT64_C(1000);
	world_writes_entries(w, 1);
	project(w);
}

WORLD_TEST_OF(a_closed_file_goes_when_it_is_old_and_the_witness_has_it, BUCKET, KEEP)
{
	struct audit_verified found;
	struct err err;

	write_days(w);
	assert_int_equal(closed_files(w), 2);
	world_due(w, TIMER_WITNESS);
	answer(w, &good);
	pass(w);
	assert_int_equal(closed_files(w), 2);
	assert_int_equal(world_audited(w, "\"code\":\"files_removed\"", NULL), 0);
	pass(w); /* recorded first, and gone when that is on disk */
	assert_int_equal(world_audited(w, "\"code\":\"files_removed\"", "\"first\":\"1\""), 1);
	assert_int_equal(closed_files(w), 0);
	pass(w);
	assert_int_equal(world_audited(w, "\"code\":\"files_removed\"", NULL), 1);
	assert_true(audit_verify(w->aid.path, w->aid.audit_path, &found, &err));
	assert_true(found.first > 2);
	assert_true(found.outside >= found.first - 1);
	assert_int_equal(strlen(found.before), 16);
}

TEST(no_file_goes_before_the_witness_has_it_or_without_one)
{
	struct world w;

	world_open(&w, BUCKET, KEEP, NULL);
	write_days(&w);
	world_due(&w, TIMER_WITNESS);
	answer(&w, &refused);
	pass(&w);
	pass(&w);
	assert_int_equal(closed_files(&w), 2);
	assert_int_equal(world_audited(&w, "\"code\":\"files_removed\"", NULL), 0);
	world_close(&w);

	world_open(&w, KEEP, NULL);
	write_days(&w);
	pass(&w);
	pass(&w);
	assert_int_equal(closed_files(&w), 2);
	world_close(&w);
}

/* --- AUDIT_WITNESS_MAX_MINUTES --- */

/* The witness is lost for so long that nothing new may start. */
static void
lose(struct world *w)
{
	int64_t at;

	world_writes_entries(w, 1);
	at = w->aid.at;
	do {
		world_due(w, TIMER_WITNESS);
		answer(w, &refused);
	} while (w->aid.at <= at + 30 * MINUTE);
}

static void
find(struct world *w)
{
	world_due(w, TIMER_WITNESS);
	answer(w, &good);
}

WORLD_TEST_OF(nothing_new_starts_without_a_witness_and_what_makes_safe_does, BUCKET,
    "AUDIT_WITNESS_MAX_MINUTES=30", "STAGING_CONFIRM=false")
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	lose(w);
	assert_non_null(
	    world_says(w, "⏳ Deployments wait: all environments, the audit log's copy is late\n"));
	world_answers(w, WORLD_ADMIN, "/deploy staging", "⏳ Not deployed: ");
	assert_non_null(world_says(w, "the audit log's copy is late by "));
	assert_null(world_says(w, "AUDIT_WITNESS_MAX_MINUTES")); /* no name of a setting */
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(world_audited(w, "\"code\":\"denied_held\"", "\"without_witness\":"), 1);

	world_answers(w, WORLD_ADMIN, "/lock staging 1h a reason", "🔒 Locked: ");
	assert_non_null(world_says(w, "ends it.\n⏳ without witness"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging 1h another");
	assert_non_null(strstr(world_says(w, "Locked already")->text, "\n⏳ without witness"));
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_true(world_audited(w, "\"code\":\"lock_begun\"", "\"without_witness\":") == 1);
	assert_true(world_audited(w, "\"code\":\"lock_ended\"", "\"without_witness\":") == 1);
	(void)world_text(w, WORLD_ADMIN, "/status");
	(void)world_rolls_back(w, "/rollback staging");
	assert_non_null(world_says(w, "without witness: the audit log's copy was late"));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_true(world_audited(w, "\"code\":\"rollback_started\"", "\"without_witness\":") == 1);
}

WORLD_TEST_OF(a_push_waits_for_the_witness_and_goes_on_when_it_is_back, BUCKET,
    "AUDIT_WITNESS_MAX_MINUTES=30", "STAGING_CONFIRM=false")
{
	lose(w);
	world_push_is_at(w, COMMIT_A);
	assert_non_null(world_says(w, "⏳ Push waits: "));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	find(w);
	assert_non_null(
	    world_says(w, "Deployments resume: all environments, the audit log's copy is"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* A PUT whose answer takes so long: nobody has said that nothing starts, nor that all goes on. */
WORLD_TEST_OF(what_began_to_wait_before_anybody_said_so_goes_on_too, BUCKET,
    "AUDIT_WITNESS_MAX_MINUTES=30", "STAGING_CONFIRM=false")
{
	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	w->aid.at += 31 * MINUTE;
	world_push_is_at(w, COMMIT_A);
	assert_non_null(world_says(w, "⏳ Push waits: "));
	assert_false(row_of(w).is_late);
	answer(w, &good);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* It has confirmed nothing, and the first entry is old. */
WORLD_TEST_OF(of_a_new_bucket_everything_new_is_held_until_the_first_put, BUCKET,
    "AUDIT_WITNESS_MAX_MINUTES=30", "STAGING_CONFIRM=false")
{
	world_writes_entries(w, 1);
	world_due(w, TIMER_WITNESS);
	answer(w, &good);
	w->aid.at += 31 * MINUTE;
	world_settings(w, "AUDIT_S3_BUCKET=other", "AUDIT_S3_REGION=eu-central-1",
	    "AUDIT_WITNESS_MAX_MINUTES=30", "STAGING_CONFIRM=false", NULL);
	world_answers(w, WORLD_ADMIN, "/deploy staging", "⏳ Not deployed: ");
	assert_non_null(world_says(w, "the audit log's copy is late"));
	find(w);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

WORLD_TEST_OF(
    without_a_witness_each_environment_is_marked_as_held, BUCKET, "AUDIT_WITNESS_MAX_MINUTES=30")
{
	lose(w);
	assert_int_equal(world_environment(w, "staging").held, ENVIRONMENT_IS_UNWITNESSED);
	assert_int_equal(world_environment(w, "production").held, ENVIRONMENT_IS_UNWITNESSED);
	world_answers(w, WORLD_ADMIN, "/queue", "production\n⏳ the audit log's copy is late");
	find(w);
	assert_int_equal(world_environment(w, "staging").held, 0);
}

WORLD_TEST_OF(an_action_is_refused_and_one_that_restores_is_not, BUCKET,
    "AUDIT_WITNESS_MAX_MINUTES=30", "CLIENTS=acme",
    "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef",
    "CLIENT_ACME_ACTIONS=cf-under-attack,cf-normal",
    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv")
{
	lose(w);
	world_answers(
	    w, WORLD_ADMIN, "/do cf-under-attack acme", "Not done: client/acme cf-under-attack");
	assert_non_null(world_says(w, "the audit log's copy is late by"));
	(void)world_text(w, WORLD_ADMIN, "/do cf-normal acme medium");
	assert_int_equal(world_newest(w, "client/acme").id, 1);
}

/* However much later each of them is. */
WORLD_TEST_OF(an_action_that_is_refused_again_and_again_is_one_entry_and_counted, BUCKET,
    "AUDIT_WITNESS_MAX_MINUTES=30", "CLIENTS=acme",
    "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef",
    "CLIENT_ACME_ACTIONS=cf-under-attack",
    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv")
{
	lose(w);
	for (int i = 0; i < 20; i++) {
		w->aid.at += MINUTE;
		(void)world_text(w, WORLD_ADMIN, "/do cf-under-attack acme");
	}
	assert_int_equal(world_audited(w, "\"code\":\"denied_held\"", NULL), 1);
	world_due(w, TIMER_STRANGERS);
	assert_int_equal(world_audited(w, "\"code\":\"denied_held\"", "\"count\":\"19\""), 1);
}

WORLD_TEST_OF(
    as_long_as_it_is_not_asked_for_a_lost_witness_holds_nothing, BUCKET, "STAGING_CONFIRM=false")
{
	lose(w);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_int_equal(world_audited(w, "without_witness", NULL), 0);
}
