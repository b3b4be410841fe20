/* chat_status.c - one paragraph for each environment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_status.h"

#include "chat/chat_hold.h"
#include "lib/text.h"

#define WHY_BRIEF 60 /* many of them stand in one message */

static bool
is_healthy(const struct chat_status *status)
{
	for (size_t i = 0; i < status->n_urls; i++)
		if (!status->findings[i].well)
			return false;
	return true;
}

/* The target was touched, or may have been: what is live on record is not what answers there. */
static bool
is_between(const struct chat_status *status)
{
	enum deploy_state state = status->active != NULL ? status->active->state : DEPLOY_REQUESTED;

	return state == DEPLOY_VERIFYING || state == DEPLOY_ROLLING_BACK ||
	    state == DEPLOY_VERIFYING_ROLLBACK;
}

static bool
is_in_doubt(const struct chat_status *status)
{
	return status->environment->is_down || status->environment->unknown_since != 0;
}

bool
chat_status_is_trouble(const struct chat_status *status)
{
	return is_in_doubt(status) ||
	    (status->findings != NULL && status->environment->current.id != 0 &&
		!is_healthy(status));
}

static const char *
light(const struct chat_status *status)
{
	if (status->environment->is_down)
		return "🔥";
	if (status->environment->unknown_since != 0)
		return "⚠️";
	if (status->n_urls == 0)
		return "⚪";
	if (is_between(status))
		return "⏳";
	if (status->findings == NULL)
		return "🩺";
	if (status->environment->current.id == 0)
		return "⚪";
	return is_healthy(status) ? "🟢" : "🔴";
}

static void
add_confirmer(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment_confirmer(deployment)[0] != '\0')
		chat_text_outside(text, ", confirmed by ", deployment_confirmer(deployment));
}

static void
add_exception(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment->exception[0] != '\0')
		chat_text_outside(text, "\n⚠️ in a freeze: ", deployment->exception);
}

/* What a phone shows of it: the release that is on record is no news of what runs. */
static const char *
release_words(const struct chat_status *status)
{
	bool has_release = status->environment->current.id != 0;

	if (status->environment->is_down) {
		if (status->n_urls > 0 && status->findings != NULL && !is_healthy(status))
			return has_release ? " is DOWN; last live: " : " is DOWN; no release yet";
		return has_release ? " may be DOWN; last live: " : " may be DOWN; no release yet";
	}
	if (status->environment->unknown_since != 0)
		return has_release ? ": not known what runs; last known: " :
				     ": not known what runs; no release yet";
	return has_release ? " runs " : " has no release yet";
}

static void
add_release(struct chat_text *text, const struct chat_status *status)
{
	const struct release *release = &status->environment->current;

	if (status->active != NULL && is_between(status) && !is_in_doubt(status)) {
		chat_text_add(text, ": %s", deploy_flow_word(status->active->state));
		chat_text_commit(text, " ", status->active->commit);
		chat_text_add(text, release->id != 0 ? "; last live: " : "; no release yet");
	} else {
		chat_text_add(text, "%s", release_words(status));
	}
	if (release->id == 0)
		return;
	chat_text_commit(text, "", release->commit);
	chat_text_outside(text, " ", release->subject);
	chat_text_add(text, "\nrelease %lld, ", (long long)release->number);
	chat_text_ago(text, "", release->at, status->at);
	chat_text_outside(text, ", by ", release->by);
	add_confirmer(text, status->released);
	if (release->image[0] != '\0')
		chat_text_image(text, ", ", release->image);
	add_exception(text, status->released);
}

static void
add_finding(struct chat_text *text, const struct chat_status *status, size_t i)
{
	const struct probe_finding *finding = &status->findings[i];
	const char *expected = status->environment->current.commit;

	bool has_release = status->environment->current.id != 0 || status->environment->is_down;

	/* Without a release of ours a health URL need not answer. */
	chat_text_add(text, "\n%s ",
	    finding->well   ? "healthy:" :
		has_release ? "UNHEALTHY:" :
			      "no healthy answer:");
	if (finding->well)
		chat_text_add(text, "HTTP %d in %d ms", finding->http_status, finding->latency_ms);
	else
		chat_text_outside(text, "", finding->detail);
	if (finding->commit[0] != '\0' &&
	    strncmp(finding->commit, expected, strlen(finding->commit)) != 0)
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
	if (status->n_urls == 0 && status->is_left)
		return;
	if (status->n_urls == 0) {
		chat_text_add(text, "\nno health check configured");
		return;
	}
	if (status->findings == NULL) {
		chat_text_add(text, "\nchecking health …");
		return;
	}
	for (size_t i = 0; i < status->n_urls; i++)
		add_finding(text, status, i);
}

/* Pushes that were not deployed, and why not: else nobody knows whether they were seen. */
static void
add_skipped(struct chat_text *text, const struct environment *environment)
{
	if (environment->skipped_count > 0)
		chat_text_add(text, "\n%lld newer commit%s, none in PATHS",
		    (long long)environment->skipped_count,
		    environment->skipped_count == 1 ? "" : "s");
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

static void
add_in_progress(struct chat_text *text, const struct chat_status *status)
{
	const struct deployment *active = status->active;

	if (active != NULL) {
		chat_text_add(text, "\n⏳ %s ", deploy_flow_word(active->state));
		chat_text_commit(text, "", active->commit);
		if (status->step[0] != '\0') {
			chat_text_outside(text, " (", status->step);
			chat_text_add(text, ")");
		}
		chat_text_duration(text, " since ", status->at - active->started_at);
		chat_text_outside(text, ", requested by ", active->requester);
		add_confirmer(text, active);
		add_exception(text, active);
	}
	if (status->queued != NULL)
		chat_text_commit(text, "\n⏳ next: ", status->queued->commit);
}

void
chat_unknown(
    struct chat_text *text, const struct environment *environment, const char *host, int64_t at)
{
	if (environment->unknown_since == 0)
		return;
	chat_text_add(text,
	    "⚠️ " MARK_BOLD "What runs in %s is not known" MARK_BOLD ", says deploybot on ",
	    environment->name);
	chat_text_code(text, "", host);
	chat_text_ago(text, " (", environment->unknown_since, at);
	chat_text_outside(text, ")\n", environment->unknown_why);
}

void
chat_block(struct chat_text *text, const struct block *block, int64_t at)
{
	chat_text_outside(text, "rolled back by ", block->by);
	if (block->at != 0)
		chat_text_ago(text, ", ", block->at, at);
	if (block->why[0] != '\0') {
		chat_text_outside(text, " (", block->why);
		chat_text_add(text, ")");
	}
}

static void
add_blocks(struct chat_text *text, const struct chat_status *status)
{
	for (size_t i = 0; i < status->n_blocks; i++) {
		struct block brief = status->blocks[i];

		(void)text_copy(brief.why, WHY_BRIEF, status->blocks[i].why);
		chat_text_commit(text, "\nblocked: ", brief.commit);
		chat_text_add(text, " ");
		chat_block(text, &brief, status->at);
	}
	if (status->n_all_blocks > (int64_t)status->n_blocks)
		chat_text_add(text, "\n… and %lld more are blocked",
		    (long long)(status->n_all_blocks - (int64_t)status->n_blocks));
	if (status->n_blocks > 0)
		chat_text_add(text,
		    "\nNo push deploys that: " MARK_CODE "/deploy %s <commit>" MARK_CODE
		    " does, and a newer commit that contains it ends the block.",
		    status->environment->name);
}

void
chat_status(struct chat_text *text, const struct chat_status *status)
{
	const struct environment *environment = status->environment;

	chat_text_add(text, "%s " MARK_BOLD "%s" MARK_BOLD, light(status), environment->name);
	add_release(text, status);
	add_health(text, status);
	if (environment->is_down)
		chat_text_add(text,
		    "\n" MARK_BOLD
		    "DOWN: deployment and rollback failed: check the target" MARK_BOLD);
	add_blocks(text, status);
	add_skipped(text, environment);
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

void
chat_status_line(struct chat_text *text, const struct chat_status *status)
{
	const struct release *release = &status->environment->current;

	chat_text_add(text, "%s " MARK_BOLD "%s" MARK_BOLD "%s", light(status),
	    status->environment->name, release_words(status));
	if (release->id != 0) {
		chat_text_commit(text, "", release->commit);
		chat_text_ago(text, ", ", release->at, status->at);
	}
	if (status->active != NULL) {
		chat_text_add(text, "; ⏳ %s", deploy_flow_word(status->active->state));
		chat_text_commit(text, " ", status->active->commit);
	}
	if (status->queued != NULL)
		chat_text_commit(text, "; next: ", status->queued->commit);
	if (status->holds != NULL && status->holds->n > 0)
		chat_text_add(text, "; %s", chat_hold_sign(status->holds->at[0].kind));
	if (status->is_left) {
		chat_text_add(text, "; ");
		chat_left(text, status->becomes);
	}
	chat_text_add(text, "\n");
}
