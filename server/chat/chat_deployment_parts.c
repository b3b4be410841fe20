/* chat_deployment_parts.c - what its texts say alike: commit, image, people, steps, what it lacks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "lib/text.h"

#define LEAST_RAN_MS 60000 /* what ran for less has shown nothing there */

void
chat_deployment_until(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->until != 0)
		chat_text_since(text, "\n⏳ open until ", &about->clock, about->until, about->at);
}

void
chat_deployment_ref(struct chat_text *text, const char *before, const struct deployment *deployment)
{
	if (text_is_hex(deployment->ref, 40, SIZE_MAX))
		chat_text_commit(text, before, deployment->ref);
	else
		chat_text_ref(text, before, deployment->ref);
}

void
chat_deployment_commit(
    struct chat_text *text, const char *before, const struct deployment *deployment)
{
	/* A notification has forty characters: which pipeline it is, not that it is one. */
	if (deployment_is_pipeline(deployment)) {
		chat_text_code(text, before, deployment->argument);
		chat_text_some(text, " ", deployment->subject);
		return;
	}
	if (deployment_is_action(deployment)) {
		chat_text_code(text, before, deployment_action_word(deployment));
		chat_text_some(text, " ", deployment->argument);
		if (deployment_is_loan(deployment) && deployment->subject[0] != '\0')
			chat_text_quoted(text, " for ", deployment->subject, CHAT_FIRST_SUBJECT);
		if (deployment_is_gate(deployment)) {
			chat_text_named(text, " ", COMMIT_OF(deployment));
			chat_text_subject(text, " ", deployment->subject);
		}
		return;
	}
	if (deployment->commit[0] != '\0')
		chat_text_named(text, before, COMMIT_OF(deployment));
	else
		chat_deployment_ref(text, before, deployment);
	chat_text_subject(text, " ", deployment->subject);
}

void
chat_deployment_what(
    struct chat_text *text, const char *before, const struct deployment *deployment)
{
	if (deployment_is_action(deployment) || deployment->subject[0] == '\0' ||
	    deployment->commit[0] == '\0') {
		chat_deployment_commit(text, before, deployment);
		return;
	}
	chat_text_quoted(text, before, deployment->subject, CHAT_FIRST_SUBJECT);
	chat_text_named(text, " ", COMMIT_OF(deployment));
}

#define PROMOTED_SHOWN 14 /* bytes of a digest: "sha256:" and seven digits */

void
chat_deployment_promotion(struct chat_text *text, const struct chat_deployment *about)
{
	const struct promotion *promotion = about->promotion;
	bool is_open = about->deployment->started_at == 0;
	static const char *const baked[] = {
		[BAKE_NOT_ASKED] = "",
		[BAKE_NONE] = ", without a bake",
		[BAKE_CUT] = ", live there before its bake had ended",
		[BAKE_PASSED] = ", bake passed",
	};
	char age[TEXT_DURATION_SIZE];
	const char *from;

	if (promotion == NULL)
		return;
	if (promotion_is_own(promotion, about->deployment->environment)) {
		chat_text_add(text, "\nrelease %s, which is live; no other host is touched",
		    commit_name_here(COMMIT_OF(about->deployment)));
		return;
	}
	from = promotion->from[0] != '\0' ? promotion->from : "its source";
	chat_text_add(text, "\n%.*s…", PROMOTED_SHOWN, promotion->image);
	chat_text_outside(text, is_open ? ", on " : ", promoted from ", from);
	if (is_open) {
		chat_text_since(text, " since ", &about->clock, promotion->since, about->at);
		chat_text_add(text, " (%s)%s", text_age(age, about->at - promotion->since),
		    promotion->from[0] != '\0' ? baked[about->newest.source_bake] : "");
	}
	chat_text_add(text, "; no build");
}

void
chat_deployment_shown_image(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *shown = about->question != NULL ? about->question->shown_image : "";
	static const struct {
		const char *word;
		const char *line;
	} lines[] = {
		{ GIT_IMAGE_BUILD, "\nthe image will be built from this commit" },
		{ GIT_IMAGE_NONE, "\nCI has pushed no image of this commit yet" },
		{ GIT_IMAGE_UNKNOWN,
		    "\nthe registry does not say which image it has of this commit" },
	};

	if (about->promotion != NULL)
		chat_deployment_promotion(text, about);
	else if (deployment->image[0] != '\0' || git_image_is_digest(shown))
		chat_text_image(
		    text, "\n", deployment->image[0] != '\0' ? deployment->image : shown);
	else if (deployment->program == PROGRAM_DEPLOY)
		for (size_t i = 0; i < COUNT(lines); i++)
			if (strcmp(lines[i].word, shown) == 0)
				chat_text_add(text, "%s", lines[i].line);
}

void
chat_deployment_emergency(struct chat_text *text, const char *before, const struct deployment *work)
{
	if (!deployment_is_emergency(work))
		return;
	chat_text_add(text, "%s🚨 emergency: ", before);
	chat_text_outside(text, "", work->exempt.emergency);
	if (work->exempt.reviewed_at != 0)
		chat_text_outside(text, " · reviewed by ", work->exempt.reviewer);
	else if (work->started_at != 0)
		chat_text_add(text, CHAT_SAID_NOT_REVIEWED);
}

bool
chat_emergency_reviewed(struct chat_text *text, const struct deployment *work, const char *said)
{
	const char *at = strstr(said, CHAT_SAID_NOT_REVIEWED);

	if (at == NULL)
		return false;
	chat_text_add(text, "%.*s", (int)(at - said), said);
	chat_text_outside(text, " · reviewed by ", work->exempt.reviewer);
	chat_text_add(text, "%s", at + strlen(CHAT_SAID_NOT_REVIEWED));
	return true;
}

const char *
chat_deployment_found(const struct deployment *deployment)
{
	return deployment->trigger == TRIGGER_POLL ? "found by polling" :
						     "who pushed it is not known";
}

void
chat_deployment_requester(struct chat_text *text, const struct deployment *deployment)
{
	bool is_request = deployment_is_by_request(deployment);
	bool is_found = !is_request && !deployment_has_pusher(deployment);

	chat_text_add(text, "\n");
	if (deployment->source == SOURCE_UPLOAD && !deployment_is_action(deployment))
		chat_text_add(text, CHAT_NOT_FROM_GIT " · ");
	if (deployment->author[0] != '\0') {
		chat_text_author(text, "author ", deployment->author);
		chat_text_add(text, is_found ? "" : " · ");
	}
	if (is_found)
		chat_text_add(text, "%s",
		    deployment->author[0] != '\0' ? "" : chat_deployment_found(deployment));
	else if (is_request)
		chat_text_outside(text, "requested by ", FORGE_PERSON(deployment->requester));
	else
		chat_text_theirs(text, "pushed by ", FORGE_PERSON(deployment->requester));
	chat_text_some(text, " · confirmed by ", deployment_confirmer(deployment));
	if (deployment->approvers[0] != '\0' && deployment->state != DEPLOY_AWAITING_APPROVAL)
		chat_text_outside(text, " · approved by ", deployment->approvers);
	chat_text_some(text, "\n⚠️ in a freeze: ", deployment->exempt.exception);
	chat_deployment_emergency(text, "\n", deployment);
	if (deployment->is_unwitnessed)
		chat_text_add(text, "\n⏳ without witness: the audit log's copy was late");
}

void
chat_deployment_previous(
    struct chat_text *text, const char *before, const struct deployment *deployment)
{
	if (deployment_is_back_to_target(deployment))
		chat_text_add(text, "%swhat ran before deploybot", before);
	else
		chat_text_named(text, before, deployment->previous_source, deployment->previous);
}

void
chat_deployment_unprobed(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment->urls[0] == '\0')
		chat_text_add(
		    text, "\nNo health check configured: success means the script exited with 0.");
}

void
chat_deployment_missing(struct chat_text *text, const struct deployment *deployment)
{
	chat_text_some(text, "\n⚠️ without ", deployment->missing);
}

void
chat_deployment_note(struct chat_text *text, const struct deployment *deployment)
{
	chat_text_some(text, "\nℹ️ ", deployment->note);
}

void
chat_deployment_draining(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->draining_since == 0)
		return;
	chat_text_since(text, "\n⚠️ still draining since ", &about->clock,
	    about->draining_since, about->at);
	chat_text_add(text, ": open connections will be closed");
}

void
chat_barriers(struct chat_text *text, const struct barrier *barriers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct barrier *barrier = &barriers[i];

		chat_text_add(text, "\n⛔ No rollback past ");
		if (barrier->number != 0)
			chat_text_add(text, "release %lld, ", (long long)barrier->number);
		if (barrier->commit[0] == '\0')
			chat_text_add(text, "this release");
		else
			chat_text_named(text, "", COMMIT_OF(barrier));
		chat_text_theirs(text, ": ", barrier->reason);
	}
}

void
chat_deployment_runs_first(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_some(text, "\n🗄 runs before the release: ", about->first);
}

void
chat_deployment_past(struct chat_text *text, const struct chat_deployment *about)
{
	for (size_t i = 0; i < about->n_past; i++) {
		chat_text_named(text, "\n⛔ Rolls back past ", COMMIT_OF(&about->past[i]));
		chat_text_theirs(text, ": ", about->past[i].reason);
	}
}

void
chat_deployment_warning(struct chat_text *text, const struct chat_deployment *about)
{
	const char *warning = about->question != NULL ? about->question->warning : "";

	if (warning[0] != '\0' && strstr(about->deployment->changed, warning) == NULL)
		chat_text_outside(text, "\n⚠️ ", warning);
}

void
chat_deployment_took(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	int64_t end = deployment->ended_at != 0 ? deployment->ended_at : about->at;

	const char *before = "\n" MARK_ITALIC;

	if (deployment->started_at > 0) {
		chat_text_add(text, "%s", before);
		chat_text_duration(text, "took ", end - deployment->started_at);
		before = " · ";
	}
	if (deployment->state == DEPLOY_LIVE && deployment_is_back_to_target(deployment)) {
		chat_text_add(text, "%swas what ran before deploybot", before);
		before = " · ";
	} else if (deployment->state == DEPLOY_LIVE && deployment->previous[0] != '\0') {
		chat_text_add(text, "%swas %s", before,
		    commit_name_here(deployment->previous_source, deployment->previous));
		before = " · ";
	}
	chat_text_add(text, "%s", before[0] == '\n' ? "" : MARK_ITALIC);
}

#define CHANGES_SHOWN 3 /* more are folded, in which marks do not nest */

static void
add_change(struct chat_text *text, const struct git_change *change, bool is_folded, bool is_failed)
{
	chat_text_add(text, is_failed ? "• ⚠️ " : "• ");
	if (is_folded)
		chat_text_add(text, "%.7s", change->commit);
	else
		chat_text_commit(text, "", change->commit);
	chat_text_quoted(text, " ", change->subject, SIZE_MAX);
	if (change->author[0] != '\0')
		chat_text_author(text, " — ", change->author);
}

static void
add_changes(struct chat_text *text, const struct git_change *changes, size_t n, int64_t count,
    unsigned failed)
{
	bool is_folded = n > CHANGES_SHOWN;

	chat_text_add(text, is_folded ? "\n" MARK_QUOTE : "");
	for (size_t i = 0; i < n; i++) {
		chat_text_add(text, is_folded && i == 0 ? "" : "\n");
		add_change(text, &changes[i], is_folded, (failed >> i & 1) != 0);
	}
	if (count > (int64_t)n)
		chat_text_add(text, "\n… and %lld more", (long long)(count - (int64_t)n));
	chat_text_add(text, is_folded ? MARK_QUOTE : "");
}

void
chat_deployment_gone_commits(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_add(text, "\nrolls back %lld commit%s:", (long long)about->gone_count,
	    about->gone_count == 1 ? "" : "s");
	add_changes(text, about->gone_commits, about->n_gone_commits, about->gone_count, 0);
}

void
chat_deployment_no_history(
    struct chat_text *text, const struct git_answer *answer, const struct release *live)
{
	if (live->source == SOURCE_UPLOAD && !answer->has_base && answer->kind != GIT_UPLOAD)
		chat_text_add(text, "\n⚠️ what changes is not known: an upload is live");
	else if (answer->no_history && live->id != 0)
		chat_text_add(text,
		    "\n⚠️ no common history with what is live: whether it can be rolled back is not known");
}

void
chat_deployment_changes(struct chat_text *text, const struct git_answer *answer, unsigned failed)
{
	int n_failed = __builtin_popcount(failed);
	char size[TEXT_DURATION_SIZE];

	if (answer->kind == GIT_UPLOAD)
		chat_text_add(text, "\n%lld file%s, %s unpacked", (long long)answer->files,
		    answer->files == 1 ? "" : "s", text_bytes(size, (uint64_t)answer->bytes));
	if (answer->has_base && answer->count == 0)
		chat_text_add(text, "\nno new commits");
	else if (answer->has_base)
		chat_text_add(text, "\n%lld new commit%s", (long long)answer->count,
		    answer->count == 1 ? "" : "s");
	if (answer->has_base && answer->count > 0 && n_failed > 0)
		chat_text_add(text, ", ⚠️ %d failed before", n_failed);
	chat_text_add(text, answer->has_base && answer->count > 0 ? ":" : "");
	add_changes(text, answer->change, answer->n_changes, answer->count, failed);
}

void
chat_deployment_ran(struct chat_text *text, const struct chat_deployment *about)
{
	for (size_t i = 0; i < about->n_ran; i++) {
		const struct ran *ran = &about->ran[i];

		if (ran->at == 0) {
			chat_text_add(text, "\n⚠️ never ran on %s", ran->environment);
		} else if (ran->is_failed) {
			chat_text_add(
			    text, "\n⚠️ the same files failed on %s", ran->environment);
			chat_text_some(text, " (", ran->detail);
			chat_text_add(text, ran->detail[0] != '\0' ? ")" : "");
			chat_text_ago(text, " ", ran->at, about->at);
		} else {
			bool is_doubted = ran->is_down || ran->is_unknown || ran->is_left ||
			    ran->ms < LEAST_RAN_MS;
			char age[TEXT_DURATION_SIZE];

			if (ran->image[0] != '\0')
				chat_text_image(text, "\n⚠️ another ", ran->image);
			chat_text_add(text,
			    ran->image[0] != '\0' ? " of it" :
				is_doubted	  ? "\n⚠️" :
						    "\n🧪");
			chat_text_add(text, " ran on %s for %s%s%s", ran->environment,
			    ran->ms < LEAST_RAN_MS ? "only " : "", text_age(age, ran->ms),
			    ran->is_left	? ", then was rolled back" :
				ran->is_down	? ", and may be DOWN now" :
				ran->is_unknown ? "; what runs there now is not known" :
				ran->is_probed	? ", healthy" :
						  "");
		}
	}
}

/* Is it what a failure of this is rolled back to?  Where a barrier is in the way nothing is. */
static bool
is_rollback_target(const struct chat_deployment *about, const struct release *release)
{
	return deployment_can_roll_back(about->deployment) && about->n_barriers == 0 &&
	    release->id != 0 && strcmp(release->commit, about->deployment->previous) == 0;
}

void
chat_deployment_doubt(
    struct chat_text *text, const struct environment *environment, const char *then)
{
	if (environment->is_down)
		chat_text_add(text, "%s may be DOWN%s", environment->name, then);
	else
		chat_text_add(text, "what runs in %s is not known%s", environment->name, then);
	if (environment->current.id == 0)
		chat_text_add(text, "no release yet");
	else
		chat_text_add(text, "last %s: %s", environment->is_down ? "live" : "known",
		    commit_name_here(COMMIT_OF(&environment->current)));
}

void
chat_deployment_odd(
    struct chat_text *text, const struct deployment *deployment, bool says_force_push)
{
	if (deployment->is_force_push && says_force_push)
		chat_text_add(text,
		    "\n⚠️ " MARK_BOLD "%sthe live commit is not in its history" MARK_BOLD,
		    deployment->is_off_branch || deployment_is_by_request(deployment) ?
			"" :
			"force push: ");
	if (deployment->is_off_branch && commit_is_git(COMMIT_OF(deployment)))
		chat_text_add(text, "\n⚠️ " MARK_BOLD "not on the branch of %s" MARK_BOLD,
		    deployment->environment);
}

void
chat_deployment_failed_since(struct chat_text *text, const char *before, int64_t at, int64_t now)
{
	if (at == 0)
		return;
	chat_text_add(text, "%s", before);
	chat_text_ago(text, "⚠️ failed there since it was live, ", at, now);
}

void
chat_deployment_replaces(struct chat_text *text, const struct chat_deployment *about)
{
	const struct release *current = &about->environment->current;

	if (chat_deployment_is_to_hosts(about))
		return;
	if (environment_is_in_doubt(about->environment)) {
		chat_text_add(text, "\n⚠️ " MARK_BOLD);
		chat_deployment_doubt(text, about->environment, MARK_BOLD "; ");
	} else if (current->id == 0 && deployment_is_gate(about->deployment)) {
		if (text_is_hex(about->deployment->wait.compared_live, 40, 40))
			chat_text_commit(text, "\nthe last gate there was for ",
			    about->deployment->wait.compared_live);
		else
			chat_text_add(text, "\nno release of deploybot's is there");
	} else if (current->id == 0) {
		chat_text_add(
		    text, "\nNothing was released to %s yet.", about->deployment->environment);
	} else {
		chat_text_named(text, "\nreplaces ", COMMIT_OF(current));
	}
	if (current->id == 0)
		return;
	chat_text_add(text, " (release %lld, ", (long long)current->number);
	chat_text_ago(text, "", current->at, about->at);
	chat_text_add(text, ")");
	if (is_rollback_target(about, current) && about->back_failed_since == 0)
		chat_text_add(text, ", and you can roll back to it");
	else if (is_rollback_target(about, current))
		chat_deployment_failed_since(text, ", ", about->back_failed_since, about->at);
}

void
chat_deployment_rollback_target(struct chat_text *text, const struct chat_deployment *about)
{
	const struct release *previous = &about->environment->previous;

	if (chat_deployment_is_to_hosts(about)) {
		chat_text_add(text, "\n↩️ where it fails they get back what they run now");
	} else if (!deployment_can_roll_back(about->deployment)) {
		chat_text_add(text, "\n⚠️ no release to roll back to");
	} else if (!is_rollback_target(about, &about->environment->current) &&
	    is_rollback_target(about, previous)) {
		chat_text_named(text, "\n↩️ you can roll back to ", COMMIT_OF(previous));
		chat_text_add(text, " (release %lld, ", (long long)previous->number);
		chat_text_ago(text, "", previous->at, about->at);
		chat_text_add(text, ")");
		chat_deployment_failed_since(text, ", ", about->back_failed_since, about->at);
	}
}

#define REASON_SIZE 80

/* Why it failed is that its migration did, which is said of the database. */
static bool
is_said_of_migration(const struct deployment *deployment)
{
	return deployment->why == DEPLOY_WHY_SCRIPT &&
	    deployment->state != DEPLOY_ROLLBACK_FAILED &&
	    deployment_migration(deployment) == MIGRATION_FAILED;
}

/* No default: of another why the compiler asks. */
static bool
is_measured(enum deploy_why why)
{
	switch (why) {
	case DEPLOY_WHY_UNHEALTHY:
	case DEPLOY_WHY_SCRIPT:
		return true;
	case DEPLOY_WHY_NONE:
	case DEPLOY_WHY_CANCELLED:
	case DEPLOY_WHY_TIMED_OUT:
	case DEPLOY_WHY_INTERRUPTED:
	case DEPLOY_WHY_NOT_STARTED:
	case DEPLOY_WHY_REFUSED:
	case DEPLOY_WHY_REJECTED:
	case DEPLOY_WHY_UNAPPROVED:
	case DEPLOY_WHY_CI:
	case DEPLOY_WHY_LEFT:
	case DEPLOY_WHY_ELSEWHERE:
	case DEPLOY_WHY_COUNT:
		break;
	}
	return false;
}

/* What whoever may push, or a host's root, likes to say: it mentions nobody, and does not go on as
 * our own words. */
static void
add_detail(struct chat_text *text, const struct deployment *deployment, const char *detail)
{
	bool is_failed = deployment->why == DEPLOY_WHY_SCRIPT;
	bool is_done = deployment->why == DEPLOY_WHY_NONE && deployment->state == DEPLOY_DONE;

	if (is_failed && deployment_is_pipeline(deployment))
		chat_text_theirs(text, "", detail); /* jobs, and what annotates them */
	else if (detail[0] != '\0' && deployment_is_action(deployment) &&
	    !deployment_is_pipeline(deployment) && (is_failed || is_done))
		chat_text_ref(text, "", detail); /* the last line of its output */
	else
		chat_text_outside(text, "", detail);
}

void
chat_deployment_why(struct chat_text *text, const char *before, const struct deployment *deployment,
    const char *behind, enum why_how how)
{
	const char *word = deployment_why_word(deployment), *detail = deployment->detail;
	bool is_brief = how == WHY_BRIEF;
	bool is_by = deployment->why == DEPLOY_WHY_LEFT ||
	    (is_brief && deployment->why == DEPLOY_WHY_CANCELLED);
	char brief[REASON_SIZE];

	if ((word[0] == '\0' && detail[0] == '\0') ||
	    (how == WHY_IN_STORY && is_said_of_migration(deployment)))
		return;
	if (is_brief && detail[0] != '\0' && is_measured(deployment->why))
		word = "";
	if (how != WHY_WHOLE && deployment->why != DEPLOY_WHY_CANCELLED)
		detail = chat_deployment_without_script(detail);
	chat_text_add(text, "%s%s", before, word);
	if (word[0] != '\0' && detail[0] != '\0')
		chat_text_add(text, is_by ? " " : ": ");
	text_set(brief, detail);
	add_detail(text, deployment, is_brief ? brief : detail);
	chat_text_add(text, "%s%s", is_brief && strlen(detail) >= sizeof(brief) ? "…" : "", behind);
}

void
chat_unknown_orders(
    struct chat_text *text, const struct environment *environment, const char *runbook)
{
	const char *name = environment->name;

	chat_text_add(text,
	    "\n1. " MARK_CODE "/logs %s" MARK_CODE ": is something still running there?\n2. ",
	    name);
	if (environment->current.id != 0)
		chat_text_add(text, MARK_CODE "/rollback %s" MARK_CODE " or ", name);
	chat_text_add(text,
	    MARK_CODE "/deploy %s" MARK_CODE
		      ": asks first\n3. ▶️ Resume queue of %s: when you know that it is fine",
	    name, name);
	chat_text_some(text, "\n📖 ", runbook);
}

void
chat_deployment_next_step(struct chat_text *text, const struct environment *environment,
    const struct release *back, const char *runbook)
{
	const char *name = environment->name;
	bool can_roll_back = back != NULL && back->id != 0;

	if (environment->unknown_since != 0) {
		chat_unknown_orders(text, environment, runbook);
		return;
	}
	if (!can_roll_back)
		chat_text_add(
		    text, "\n1. " MARK_CODE "/status %s" MARK_CODE ": does it answer?", name);
	chat_text_add(
	    text, "\n%d. " MARK_CODE "/logs %s" MARK_CODE ": why?", can_roll_back ? 1 : 2, name);
	if (can_roll_back)
		chat_text_add(text, "\n2. " MARK_CODE "/rollback %s" MARK_CODE, name);
	if (can_roll_back && strcmp(back->commit, environment->current.commit) != 0)
		chat_text_named(text, " to ", COMMIT_OF(back));
	chat_text_add(text, can_roll_back ? ": asks first" : "");
	chat_text_add(text, "\n3. " MARK_CODE "/deploy %s" MARK_CODE ": with a fix", name);
	chat_text_some(text, "\n📖 ", runbook);
}
