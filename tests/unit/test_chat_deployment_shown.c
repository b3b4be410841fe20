/* Goal: who approves is shown at least what who asked is shown, part by part.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat_aid.h"

#include "chat/chat_deployment_inside.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "unit.h"

/* What a question may be about, and whoever approves it has before them too. */
struct scene {
	struct deployment work;
	struct question question;
	struct deployment ahead;
	struct environment environment;
	struct release to;
	struct git_change gone[2];
	struct block block;
	struct block contained[5];
	struct barrier barrier;
	struct barrier past;
	struct migration_behind behind;
	struct holds holds;
	struct run_warnings warnings;
	struct ran ran;
	struct git_answer answer;
	struct chat_deployment about;
	char changes[LIMIT_MESSAGE / 2]; /* as decide_git_changes() keeps them for approvers */
};

typedef void set_fn(struct scene *s);

static struct zone *utc;

/* --- a way for each part to say something; the compiler asks for that of a new one --- */

static void
set_to_release(struct scene *s)
{
	s->to = (struct release){ .number = 40, .at = NOW - 7200000 };
	s->about.to = &s->to;
	s->work.is_forward = true;
	s->gone[0] = (struct git_change){ .commit = "cccccccc", .subject = "Tidy prices" };
	s->about.gone_commits = s->gone;
	s->about.n_gone_commits = 1;
	s->about.gone_count = 3;
	s->about.link = "https://example.org/compare";
}

static void
set_action(struct scene *s)
{
	(void)text_copy(s->work.action, sizeof(s->work.action), "restart-web");
	s->about.touches = "web.service on 10.0.0.1";
}

static void
set_image(struct scene *s)
{
	(void)text_copy(s->work.image, sizeof(s->work.image), "sha256:0123456789abcdef");
}

static void
set_without(struct scene *s)
{
	(void)text_copy(s->work.without, sizeof(s->work.without), "10.77.0.12");
}

static void
set_requester(struct scene *s)
{
	(void)text_copy(
	    s->work.exempt.exception, sizeof(s->work.exempt.exception), "the shop is down");
}

static void
set_missing(struct scene *s)
{
	(void)text_copy(s->work.missing, sizeof(s->work.missing), "submodule vendor");
}

static void
set_odd(struct scene *s)
{
	s->work.is_force_push = true;
	s->work.is_off_branch = true;
}

static void
set_block(struct scene *s)
{
	s->block = (struct block){ .by = "@bob", .at = NOW - 60000, .why = "to release 3" };
	s->about.block = &s->block;
}

static void
set_contained(struct scene *s)
{
	for (size_t i = 0; i < COUNT(s->contained); i++) {
		s->contained[i] = (struct block){ .by = "deploybot", .why = "unhealthy: HTTP 500" };
		(void)snprintf(s->contained[i].commit, LIMIT_COMMIT, "b10c%03zu", i);
		s->contained[i].is_unsure = i == 1;
	}
	s->about.contained = s->contained;
	s->about.n_contained = COUNT(s->contained);
}

static void
set_past(struct scene *s)
{
	s->past = (struct barrier){ .commit = "ddddddd", .reason = "drops a column" };
	s->about.past = &s->past;
	s->about.n_past = 1;
}

static void
set_barriers(struct scene *s)
{
	s->barrier = (struct barrier){ .reason = "drops a table" };
	s->about.barriers = &s->barrier;
	s->about.n_barriers = 1;
}

static void
set_past_migration(struct scene *s)
{
	s->behind = (struct migration_behind){ .n = 1, .commit = "eeeeeee", .step = "migrated" };
	s->about.behind = &s->behind;
}

static void
set_passed(struct scene *s)
{
	(void)text_copy(s->work.exempt.emergency, sizeof(s->work.exempt.emergency), "it is down");
	s->about.passed = 2;
}

static void
set_holds(struct scene *s)
{
	s->holds = (struct holds){ .n = 1, .zone = utc, .zone_name = "UTC" };
	s->holds.at[0] =
	    (struct hold){ .kind = HOLD_LOCK, .id = 1, .by = "@cy", .reason = "audit" };
	(void)text_copy(s->holds.at[0].target, sizeof(s->holds.at[0].target), "staging");
	s->about.holds = &s->holds;
}

static void
set_warning(struct scene *s)
{
	(void)text_copy(s->question.warning, LIMIT_LINE, "solo is under attack");
	s->about.question = &s->question;
}

static void
set_absent(struct scene *s)
{
	s->about.newest.absent = "agent web1: revoked 14:02; runner build-1: not enrolled";
}

static void
set_draining(struct scene *s)
{
	s->about.draining_since = NOW - 5000;
}

static void
set_ahead(struct scene *s)
{
	s->ahead = chat_sample(DEPLOY_RUNNING);
	s->ahead.id = 2;
	s->about.ahead = &s->ahead;
}

static void
set_warned_live(struct scene *s)
{
	s->warnings = (struct run_warnings){ .said = 1, .lines = "the disk is nearly full" };
	s->about.warnings = &s->warnings;
}

static void
set_runs_first(struct scene *s)
{
	s->about.first = "pre-start/10-migrate";
}

static void
set_planned(struct scene *s)
{
	static const struct chat_waves waves = {
		.planned = { .n = 3, .of = { 1, 4, 7 }, .first = "web1" },
	};

	s->about.waves = &waves;
}

static void
set_ran(struct scene *s)
{
	s->ran = (struct ran){ .environment = "qa", .at = NOW - 54000, .is_failed = true };
	(void)text_copy(s->ran.detail, sizeof(s->ran.detail), "HTTP 500");
	s->about.ran = &s->ran;
	s->about.n_ran = 1;
}

static void
set_replaces(struct scene *s)
{
	s->environment.current.number = 41;
}

static void
set_changes(struct scene *s)
{
	s->answer.has_base = true;
	s->answer.count = 2;
	s->answer.n_changes = 1;
	s->answer.no_history = true;
	s->answer.change[0] = (struct git_change){ .commit = "abcdef0", .subject = "Blue" };
	s->about.failed = 1;
}

static void
set_link(struct scene *s)
{
	s->about.link = "https://example.org/compare";
}

static void
set_rollback_target(struct scene *s)
{
	s->work.cannot_roll_back = true;
}

static void
set_ci(struct scene *s)
{
	s->about.touches = "ci.yml running";
}

static void
set_unprobed(struct scene *s)
{
	s->about.n_urls = 0;
}

static void
set_before(struct scene *s)
{
	static const struct chat_bake bake = {
		.n = 1,
		.values = { { .name = "errors",
		    .was = "4.1 %",
		    .limit = "> 1 %",
		    .is_exempt = true } },
	};

	s->about.bake = &bake;
}

static void
set_note(struct scene *s)
{
	(void)text_copy(s->work.note, sizeof(s->work.note), "develop has moved on to 1234567");
}

#define A_GATE PROGRAM_COUNT /* beside the programs: an action that brings a commit */

static const struct {
	const char *name;
	unsigned of;
	set_fn *set;
} parts[] = {
#define PART(name, deploy, rollback, action, gate, add) \
	{ #name, \
		(deploy) << PROGRAM_DEPLOY | (rollback) << PROGRAM_ROLLBACK | \
		    (action) << PROGRAM_ACTION | (gate) << A_GATE, \
		set_##name },
	CHAT_SHOWN(PART)
#undef PART
};

/* --- both messages of it --- */

static void
scene_init(struct scene *s, unsigned of)
{
	enum program program = of == A_GATE ? PROGRAM_ACTION : (enum program)of;

	*s = (struct scene){ .work = chat_sample(DEPLOY_AWAITING_CONFIRMATION) };
	s->work.program = program;
	s->work.started_at = 0;
	s->environment = chat_there;
	s->environment.current.number = program == PROGRAM_DEPLOY || of == A_GATE ? 7 : 41;
	if (program == PROGRAM_ACTION)
		(void)text_copy(s->work.action, sizeof(s->work.action),
		    of == A_GATE ? "open-gate" : "service-status");
	s->about = chat_about(&s->work);
	s->about.environment = &s->environment;
	s->about.n_urls = 1;
	s->about.clock.zone = utc;
	s->about.host = "box";
	(void)text_copy(s->answer.branch, sizeof(s->answer.branch), "develop");
}

/* What the question says; git's answer is there when it is asked. */
static void
ask(struct scene *s, char ret[LIMIT_MESSAGE])
{
	s->work.state = DEPLOY_AWAITING_CONFIRMATION;
	s->about.approvals = NULL;
	s->about.answer = deployment_brings_commit(&s->work) ? &s->answer : NULL;
	(void)text_copy(ret, LIMIT_MESSAGE, chat_plain(&s->about));
}

/* ... and it is not any more when they are asked: what it came to was kept. */
static void
ask_approval(struct scene *s, char ret[LIMIT_MESSAGE])
{
	struct chat_approvals approvals = { .needed = 1, .n_others = 1, .changes = s->changes };
	struct chat_text text = CHAT_TEXT_EMPTY;
	char *changes;

	chat_deployment_no_history(&text, &s->answer, &(struct release){ .id = 1 });
	chat_deployment_changes(&text, &s->answer, s->about.failed);
	changes = chat_text_take(&text);
	assert_non_null(changes);
	(void)text_copy(s->changes, sizeof(s->changes), changes);
	free(changes);
	approvals.n_changes = s->answer.count;
	s->work.state = DEPLOY_AWAITING_APPROVAL;
	s->about.answer = NULL;
	s->about.approvals = &approvals;
	(void)text_copy(ret, LIMIT_MESSAGE, chat_plain(&s->about));
	s->about.approvals = NULL;
}

static bool
has_line(const char *text, const char *line, size_t size)
{
	for (const char *at = text; (at = strstr(at, "\n")) != NULL;) {
		at++;
		if (strncmp(at, line, size) == 0 && (at[size] == '\n' || at[size] == '\0'))
			return true;
	}
	return false;
}

/* From what to what a rollback goes: the other one says what it replaces. */
static bool
is_arrow(const char *line, size_t size)
{
	static const char arrow[] = " → 1a2b3c4 ";

	return memmem(line, size, arrow, strlen(arrow)) != NULL;
}

/* Each line of the question behind its first ("Deploy to staging?") that it did not have before.
 * Returns how many. */
static size_t
compare(const char *name, const char *before, const char *question, const char *approval)
{
	size_t n = 0;

	for (const char *line = strchr(question, '\n'); line != NULL;
	     line = strchr(line + 1, '\n')) {
		size_t size = strcspn(line + 1, "\n");

		if (has_line(before, line + 1, size) || is_arrow(line + 1, size))
			continue;
		n++;
		if (!has_line(approval, line + 1, size))
			fail_msg("%s: \"%.*s\" is in the question, and not in:\n%s", name,
			    (int)size, line + 1, approval);
	}
	return n;
}

static void
compare_all(unsigned of)
{
	char before[LIMIT_MESSAGE], question[LIMIT_MESSAGE], approval[LIMIT_MESSAGE];
	struct scene s;

	scene_init(&s, of);
	ask(&s, before);
	for (size_t i = 0; i < COUNT(parts); i++) {
		if ((parts[i].of & DEPLOY_OF(of)) == 0)
			continue;
		scene_init(&s, of);
		parts[i].set(&s);
		ask(&s, question);
		ask_approval(&s, approval);
		if (compare(parts[i].name, before, question, approval) == 0)
			fail_msg("%s says nothing", parts[i].name);
	}
	scene_init(&s, of);
	for (size_t i = 0; i < COUNT(parts); i++)
		if ((parts[i].of & DEPLOY_OF(of)) != 0)
			parts[i].set(&s);
	s.environment.unknown_since = NOW - 1000;
	(void)text_copy(s.environment.unknown_why, LIMIT_LINE, "its folder is not here");
	ask(&s, question);
	ask_approval(&s, approval);
	(void)compare("all", before, question, approval);
}

TEST(who_approves_a_deployment_reads_what_who_asked_reads)
{
	compare_all(PROGRAM_DEPLOY);
}

TEST(who_approves_a_rollback_reads_what_who_asked_reads)
{
	compare_all(PROGRAM_ROLLBACK);
}

TEST(who_approves_an_action_reads_what_who_asked_reads)
{
	compare_all(PROGRAM_ACTION);
}

TEST(who_approves_a_gate_reads_what_who_asked_reads)
{
	compare_all(A_GATE);
}

/* It is made of git's answer, of which approvers have a number and a flag. */
TEST(that_it_is_older_than_what_is_live_is_in_both)
{
	static const char older[] = "\n⚠️ older than what is live\n";
	char question[LIMIT_MESSAGE], approval[LIMIT_MESSAGE];
	struct scene s;

	scene_init(&s, PROGRAM_DEPLOY);
	s.answer.has_base = s.answer.forced = s.work.is_force_push = true;
	ask(&s, question);
	ask_approval(&s, approval);
	assert_non_null(strstr(question, older));
	assert_non_null(strstr(approval, older));
	assert_null(strstr(approval, "no new commits"));
}

/* --- what is in progress there --- */

TEST(what_is_in_progress_is_named_by_what_it_does)
{
	static const struct {
		enum program program;
		enum deploy_state state;
		const char *said;
	} rows[] = {
		{ PROGRAM_DEPLOY, DEPLOY_RUNNING, "⏳ #2 deploys 1a2b3c4 now; this waits for it" },
		{ PROGRAM_DEPLOY, DEPLOY_STOPPING, "⏳ #2 is stopping now; this waits for it" },
		{ PROGRAM_DEPLOY, DEPLOY_VERIFYING_ROLLBACK,
		    "⏳ #2 is verifying rollback now; this waits for it" },
		{ PROGRAM_ROLLBACK, DEPLOY_VERIFYING,
		    "⏳ #2 rolls back to 1a2b3c4 now; this waits for it" },
		{ PROGRAM_ACTION, DEPLOY_RUNNING, "⏳ #2 does restart-web now; this waits for it" },
	};
	struct scene s;

	for (size_t i = 0; i < COUNT(rows); i++) {
		scene_init(&s, PROGRAM_DEPLOY);
		set_ahead(&s);
		s.ahead.program = rows[i].program;
		s.ahead.state = rows[i].state;
		(void)text_copy(s.ahead.action, sizeof(s.ahead.action), "restart-web");
		chat_says(&s.about, rows[i].said);
	}
	s.ahead.environment[0] = '\0'; /* they may not see it */
	chat_says(&s.about, "⏳ other work is in progress there now; this waits for it");
	assert_null(strstr(chat_plain(&s.about), "restart-web"));
}

TEST(how_it_ended_stands_in_its_place)
{
	static const char said[] = "❓ Deploy?\n\"⏳ #2 deploys; this waits for it\"\n"
				   "⏳ #2 deploys bbbbbbb now; this waits for it\nmore";
	struct deployment ended = chat_sample(DEPLOY_ROLLED_BACK);
	struct chat_text text = CHAT_TEXT_EMPTY;
	char *now;

	ended.id = 22;
	assert_false(chat_deployment_ahead_ended(&text, said, &ended));
	assert_false(chat_deployment_ahead_ended(&text, "nothing", &ended));
	ended.id = 2;
	ended.why = DEPLOY_WHY_UNHEALTHY;
	(void)text_copy(ended.detail, sizeof(ended.detail), "HTTP 500");
	assert_true(chat_deployment_ahead_ended(&text, said, &ended));
	now = chat_text_take(&text);
	assert_string_equal(now,
	    "❓ Deploy?\n\"⏳ #2 deploys; this waits for it\"\n"
	    "⚠️ #2 has ended: rolled back (HTTP 500)\nmore");
	free(now);
	ended.state = DEPLOY_LIVE;
	ended.why = DEPLOY_WHY_NONE;
	ended.detail[0] = '\0';
	text = (struct chat_text)CHAT_TEXT_EMPTY;
	assert_true(chat_deployment_ahead_ended(
	    &text, "❓ Deploy?\n⏳ #2 deploys bbbbbbb now; this waits for it", &ended));
	now = chat_text_take(&text);
	assert_string_equal(now, "❓ Deploy?\nℹ️ #2 has ended: live");
	free(now);
}

/* Of a deployment they see what they asked to come behind. */
TEST(what_an_action_printed_is_not_for_who_waits_behind_it)
{
	struct deployment ended = chat_sample(DEPLOY_FAILED);
	struct chat_text text = CHAT_TEXT_EMPTY;
	char *now;

	ended.id = 2;
	ended.program = PROGRAM_ACTION;
	ended.why = DEPLOY_WHY_SCRIPT;
	(void)text_copy(ended.detail, sizeof(ended.detail), "exit 1: the password is x");
	assert_true(chat_deployment_ahead_ended(
	    &text, "❓ Run?\n⏳ #2 does clear-cache now; this waits for it", &ended));
	now = chat_text_take(&text);
	assert_string_equal(now, "❓ Run?\n⚠️ #2 has ended: failed");
	free(now);
}

int
main(void)
{
	int failed;

	utc = zone_new("UTC", NULL);
	assert(utc != NULL);
	failed = unit_run(NULL);
	zone_free(utc);
	return failed;
}
