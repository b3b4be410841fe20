/* chat_deployment_show.c - the whole story of one deployment: who, when, each step, how it ended.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_show.h"

#include "chat/chat_deployment_inside.h"
#include "chat/chat_runner.h"
#include "chat/chat_status.h"
#include "lib/text.h"
#include "lib/url.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define LEAST_MS  100 /* "0.0 s" says nothing */

static const struct deployment *
work_of(const struct chat_show *is)
{
	return is->about->deployment;
}

static void
add_at(struct chat_text *text, const char *before, const struct chat_show *is, int64_t at)
{
	chat_text_since(text, before, &is->about->clock, at, is->about->at);
}

/* Outcome, or state, and what it is about: all that a lock screen shows. */
static void
add_first(struct chat_text *text, const struct chat_show *is)
{
	const struct deployment *work = work_of(is);

	if (deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL) {
		struct chat_deployment about = *is->about;

		about.since = &is->is;
		chat_deployment_first(text, &about);
		return;
	}
	chat_text_add(text, "%s%s: " MARK_BOLD "%s" MARK_BOLD, chat_first_rows[FIRST_SHOWN].before,
	    deploy_flow_word(work->state), deployment_target_here(work));
	chat_deployment_what(text, chat_first_rows[FIRST_SHOWN].behind, work);
}

static void
add_number(struct chat_text *text, const struct chat_show *is)
{
	const struct deployment *work = work_of(is);

	chat_text_add(text, "\n#%lld", (long long)work->id);
	if (deployment_is_action(work))
		chat_text_add(text, ", action");
	else if (deployment_is_rollback(work))
		chat_text_add(text, work->is_forward ? ", roll forward" : ", rollback");
	if (is->is.release != 0) {
		chat_text_add(text, ", ");
		chat_deployment_live(text, &is->is);
		chat_text_add(text, ", release %lld", (long long)is->is.release);
	}
	if (work->commit[0] != '\0')
		chat_text_code(
		    text, work->source == SOURCE_UPLOAD ? "\nupload " : "\n", work->commit);
	chat_text_subject(text, " ", work->subject);
	if (work->image[0] != '\0')
		chat_text_image(text, ", ", work->image);
	if (is->about->promotion != NULL &&
	    promotion_is_own(is->about->promotion, work->environment))
		chat_text_add(text, ", to hosts that did not run it");
	else if (is->about->promotion != NULL)
		chat_text_some(text, ", promoted from ",
		    is->about->promotion->from[0] != '\0' ? is->about->promotion->from :
							    "another environment");
}

static void
add_people(struct chat_text *text, const struct chat_show *is)
{
	const struct deployment *work = work_of(is);

	if (work->source == SOURCE_UPLOAD)
		chat_text_add(text, "\n" CHAT_NOT_FROM_GIT);
	if (work->author[0] != '\0')
		chat_text_author(text, "\nauthor ", work->author);
	if (deployment_is_by_request(work))
		chat_text_outside(text, "\nrequested by ", FORGE_PERSON(work->requester));
	else if (deployment_has_pusher(work))
		chat_text_theirs(text, "\npushed by ", FORGE_PERSON(work->requester));
	else
		chat_text_add(text, "\n%s", chat_deployment_found(work));
	chat_text_some(text, " ", is->where);
	add_at(text, ", ", is, work->requested_at);
	if (work->confirmed_by != 0) {
		chat_text_outside(text, "\nconfirmed by ", work->confirmer);
		if (work->approvers[0] == '\0') /* else that is when it had them */
			add_at(text, ", ", is, work->answered_at);
	}
	for (size_t i = 0; i < is->n_approvals; i++) {
		chat_text_outside(text, "\napproved by ", is->approvals[i].name);
		chat_text_some(text, " as ", is->approvals[i].role);
		add_at(text, ", ", is, is->approvals[i].at);
	}
	chat_text_some(text, "\n⚠️ in a freeze: ", work->exempt.exception);
	chat_deployment_emergency(text, "\n", work);
}

static void
add_times(struct chat_text *text, const struct chat_show *is)
{
	const struct deployment *work = work_of(is);
	const char *before = "\n";

	if (work->wait.queued_at != 0) {
		add_at(text, "\nqueued ", is, work->wait.queued_at);
		before = ", ";
	}
	chat_text_add(text, "%s", before);
	if (work->started_at != 0)
		add_at(text, "started ", is, work->started_at);
	else
		chat_text_add(text, "not started");
	if (work->ended_at == 0)
		return;
	add_at(text, ", ended ", is, work->ended_at);
	if (work->started_at != 0)
		chat_text_duration(text, ", took ", work->ended_at - work->started_at);
}

/* Health URLs were asked behind the run of its program, and a release is live by their word. */
static void
add_health(struct chat_text *text, const struct chat_show *is)
{
	const struct deployment *work = work_of(is);
	char url[LIMIT_URL], place[URL_PLACE];
	const char *rest = work->urls;
	int64_t since = 0;

	if (deployment_is_action(work) || work->started_at == 0)
		return;
	if (work->urls[0] == '\0') {
		chat_text_add(text, "\nno health check configured");
		return;
	}
	for (size_t i = 0; i < is->n_runs; i++)
		if (is->runs[i].program == work->program)
			since = is->runs[i].times.ended_at;
	if (work->state != DEPLOY_LIVE) {
		if (work->why != DEPLOY_WHY_UNHEALTHY) /* that is its end */
			chat_text_add(text, "\n%s",
			    work->state == DEPLOY_VERIFYING ? "checking health" :
							      "health: not looked at");
		return;
	}
	chat_text_add(text, "\nhealthy");
	for (const char *before = " at "; *rest != '\0'; before = ", ") {
		size_t size = strcspn(rest, ",");

		(void)text_copy(url, size + 1 < sizeof(url) ? size + 1 : sizeof(url), rest);
		chat_text_outside(text, before, url_place(url, place));
		rest += size + (rest[size] == ',');
	}
	if (since != 0)
		chat_text_duration(text, " after ", work->ended_at - since);
}

/* Why it ended so, and what became of it. */
static void
add_end(struct chat_text *text, const struct chat_show *is)
{
	const struct deployment *work = work_of(is);

	chat_deployment_why(text, "\n", work, "", WHY_WHOLE);
	if (work->state == DEPLOY_ROLLED_BACK || work->state == DEPLOY_ROLLBACK_FAILED) {
		chat_text_add(text,
		    work->state == DEPLOY_ROLLED_BACK ? "\n↩️ rolled back to " :
							"\n🔥 the rollback failed, to ");
		if (deployment_is_back_to_target(work))
			chat_text_add(text, "what ran before deploybot");
		else
			chat_text_named(text, "", work->previous_source, work->previous);
	}
	if (is->about->block != NULL) {
		chat_text_add(text, "\nblocked: ");
		chat_block(text, is->about->block, is->about->at);
	}
	chat_deployment_missing(text, work);
	chat_deployment_warnings(text, is->about, CHAT_SHOW_WARNINGS);
	chat_deployment_note(text, work);
}

/* When the next begins, notes aside, or its run ends; 0: it goes on. */
static int64_t
step_end(const struct chat_show_run *run, size_t i)
{
	for (i++; i < run->n_steps; i++)
		if (!deployment_is_note(run->steps[i].name))
			return run->steps[i].at;
	return run->times.ended_at;
}

static void
add_steps(struct chat_text *text, const struct chat_show *is, const struct chat_show_run *run)
{
	int64_t minute = run->times.started_at / MINUTE_MS; /* said already */
	size_t n = 0, all = 0;

	for (size_t i = 0; i < run->n_steps; i++) {
		int64_t end = step_end(run, i);

		if (deployment_is_note(run->steps[i].name) || all++ >= CHAT_SHOW_STEPS)
			continue;
		n++;
		chat_text_add(text, "\n");
		if (run->steps[i].at / MINUTE_MS != minute)
			add_at(text, "", is, run->steps[i].at);
		chat_text_outside(
		    text, run->steps[i].at / MINUTE_MS != minute ? " " : "", run->steps[i].name);
		minute = run->steps[i].at / MINUTE_MS;
		if (end - run->steps[i].at >= LEAST_MS)
			chat_text_duration(text, " ", end - run->steps[i].at);
	}
	if (all > n)
		chat_text_add(text, "\n… and %zu more: the log has them", all - n);
}

/* What ran, as people call it. */
static const char *const scripts[] = {
	[PROGRAM_DEPLOY] = "deploy script",
	[PROGRAM_ROLLBACK] = "rollback script",
	[PROGRAM_ACTION] = "action",
	[PROGRAM_DRAIN] = "drain",
};

/* Outside of what is folded away. */
static void
add_gone(struct chat_text *text, const struct chat_show *is)
{
	char line[LIMIT_LINE];

	for (size_t i = 0; i < is->n_runs; i++) {
		const struct runner_gone *gone = &is->runs[i].gone;

		if (gone->at == 0)
			continue;
		add_at(
		    text, chat_runner_gone(gone->name, "\n⚠️ its runner", line), is, gone->at);
		if (gone->is_servers)
			chat_runner_add_way(text, gone, is->about->deployment->id);
		else
			chat_text_add(text, ": how far it is is not known");
	}
}

/* Folded away: of a run its times, its end, and each of its steps. */
static void
add_runs(struct chat_text *text, const struct chat_show *is)
{
	if (is->n_runs == 0)
		return;
	chat_text_add(text, "\n" MARK_QUOTE);
	for (size_t i = 0; i < is->n_runs; i++) {
		const struct chat_show_run *run = &is->runs[i];
		const struct run_times *times = &run->times;

		chat_text_add(text, "%s%s", i > 0 ? "\n" : "", scripts[run->program]);
		if (peer_is_name(run->runner) && strcmp(run->runner, RUNNER_LOCAL) != 0)
			chat_text_outside(text, " on ", run->runner);
		if (times->started_at == 0) {
			chat_text_add(text, ": not started (run %lld)", (long long)run->id);
			continue;
		}
		add_at(text, ": started ", is, times->started_at);
		if (times->ended_at == 0)
			chat_text_add(text,
			    run->gone.at != 0 ? ", not known whether it still runs" :
						", still running");
		else if (times->signal_number != 0)
			chat_text_add(text, ", killed by signal %d", times->signal_number);
		else if (times->exit_status == 0)
			chat_text_add(text, ", ok");
		else if (times->exit_status < 0)
			chat_text_add(text, ", not known how it ended");
		else
			chat_text_add(text, ", failed: exit %d", times->exit_status);
		chat_text_add(text, " (run %lld)", (long long)run->id); /* its folder */
		add_steps(text, is, run);
	}
	if (is->has_more_runs)
		chat_text_add(text, "\n… and more runs");
	chat_text_add(text, MARK_QUOTE);
}

/* "audit entries 17–19, 23; of the last: audit 0badcafe0badcafe" */
static void
add_audit(struct chat_text *text, const struct chat_show *is)
{
	const char *before = "\n" MARK_ITALIC "audit entries ";

	if (is->n_audit == 0)
		return;
	for (size_t i = 0, last; i < is->n_audit; i = last + 1, before = ", ") {
		for (last = i; last + 1 < is->n_audit && is->audit[last + 1] == is->audit[last] + 1;
		     last++)
			continue;
		chat_text_add(text, "%s%lld", before, (long long)is->audit[i]);
		if (last > i)
			chat_text_add(text, "–%lld", (long long)is->audit[last]);
	}
	chat_text_add(text, "%s", is->has_more_audit ? ", …" : "");
	if (is->audit_head[0] != '\0')
		chat_text_add(text, "; of %lld: audit %s", (long long)is->audit[is->n_audit - 1],
		    is->audit_head);
	chat_text_add(text, MARK_ITALIC);
}

void
chat_show(struct chat_text *text, const struct chat_show *is)
{
	add_first(text, is);
	add_number(text, is);
	add_people(text, is);
	chat_text_some(text,
	    deployment_is_action(is->about->deployment) ? "\n" : "\nCI: ", is->about->touches);
	add_times(text, is);
	add_health(text, is);
	add_end(text, is);
	add_gone(text, is);
	add_runs(text, is);
	add_audit(text, is);
}
