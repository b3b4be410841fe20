/* serve_crossing.c - what crosses to the store's thread and back: events in, outcomes out.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/text.h"
#include "serve_inside.h"
#include "store/store_restore.h"

/* --- events in --- */

bool
serve_submit(void *ctx, struct event *event)
{
	struct serve *serve = ctx;
	bool waits = event->done != NULL;
	struct err err;

	event->context.at = clock_wall_ms();
	event->context.knows_clock = serve->telegram != NULL &&
	    telegram_clock(serve->telegram, &event->context.clock_ahead_s);
	text_set(event->context.main_app,
	    serve->telegram != NULL ? telegram_main_app(serve->telegram) : "");
	if (serve->runner.agents != NULL && event->context.seen == NULL)
		event->context.seen = agents_seen_ref(agents_seen(serve->runner.agents));
	if (event->context.settings == NULL)
		event->context.settings = settings_ref(serve->settings);
	if (!crypto_random(event->context.random, sizeof(event->context.random), &err)) {
		log_error("%s", err.text);
		return false;
	}
	if (!crossing_submit(serve->crossing, event))
		return false;
	if (waits)
		health_watch_asked(serve->watch);
	return true;
}

/* --- outcomes out --- */

static void
take_effect(struct serve *serve, struct effect *effect)
{
	CRASH_POINT(effect_due);
	/* A run that has not begun stays a row: the next start orders it. */
	if (serve_is_stopping(serve) && effect->kind == EFFECT_RUN)
		effect_free(effect);
	else
		perform_effect(&serve->perform, effect);
	CRASH_POINT(effect_begun);
}

static void
take_outcome(struct serve *serve, struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_ANSWER:
		health_watch_answered(serve->watch, outcome->answer.status);
		CRASH_POINT(answer_due);
		outcome->done(outcome->done_ctx, &outcome->answer);
		CRASH_POINT(answer_given);
		break;
	case OUTCOME_EFFECT:
		take_effect(serve, outcome->effect);
		outcome->effect = NULL;
		break;
	case OUTCOME_CHANGE:
		perform_change(&serve->perform, outcome->effect);
		break;
	case OUTCOME_WITHDRAW:
		perform_withdraw(&serve->perform, outcome->withdraw);
		break;
	case OUTCOME_METRIC:
		metric_set_count(serve->metrics, &outcome->increment);
		/* The first commit is the start's, which trusts nothing then. */
		if (serve->has_restore_mark && outcome->increment.kind == INCREMENT_COMMIT) {
			serve->has_restore_mark = false;
			store_restore_spent(serve->settings->state_directory);
		}
		break;
	case OUTCOME_GAUGES:
		metric_set_gauges(serve->metrics, outcome->gauges, serve->settings);
		break;
	case OUTCOME_TOKENS:
		if (serve->network_api != NULL)
			route_api_tokens(serve->network_api, outcome->tokens);
		break;
	case OUTCOME_PEERS:
		if (serve->runner.agents != NULL)
			agents_take_peers(serve->runner.agents, known_peers_ref(outcome->peers));
		break;
	case OUTCOME_STATE:
		if (serve->runner.agents != NULL)
			agents_take_state(serve->runner.agents, outcome->state);
		else
			free(outcome->state);
		outcome->state = NULL;
		break;
	case OUTCOME_NEWS:
		route_watch_news(serve->runner.waiting, &outcome->news);
		break;
	case OUTCOME_FATAL:
		log_error("fsync failed: stopping at once");
		_exit(err_exit_status(ERR_IO));
	}
}

/* What was decided while it led may reach us behind a pause of the whole machine, when another
 * leads: it stays in its order until the next renewal says that none does. */
void
serve_take_outcomes(struct serve *serve, struct queue_list *list)
{
	struct queue_link *link;

	queue_list_append(&serve->lead.held, list);
	while (lease_may_act(serve->lead.lease) &&
	    (link = queue_list_take(&serve->lead.held)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		take_outcome(serve, outcome);
		outcome_free(outcome);
	}
}
