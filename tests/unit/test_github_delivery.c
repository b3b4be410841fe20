/* Goal: a signed body becomes the delivery that its name says, or is refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_delivery.h"

#include "forges/forge_row.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "tests/unit/github_sample.h"
#include "unit.h"

#define AFTER GITHUB_SAMPLE_AFTER
#define ZEROS "0000000000000000000000000000000000000000"
#define REPO  "\"repository\":{\"full_name\":\"o/r\",\"id\":7}"
#define PUSH(ref, after) \
	"{\"ref\":\"" ref "\",\"before\":\"" ZEROS "\",\"after\":\"" after \
	"\",\"commits\":[]," REPO "}"

struct decoded {
	bool is_good;
	int status;
	struct event *event; /* the one that was appended; NULL: none */
};

static struct event *
raw_event(enum delivery_kind kind, const char *body, size_t size)
{
	struct event *raw = event_new(EVENT_DELIVERY);

	raw->u.delivery.kind = kind;
	memcpy(raw->u.delivery.id, "72d3162e-cc78-11e3", 19);
	memset(raw->u.delivery.digest, 0xab, sizeof(raw->u.delivery.digest));
	raw->raw.data = malloc(size == 0 ? 1 : size); /* exactly: ASan sees a byte too far */
	memcpy(raw->raw.data, body, size);
	raw->raw.size = size;
	return raw;
}

static struct decoded
decode_with(bool (*decoder)(struct event *, struct queue_list *, int *, int64_t *),
    enum delivery_kind kind, const char *body)
{
	struct event *raw = raw_event(kind, body, strlen(body));
	struct decoded ret = { .status = -1 };
	struct queue_list events = { 0 };
	struct queue_link *link;
	int64_t offset = 42;

	ret.is_good = decoder(raw, &events, &ret.status, &offset);
	assert_int_equal(offset, 42);
	assert_true(events.length <= 1);
	link = queue_list_take(&events);
	ret.event = link == NULL ? NULL : QUEUE_ITEM(link, struct event, link);
	event_free(raw);
	return ret;
}

static struct decoded
decode(enum delivery_kind kind, const char *body)
{
	return decode_with(forge_decode, kind, body);
}

static void
assert_refused(struct decoded d)
{
	assert_false(d.is_good);
	assert_int_equal(d.status, 400);
	assert_non_null(d.event);
	assert_int_equal(d.event->kind, EVENT_REJECTED);
	assert_string_equal(d.event->u.rejected.source, "github");
	assert_int_equal(d.event->u.rejected.count, 1);
	event_free(d.event);
}

TEST(a_push_keeps_what_the_route_knew_and_gains_what_the_body_says)
{
	struct delivery *delivery;
	struct decoded d;
	struct buf push;

	buf_init(&push, 1 << 20);
	github_sample_push(&push, "refs/heads/feature/main", 3);
	d = decode(DELIVERY_PUSH, buf_text(&push));
	assert_true(d.is_good);
	assert_int_equal(d.event->kind, EVENT_DELIVERY);
	assert_int_equal(d.event->source, SOURCE_NONE);
	delivery = &d.event->u.delivery;
	assert_int_equal(delivery->kind, DELIVERY_PUSH);
	assert_string_equal(delivery->id, "72d3162e-cc78-11e3");
	assert_int_equal(delivery->digest[31], 0xab);
	assert_string_equal(delivery->repository, "Codertocat/Hello-World");
	assert_string_equal(delivery->branch, "feature/main");
	assert_string_equal(delivery->after, AFTER);
	assert_string_equal(delivery->login, "Codertocat");
	assert_int_equal(delivery->sender, 21031067);
	assert_true(delivery->forced);
	assert_false(delivery->deleted);
	event_free(d.event);
	buf_done(&push);
}

TEST(only_a_head_is_a_branch)
{
	static const struct {
		const char *body;
		const char *branch;
	} cases[] = {
		{ PUSH("refs/heads/main", AFTER), "main" },
		{ PUSH("refs/heads/tags/x", AFTER), "tags/x" },
		{ PUSH("refs/heads/$(touch x);`y`", AFTER), "$(touch x);`y`" },
		{ PUSH("refs/heads/--upload-pack=x", AFTER), "--upload-pack=x" },
		{ PUSH("refs/tags/v1", AFTER), "" },
		{ PUSH("refs/heads", AFTER), "" },
		{ PUSH("refs/heads/", AFTER), "" },
		{ PUSH("xrefs/heads/main", AFTER), "" },
		{ PUSH("main", AFTER), "" },
		{ PUSH("", AFTER), "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decoded d = decode(DELIVERY_PUSH, cases[i].body);

		assert_true(d.is_good);
		assert_string_equal(d.event->u.delivery.branch, cases[i].branch);
		event_free(d.event);
	}
}

TEST(a_branch_that_no_setting_can_name_is_none_and_not_another)
{
	struct buf body;
	struct decoded d;

	for (size_t size = LIMIT_REF - 1; size <= LIMIT_REF; size++) {
		buf_init(&body, 1 << 20);
		buf_adds(&body, "{\"ref\":\"refs/heads/");
		for (size_t i = 0; i < size; i++)
			buf_addc(&body, 'a');
		buf_adds(&body, "\",\"after\":\"" AFTER "\"," REPO "}");
		d = decode(DELIVERY_PUSH, buf_text(&body));
		assert_true(d.is_good);
		assert_int_equal(strlen(d.event->u.delivery.branch), size == LIMIT_REF ? 0 : size);
		event_free(d.event);
		buf_done(&body);
	}
}

TEST(a_deletion_says_so)
{
	struct decoded d = decode(DELIVERY_PUSH,
	    "{\"ref\":\"refs/heads/x\",\"after\":\"" ZEROS "\",\"deleted\":true," REPO "}");

	assert_true(d.is_good);
	assert_true(d.event->u.delivery.deleted);
	event_free(d.event);
}

TEST(a_push_that_lacks_what_a_push_has_is_refused)
{
	static const char *const bad[] = {
		"{}",
		"{\"zen\":\"x\"," REPO "}",
		"{\"after\":\"" AFTER "\"," REPO "}",
		"{\"ref\":7,\"after\":\"" AFTER "\"," REPO "}",
		"{\"ref\":\"refs/heads/x\"," REPO "}",
		"{\"ref\":\"refs/heads/x\",\"after\":\"" AFTER "\"}",
		"{\"ref\":\"refs/heads/x\",\"after\":\"" AFTER "\",\"repository\":\"o/r\"}",
		PUSH("refs/heads/x", "1a2b3c4"),
		PUSH("refs/heads/x", AFTER "0"),
		PUSH("refs/heads/x", "1A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D"),
		PUSH("refs/heads/x", "--upload-pack=xxxxxxxxxxxxxxxxxxxxxxxxxx"),
		PUSH("refs/heads/a\\nb", AFTER),
		PUSH("refs/heads/a\\u001bb", AFTER),
		"{\"ref\":\"refs/heads/a\",\"ref\":\"refs/heads/b\",\"after\":\"" AFTER "\"," REPO
		"}",
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(decode(DELIVERY_PUSH, bad[i]));
}

TEST(a_commit_of_a_sha256_repository_is_taken_whole)
{
	static const char after[] =
	    "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809";
	struct decoded d = decode(DELIVERY_PUSH,
	    PUSH("refs/heads/x",
		"1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"));

	assert_true(d.is_good);
	assert_string_equal(d.event->u.delivery.after, after);
	event_free(d.event);
}

TEST(a_captured_push_cannot_be_played_as_something_else)
{
	assert_refused(decode(DELIVERY_PING, PUSH("refs/heads/x", AFTER)));
	assert_refused(decode(DELIVERY_OTHER, PUSH("refs/heads/x", AFTER)));
	assert_refused(decode(DELIVERY_PING, "{\"action\":\"created\"}"));
	assert_refused(decode(DELIVERY_PUSH, "{\"zen\":\"Keep it logically awesome.\"}"));
}

TEST(pings_and_events_that_we_do_not_know_are_deliveries)
{
	struct decoded d = decode(DELIVERY_PING, "{\"zen\":\"Half measures.\",\"hook_id\":1}");

	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_PING);
	assert_string_equal(d.event->u.delivery.repository, "");
	event_free(d.event);
	d = decode(DELIVERY_OTHER, "{\"ref\":\"v1\",\"ref_type\":\"tag\"," REPO "}");
	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_OTHER);
	assert_string_equal(d.event->u.delivery.repository, "o/r");
	event_free(d.event);
}

/* GitHub Enterprise Server sends it about a replica, some three an hour. */
TEST(a_cache_sync_is_no_push)
{
	struct decoded d = decode(DELIVERY_OTHER,
	    "{\"before\":\"" ZEROS "\",\"after\":\"" AFTER "\",\"ref\":\"refs/heads/main\"," REPO
	    "}");

	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_OTHER);
	event_free(d.event);
}

/* What cannot be a push by any name decides nothing, and is not read. */
TEST(only_what_is_asked_for_or_may_be_a_push_is_read)
{
	static char large[(64 << 10) + 1], huge[(1 << 20) + 1];
	char star[] = "{\"action\":\"created\"}", push[] = PUSH("refs/heads/x", AFTER);
	const struct {
		const char *event;
		struct bytes body;
		enum delivery_kind kind;
		bool is_asked;
	} rows[] = {
		{ "push", { star, strlen(star) }, DELIVERY_PUSH, true },
		{ "ping", { star, strlen(star) }, DELIVERY_PING, true },
		{ "star", { star, strlen(star) }, DELIVERY_OTHER, false },
		{ "workflow_run", { star, strlen(star) }, DELIVERY_WORKFLOW_RUN, true },
		{ "workflow_run", { huge, sizeof(huge) }, DELIVERY_WORKFLOW_RUN, true },
		{ "Push", { star, strlen(star) }, DELIVERY_OTHER, false },
		{ "star", { push, strlen(push) }, DELIVERY_OTHER, true },
		{ "star", { large, sizeof(large) - 1 }, DELIVERY_OTHER, false },
		{ "star", { large, sizeof(large) }, DELIVERY_OTHER, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		enum delivery_kind kind;

		assert_int_equal(github_delivery_is_asked(rows[i].event, &rows[i].body, &kind),
		    rows[i].is_asked);
		assert_int_equal(kind, rows[i].kind);
	}
}

TEST(a_login_with_marks_in_it_is_made_harmless)
{
	struct decoded d = decode(
	    DELIVERY_PING, "{\"zen\":\"x\",\"sender\":{\"login\":\"a\\nb\\u202e<c>\",\"id\":1e3}}");

	assert_true(d.is_good);
	assert_string_equal(d.event->u.delivery.login,
	    "a?b?"
	    "?"
	    "?<c>");
	assert_int_equal(d.event->u.delivery.sender, 0);
	event_free(d.event);
}

TEST(a_form_is_undone_before_it_is_read)
{
	struct decoded d = decode_with(forge_decode_form, DELIVERY_PUSH,
	    "payload=%7B%22ref%22%3A+%22refs%2fheads%2Ffeature%2Ba%22%2C%22after%22:%22" AFTER
	    "%22,%22repository%22:{%22full_name%22:%22o/r%22}}");

	assert_true(d.is_good);
	assert_string_equal(d.event->u.delivery.branch, "feature+a");
	event_free(d.event);
}

TEST(a_form_of_any_other_shape_is_refused)
{
	static const char *const bad[] = { "", "payload", "payload=", "Payload={}",
		"a=1&payload={}", "payload={}&a=1", "payload={}&payload={}", "payload=%7",
		"payload=%7B%7", "payload=%7B%7G", "payload=%", "payload={%00}" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_refused(decode_with(forge_decode_form, DELIVERY_OTHER, bad[i]));
	}
	assert_refused(decode_with(forge_decode, DELIVERY_OTHER, "payload={}"));
}

/* --- a walk over the kinds --- */

static const char *const words[] = { "",
#define KIND(name, word, ...) word,
	DELIVERY_KINDS(KIND)
#undef KIND
};

/* What GitHub sends of a kind. */
static char *
sample_of(enum delivery_kind kind)
{
	char path[128];
	struct err err;
	char *body;
	size_t size;

	(void)snprintf(path, sizeof(path), "tests/fixtures/deliveries/%s.json", words[kind]);
	body = file_read(path, 1 << 20, &size, &err);
	if (body == NULL)
		fail_msg("a kind needs what GitHub sends of it: %s", err.text);
	return body;
}

#define EACH_KIND(k) \
	enum delivery_kind k = DELIVERY_OTHER + 1; \
	k < DELIVERY_KIND_COUNT; \
	k++

/* The name of an event is not signed. */
TEST(each_kind_takes_what_github_sends_of_it_and_of_no_other)
{
	for (EACH_KIND(body)) {
		CLEANUP(freep) char *sample = sample_of(body);

		for (EACH_KIND(name)) {
			struct decoded d = decode(name, sample);

			if (name != body) {
				if (d.is_good)
					fail_msg("a %s is taken as a %s", words[body], words[name]);
				assert_refused(d);
				continue;
			}
			assert_true(d.is_good);
			assert_int_equal(d.event->u.delivery.kind, body);
			assert_true(d.event->u.delivery.repository[0] != '\0');
			assert_true(d.event->u.delivery.repository_id > 0);
			event_free(d.event);
		}
	}
}
TEST(a_body_that_could_be_of_two_kinds_is_of_none)
{
	static const char *const own[] = { NULL,
#define KIND(name, word, forge, own, ...) own,
		DELIVERY_KINDS(KIND)
#undef KIND
	};
	size_t n = 0;

	for (EACH_KIND(body))
		for (EACH_KIND(other)) {
			CLEANUP(freep) char *sample = sample_of(body);
			CLEANUP(buf_done) struct buf both = buf_make(1 << 20);

			/* What makes a push is a push whatever else it has. */
			if (other == body || strstr(sample, "\"action\"") == NULL)
				continue;
			buf_addf(&both, "{\"%s\":{},%s", own[other], sample + 1);
			assert_refused(decode(body, buf_text(&both)));
			n++;
		}
	assert_true(n > 0);
}

TEST(above_its_bound_a_kind_is_not_read)
{
	for (EACH_KIND(kind)) {
		CLEANUP(freep) char *sample = sample_of(kind);
		CLEANUP(buf_done) struct buf body = buf_make(4 << 20);
		struct decoded d;

		buf_adds(&body, sample);
		while (body.size < 1 << 20)
			buf_addc(&body, ' ');
		d = decode(kind, buf_text(&body));
		assert_true(d.is_good && !d.event->u.delivery.is_large);
		event_free(d.event);
		buf_addc(&body, ' ');
		d = decode(kind, buf_text(&body));
		assert_true(d.is_good);
		assert_int_equal(d.event->u.delivery.kind, kind);
		assert_int_equal(
		    d.event->u.delivery.is_large, strstr(sample, "\"action\"") != NULL);
		event_free(d.event);
	}
}

#define JOB_OF(action, repository, job) \
	"{\"action\":" action ",\"repository\":" repository ",\"workflow_job\":{" job "}}"
#define JOB(action, job) JOB_OF(action, "{\"full_name\":\"o/r\",\"id\":7}", job)
#define IDS		 "\"id\":9,\"run_id\":8,\"run_attempt\":2"
#define WELL		 IDS ",\"conclusion\":\"success\""

TEST(a_job_says_how_it_ended)
{
	struct decoded d = decode(DELIVERY_WORKFLOW_JOB, JOB("\"completed\"", WELL));
	const struct delivery *delivery = &d.event->u.delivery;

	assert_true(d.is_good);
	assert_int_equal(delivery->kind, DELIVERY_WORKFLOW_JOB);
	assert_string_equal(delivery->repository, "o/r");
	assert_int_equal(delivery->repository_id, 7);
	assert_string_equal(delivery->job->of.check_run, "9");
	assert_string_equal(delivery->job->of.run, "8");
	assert_string_equal(delivery->job->of.repository_id, "7");
	assert_int_equal(delivery->job->of.attempt, 2);
	assert_string_equal(delivery->job->conclusion, "success");
	event_free(d.event);
	d = decode(DELIVERY_WORKFLOW_JOB, JOB("\"in_progress\"", IDS ",\"conclusion\":null"));
	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_OTHER);
	event_free(d.event);
}

TEST(a_job_that_lacks_what_a_job_has_is_refused)
{
	static const char *const bad[] = { "{}", "[]", "{\"workflow_job\":{}}", JOB("null", WELL),
		JOB("7", WELL), JOB("\"completed\"", IDS),
		JOB("\"completed\"", IDS ",\"conclusion\":\"\""),
		JOB("\"completed\"", IDS ",\"conclusion\":\"a\\nb\""),
		JOB("\"completed\"", IDS ",\"conclusion\":\"123456789012345678901234\""),
		JOB("\"completed\"", "\"id\":\"9\",\"run_id\":8,\"run_attempt\":2"),
		JOB("\"completed\"", "\"id\":0,\"run_id\":8,\"run_attempt\":2"),
		JOB("\"completed\"", "\"id\":9,\"run_id\":-8,\"run_attempt\":2"),
		JOB("\"completed\"", "\"id\":9,\"run_id\":8"),
		JOB_OF("\"completed\"", "{\"full_name\":\"o/r\"}", WELL),
		JOB_OF("\"completed\"", "{\"full_name\":\"o/\\nr\",\"id\":7}", WELL),
		JOB_OF("\"completed\"", "{\"id\":7}", WELL),
		("{\"action\":\"completed\",\"repository\":{\"full_name\":\"o/r\",\"id\":7},"
		 "\"workflow_job\":[]}") };

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(decode(DELIVERY_WORKFLOW_JOB, bad[i]));
}

#define CALLBACK(of, behind) \
	"\"deployment_callback_url\":\"https://169.254.169.254/api/v3/repos/" of \
	"/actions/runs/" behind "\""
#define RULE_OF(action, deployment, environment, callback) \
	"{\"action\":" action "," REPO ",\"sender\":{\"login\":\"mona\",\"id\":7}," \
	"\"event\":\"push\",\"deployment\":" deployment ",\"environment\":" environment \
	"," callback "}"
#define DEPLOYMENT "{\"id\":5,\"sha\":\"" AFTER "\",\"ref\":\"fix/cart\"}"
#define THERE	   CALLBACK("o/r", "4711/deployment_protection_rule")

TEST(a_rule_says_which_run_waits_at_which_environment)
{
	struct decoded d = decode(
	    DELIVERY_GATE_RULE, RULE_OF("\"requested\"", DEPLOYMENT, "\"Live shop\"", THERE));
	const struct delivery_job *job = d.event->u.delivery.job;

	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_GATE_RULE);
	assert_string_equal(job->of.run, "4711");
	assert_string_equal(job->of.sha, AFTER);
	assert_string_equal(job->of.repository, "o/r");
	assert_string_equal(job->of.repository_id, "7");
	assert_string_equal(job->of.event, "push");
	assert_string_equal(job->of.actor, "mona");
	assert_int_equal(job->of.actor_id, 7);
	assert_int_equal(job->deployment, 5);
	assert_string_equal(job->environment, "Live shop");
	assert_string_equal(job->branch, "fix/cart");
	event_free(d.event);
	d = decode(DELIVERY_GATE_RULE, RULE_OF("\"created\"", DEPLOYMENT, "\"x\"", THERE));
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_OTHER);
	event_free(d.event);
}

/* The run alone is taken of that URL, and only where it stands below its own repository. */
TEST(a_rule_that_lacks_what_a_rule_has_is_refused)
{
#define ASKS(deployment, environment, callback) \
	RULE_OF("\"requested\"", deployment, environment, callback)
	static const char *const bad[] = { ASKS("null", "\"x\"", THERE),
		ASKS("{\"id\":5}", "\"x\"", THERE),
		ASKS("{\"id\":0,\"sha\":\"" AFTER "\"}", "\"x\"", THERE),
		ASKS("{\"id\":5,\"sha\":\"main\"}", "\"x\"", THERE),
		ASKS(DEPLOYMENT, "\"\"", THERE), ASKS(DEPLOYMENT, "\"a\\nb\"", THERE),
		ASKS(DEPLOYMENT, "7", THERE), RULE_OF("null", DEPLOYMENT, "\"x\"", THERE),
		ASKS(DEPLOYMENT, "\"x\"", "\"deployment_callback_url\":7"),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/other", "4711/deployment_protection_rule")),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/r", "/deployment_protection_rule")),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/r", "x/deployment_protection_rule")),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/r", "0/deployment_protection_rule")),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/r", "-1/deployment_protection_rule")),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/r", "4711/../1/deployment_protection_rule")),
		ASKS(DEPLOYMENT, "\"x\"", CALLBACK("o/r", "4711/deployment_protection_rule?x")),
		ASKS(DEPLOYMENT, "\"x\"",
		    CALLBACK("o/r", "471147114711471147114711/deployment_protection_rule")) };

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(decode(DELIVERY_GATE_RULE, bad[i]));
}

#define REVIEW_OF(action, run, environment) \
	"{\"action\":" action "," REPO ",\"sender\":{\"login\":\"mona\",\"id\":7}," \
	"\"since\":\"2026-11-27T07:00:00Z\",\"workflow_run\":" run ",\"environment\":" environment \
	"}"
#define WAITING \
	"{\"id\":4711,\"run_attempt\":2,\"head_sha\":\"" AFTER \
	"\",\"event\":\"push\",\"head_branch\":\"fix/cart\"}"

TEST(a_review_says_which_run_waits_at_which_environment)
{
	struct decoded d =
	    decode(DELIVERY_GATE_REVIEW, REVIEW_OF("\"requested\"", WAITING, "\"Live shop\""));
	const struct delivery_job *job = d.event->u.delivery.job;

	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_GATE_REVIEW);
	assert_string_equal(job->of.run, "4711");
	assert_string_equal(job->of.sha, AFTER);
	assert_string_equal(job->of.event, "push");
	assert_string_equal(job->of.actor, "mona");
	assert_int_equal(job->of.actor_id, 7);
	assert_int_equal(job->of.attempt, 2);
	assert_string_equal(job->branch, "fix/cart");
	assert_int_equal(job->deployment, 0);
	assert_string_equal(job->environment, "Live shop");
	event_free(d.event);
	d = decode(DELIVERY_GATE_REVIEW, REVIEW_OF("\"approved\"", "null", "null"));
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_OTHER);
	event_free(d.event);
	d = decode(DELIVERY_WORKFLOW_RUN, REVIEW_OF("\"requested\"", WAITING, "\"x\""));
	assert_refused(d);
}

TEST(a_review_that_lacks_what_a_review_has_is_refused)
{
	static const char *const bad[] = { REVIEW_OF("\"requested\"", "null", "\"x\""),
		REVIEW_OF("\"requested\"", WAITING, "7"), REVIEW_OF("null", WAITING, "\"x\""),
		REVIEW_OF("\"requested\"", "{\"id\":4711}", "\"x\""),
		REVIEW_OF("\"requested\"",
		    "{\"id\":4711,\"run_attempt\":1,\"head_sha\":\"main\",\"event\":\"push\"}",
		    "\"x\""),
		REVIEW_OF("\"requested\"",
		    "{\"id\":\"4711\",\"run_attempt\":1,\"head_sha\":\"" AFTER
		    "\",\"event\":\"push\"}",
		    "\"x\""),
		"{\"action\":\"requested\"," REPO ",\"workflow_run\":" WAITING
		",\"environment\":\"x\"}" };

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(decode(DELIVERY_GATE_REVIEW, bad[i]));
}

TEST(a_run_says_of_which_repository_it_is)
{
	assert_refused(decode(DELIVERY_WORKFLOW_RUN,
	    "{\"action\":\"completed\",\"repository\":{\"full_name\":\"o/other\",\"id\":8},"
	    "\"workflow_run\":{\"id\":9,\"run_number\":2," REPO
	    ",\"head_branch\":\"main\",\"head_sha\":\"" AFTER
	    "\",\"path\":\".github/workflows/ci.yml\",\"head_repository\":{\"id\":7},"
	    "\"event\":\"push\",\"status\":\"queued\"}}"));
}

#define RUN_ON(branch, head, more) \
	"{\"action\":\"completed\"," REPO ",\"workflow_run\":{\"id\":9,\"run_number\":2," REPO \
	",\"head_branch\":" branch ",\"head_sha\":\"" AFTER \
	"\",\"path\":\".github/workflows/ci.yml\"," \
	"\"head_repository\":" head "," more "}}"
#define RUN_BY(head, more) RUN_ON("\"main\"", head, more)
#define RUN(more)	   RUN_BY("{\"id\":7}", more)
#define OF_A_PUSH	   "\"event\":\"push\",\"status\":\"completed\",\"conclusion\":\"success\""

TEST(a_run_is_known_by_its_file_and_its_commit)
{
	struct decoded d = decode(DELIVERY_WORKFLOW_RUN,
	    RUN(OF_A_PUSH
		",\"actor\":{\"login\":\"ann\"},\"triggering_actor\":{\"login\":\"bob\"}"));
	const struct pipeline_run *run;

	assert_true(d.is_good);
	assert_int_equal(d.event->u.delivery.kind, DELIVERY_WORKFLOW_RUN);
	assert_string_equal(d.event->u.delivery.repository, "o/r");
	run = d.event->u.delivery.run;
	assert_string_equal(run->file, "ci.yml");
	assert_string_equal(run->commit, AFTER);
	assert_string_equal(run->repository_id, "7");
	assert_string_equal(run->conclusion, "success");
	assert_int_equal(run->run, 9);
	assert_int_equal(run->number, 2);
	assert_int_equal(run->attempt, 1);
	assert_string_equal(run->actor, "ann"); /* who presses "re-run" has not broken it */
	event_free(d.event);
}

TEST(how_far_a_run_is_and_whether_it_counts)
{
	static const struct {
		const char *body;
		enum delivery_kind kind;
		enum pipeline_rank rank;
		bool is_no_ci;
	} rows[] = {
		{ RUN("\"event\":\"push\",\"status\":\"in_progress\",\"conclusion\":null"),
		    DELIVERY_WORKFLOW_RUN, PIPELINE_RUNS, false },
		{ RUN("\"event\":\"push\",\"status\":\"waiting\",\"conclusion\":\"success\""),
		    DELIVERY_WORKFLOW_RUN, PIPELINE_REQUESTED, false },
		{ RUN("\"event\":\"workflow_dispatch\",\"status\":\"queued\""),
		    DELIVERY_WORKFLOW_RUN, PIPELINE_REQUESTED, false },
		{ RUN("\"event\":\"pull_request\",\"status\":\"queued\""), DELIVERY_OTHER,
		    PIPELINE_REQUESTED, false },
		{ RUN("\"event\":\"schedule\",\"status\":\"queued\""), DELIVERY_WORKFLOW_RUN,
		    PIPELINE_REQUESTED, true },
		{ RUN_BY("{\"id\":8}", OF_A_PUSH), DELIVERY_OTHER, PIPELINE_IS_OVER, false },
		{ RUN_BY("null", OF_A_PUSH), DELIVERY_OTHER, PIPELINE_IS_OVER, false },
		{ RUN_ON("null", "{\"id\":7}", OF_A_PUSH), DELIVERY_OTHER, PIPELINE_IS_OVER,
		    false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode(DELIVERY_WORKFLOW_RUN, rows[i].body);

		assert_true(d.is_good);
		assert_int_equal(d.event->u.delivery.kind, rows[i].kind);
		assert_int_equal(d.event->u.delivery.run->rank, rows[i].rank);
		assert_int_equal(d.event->u.delivery.run->counts,
		    rows[i].kind == DELIVERY_WORKFLOW_RUN && !rows[i].is_no_ci);
		event_free(d.event);
	}
}

TEST(a_run_that_lacks_what_a_run_has_is_refused)
{
	static const char *const bad[] = { "{}", "[]", "{\"action\":\"completed\"}",
		RUN("\"event\":\"push\",\"status\":\"completed\""),
		RUN("\"event\":\"push\",\"status\":\"completed\",\"conclusion\":\"a\\nb\""),
		RUN("\"status\":\"queued\""), RUN("\"event\":\"push\""),
		RUN(OF_A_PUSH ",\"run_attempt\":0"), RUN(OF_A_PUSH ",\"id\":10"),
		"{\"workflow_run\":{}}", PUSH("refs/heads/x", AFTER) };

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(decode(DELIVERY_WORKFLOW_RUN, bad[i]));
}

/* A list of runs has the ref behind a path, and a file's name may have it too. */
TEST(a_file_is_known_by_all_of_its_name)
{
	static const struct {
		const char *body, *file;
	} rows[] = { { ".github/workflows/ci.yml@main", "ci.yml" },
		{ ".github/workflows/ci.yml@x.yml", "ci.yml@x.yml" },
		{ ".github/workflows/ci.yml@other", "ci.yml@other" } };
	static const char run[] = RUN(OF_A_PUSH);

	for (size_t i = 0; i < COUNT(rows); i++) {
		char body[1024];
		struct decoded d;
		const char *at = strstr(run, ".github/workflows/ci.yml");

		(void)snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - run), run, rows[i].body,
		    at + strlen(".github/workflows/ci.yml"));
		d = decode(DELIVERY_WORKFLOW_RUN, body);
		assert_string_equal(d.event->u.delivery.run->file, rows[i].file);
		event_free(d.event);
	}
}

/* ".gitlab-ci.yml" is what the settings call the one pipeline of a project at GitLab. */
TEST(a_file_that_no_setting_can_name_is_of_no_workflow)
{
	static const char *const paths[] = { ".github/workflows/.gitlab-ci.yml",
		".github/workflows/.ci.yml", ".gitlab-ci.yml", "dynamic/pages/pages-build" };
	static const char run[] = RUN(OF_A_PUSH);

	for (size_t i = 0; i < COUNT(paths); i++) {
		char body[1024];
		struct decoded d;
		const char *at = strstr(run, ".github/workflows/ci.yml");

		(void)snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - run), run, paths[i],
		    at + strlen(".github/workflows/ci.yml"));
		d = decode(DELIVERY_WORKFLOW_RUN, body);
		assert_string_equal(d.event->u.delivery.run->file, "");
		assert_false(d.event->u.delivery.run->counts);
		event_free(d.event);
	}
}

/* A captured delivery of one kind is none of another. */
TEST(a_push_with_a_run_in_it_is_neither)
{
	assert_refused(decode(DELIVERY_WORKFLOW_RUN,
	    "{\"ref\":\"refs/heads/x\",\"after\":\"" AFTER "\"," /* and all of a run */
	    "\"action\":\"completed\",\"workflow_run\":{\"id\":9,\"run_number\":2,"
	    "\"head_branch\":\"main\",\"head_sha\":\"" AFTER
	    "\",\"path\":\".github/workflows/ci.yml\"," REPO "," OF_A_PUSH "}}"));
}
