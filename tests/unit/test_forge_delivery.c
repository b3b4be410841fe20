/* Goal: what a forge's body says becomes deliveries of its branches, or is refused whole.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_delivery.h"

#include "forges/forge_row.h"
#include "forges/github_delivery.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "types/pipeline_run.h"
#include "unit.h"

#define A     "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define ZEROS "0000000000000000000000000000000000000000"

/* Whose number is not its pipeline's; docs.gitlab.com/user/project/integrations/webhook_events. */
#define OVER(status, run) \
	"{\"object_kind\":\"build\",\"ref\":\"main\",\"build_id\":1977," \
	"\"build_name\":\"migrate\",\"build_status\":\"" status "\",\"pipeline_id\":" run \
	",\"project_id\":22," \
	"\"project\":{\"id\":22,\"path_with_namespace\":\"g/s/n\"}}"

#define GITLAB(ref, after) \
	"{\"object_kind\":\"push\",\"ref\":\"" ref "\",\"before\":\"" ZEROS "\",\"after\":" after \
	",\"user_username\":\"jo\",\"user_id\":4,\"project\":{\"path_with_namespace\":\"g/s/n\"}}"
#define GITEA(ref, after) \
	"{\"ref\":\"" ref "\",\"before\":\"" ZEROS "\",\"after\":" after \
	",\"repository\":{\"full_name\":\"o/n\"},\"sender\":{\"login\":\"jo\",\"id\":7}}"
#define CHANGE(name, hash) \
	"{\"new\":{\"type\":\"branch\",\"name\":\"" name "\",\"target\":{\"hash\":\"" hash "\"}}}"
#define BITBUCKET(changes) \
	"{\"push\":{\"changes\":" changes \
	"},\"repository\":{\"full_name\":\"o/n\"},\"actor\":{\"nickname\":\"jo\"}}"

struct decoded {
	int status; /* 200: it was read */
	struct queue_list events;
};

static struct decoded
decode_told(const struct delivery *told, const char *body)
{
	struct event *raw = event_new(EVENT_DELIVERY);
	struct decoded ret = { .status = 200 };
	int64_t offset = 42;

	raw->u.delivery = *told;
	raw->raw.size = strlen(body);
	raw->raw.data = malloc(raw->raw.size + 1);
	memcpy(raw->raw.data, body, raw->raw.size); /* no NUL: ASan sees a byte too far */
	(void)forge_decode(raw, &ret.events, &ret.status, &offset);
	assert_int_equal(offset, 42);
	event_free(raw);
	return ret;
}

static struct decoded
decode(enum delivery_forge forge, const char *body)
{
	return decode_told(&(struct delivery){ .forge = forge,
			       .id = "an-id",
			       .hook = "shop",
			       .by_id_alone = true,
			       .id_is_shared = forge == DELIVERY_BITBUCKET },
	    body);
}

static const struct delivery *
nth(const struct decoded *d, size_t n)
{
	struct queue_link *link = d->events.first;

	while (n-- > 0 && link != NULL)
		link = link->next;
	assert_non_null(link);
	return &QUEUE_ITEM(link, struct event, link)->u.delivery;
}

TEST(what_a_push_says_is_taken)
{
	static const struct {
		enum delivery_forge forge;
		const char *body, *branch, *repository;
		int64_t sender;
		bool deleted;
	} rows[] = {
		{ DELIVERY_GITLAB, GITLAB("refs/heads/main", "\"" A "\""), "main", "g/s/n", 4,
		    false },
		{ DELIVERY_GITLAB, GITLAB("refs/heads/a/b", "\"" ZEROS "\""), "a/b", "g/s/n", 4,
		    true },
		{ DELIVERY_GITLAB, GITLAB("refs/tags/v1", "\"" A "\""), "", "g/s/n", 4, false },
		{ DELIVERY_GITEA, GITEA("refs/heads/main", "\"" A "\""), "main", "o/n", 7, false },
		{ DELIVERY_GITEA, GITEA("refs/heads/main", "\"" ZEROS "\""), "main", "o/n", 7,
		    true },
		{ DELIVERY_BITBUCKET, BITBUCKET("[" CHANGE("main", A) "]"), "main", "o/n", 0,
		    false },
		{ DELIVERY_BITBUCKET, BITBUCKET("[" CHANGE("refs/heads/x", A) "]"), "refs/heads/x",
		    "o/n", 0, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode(rows[i].forge, rows[i].body);
		const struct delivery *is = nth(&d, 0);

		assert_int_equal(d.status, 200);
		assert_int_equal(is->kind, DELIVERY_PUSH);
		assert_string_equal(is->branch, rows[i].branch);
		assert_string_equal(is->repository, rows[i].repository);
		assert_string_equal(is->login, "jo");
		assert_int_equal(is->sender, rows[i].sender);
		assert_int_equal(is->deleted, rows[i].deleted);
		assert_string_equal(is->after, rows[i].deleted ? ZEROS : A);
		assert_string_equal(is->hook, "shop");
		assert_int_equal(d.events.length, 1);
		event_free_all(&d.events);
	}
}

TEST(each_ref_of_a_push_is_a_delivery_with_an_id_of_its_own)
{
	static const char body[] = BITBUCKET("[" CHANGE("a", A) "," CHANGE("b",
	    A) ",{\"new\":null,\"old\":{\"type\":\"branch\",\"name\":\"a\"}},"
	       "{\"forced\":true,\"new\":{\"type\":\"tag\",\"name\":\"a\",\"target\":{\"hash\":\"" A
	       "\"}}}]");
	struct decoded d = decode(DELIVERY_BITBUCKET, body), again;

	assert_int_equal(d.events.length, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_memory_equal(nth(&d, i)->id, "an-id.", 6);
		assert_int_equal(strlen(nth(&d, i)->id), 6 + 32);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(nth(&d, i)->id, nth(&d, k)->id);
	}
	assert_true(nth(&d, 2)->deleted && nth(&d, 3)->forced && !nth(&d, 0)->forced);
	assert_string_equal(nth(&d, 3)->branch, "");
	again = decode(DELIVERY_BITBUCKET, body);
	assert_string_equal(nth(&again, 1)->id, nth(&d, 1)->id);
	event_free_all(&again.events);
	event_free_all(&d.events);
}

TEST(an_id_that_is_not_shared_stays)
{
	struct decoded d = decode(DELIVERY_GITLAB, GITLAB("refs/heads/main", "\"" A "\""));

	assert_string_equal(nth(&d, 0)->id, "an-id");
	event_free_all(&d.events);
	d = decode_told(&(struct delivery){ .forge = DELIVERY_GITLAB,
			    .id = "0123456789012345678901234567890123456789012345",
			    .id_is_shared = true },
	    GITLAB("refs/heads/main", "\"" A "\""));
	assert_int_equal(strlen(nth(&d, 0)->id), LIMIT_DELIVERY - 1);
	event_free_all(&d.events);
}

TEST(what_is_no_push_decides_nothing)
{
	static const struct {
		enum delivery_forge forge;
		const char *body;
	} rows[] = { { DELIVERY_GITLAB, "{\"object_kind\":\"tag_push\"}" },
		{ DELIVERY_GITLAB, "{\"object_kind\":\"issue\",\"ref\":7}" },
		{ DELIVERY_GITEA, "{\"ref\":\"v1\",\"ref_type\":\"tag\",\"sha\":\"" A "\"}" },
		{ DELIVERY_GITEA, "{}" }, { DELIVERY_BITBUCKET, "{\"pullrequest\":{}}" },
		{ DELIVERY_BITBUCKET, BITBUCKET("[]") } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode(rows[i].forge, rows[i].body);

		assert_int_equal(d.status, 200);
		assert_int_equal(d.events.length, 1);
		assert_int_equal(nth(&d, 0)->kind, DELIVERY_OTHER);
		event_free_all(&d.events);
	}
}

#define PUT "\xef\xbf\xbd" /* U+FFFD */

/* Goal: whoever writes into a name or a commit what is no Unicode hides no push. */
TEST(what_is_no_unicode_is_replaced_and_a_push_all_the_same)
{
#define ODD  "n\\u0000\\ud800\xff\xc0\xaf\xed\xa0\x80"
#define SEEN "n" PUT PUT PUT PUT PUT PUT PUT PUT
	static const struct {
		enum delivery_forge forge;
		enum delivery_kind kind;
		const char *body;
	} rows[] = {
		{ DELIVERY_GITHUB, DELIVERY_PUSH,
		    "{\"ref\":\"refs/heads/" ODD "\",\"before\":\"" ZEROS "\",\"after\":\"" A
		    "\",\"commits\":[{\"message\":\"" ODD "\"}],\"head_commit\":{\"id\":\"" A
		    "\"},\"created\":false,\"deleted\":false,\"forced\":false,"
		    "\"repository\":{\"id\":1,\"full_name\":\"o/n\"},"
		    "\"sender\":{\"login\":\"jo\",\"id\":7}}" },
		{ DELIVERY_GITLAB, DELIVERY_OTHER, GITLAB("refs/heads/" ODD, "\"" A "\"") },
		{ DELIVERY_GITEA, DELIVERY_OTHER, GITEA("refs/heads/" ODD, "\"" A "\"") },
		{ DELIVERY_BITBUCKET, DELIVERY_OTHER, BITBUCKET("[" CHANGE(ODD, A) "]") },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode_told(
		    &(struct delivery){
			.forge = rows[i].forge, .kind = rows[i].kind, .id = "an-id" },
		    rows[i].body);

		assert_int_equal(d.status, 200);
		assert_int_equal(nth(&d, 0)->kind, DELIVERY_PUSH);
		assert_string_equal(nth(&d, 0)->branch, SEEN);
		event_free_all(&d.events);
	}
}

static void
assert_refused(enum delivery_forge forge, const char *body)
{
	struct decoded d = decode(forge, body);
	const struct event *event = QUEUE_ITEM(d.events.first, struct event, link);

	if (d.status != (forge == DELIVERY_GITLAB ? 202 : 400)) /* it calls no more otherwise */
		fail_msg("%.100s: %d", body, d.status);
	assert_int_equal(d.events.length, 1);
	assert_int_equal(event->kind, EVENT_REJECTED);
	assert_string_equal(event->u.rejected.source, delivery_forge_word(forge));
	assert_string_equal(event->u.rejected.application, "shop");
	event_free_all(&d.events);
}

TEST(what_is_not_what_it_says_is_refused)
{
	static const char *const any[] = { "", "[]", "7", "null", "{", "{\"ref\":1,\"ref\":1}",
		"{} x", "{\"ref\":\"\xff\"} x" };
	static const char *const gitlab[] = { "{}", "{\"object_kind\":7}", OVER("failed", "0"),
		OVER("failed", "\"31\""), "{\"object_kind\":\"build\",\"build_status\":\"failed\"}",
		GITLAB("", "\"" A "\""), GITLAB("refs/heads/a\\nb", "\"" A "\""),
		GITLAB("refs/heads/main", "null"), GITLAB("refs/heads/main", "\"1234\""),
		GITLAB("refs/heads/main", "\"1A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D\""),
		"{\"object_kind\":\"push\",\"ref\":\"refs/heads/main\",\"after\":\"" A "\"}" };
	static const char *const bitbucket[] = { BITBUCKET("7"), BITBUCKET("[7]"),
		BITBUCKET("[{}]"), BITBUCKET("[{\"new\":null,\"old\":null}]"),
		BITBUCKET("[{\"new\":{\"name\":\"a\"}}]"),
		BITBUCKET("[{\"new\":{\"type\":\"branch\",\"target\":{\"hash\":\"" A "\"}}}]"),
		/* All of it: not the one that could be read. */
		BITBUCKET("[" CHANGE("main", A) "," CHANGE("main", "x") "]") };

	for (enum delivery_forge forge = 0; forge < DELIVERY_FORGE_COUNT; forge++)
		for (size_t i = 0; i < COUNT(any); i++)
			assert_refused(forge, any[i]);
	for (size_t i = 0; i < COUNT(gitlab); i++)
		assert_refused(DELIVERY_GITLAB, gitlab[i]);
	for (size_t i = 0; i < COUNT(bitbucket); i++)
		assert_refused(DELIVERY_BITBUCKET, bitbucket[i]);
	assert_refused(DELIVERY_GITEA, GITEA("refs/heads/main", "7"));
}

/* --- a pipeline of GitLab --- */

#define OF(attributes, project, builds) \
	"{\"object_kind\":\"pipeline\",\"object_attributes\":{" attributes \
	"},\"user\":{\"id\":4,\"username\":\"jo\"},\"project\":{\"id\":22," \
	"\"path_with_namespace\":\"g/s/n\"" project "},\"commit\":{\"id\":\"" A \
	"\",\"title\":\"Fix the cart\"},\"builds\":[" builds "]}"
#define RUN "\"id\":31,\"iid\":3,\"ref\":\"main\",\"tag\":false,\"sha\":\"" A "\","
#define PIPELINE(source, status) \
	OF(RUN "\"source\":\"" source "\",\"status\":\"" status "\"", "", "")
#define BUILD(id, name, more) "{\"id\":" id ",\"stage\":\"test\",\"name\":\"" name "\"," more "}"
#define FAILED		      "\"status\":\"failed\",\"failure_reason\":\"script_failure\""

TEST(a_pipeline_of_gitlab_is_a_run_with_the_jobs_that_failed)
{
	struct decoded d = decode(DELIVERY_GITLAB,
	    OF(RUN "\"source\":\"push\",\"status\":\"failed\",\"failure_reason\":null",
		",\"ci_config_path\":\"ci/all.yml\"", /* a project has one */
		BUILD("380", "lint", FAILED ",\"allow_failure\":true") "," BUILD(
		    "379", "unit", FAILED ",\"allow_failure\":false") "," BUILD("412", "e\\n2e",
		    "\"status\":\"failed\",\"failure_reason\":\"api_failure\"") "," BUILD("381",
		    "docs", "\"status\":\"success\"")));
	const struct delivery *is = nth(&d, 0);

	assert_int_equal(d.status, 200);
	assert_int_equal(is->kind, DELIVERY_WORKFLOW_RUN);
	assert_string_equal(is->repository, "g/s/n");
	assert_null(is->job);
	assert_string_equal(is->run->repository, "g/s/n");
	assert_string_equal(is->run->repository_id, "gitlab:22");
	assert_string_equal(is->run->file, ".gitlab-ci.yml");
	assert_string_equal(is->run->branch, "main");
	assert_string_equal(is->run->commit, A);
	assert_string_equal(is->run->title, "Fix the cart");
	assert_string_equal(is->run->actor, "jo");
	assert_int_equal(is->run->run, 31);
	assert_int_equal(is->run->number, 3);
	assert_int_equal(is->run->attempt, 412);
	assert_string_equal(is->run->failed, "test › unit\ntest › e 2e: api_failure");
	assert_true(is->run->is_own && is->run->counts && pipeline_run_is_red(is->run));
	event_free_all(&d.events);
}

TEST(a_job_of_gitlab_says_how_it_has_ended)
{
	static const char *const rows[][2] = { { OVER("success", "31"), "success" },
		{ OVER("failed", "31"), "failure" }, { OVER("canceled", "31"), "cancelled" },
		{ OVER("skipped", "31"), "skipped" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode(DELIVERY_GITLAB, rows[i][0]);
		const struct delivery *is = nth(&d, 0);

		assert_int_equal(d.status, 200);
		assert_int_equal(is->kind, DELIVERY_WORKFLOW_JOB);
		assert_string_equal(is->repository, "g/s/n");
		assert_string_equal(is->job->of.repository_id, "gitlab:22");
		assert_string_equal(is->job->of.run, "31");
		assert_string_equal(is->job->of.check_run, "1977");
		assert_int_equal(is->job->of.attempt, 1);
		assert_string_equal(is->job->conclusion, rows[i][1]);
		event_free_all(&d.events);
	}
}

TEST(a_job_of_gitlab_that_goes_on_says_nothing)
{
	static const char *const rows[] = { OVER("running", "31"), OVER("pending", "31"),
		OVER("of a later version", "31"), OVER("running", "0"),
		"{\"object_kind\":\"build\"}" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode(DELIVERY_GITLAB, rows[i]);

		assert_int_equal(d.status, 200);
		assert_int_equal(nth(&d, 0)->kind, DELIVERY_OTHER);
		event_free_all(&d.events);
	}
}

TEST(a_pipeline_of_a_push_stands_as_gitlab_says)
{
	static const struct {
		const char *body;
		enum pipeline_rank rank;
		const char *conclusion;
	} rows[] = {
		{ PIPELINE("push", "success"), PIPELINE_IS_OVER, "success" },
		{ PIPELINE("push", "failed"), PIPELINE_IS_OVER, "failure" },
		{ PIPELINE("push", "canceled"), PIPELINE_IS_OVER, "cancelled" },
		{ PIPELINE("push", "skipped"), PIPELINE_IS_OVER, "skipped" },
		{ PIPELINE("push", "running"), PIPELINE_RUNS, "" },
		{ PIPELINE("push", "canceling"), PIPELINE_RUNS, "" },
		{ PIPELINE("push", "manual"), PIPELINE_RUNS, "manual" },
		{ PIPELINE("push", "of a later version"), PIPELINE_REQUESTED, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decoded d = decode(DELIVERY_GITLAB, rows[i].body);
		const struct delivery *is = nth(&d, 0);

		if (d.status != 200 || is->kind != DELIVERY_WORKFLOW_RUN ||
		    is->run->rank != rows[i].rank || !is->run->counts || is->run->attempt != 1)
			fail_msg("%s: %d, kind %d, rank %d", rows[i].body, d.status, is->kind,
			    is->run->rank);
		assert_string_equal(is->run->conclusion, rows[i].conclusion);
		event_free_all(&d.events);
	}
}

/* Whoever may open a merge request, set a status, push a tag or a schedule causes these; nothing
 * else of them is read, so nothing of them is wrong. */
TEST(a_pipeline_of_no_push_to_a_branch_says_nothing)
{
	static const char *const bodies[] = { PIPELINE("merge_request_event", "success"),
		PIPELINE("external_pull_request_event", "failed"), PIPELINE("external", "success"),
		PIPELINE("parent_pipeline", "success"), PIPELINE("schedule", "success"),
		PIPELINE("web", "success"), PIPELINE("trigger", "success"),
		PIPELINE("pipeline", "success"), PIPELINE("of_a_later_version", "success"),
		OF("\"ref\":\"main\",\"tag\":true,\"source\":\"push\"", "", ""),
		OF("\"ref\":\"main\",\"source\":\"push\"", "", "") };

	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct decoded d = decode(DELIVERY_GITLAB, bodies[i]);

		assert_int_equal(d.status, 200);
		assert_int_equal(nth(&d, 0)->kind, DELIVERY_OTHER);
		event_free_all(&d.events);
	}
}

/* It may be one that the chat has begun: nothing else is made of it. */
TEST(a_pipeline_of_the_api_is_known_and_is_no_pushs)
{
	struct decoded d = decode(DELIVERY_GITLAB, PIPELINE("api", "success"));
	const struct delivery *is = nth(&d, 0);

	assert_int_equal(is->kind, DELIVERY_WORKFLOW_RUN);
	assert_int_equal(is->run->run, 31);
	assert_false(is->run->is_own || is->run->counts);
	event_free_all(&d.events);
}

TEST(of_many_jobs_that_failed_it_says_how_many_more)
{
	static const char end[] = "\nand 37 more";
	struct buf body = buf_make(1 << 16);
	struct decoded d;
	const char *said;
	size_t n = 0;

	buf_adds(&body,
	    "{\"object_kind\":\"pipeline\",\"object_attributes\":{" RUN
	    "\"source\":\"push\",\"status\":\"failed\"},\"project\":{\"id\":22,"
	    "\"path_with_namespace\":\"g/s/n\"},\"builds\":[");
	for (int i = 0; i < 40; i++)
		buf_addf(&body, "%s{\"id\":%d,\"name\":\"%060d \u203a\",\"status\":\"failed\"}",
		    i > 0 ? "," : "", i + 1, i);
	buf_adds(&body, "]}");
	d = decode(DELIVERY_GITLAB, buf_text(&body));
	said = nth(&d, 0)->run->failed;
	assert_string_equal(said + strlen(said) - strlen(end), end);
	for (const char *c = said; *c != '\0'; c++)
		n += *c == '\n';
	assert_int_equal(n, 3);
	assert_int_equal(nth(&d, 0)->run->attempt, 40);
	event_free_all(&d.events);
	buf_done(&body);
}

TEST(a_pipeline_that_lacks_a_part_is_refused)
{
#define LACKS(attributes, project) \
	"{\"object_kind\":\"pipeline\",\"object_attributes\":{\"tag\":false" attributes \
	"},\"project\":{" project "}}"
#define HAS "\"id\":22,\"path_with_namespace\":\"g/s/n\""
#define ID  ",\"id\":31"
#define IID ",\"iid\":3"
#define REF ",\"ref\":\"main\""
#define SHA ",\"sha\":\"" A "\""
#define BY  ",\"source\":\"push\""
#define IS  ",\"status\":\"success\""
	static const char *const bodies[] = { LACKS(ID IID REF SHA IS, HAS),
		LACKS(IID REF SHA BY IS, HAS), LACKS(ID REF SHA BY IS, HAS),
		LACKS(ID IID SHA BY IS, HAS), LACKS(ID IID REF BY IS, HAS),
		LACKS(ID IID REF SHA BY, HAS), LACKS(ID IID REF SHA BY IS, "\"id\":22"),
		LACKS(ID IID REF SHA BY IS, "\"path_with_namespace\":\"g/s/n\""),
		LACKS(ID ",\"iid\":0" REF SHA BY IS, HAS),
		LACKS(ID IID ",\"ref\":\"a\\nb\"" SHA BY IS, HAS),
		LACKS(ID IID REF ",\"sha\":\"1a2b\"" BY IS, HAS) };
	struct decoded d = decode(DELIVERY_GITLAB, LACKS(ID IID REF SHA BY IS, HAS));

	assert_int_equal(d.status, 200); /* with all of them it is one */
	event_free_all(&d.events);
	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_refused(DELIVERY_GITLAB, bodies[i]);
}

/* --- its API --- */

#define LISTED(more) \
	"{\"id\":31,\"iid\":3,\"project_id\":22,\"ref\":\"main\",\"sha\":\"" A "\"," more "}"
#define BY_PUSH "\"source\":\"push\",\"status\":\"running\""
#define JOB(id, tag, status) \
	"[{\"id\":412,\"name\":\"unit\",\"stage\":\"test\",\"status\":\"" status "\",\"tag\":" tag \
	",\"commit\":{\"title\":\"Fix the cart\"},\"user\":{\"username\":\"who retried\"}," \
	"\"pipeline\":{\"id\":" id ",\"project_id\":22,\"status\":\"" status \
	"\"}},{\"id\":379,\"user\":{\"username\":\"jo\"}}]"

static struct json *
parsed(const char *text)
{
	struct json *json = json_decode(text, strlen(text), NULL);

	assert_non_null(json);
	return json;
}

static bool
is_listed(const char *text, struct pipeline_run *ret)
{
	CLEANUP(json_freep) struct json *said = parsed(text);
	struct err err;

	return pipeline_run_read_listed(said, "g/s/n", ret, &err) && ret->is_own;
}

static bool
is_job(const char *text, struct pipeline_run *run)
{
	CLEANUP(json_freep) struct json *said = parsed(text);
	struct err err;

	return pipeline_run_read_jobs(said, run, &err);
}

/* Between two answers it may have ended: the state is of the moment whose newest job was seen. */
TEST(a_pipeline_that_is_asked_for_stands_as_its_newest_job_says)
{
	struct pipeline_run run;

	assert_true(is_listed(LISTED(BY_PUSH), &run));
	assert_int_equal(run.rank, PIPELINE_RUNS);
	assert_true(is_job(JOB("31", "false", "failed"), &run));
	assert_string_equal(run.repository, "g/s/n");
	assert_string_equal(run.repository_id, "gitlab:22");
	assert_string_equal(run.file, ".gitlab-ci.yml");
	assert_string_equal(run.title, "Fix the cart");
	assert_string_equal(run.actor, "jo");
	assert_int_equal(run.number, 3);
	assert_int_equal(run.attempt, 412);
	assert_true(run.counts && pipeline_run_is_red(&run));
	assert_string_equal(run.failed, "test › unit");
	assert_true(is_job(JOB("31", "false", "created"), &run)); /* it was begun again */
	assert_true(run.rank == PIPELINE_REQUESTED && run.conclusion[0] == '\0');
	assert_true(is_job(JOB("31", "false", "failed"), &run));
	assert_true(is_job(JOB("31", "false", "running"), &run)); /* it was begun again */
	assert_true(run.rank == PIPELINE_RUNS && run.conclusion[0] == '\0');
	assert_false(is_job(JOB("32", "false", "success"), &run));
	assert_false(is_job("[{\"id\":412,\"pipeline\":{\"id\":31,\"project_id\":22}}]", &run));
	assert_false(
	    is_job("[{\"id\":412,\"pipeline\":{\"id\":31,\"status\":\"success\"}}]", &run));
	assert_false(is_job("[]", &run));
	assert_true(is_job(JOB("31", "true", "success"), &run)); /* a tag of a branch's name */
	assert_false(run.counts || run.is_own);
	assert_true(is_listed(LISTED(BY_PUSH), &run)); /* where nothing is said of tags */
	assert_true(is_job(
	    "[{\"id\":412,\"pipeline\":{\"id\":31,\"project_id\":22,\"status\":\"success\"}}]",
	    &run));
	assert_false(run.counts);
	run.run = 0; /* which one is not known yet */
	assert_true(is_job(JOB("32", "false", "success"), &run));
	assert_int_equal(run.run, 32);
}

TEST(what_is_listed_of_no_push_says_nothing)
{
	static const char *const bodies[] = {
		LISTED("\"source\":\"merge_request_event\",\"status\":\"success\""),
		LISTED("\"source\":\"web\",\"status\":\"success\""),
		LISTED("\"status\":\"success\""), LISTED("\"source\":\"push\""),
		"{\"source\":\"push\",\"status\":\"success\"}", "{}", "[]",
		"{\"id\":31,\"iid\":3,\"ref\":\"main\",\"sha\":\"" A "\"," BY_PUSH "}"
	};
	struct pipeline_run run;

	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_false(is_listed(bodies[i], &run));
}

TEST(of_what_is_larger_than_any_of_gitlabs_nothing_is_read)
{
	size_t size = (size_t)1 << 20;
	char *body = malloc(size + 2);
	struct decoded d;

	memset(body, ' ', size + 1);
	memcpy(body, "{}", 2);
	for (size_t more = 0; more < 2; more++) {
		body[size + more] = '\0';
		d = decode(DELIVERY_GITLAB, body);
		assert_int_equal(d.status, more == 0 ? 202 : 200);
		assert_int_equal(more == 1 && nth(&d, 0)->is_large, more);
		event_free_all(&d.events);
		body[size + more] = ' ';
	}
	free(body);
}

TEST(more_changes_than_there_may_be_are_refused)
{
	struct decoded d;
	struct buf body;

	for (size_t n = FORGE_CHANGES_MAX; n <= FORGE_CHANGES_MAX + 1; n++) {
		buf_init(&body, 1 << 20);
		buf_adds(&body, "{\"repository\":{\"full_name\":\"o/n\"},\"push\":{\"changes\":[");
		for (size_t i = 0; i < n; i++)
			buf_addf(&body,
			    "%s{\"new\":{\"type\":\"branch\",\"name\":\"b%zu\","
			    "\"target\":{\"hash\":\"" A "\"}}}",
			    i > 0 ? "," : "", i);
		buf_adds(&body, "]}}");
		d = decode(DELIVERY_BITBUCKET, buf_text(&body));
		assert_int_equal(d.status, n > FORGE_CHANGES_MAX ? 400 : 200);
		assert_int_equal(d.events.length, n > FORGE_CHANGES_MAX ? 1 : n);
		event_free_all(&d.events);
		buf_done(&body);
	}
}

TEST(an_id_is_letters_and_digits)
{
	assert_true(forge_delivery_id_is_good("aZ0_-", 5));
	assert_false(forge_delivery_id_is_good("aZ0_-x", 5));
	assert_false(forge_delivery_id_is_good("", 5));
	assert_false(forge_delivery_id_is_good("a.b", 5));
	assert_false(forge_delivery_id_is_good("a b", 5));
}

/* As a list of what could not be delivered names them. */
TEST(an_event_without_a_body_is_no_push)
{
	enum delivery_kind kind;

	assert_false(github_delivery_is_asked("issues", &(struct bytes){ 0 }, &kind));
	assert_int_equal(kind, DELIVERY_OTHER);
	assert_true(github_delivery_is_asked("push", &(struct bytes){ 0 }, &kind));
	assert_int_equal(kind, DELIVERY_PUSH);
}
