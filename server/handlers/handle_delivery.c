/* handle_delivery.c - a forge reports a push, a run, a job, or a gate of its own.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "decide/git/decide_announced.h"
#include "decide/git/decide_redelivery.h"
#include "decide/queue/decide_ci_news.h"
#include "decide/who/decide_job.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_loan_end.h"
#include "decide/work/decide_pipeline.h"
#include "handlers/handlers.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_dedupe.h"
#include "store/row_rate_limit.h"
#include "store/row_repository.h"
#include "types/repository.h"

#define SAID_EACH_MS (3600 * INT64_C(1000))
#define ACCEPTED     202 /* received, and nothing for us to do */

/* A repository that took over the name of one, or has another name now, is not that one. */
static bool
is_the_same(struct tx *tx, const struct settings *application, const struct delivery *delivery)
{
	int64_t known = application->github.repository_id;

	if (delivery->forge != DELIVERY_GITHUB || delivery->repository_id == 0 ||
	    !repository_is_called(application, DELIVERY_GITHUB, delivery->repository))
		return true; /* and whoever speaks for any name says no number of one */
	if (known == 0)
		known = row_repository_shown(tx, delivery->repository, delivery->repository_id);
	if (known != delivery->repository_id &&
	    row_rate_limit_take(tx, 1, SAID_EACH_MS, "delivery:other"))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "%.100s is repository %" PRId64 " at GitHub now, and was %" PRId64
		    ": what it sends is ignored; where that is right, set GITHUB_REPOSITORY_ID",
		    delivery->repository, delivery->repository_id, known);
	return known == delivery->repository_id;
}

/* A job or a run of a pipeline, of whichever forge: both name their repository. */
static bool
is_of_a_run(const struct delivery *delivery)
{
	return delivery->job != NULL || delivery->run != NULL;
}

static bool
is_of(struct tx *tx, const struct settings *application, const struct delivery *delivery)
{
	/* What is no push is of whom it names, also where a webhook is one application's alone. */
	bool is_named = delivery->by_app ?
	    repository_is_apps(application, delivery->repository, delivery->kind == DELIVERY_PUSH) :
	    (!is_of_a_run(delivery) ||
		repository_is_called(application, delivery->forge, delivery->repository)) &&
		repository_is_announced(tx->settings, application, delivery->forge, delivery->hook,
		    delivery->repository);

	return is_named && is_the_same(tx, application, delivery);
}

static const struct settings *
application_at(const struct tx *tx, size_t i)
{
	return i == 0 ? tx->settings : tx->settings->applications[i - 1];
}

/* Is the repository any application's, by the webhook that it came by? */
static bool
is_ours(struct tx *tx, const struct delivery *delivery)
{
	for (size_t i = 0; i <= tx->settings->application_count; i++)
		if (is_of(tx, application_at(tx, i), delivery))
			return true;
	return false;
}

static void
announce(struct tx *tx, const struct settings *application, const struct delivery *delivery)
{
	for (size_t i = 0; i < settings_own_count(application); i++) {
		const struct environment_settings *environment = &application->environments[i];

		if (environment->push_branch != NULL &&
		    strcmp(environment->push_branch, delivery->branch) == 0)
			decide_announced(tx, environment, delivery);
	}
}

static const char nobodys[] =
    "ignored: no application has this repository here; is its GITHUB_REPOSITORY or REPOSITORY_PATH set, or its own webhook another one?\n";

/* Signed, and of no application: a setting is missing, or a webhook too many. */
static void
say_nobodys(struct tx *tx, const struct delivery *delivery)
{
	bool is_github = delivery->forge == DELIVERY_GITHUB;

	tx->answer.status = ACCEPTED;
	tx->answer.text = mem_text(nobodys);
	if (row_rate_limit_take(tx, 1, SAID_EACH_MS, "delivery:nobody"))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "a push of %.100s came by %s%s%s%s, and no application has it there: is its %s set?",
		    delivery->repository, is_github ? "/github/webhook" : "/forge/webhook/",
		    is_github ? "" : delivery_forge_word(delivery->forge),
		    delivery->hook[0] != '\0' ? "/" : "", delivery->hook,
		    is_github ? "GITHUB_REPOSITORY" : "REPOSITORY_PATH");
}

/* --- who wants what --- */

typedef void want_fn(struct tx *tx, const struct delivery *delivery);

/* False: it came before, by the repository's webhook or by the App, whose deliveries of one event
 * have one id. */
static bool
note(struct tx *tx, const struct delivery *delivery, const char *hook)
{
	char source[DECIDE_SOURCE];

	tx->answer.is_duplicate =
	    !row_dedupe_add(tx, decide_announced_source(delivery->forge, hook, source),
		delivery->id, delivery->by_id_alone ? NULL : delivery->digest);
	return !tx->answer.is_duplicate;
}

static void
want_ping(UNUSED struct tx *tx, UNUSED const struct delivery *delivery)
{
	/* 200: the webhook works */
}

/* Gates that wait for it or are open, of the applications that the delivery speaks for. */
static void
end_gates(struct tx *tx, const struct delivery *delivery)
{
	for (size_t i = 0; i <= tx->settings->application_count; i++)
		if (is_of(tx, application_at(tx, i), delivery))
			decide_gate_over(tx, application_at(tx, i), delivery->job);
}

static void
want_run(struct tx *tx, const struct delivery *delivery)
{
	for (size_t i = 0; i <= tx->settings->application_count; i++) {
		const struct settings *application = application_at(tx, i);

		if (!is_of(tx, application, delivery))
			continue;
		decide_pipeline_seen(tx, application, delivery->run);
		if (delivery->run->is_own)
			decide_ci_note(tx, application, delivery->run);
	}
	(void)note(tx, delivery, delivery->hook); /* it is not asked for again; twice is as once */
}

static void
want_job(struct tx *tx, const struct delivery *delivery)
{
	if (note(tx, delivery, ""))
		end_gates(tx, delivery);
}

/* As it would have come by the webhook of each application that it concerns, and once by each. */
static void
want_push(struct tx *tx, const struct delivery *delivery)
{
	struct delivery of = *delivery;
	bool is_noted = false, is_mains_new = false, is_any_new = false, is_anyones = false;

	for (size_t i = 0; i <= tx->settings->application_count; i++) {
		const struct settings *application = application_at(tx, i);
		const char *hook = repository_hook(application, delivery->forge);
		bool is_main = hook[0] == '\0', is_new;

		if (!is_of(tx, application, delivery))
			continue;
		is_new = is_main && is_noted ? is_mains_new : note(tx, delivery, hook);
		is_noted |= is_main;
		is_mains_new |= is_main && is_new;
		text_set(of.hook, hook);
		if (is_new && delivery->branch[0] != '\0' && !delivery->deleted)
			announce(tx, application, &of);
		is_any_new |= is_new;
		is_anyones = true;
	}
	tx->answer.is_duplicate = is_anyones && !is_any_new;
	if (!is_anyones)
		say_nobodys(tx, delivery);
}

/* NULL: none is, or several are. */
static const struct environment_settings *
mapped(struct tx *tx, const struct delivery *delivery)
{
	const struct environment_settings *found = NULL;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (!text_same_ci(e->github_environment, delivery->job->environment) ||
		    !is_of(tx, e->of, delivery))
			continue;
		if (found != NULL)
			return NULL;
		found = e;
	}
	return found;
}

static void
want_rule(struct tx *tx, const struct delivery *delivery)
{
	bool is_review = delivery->kind == DELIVERY_GATE_REVIEW;
	const struct environment_settings *environment =
	    delivery->by_app || is_review ? mapped(tx, delivery) : NULL;

	if (environment == NULL || environment->gate_reviewer != is_review) {
		tx->answer.status = ACCEPTED;
		if (row_rate_limit_take(tx, 1, SAID_EACH_MS, "delivery:rule"))
			tx_log(tx, LOG_LEVEL_WARNING,
			    "no environment is %.80s of %.100s at GitHub, or several are (<ENV>_GITHUB_ENVIRONMENT), or it is asked the other way (<ENV>_GATE_REVIEWER): its run %s waits for an answer on its page there",
			    delivery->job->environment, delivery->repository,
			    delivery->job->of.run);
	} else if (note(tx, delivery, "")) {
		decide_gate_rule(tx, environment, delivery->job);
	}
}

/* GitHub's have some KB; nothing that somebody waits for is lost in silence. */
static void
say_large(struct tx *tx, const struct delivery *delivery)
{
	if (row_rate_limit_take(tx, 1, SAID_EACH_MS, "delivery:large"))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "a delivery of %s is larger than 1 MB, and was not read: it decides nothing",
		    delivery_forge_name(delivery->forge));
}

/* A job, or all of a run. */
static bool
is_of_what_is_over(const struct delivery *delivery)
{
	return delivery->job != NULL &&
	    (delivery->run != NULL ? delivery->run->rank == PIPELINE_IS_OVER :
				     delivery->kind == DELIVERY_WORKFLOW_JOB);
}

void
handle_delivery(struct tx *tx, const struct event *event)
{
	static want_fn *const wants[] = {
#define KIND(name, word, forge, own, most, decode, want) [DELIVERY_##name] = (want),
		DELIVERY_KINDS(KIND)
#undef KIND
	};
	struct delivery delivered = event->u.delivery, *delivery = &delivered;
	want_fn *want = wants[delivery->kind];

	delivery->came_at =
	    delivery->kind == DELIVERY_PING ? 0 : decide_redelivery_came(tx, delivery);
	if (delivery->is_large)
		say_large(tx, delivery);
	if (is_of_what_is_over(delivery)) { /* twice is as once, and of whatever repository */
		decide_job_over(tx, delivery);
		decide_loan_over(tx, delivery);
	}
	if (delivery->is_large || (is_of_a_run(delivery) && !is_ours(tx, delivery)))
		want = NULL;
	else if (delivery->run != NULL && is_of_what_is_over(delivery))
		end_gates(tx, delivery); /* whatever has begun it */
	if (want != NULL)
		want(tx, delivery);
	else
		tx->answer.status = ACCEPTED;
}
