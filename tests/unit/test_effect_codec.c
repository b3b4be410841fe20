/* Goal: an effect read from its row is the one that was written; what is odd is refused.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/effect_codec.h"

#include "lib/text.h"
#include "unit.h"

static struct effect *
again(const struct effect *effect)
{
	struct effect *copy;
	struct buf body;
	struct err err;

	buf_init(&body, EFFECT_BODY_MAX);
	effect_codec_encode(effect, &body);
	assert_false(buf_failed(&body));
	copy = effect_codec_decode(effect->kind, buf_text(&body), &err);
	if (copy == NULL)
		fail_msg("%s: %s", err.text, buf_text(&body));
	assert_non_null(copy->result);
	buf_done(&body);
	return copy;
}

/* Whatever has no row here is a number or a bool, and stands in the effect's row. */
/* clang-format off */
#define AT(member)	offsetof(struct effect, u.member)
#define SIZE(member)	sizeof(((struct effect *)0)->u.member)
#define TEXT(kind, member)	{ EFFECT_##kind, IS_TEXT, AT(member), SIZE(member) }
#define WORD(kind, member)	{ EFFECT_##kind, IS_WORD, AT(member), SIZE(member) }
#define NOT_IN_ROW(kind, member) { EFFECT_##kind, IS_NOT_IN_ROW, AT(member), SIZE(member) }
#define PUSH(kind, of) \
	TEXT(kind, of.push.after), TEXT(kind, of.push.delivery), TEXT(kind, of.push.hook), \
	TEXT(kind, of.push.forge)
#define FORGE(kind) \
	TEXT(kind, forge.environment), TEXT(kind, forge.pipeline), TEXT(kind, forge.words), \
	TEXT(kind, forge.nonce), TEXT(kind, forge.job)
static const struct {
	enum effect_kind kind;
	enum { IS_TEXT, IS_WORD, IS_NOT_IN_ROW } is;
	size_t at, size;
} odd_members[] = {
	WORD(RUN, run.program), TEXT(RUN, run.environment), TEXT(RUN, run.commit),
	TEXT(RUN, run.image), TEXT(RUN, run.previous), TEXT(RUN, run.previous_image),
	TEXT(RUN, run.ref), TEXT(RUN, run.action), TEXT(RUN, run.argument), TEXT(RUN, run.client),
	TEXT(RUN, run.binding), TEXT(RUN, run.without), WORD(RUN, run.source), TEXT(RUN, run.tree),
	TEXT(RUN, run.wave),
	NOT_IN_ROW(RUN, run.started_at), NOT_IN_ROW(RUN, run.runner),
	NOT_IN_ROW(RUN, run.ordered_at), NOT_IN_ROW(RUN, run.message), NOT_IN_ROW(RUN, run.hosts),
	NOT_IN_ROW(PROBE, probe.hosts), NOT_IN_ROW(PROM_QUERY, prom_query.hosts),
	WORD(GIT_QUERY, git_query.kind), TEXT(GIT_QUERY, git_query.environment),
	TEXT(GIT_QUERY, git_query.ref), TEXT(GIT_QUERY, git_query.base),
	TEXT(GIT_QUERY, git_query.branch), TEXT(GIT_QUERY, git_query.blocked),
	TEXT(GIT_QUERY, git_query.paths), TEXT(GIT_QUERY, git_query.requested_by),
	PUSH(GIT_QUERY, git_query), TEXT(APPLICATION_LOG, application_log.environment),
	TEXT(PURGE_RUN, purge_run.runner), TEXT(FETCH_FILE, fetch_file.file),
	TEXT(FETCH_FILE, fetch_file.digest), TEXT(PURGE_UPLOAD, purge_upload.digest),
	TEXT(PROBE, probe.asked), NOT_IN_ROW(PROBE, probe.targets), /* looked at by themselves */
	{ EFFECT_SEND_MESSAGE, IS_NOT_IN_ROW, AT(send_message.message.address),
	    sizeof(struct message) - offsetof(struct message, address) },
	TEXT(TOAST, toast.callback), TEXT(TOAST, toast.text), NOT_IN_ROW(TOAST, toast.chat),
	TEXT(DOCUMENT, document.file_name), TEXT(DOCUMENT, document.caption),
	TEXT(DOCUMENT, document.head), TEXT(DOCUMENT, document.runner),
	TEXT(CLOUDFLARE_GET, cloudflare.zone), NOT_IN_ROW(CLOUDFLARE_GET, cloudflare.level),
	TEXT(CLOUDFLARE_SET, cloudflare.zone), TEXT(CLOUDFLARE_SET, cloudflare.level),
	TEXT(GITHUB_RUNS, github_runs.environment), TEXT(GITHUB_RUNS, github_runs.commit),
	TEXT(GITHUB_RUNS, github_runs.branch), TEXT(OPA, opa.input),
	TEXT(PROM_QUERY, prom_query.environment), TEXT(PROM_QUERY, prom_query.release),
	TEXT(GITHUB_FAILURE, github_failure.environment),
	TEXT(GITHUB_DELIVERIES, github_deliveries.application),
	TEXT(GITHUB_DELIVERIES, github_deliveries.cursor),
	TEXT(FORGE_ANSWER, forge_answer.environment),
	TEXT(FORGE_ANSWER, forge_answer.repository), TEXT(FORGE_ANSWER, forge_answer.run),
	TEXT(FORGE_ANSWER, forge_answer.target), TEXT(FORGE_ANSWER, forge_answer.comment),
	TEXT(FORGE_REPORT, forge_report.environment),
	TEXT(FORGE_REPORT, forge_report.repository), TEXT(FORGE_REPORT, forge_report.target),
	TEXT(FORGE_REPORT, forge_report.commit), TEXT(FORGE_REPORT, forge_report.state),
	FORGE(FORGE_START), FORGE(FORGE_STOP), FORGE(FORGE_LOOK),
	TEXT(VAULT_LEND, vault.name), TEXT(VAULT_LEND, vault.principal),
	TEXT(VAULT_LEND, vault.value), NOT_IN_ROW(VAULT_REVOKE, vault.value),
	NOT_IN_ROW(VAULT_LOOK, vault.value), NOT_IN_ROW(LEND_MESSAGE, vault.value),
	NOT_IN_ROW(VAULT_LEND, vault.accessor), NOT_IN_ROW(VAULT_LEND, vault.not_before),
	NOT_IN_ROW(VAULT_LEND, vault.tries), NOT_IN_ROW(VAULT_REVOKE, vault.name),
	NOT_IN_ROW(VAULT_REVOKE, vault.ttl_s), NOT_IN_ROW(VAULT_REVOKE, vault.principal),
	TEXT(VAULT_REVOKE, vault.accessor), NOT_IN_ROW(VAULT_LEND, vault.chat),
	NOT_IN_ROW(VAULT_REVOKE, vault.chat), NOT_IN_ROW(VAULT_LOOK, vault.name),
	NOT_IN_ROW(VAULT_LOOK, vault.ttl_s), NOT_IN_ROW(VAULT_LOOK, vault.principal),
	NOT_IN_ROW(VAULT_LOOK, vault.accessor), NOT_IN_ROW(VAULT_LOOK, vault.chat),
	TEXT(LEND_MESSAGE, vault.name), NOT_IN_ROW(LEND_MESSAGE, vault.ttl_s),
	NOT_IN_ROW(LEND_MESSAGE, vault.principal), NOT_IN_ROW(LEND_MESSAGE, vault.accessor),
	NOT_IN_ROW(LEND_MESSAGE, vault.not_before), NOT_IN_ROW(LEND_MESSAGE, vault.tries),
	TEXT(SIGN_CERTIFICATE, sign_certificate.identity),
	TEXT(SIGN_CERTIFICATE, sign_certificate.secret),
	TEXT(SIGN_CERTIFICATE, sign_certificate.text),
	TEXT(NOTIFY, notify.name), TEXT(NOTIFY, notify.word), TEXT(NOTIFY, notify.key),
	TEXT(NOTIFY, notify.text), TEXT(NOTIFY, notify.data),
	TEXT(WITNESS, witness.place), TEXT(WITNESS, witness.head),
	NOT_IN_ROW(WITNESS, witness.lines), NOT_IN_ROW(WITNESS, witness.size),
	WORD(TIMER, timer.kind), TEXT(TIMER, timer.name), TEXT(TIMER, timer.environment),
	TEXT(TIMER, timer.requested_by), PUSH(TIMER, timer),
};
/* clang-format on */

/* Without it padding is taken for members, and refused. */
#if !__has_builtin(__builtin_clear_padding)
#define __builtin_clear_padding(at) ((void)(at))
#endif

/* Each byte of a kind's own struct but padding is 1. */
#define cloudflare_get cloudflare
#define cloudflare_set cloudflare
#define forge_start    forge
#define forge_stop     forge
#define forge_look     forge
#define vault_lend     vault
#define vault_revoke   vault
#define vault_look     vault
#define lend_message   vault
static size_t
fill_members(struct effect *effect)
{
	memset(&effect->u, 1, effect_size(effect->kind) - offsetof(struct effect, u));
	switch (effect->kind) {
#define EFFECT(upper, lower, ...) \
	case EFFECT_##upper: \
		__builtin_clear_padding(&effect->u.lower); \
		return sizeof(effect->u.lower);
#include "types/effect.def"
	case EFFECT_KIND_COUNT:
		break;
	}
	return 0;
}
#undef forge_start
#undef forge_stop
#undef forge_look
#undef cloudflare_get
#undef cloudflare_set

static void
fill_lists(struct effect *effect)
{
	if (effect->kind == EFFECT_GIT_QUERY) {
		effect->u.git_query.n_branches = COUNT(effect->u.git_query.branches);
		for (size_t i = 0; i < COUNT(effect->u.git_query.branches); i++)
			effect->u.git_query.branches[i][LIMIT_REF - 1] = '\0';
	} else if (effect->kind == EFFECT_PROBE) {
		struct probe_target *target = calloc(1, sizeof(*target));

		assert_non_null(target);
		memset(target, 1, sizeof(*target));
		__builtin_clear_padding(target);
		target->environment[LIMIT_ENVIRONMENT - 1] = '\0';
		target->url[LIMIT_URL - 1] = '\0';
		target->commit[LIMIT_COMMIT - 1] = '\0';
		effect->u.probe.n = 1;
		effect->u.probe.targets = target;
	}
}

/* Everything of it that stands in its row is other than 0; the size of its struct. */
static size_t
fill(struct effect *effect)
{
	size_t size = fill_members(effect);
	char *bytes = (char *)effect;

	for (size_t i = 0; i < COUNT(odd_members); i++) {
		size_t at = odd_members[i].at, its_size = odd_members[i].size;

		if (odd_members[i].kind != effect->kind)
			continue;
		if (odd_members[i].is == IS_TEXT)
			bytes[at + its_size - 1] = '\0';
		else if (odd_members[i].is == IS_WORD)
			*(int *)(void *)(bytes + at) = 1;
		else
			memset(bytes + at, 0, its_size);
	}
	fill_lists(effect);
	return size;
}

static void
free_both(struct effect *effect, struct effect *copy)
{
	effect_free(effect);
	effect_free(copy);
}

TEST(no_member_of_a_kind_is_lost_in_its_row)
{
	for (int kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		struct effect *effect = effect_new((enum effect_kind)kind), *copy;
		size_t size = fill(effect);

		copy = again(effect);
		if (kind == EFFECT_PROBE) {
			assert_int_equal(copy->u.probe.n, 1);
			assert_memory_equal(copy->u.probe.targets, effect->u.probe.targets,
			    sizeof(struct probe_target));
			free(copy->u.probe.targets);
			free(effect->u.probe.targets);
			copy->u.probe.targets = effect->u.probe.targets = NULL;
		}
		for (size_t i = 0; i < size; i++)
			if (((const char *)&copy->u)[i] != ((const char *)&effect->u)[i])
				fail_msg("%s: byte %zu of its struct does not come back: "
					 "is that member missing in its fields?",
				    effect_name((enum effect_kind)kind), i);
		free_both(effect, copy);
	}
}

TEST(a_run_comes_back_as_it_was)
{
	struct effect *effect = effect_new(EFFECT_RUN), *copy;
	const struct effect_run run = {
		.run = INT64_MAX,
		.program = PROGRAM_ROLLBACK,
		.deployment = 12,
		.environment = "staging",
		.commit = "1a2b3c4d",
		.image = "sha256:3f2a9c1d",
		.previous = "9f8e7d6c",
		.previous_image = "sha256:0",
		.ref = "feature/\"ö\x01\\",
		.deadline_s = 600,
	};

	effect->u.run = run;
	copy = again(effect);
	assert_memory_equal(&copy->u.run, &run, sizeof(run));
	free_both(effect, copy);
}

TEST(a_question_to_git_comes_back_as_it_was)
{
	struct effect *effect = effect_new(EFFECT_GIT_QUERY), *copy;
	struct effect_git_query ask = {
		.kind = GIT_QUERY_HEADS,
		.environment = "production",
		.ref = "-x",
		.base = "abc",
		.branch = "main",
		.blocked = "1a2b3c4d 9f8e7d6c",
		.n_branches = LIMIT_ENVIRONMENTS,
		.is_patient = true,
		.requested_by = "github:ada(7)",
		.push = { "abc", "d-1", 1767225600000, 40, "shop", "gitlab", false },
		.is_notified = true,
	};

	for (size_t i = 0; i < ask.n_branches; i++)
		memset(ask.branches[i], 'a' + (int)i, LIMIT_REF - 1);
	effect->u.git_query = ask;
	copy = again(effect);
	assert_memory_equal(&copy->u.git_query, &ask, sizeof(ask));
	free_both(effect, copy);
}

TEST(the_largest_probe_comes_back_as_it_was)
{
	struct effect *effect = effect_new(EFFECT_PROBE), *copy;
	struct effect_probe *probe = &effect->u.probe;

	probe->plan = (struct probe_plan){ 2, 10, 10, 5, 300, 1767225600000 };
	probe->message = 12;
	(void)text_copy(probe->asked, sizeof(probe->asked), "staging");
	probe->n = PROBE_TARGETS_MAX;
	probe->targets = calloc(probe->n, sizeof(*probe->targets));
	for (size_t i = 0; i < probe->n; i++) {
		memset(probe->targets[i].url, 'u', LIMIT_URL - 1);
		memset(probe->targets[i].commit, 'c', LIMIT_COMMIT - 1);
		(void)text_copy(probe->targets[i].environment, LIMIT_ENVIRONMENT, "staging");
	}
	copy = again(effect);
	assert_int_equal(copy->u.probe.plan.successes, 2);
	assert_int_equal(copy->u.probe.plan.failures, 10);
	assert_int_equal(copy->u.probe.plan.interval_s, 10);
	assert_int_equal(copy->u.probe.plan.timeout_s, 5);
	assert_int_equal(copy->u.probe.plan.deadline_s, 300);
	assert_int_equal(copy->u.probe.plan.until, 1767225600000);
	assert_int_equal(copy->u.probe.message, 12);
	assert_string_equal(copy->u.probe.asked, "staging");
	assert_int_equal(copy->u.probe.n, probe->n);
	assert_memory_equal(
	    copy->u.probe.targets, probe->targets, probe->n * sizeof(*probe->targets));
	free_both(effect, copy);
}

/* As 0.1.0 wrote it. */
TEST(a_probe_of_an_earlier_version_has_no_deadline)
{
	static const char body[] =
	    "{\"successes\":2,\"failures\":5,\"interval_s\":10,\"timeout_s\":30,"
	    "\"message\":0,\"asked\":\"\",\"targets\":[]}";
	struct effect *effect;
	struct err err;

	effect = effect_codec_decode(EFFECT_PROBE, body, &err);
	assert_non_null(effect);
	assert_int_equal(effect->u.probe.plan.deadline_s, 0);
	assert_int_equal(effect->u.probe.plan.until, 0);
	effect_free(effect);
}

TEST(small_ones_come_back_as_they_were)
{
	struct effect *effect, *copy;

	effect = effect_new(EFFECT_STOP_RUN);
	effect->u.stop_run.run = 5;
	copy = again(effect);
	assert_int_equal(copy->u.stop_run.run, 5);
	free_both(effect, copy);

	effect = effect_new(EFFECT_PURGE_RUN);
	effect->u.purge_run.run = 6;
	copy = again(effect);
	assert_int_equal(copy->u.purge_run.run, 6);
	free_both(effect, copy);

	effect = effect_new(EFFECT_LEAVE_CHAT);
	effect->u.leave_chat.chat = -1001234567890;
	copy = again(effect);
	assert_int_equal(copy->u.leave_chat.chat, -1001234567890);
	free_both(effect, copy);

	effect = effect_new(EFFECT_PIN_MESSAGE);
	effect->u.pin_message =
	    (struct effect_pin_message){ .chat = -1001234567890, .remote_id = 77, .is_off = true };
	copy = again(effect);
	assert_true(copy->u.pin_message.chat == -1001234567890 &&
	    copy->u.pin_message.remote_id == 77 && copy->u.pin_message.is_off);
	free_both(effect, copy);

	effect = effect_new(EFFECT_CLOUDFLARE_SET);
	(void)text_copy(
	    effect->u.cloudflare.zone, CLOUDFLARE_ZONE, "00112233445566778899aabbccddeeff");
	(void)text_copy(effect->u.cloudflare.level, CLOUDFLARE_LEVEL, "medium");
	copy = again(effect);
	assert_memory_equal(&copy->u.cloudflare, &effect->u.cloudflare, sizeof(copy->u.cloudflare));
	free_both(effect, copy);

	effect = effect_new(EFFECT_WITNESS);
	effect->u.witness = (struct effect_witness){ .first = 7, .last = 9, .is_repeated = true };
	(void)text_copy(effect->u.witness.place, WITNESS_PLACE, "s3 acme-audit eu-central-1");
	(void)text_copy(effect->u.witness.head, LIMIT_AUDIT_HEAD, "36fec2005dd1a0b4");
	copy = again(effect);
	assert_memory_equal(&copy->u.witness, &effect->u.witness, sizeof(copy->u.witness));
	free_both(effect, copy);

	effect = effect_new(EFFECT_SEND_MESSAGE);
	effect->u.send_message.message.id = 7;
	copy = again(effect);
	assert_int_equal(copy->u.send_message.message.id, 7);
	free_both(effect, copy);

	effect = effect_new(EFFECT_TIMER);
	effect->u.timer = (struct effect_timer){ .kind = TIMER_PUSH,
		.name = "0123456789abcdef0123456789abcdef",
		.environment = "staging",
		.requested_by = "github:ada(7)",
		.push = { "abc", "d-1", 1767225600000, 40, "shop", "gitlab", false } };
	copy = again(effect);
	assert_memory_equal(&copy->u.timer, &effect->u.timer, sizeof(effect->u.timer));
	free_both(effect, copy);
}

/* As 0.1.0 wrote them. */
TEST(rows_of_earlier_versions_have_no_announced_push)
{
	struct effect *effect;
	struct err err;

	effect = effect_codec_decode(EFFECT_TIMER, "{\"wait\":\"poll\",\"name\":\"\"}", &err);
	assert_non_null(effect);
	assert_string_equal(effect->u.timer.push.after, "");
	effect_free(effect);
	effect = effect_codec_decode(EFFECT_GIT_QUERY,
	    "{\"question\":\"commits\",\"environment\":\"staging\",\"ref\":\"develop\",\"base\":\"\","
	    "\"branch\":\"develop\",\"branches\":[],\"is_patient\":true,\"asked_by\":\"git\"}",
	    &err);
	assert_non_null(effect);
	assert_string_equal(effect->u.git_query.push.after, "");
	assert_int_equal(effect->u.git_query.push.until, 0);
	effect_free(effect);
	assert_null(effect_codec_decode(
	    EFFECT_TIMER, "{\"wait\":\"push\",\"name\":\"\",\"until\":\"soon\"}", &err));
}

TEST(toasts_and_documents_come_back_as_they_were)
{
	struct effect *effect, *copy;

	effect = effect_new(EFFECT_TOAST);
	effect->u.toast = (struct effect_toast){ "cb\"1", "⏳ wait\n", true, 0 };
	copy = again(effect);
	assert_memory_equal(&copy->u.toast, &effect->u.toast, sizeof(effect->u.toast));
	free_both(effect, copy);

	effect = effect_new(EFFECT_DELETE_MESSAGE);
	effect->u.delete_message = (struct effect_delete_message){ 9, 77 };
	copy = again(effect);
	assert_memory_equal(
	    &copy->u.delete_message, &effect->u.delete_message, sizeof(copy->u.delete_message));
	free_both(effect, copy);

	effect = effect_new(EFFECT_APPLICATION_LOG);
	effect->u.application_log =
	    (struct effect_application_log){ "shop/staging", 9, { -1001234567890, 3 }, 20 };
	copy = again(effect);
	assert_memory_equal(
	    &copy->u.application_log, &effect->u.application_log, sizeof(copy->u.application_log));
	free_both(effect, copy);

	effect = effect_new(EFFECT_DOCUMENT);
	effect->u.document = (struct effect_document){ { -1001234567890, 3 }, 9, "run-9.log", "c",
		"h\nh", "build-1" };
	copy = again(effect);
	assert_memory_equal(&copy->u.document, &effect->u.document, sizeof(effect->u.document));
	free_both(effect, copy);
}

TEST(a_body_that_lacks_something_is_refused_with_its_name)
{
	static const struct {
		enum effect_kind kind;
		const char *body;
		const char *says;
	} cases[] = {
		{ EFFECT_STOP_RUN, "{}", "run" },
		{ EFFECT_STOP_RUN, "{\"run\":\"5\"}", "run" },
		{ EFFECT_STOP_RUN, "{\"run\":0}", "names nothing" },
		{ EFFECT_PURGE_RUN, "{\"run\":-1}", "names nothing" },
		{ EFFECT_LEAVE_CHAT, "{}", "chat" },
		{ EFFECT_PIN_MESSAGE, "{\"chat\":-1,\"message\":0,\"is_off\":true}",
		    "names nothing" },
		{ EFFECT_DELETE_MESSAGE, "{\"person\":9,\"made_at\":1}", "message" },
		{ EFFECT_CLOUDFLARE_GET, "{}", "zone" },
		{ EFFECT_CLOUDFLARE_SET, "{\"zone\":\"1\"}", "level" },
		{ EFFECT_GITHUB_RUNS, "{\"environment\":\"staging\"}", "commit" },
		{ EFFECT_OPA, "{\"input\":\"{}\"}", "not_before" },
		{ EFFECT_PROM_QUERY, "{\"environment\":\"a\"}", "release" },
		{ EFFECT_NOTIFY, "{\"name\":\"a\",\"word\":\"live\"}", "key" },
		{ EFFECT_GITHUB_FAILURE, "{\"environment\":\"a\",\"run\":0}", "names nothing" },
		{ EFFECT_GITHUB_FAILURE, "{\"environment\":\"a\",\"run\":1}", "attempt" },
		{ EFFECT_GITHUB_DELIVERIES, "{\"application\":\"\"}", "hook" },
		{ EFFECT_FORGE_ANSWER, "{\"environment\":\"staging\"}", "run" },
		{ EFFECT_FORGE_REPORT, "{\"environment\":\"staging\"}", "target" },
		{ EFFECT_VAULT_LEND, "{\"name\":\"a\"}", "ttl_s" },
		{ EFFECT_VAULT_REVOKE, "{}", "accessor" },
		{ EFFECT_WITNESS, "{\"first\":1,\"last\":0}", "names nothing" },
		{ EFFECT_RUN, "{\"run\":0}", "names nothing" },
		{ EFFECT_STOP_RUN, "", "" },
		{ EFFECT_STOP_RUN, "[1]", "run" },
		{ EFFECT_TIMER, "{\"wait\":\"weekly\",\"name\":\"\"}", "wait" },
		{ EFFECT_TIMER,
		    "{\"wait\":\"poll\",\"name\":\"0123456789abcdef0123456789abcdef0\"}", "name" },
		{ EFFECT_PROBE,
		    "{\"successes\":1,\"failures\":1,\"interval_s\":1,\"timeout_s\":1,"
		    "\"message\":0,\"asked\":\"\",\"targets\":[{\"environment\":\"a\"}]}",
		    "url" },
		{ EFFECT_PROBE, "{\"successes\":-1}", "successes" },
		{ EFFECT_TOAST, "{\"callback\":\"a\"}", "text" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err;

		assert_null(effect_codec_decode(cases[i].kind, cases[i].body, &err));
		if (strstr(err.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].body, err.text);
	}
}

TEST(every_kind_has_a_name_that_leads_back_to_it)
{
	for (int i = 0; i < EFFECT_KIND_COUNT; i++)
		assert_int_equal(effect_codec_kind(effect_name((enum effect_kind)i)), i);
	assert_int_equal(effect_codec_kind("sing"), EFFECT_KIND_COUNT);
}
