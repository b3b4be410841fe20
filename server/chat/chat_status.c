/* chat_status.c - one paragraph for each environment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_status.h"

#include "chat/chat_deployment.h"
#include "chat/chat_deployment_bake.h"
#include "chat/chat_first.h"
#include "chat/chat_hold.h"
#include "chat/chat_hosts.h"
#include "chat/chat_runner.h"
#include "deployment/standing.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/url.h"

/* How sure it is that it is down stands in the first line. */
static void
add_half_way(struct chat_text *text, const struct environment *environment)
{
	if (environment->is_down)
		chat_text_add(text,
		    "\n" MARK_BOLD "the last change failed half-way" MARK_BOLD
		    ": look at " MARK_CODE "/logs %s" MARK_CODE,
		    environment->name);
}

#define WHY_BRIEF 60 /* many of them stand in one message */

static bool
is_other_commit(const struct chat_status *status, const struct probe_finding *finding)
{
	const struct deployment *active = status->active;

	return probe_is_other_commit(finding->commit, status->environment->current.commit) &&
	    (active == NULL || (!deployment_is_baking(active) && active->waves == 0) ||
		probe_is_other_commit(finding->commit, active->commit));
}

static enum standing_health
health_of(const struct chat_status *status)
{
	enum standing_health health = STANDING_HEALTHY;

	if (status->n_urls == 0)
		return STANDING_UNCHECKED;
	if (status->findings == NULL)
		return STANDING_ASKED;
	for (size_t i = 0; i < status->n_urls; i++) {
		if (!status->findings[i].is_healthy)
			return STANDING_UNHEALTHY;
		if (is_other_commit(status, &status->findings[i]))
			health = STANDING_ANOTHER;
	}
	return health;
}

static enum standing
standing(const struct chat_status *status)
{
	return standing_of(status->environment, status->active, health_of(status));
}

bool
chat_status_is_trouble(const struct chat_status *status)
{
	return standing_is_trouble(standing(status));
}

/*
 * Of each standing: its sign, and what help says of that (one line for those that share it); what
 * stands between the environment's name and the commit on record, and where none is; what is said
 * of a URL that does not answer as it should: without a release of ours it need not, and while one
 * replaces another it may not; of health, in short.
 */
static const struct {
	const char *sign, *help, *release, *none, *failing, *health;
} rows[] = {
	/* clang-format off */
	[STANDING_RUNS] = { "🟢", "healthy", " runs ", "", "DOWN", ", healthy" },
	[STANDING_OUT] = { "🔴", "does not answer as it should", ": unhealthy; last live: ", "",
	    "DOWN", "" },
	[STANDING_OTHER] = { "⚠️", "", ": another commit answers; last live: ", "", "", "" },
	[STANDING_NOT_ASKED] = { "🩺", "is being asked", " runs ", "", "DOWN",
	    ", health not known yet" },
	[STANDING_NOT_CHECKED] = { "⚪", "no health check, or nothing deployed yet", " runs ", "",
	    "DOWN", ", no health check" },
	[STANDING_EMPTY] = { "⚪", "", "", " has no release yet", "no healthy answer", "" },
	[STANDING_REPLACED] = { "⏳", "is being replaced", "; last live: ", "; no release yet",
	    "no healthy answer", "" },
	[STANDING_UNKNOWN] = { "⚠️", "not known what runs, or another commit answers",
	    ": not known what runs; last known: ", ": not known what runs; no release yet",
	    "no healthy answer", "" },
	[STANDING_DOWN] = { "🔥", "DOWN, or may be: the last change failed half-way",
	    " is DOWN; last live: ", " is DOWN; no release yet", "DOWN", "" },
	[STANDING_MAY_BE_DOWN] = { "🔥", "", " may be DOWN; last live: ",
	    " may be DOWN; no release yet", "DOWN", "" },
	/* clang-format on */
};
_Static_assert(COUNT(rows) == STANDING_COUNT, "each has its words");

void
chat_status_legend(struct chat_text *text)
{
	static const enum standing order[] = { STANDING_RUNS, STANDING_OUT, STANDING_NOT_ASKED,
		STANDING_NOT_CHECKED, STANDING_REPLACED, STANDING_UNKNOWN, STANDING_DOWN };

	for (size_t i = 0; i < COUNT(order); i++)
		chat_text_add(text, "%s %s\n", rows[order[i]].sign, rows[order[i]].help);
	chat_text_add(text,
	    "⏸ a push waits; 💧 the old release finishes its requests; 👀 nobody has seen how it failed\n");
}

static size_t
count_failing(const struct chat_status *status)
{
	size_t n = 0;

	for (size_t i = 0; i < status->n_urls; i++)
		n += !status->findings[i].is_healthy;
	return n;
}

/* An action has no commit, but a gate's. */
static void
add_what(struct chat_text *text, const struct deployment *work)
{
	if (!deployment_is_action(work) || deployment_is_gate(work)) {
		chat_text_named(text, "", COMMIT_OF(work));
		return;
	}
	chat_text_code(text, "", deployment_action_word(work));
	chat_text_some(text, " ", work->argument);
}

/* Nothing is released to a client, and nothing asks it how it is. */
static bool
is_client(const struct chat_status *status)
{
	return environment_client(status->environment->name) != NULL;
}

/* Which it is, what becomes of it, and the commit on record, if there is one. */
static void
add_what_runs(struct chat_text *text, const struct chat_status *status)
{
	const struct release *release = &status->environment->current;
	enum standing is = standing(status);
	struct host_share on = chat_host_share(&status->hosts, release->commit);

	if (is_client(status)) {
		chat_text_add(text, MARK_BOLD "%s" MARK_BOLD "%s", status->environment->name,
		    status->active == NULL ? ": nothing is in progress" : "");
		return;
	}
	chat_text_add(
	    text, "%s " MARK_BOLD "%s" MARK_BOLD, rows[is].sign, status->environment->name);
	if (is == STANDING_REPLACED) {
		chat_text_add(text, ": %s ", deploy_flow_word(status->active->state));
		add_what(text, status->active);
	}
	if (is == STANDING_OUT && status->n_urls > 1)
		chat_text_add(
		    text, ": %zu of %zu health URLs", count_failing(status), status->n_urls);
	if (is >= STANDING_NOT_ASKED ? on.n < on.all :
				       is == STANDING_UNKNOWN && on.all > 0 && on.unknown == 0)
		chat_text_add(text, ": %lld of %lld run ", (long long)on.n, (long long)on.all);
	else
		chat_text_add(text, "%s",
		    is == STANDING_OUT && status->n_urls > 1 ? " unhealthy; last live: " :
			release->id != 0		     ? rows[is].release :
							       rows[is].none);
	if (release->id != 0)
		chat_text_named(text, "", COMMIT_OF(release));
}

static void
add_release(struct chat_text *text, const struct chat_status *status)
{
	const struct release *release = &status->environment->current;
	enum standing is = standing(status);

	add_what_runs(text, status);
	if (release->id == 0)
		return;
	chat_text_subject(text, " ", release->subject);
	chat_text_add(text, "\nrelease %lld, ", (long long)release->number);
	chat_text_since(text,
	    is <= STANDING_REPLACED || is == STANDING_OTHER ? "went live " : "live since ",
	    &status->clock, release->at, status->at);
	chat_text_ago(text, ", ", release->at, status->at);
	chat_text_outside(text, ", by ", FORGE_PERSON(release->by));
	chat_text_some(text, ", confirmed by ", deployment_confirmer(status->released));
	if (release->image[0] != '\0')
		chat_text_image(text, ", ", release->image);
	chat_text_some(text, "\n⚠️ in a freeze: ", status->released->exempt.exception);
}

/* Of several, which host: two may run different releases. */
static void
add_where(struct chat_text *text, const char *url)
{
	char place[URL_PLACE];

	chat_text_outside(text, " at ", url_place(url, place));
}

static void
add_finding(struct chat_text *text, const struct chat_status *status, size_t i)
{
	const struct probe_finding *finding = &status->findings[i];

	if (status->targets != NULL && probe_is_template(status->targets[i].url)) {
		chat_text_outside(text, "\n", finding->detail);
		return;
	}
	chat_text_add(
	    text, "\n%s", finding->is_healthy ? "healthy" : rows[standing(status)].failing);
	if (status->n_urls > 1)
		add_where(text, status->targets[i].url);
	if (finding->is_healthy)
		chat_text_add(
		    text, ", HTTP %d in %d ms", finding->http_status, finding->latency_ms);
	else
		chat_text_outside(text, ": ", finding->detail);
	/* A look for /status ends with its first pass: what failed has failed each time. */
	if (!finding->is_healthy && finding->failures > 1)
		chat_text_add(text, ", %d of %d tries", finding->failures, finding->failures);
	if (finding->commit[0] != '\0' &&
	    (status->environment->current.id == 0 || is_other_commit(status, finding)))
		chat_text_commit(text, ", answers as ", finding->commit);
}

void
chat_left(struct chat_text *text, const char *becomes)
{
	if (becomes != NULL)
		chat_text_add(text, "renamed: it is %s when this has ended", becomes);
	else
		chat_text_add(text, "not in the settings any more");
}

static void
add_health(struct chat_text *text, const struct chat_status *status)
{
	if (status->n_urls == 0 && (status->is_left || is_client(status)))
		return;
	if (status->n_urls == 0) {
		chat_text_add(text, "\n%s",
		    status->is_not_looked_at ? "health: not looked at" :
					       "no health check configured");
		return;
	}
	if (status->findings == NULL) {
		chat_text_add(text, "\nchecking health …");
		return;
	}
	for (size_t i = 0; i < status->n_urls; i++)
		add_finding(text, status, i);
}

/* The newest push is not what is live, and nobody need look into /history for why. */
static void
add_tried(struct chat_text *text, const struct chat_status *status)
{
	const struct deployment *tried = status->tried;

	if (tried == NULL)
		return;
	chat_text_commit(text, "\n", tried->commit);
	chat_text_add(text, " failed there, #%lld", (long long)tried->id);
	chat_text_ago(text, ", ", tried->ended_at, status->at);
}

/* What its branch has beside what is live, as git said last, and when that was.  A count is one of
 * two commits: with another release live it says nothing. */
static void
add_newer(struct chat_text *text, const struct chat_status *status)
{
	const struct environment *environment = status->environment;
	const struct environment_head *head = &environment->head;

	if (environment->poll_failing_since != 0) {
		chat_text_ago(text, "\n⚠️ git does not answer (noticed ",
		    environment->poll_failing_since, status->at);
		chat_text_add(text, "): what is newer is not known");
		return;
	}
	if (environment->current.id == 0 || head->commit[0] == '\0' || status->branch == NULL ||
	    strcmp(head->branch, status->branch) != 0 ||
	    strcmp(head->commit, environment->current.commit) == 0)
		return;
	if (strcmp(head->base, environment->current.commit) != 0) {
		chat_text_theirs(text, "\n", head->branch);
		chat_text_commit(text, " is at ", head->commit);
	} else if (head->count > 0) {
		chat_text_add(text, "\n%lld newer commit%s", (long long)head->count,
		    head->count == 1 ? "" : "s");
		chat_text_theirs(text, " in ", head->branch);
		/* Why they were not deployed: else nobody knows whether they were seen. */
		chat_text_add(text, "%s", environment->skipped_count > 0 ? ", none in PATHS" : "");
	} else {
		return;
	}
	chat_text_ago(text, " (asked git ", head->at, status->at);
	chat_text_add(text, ")");
	add_tried(text, status);
}

/* A question starts nothing: no word of what comes next. */
static void
add_asked(struct chat_text *text, const struct chat_status *status, const char *before)
{
	const struct deployment *asked = status->asked;

	if (asked == NULL)
		return;
	chat_text_add(text, "%sasks: %s", before,
	    deployment_is_gate(asked)	      ? "gate " :
		deployment_is_action(asked)   ? asked->action :
		deployment_is_rollback(asked) ? "back to " :
						"");
	if (!deployment_is_action(asked) || deployment_is_gate(asked))
		chat_text_named(text, "", COMMIT_OF(asked));
	chat_text_add(text, ", nobody has said yes");
}

/* Why nothing new comes there, and what waits for that. */
static void
add_holds(struct chat_text *text, const struct chat_status *status)
{
	chat_hold_lines(text, status->holds, status->at);
	if (status->holds != NULL && status->holds->n > 0 &&
	    environment_push_waits(status->environment)) {
		chat_text_commit(text, "\n⏸ push ", status->environment->seen_commit);
		chat_text_add(text, " waits for that");
	}
}

static const char *
how_ended(const struct last_gate *gate)
{
	return gate->is_well ? "ended well" :
	    gate->is_left    ? "closed, its job may go on" :
			       "ended badly";
}

/* What a forge has shipped there is no release of ours. */
static void
add_gate(struct chat_text *text, const struct chat_status *status)
{
	if (status->gate->work == 0)
		return;
	chat_text_commit(text, "\n🚦 gate: ", status->gate->commit);
	chat_text_add(text, ", %s ", job_word(status->gate->repository_id));
	chat_text_outside(text, "", status->gate->run);
	chat_text_add(text, ", %s", how_ended(status->gate));
	chat_text_since(text, " ", &status->clock, status->gate->ended_at, status->at);
	if (!status->gate->is_well)
		chat_text_add(text, ": what it has changed is not known");
}

static void
add_gone(struct chat_text *text, const char *before, const struct chat_status *status)
{
	char gone[LIMIT_LINE];

	if (status->gone.at != 0)
		chat_text_since(text, chat_runner_gone(status->gone.name, before, gone),
		    &status->clock, status->gone.at, status->at);
	if (status->active != NULL)
		chat_runner_add_way(text, &status->gone, status->active->id);
}

/* at 0: what stands for days does not say since when. */
static void
add_active(struct chat_text *text, const struct chat_status *status, int64_t at)
{
	const struct deployment *active = status->active;

	if (active == NULL)
		return;
	chat_text_add(text, "\n⏳ %s ",
	    deployment_is_gate(active) && active->state != DEPLOY_STOPPING ?
		"gate open for" :
		deploy_flow_word(active->state));
	add_what(text, active);
	if (status->step[0] != '\0') {
		chat_text_outside(text, " (", status->step);
		chat_text_add(text, ")");
	}
	if (at != 0)
		chat_text_ago(text, ", started ", active->started_at, at);
	chat_text_outside(text, ", requested by ", FORGE_PERSON(active->requester));
	add_gone(text, ", its runner", status);
	chat_deployment_paused(text, active, status->paused, &status->clock, at);
}

static void
add_pipeline(struct chat_text *text, const struct chat_status *status)
{
	const struct deployment *pipeline = status->pipeline;

	if (pipeline == NULL)
		return;
	chat_text_code(text, "\n⏳ ", pipeline->argument);
	chat_text_some(text, " ", pipeline->subject);
	chat_text_ago(text, ", started ", pipeline->started_at, status->at);
	chat_text_outside(text, ", requested by ", FORGE_PERSON(pipeline->requester));
}

static void
add_next(struct chat_text *text, const char *before, const struct deployment *queued)
{
	if (queued == NULL)
		return;
	if (deployment_is_action(queued))
		chat_text_code(text, before,
		    deployment_is_pipeline(queued) ? queued->argument :
						     deployment_action_word(queued));
	else
		chat_text_named(text, before, COMMIT_OF(queued));
	if (strcmp(queued->waits_for, "ci") == 0)
		chat_text_add(text, ", waits for CI");
	else if (strcmp(queued->waits_for, "opa") == 0)
		chat_text_outside(
		    text, ", ", queued->note[0] != '\0' ? queued->note : "waits for OPA");
}

static void
add_in_progress(struct chat_text *text, const struct chat_status *status)
{
	add_gate(text, status);
	add_pipeline(text, status);
	add_active(text, status, status->at);
	if (status->active != NULL) {
		chat_text_some(text, ", confirmed by ", deployment_confirmer(status->active));
		chat_text_some(text, "\n⚠️ in a freeze: ", status->active->exempt.exception);
	} else {
		add_gone(text, "\n⚠️ its runner", status);
	}
	add_next(text, "\n⏳ next: ", status->queued);
	add_asked(text, status, "\n❓ ");
	if (status->draining_since != 0) {
		chat_text_named(text, "\n💧 draining ", status->draining_source, status->draining);
		chat_text_since(
		    text, " since ", &status->clock, status->draining_since, status->at);
	}
}

/* As long as it stands, there are two releases. */
void
chat_left_hosts(struct chat_text *text, const struct left_host *left, size_t n, int64_t at)
{
	for (size_t i = 0; i < n; i++) {
		chat_text_outside(text, "\n⚠️ ", left[i].host);
		if (left[i].commit[0] != '\0')
			chat_text_named(text, " still has ", COMMIT_OF(&left[i]));
		else
			chat_text_add(text, ": what it has is not known");
		chat_text_add(text, ", left out");
		if (at != 0)
			chat_text_ago(text, " ", left[i].since, at);
	}
}

void
chat_unknown(
    struct chat_text *text, const struct environment *environment, const char *host, int64_t at)
{
	if (environment->unknown_since == 0)
		return;
	chat_text_add(text, "⚠️ " MARK_BOLD "What runs in %s is not %s" MARK_BOLD,
	    environment->name,
	    environment_is_left(environment) ? "what is live on record" : "known");
	chat_text_code(text, ", says deploybot on ", host);
	chat_text_ago(text, " (", environment->unknown_since, at);
	chat_text_outside(text, ")\n", environment->unknown_why);
}

void
chat_unknown_alarm(struct chat_text *text, const struct environment *environment, const char *host,
    const char *runbook, int64_t at)
{
	chat_first(text, FIRST_IS_UNKNOWN, environment->name);
	chat_text_code(text, "\nsays deploybot on ", host);
	chat_text_ago(text, ", ", environment->unknown_since, at);
	chat_text_outside(text, ": ", environment->unknown_why);
	chat_text_add(text, "\nNothing is started there by itself: pushes are queued.");
	chat_unknown_orders(text, environment, runbook);
}

void
chat_block(struct chat_text *text, const struct block *block, int64_t at)
{
	if (block->by[0] != '\0')
		chat_text_outside(text, "rolled back by ", block->by);
	else
		chat_text_add(text, "its deployment failed");
	if (block->at != 0)
		chat_text_ago(text, ", ", block->at, at);
	if (block->why[0] != '\0') {
		chat_text_outside(text, " (", block->why);
		chat_text_add(text, ")");
	}
}

static void
add_more_blocks(struct chat_text *text, const struct chat_status *status)
{
	if (status->n_all_blocks > (int64_t)status->n_blocks)
		chat_text_add(text, " and %lld more",
		    (long long)(status->n_all_blocks - (int64_t)status->n_blocks));
}

/* Why, of the newest alone. */
static void
add_blocks(struct chat_text *text, const struct chat_status *status)
{
	struct block brief;

	if (status->n_blocks == 0)
		return;
	brief = status->blocks[0];
	if (strlen(brief.why) > WHY_BRIEF)
		(void)memcpy(
		    brief.why + text_cut(brief.why, WHY_BRIEF, WHY_BRIEF), "…", sizeof("…"));
	chat_text_named(text, "\nblocked: ", COMMIT_OF(&brief));
	chat_text_add(text, brief.by[0] != '\0' ? " " : ": ");
	chat_block(text, &brief, status->at);
	for (size_t i = 1; i < status->n_blocks; i++)
		chat_text_named(
		    text, i == 1 ? "\nblocked too: " : ", ", COMMIT_OF(&status->blocks[i]));
	add_more_blocks(text, status);
	chat_text_add(
	    text, "\nA push does not deploy it; one with a fix on top goes its usual way.");
	chat_text_add(text, " To deploy it all the same: ");
	chat_text_again(text, status->environment->name, COMMIT_OF(&brief));
	chat_text_add(text, ", which asks first");
}

void
chat_status(struct chat_text *text, const struct chat_status *status)
{
	const struct environment *environment = status->environment;

	add_release(text, status);
	add_health(text, status);
	chat_migration_behind(text, status->behind, "");
	add_half_way(text, environment);
	if (status->unseen != NULL)
		chat_deployment_unseen(text, status->unseen, status->at);
	chat_left_hosts(text, status->left, status->n_left, status->at);
	chat_host_mix(text, "\nhosts: ", &status->hosts);
	for (size_t i = 0; i < status->n_reviews; i++)
		chat_emergency_line(text, &status->reviews[i], status->at);
	add_blocks(text, status);
	add_newer(text, status);
	add_holds(text, status);
	if (environment->unknown_since != 0) {
		chat_text_add(text, "\n");
		chat_unknown(text, environment, status->host, status->at);
	}
	add_in_progress(text, status);
	if (status->is_left) {
		chat_text_add(text, "\n");
		chat_left(text, status->becomes);
	}
	chat_text_add(text, "\n");
}

/* --- what stands for days --- */

#define SUBJECT_LETTERS 40

static void
add_short_release(struct chat_text *text, const struct chat_status *status)
{
	const struct release *release = &status->environment->current;
	enum standing is = standing(status);

	add_what_runs(text, status);
	if (release->id == 0)
		return;
	chat_text_add(text, "%s",
	    is == STANDING_NOT_CHECKED && status->is_not_looked_at ? ", health not looked at" :
								     rows[is].health);
	chat_text_quoted(text, "\n", release->subject, SUBJECT_LETTERS);
	chat_text_since(text, ", live since ", &status->clock, release->at, 0); /* with its date */
}

static void
add_short_progress(struct chat_text *text, const struct chat_status *status)
{
	add_active(text, status, 0);
	add_next(text, "\n⏳ next: ", status->queued);
	if (status->draining_since != 0)
		chat_text_named(text, "\n💧 draining ", status->draining_source, status->draining);
}

static void
add_short_blocks(struct chat_text *text, const struct chat_status *status)
{
	for (size_t i = 0; i < status->n_blocks; i++)
		chat_text_named(
		    text, i == 0 ? "\n⛔ blocked: " : ", ", COMMIT_OF(&status->blocks[i]));
	add_more_blocks(text, status);
}

void
chat_status_short(struct chat_text *text, const struct chat_status *status)
{
	const struct environment *environment = status->environment;
	CLEANUP(freep) struct holds *holds = mem_copy(status->holds, sizeof(*holds));

	add_short_release(text, status);
	if (environment->unknown_since != 0)
		chat_text_outside(text, "\n", environment->unknown_why);
	add_half_way(text, environment);
	if (status->unseen != NULL)
		chat_deployment_unseen(text, status->unseen, 0);
	if (status->n_reviews > 0)
		chat_text_add(text, "\n🚨 emergency not reviewed");
	chat_migration_behind(text, status->behind, "");
	chat_left_hosts(text, status->left, status->n_left, 0);
	add_short_progress(text, status);
	for (size_t i = 0; i < holds->n; i++)
		holds->at[i].at = 0; /* not how long ago */
	chat_hold_lines(text, holds, status->at);
	if (holds->n > 0 && environment_push_waits(environment))
		chat_text_commit(text, "\n⏸ waits for that: push ", environment->seen_commit);
	add_short_blocks(text, status);
	chat_text_add(text, "\n");
}

/* Why, half-way or not known: below the line of what is in trouble. */
static void
add_cause(struct chat_text *text, const struct chat_status *status)
{
	const struct environment *environment = status->environment;
	size_t i = 0;

	while (status->findings != NULL && i < status->n_urls && status->findings[i].is_healthy &&
	    !is_other_commit(status, &status->findings[i]))
		i++;
	if (status->findings != NULL && i < status->n_urls)
		add_finding(text, status, i);
	add_half_way(text, environment);
	if (environment->unknown_since != 0)
		chat_text_outside(text, "\n", environment->unknown_why);
}

void
chat_status_line(struct chat_text *text, const struct chat_status *status)
{
	const struct release *release = &status->environment->current;
	bool is_trouble = chat_status_is_trouble(status);

	add_what_runs(text, status);
	if (release->id != 0) {
		if (is_trouble)
			chat_text_quoted(text, " ", release->subject, SUBJECT_LETTERS);
		chat_text_ago(text, ", ", release->at, status->at);
		chat_text_some(text, ", by ", is_trouble ? FORGE_PERSON(release->by) : "");
	}
	if (status->gate->work != 0) {
		chat_text_commit(text, "; 🚦 gate ", status->gate->commit);
		chat_text_add(text, " %s", how_ended(status->gate));
		chat_text_ago(text, " ", status->gate->ended_at, status->at);
	}
	if (status->active != NULL &&
	    (standing(status) != STANDING_REPLACED || is_client(status))) {
		chat_text_add(text, "; ⏳ %s ", deploy_flow_word(status->active->state));
		add_what(text, status->active);
	}
	add_gone(text, "; its runner", status);
	add_next(text, "; next: ", status->queued);
	add_asked(text, status, "; ");
	if (status->behind->n > 0)
		chat_text_add(text, "; ⚠️ database");
	if (status->n_left > 0)
		chat_text_outside(text,
		    status->left[0].commit[0] != '\0' ? "; ⚠️ another release on " :
							"; ⚠️ maybe another release on ",
		    status->left[0].host);
	if (status->draining_since != 0)
		chat_text_add(text, "; 💧 draining");
	if (status->holds != NULL && status->holds->n > 0)
		chat_text_add(text, "; %s", chat_holds[status->holds->at[0].kind].sign);
	if (status->unseen != NULL)
		chat_text_add(text, "; 👀 not seen");
	if (status->n_reviews > 0)
		chat_text_add(text, "; 🚨 emergency not reviewed");
	if (status->is_left) {
		chat_text_add(text, "; ");
		chat_left(text, status->becomes);
	}
	if (is_trouble)
		add_cause(text, status);
	chat_text_add(text, "\n");
}
