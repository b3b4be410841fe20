/* sim_server.c - the server: the real store, its turns, and what a power cut leaves of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A turn decides some events, projects as store_thread.c does, and hands over.  It can be cut
 * its commit (the events are gone), behind it, or between two effects; a commit can find no space.
 */
#include "handlers/handlers.h"
#include "lib/mem.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#define RETRY_MS      100
#define TOGETHER_MOST 4	    /* events in one commit */
static struct sim *current; /* handlers have no context */

static sim_fn server_start, server_turn, wait_comes;
static store_handler decide_guarded;

/* --- handlers, guarded --- */

static store_handler *const guarded[EVENT_KIND_COUNT] = {
#define EVENT(upper, lower) [EVENT_##upper] = decide_guarded,
#include "types/event.def"
};

static store_decode *const decoders[EVENT_SOURCE_COUNT] = {
	[SOURCE_TELEGRAM_POLL] = sim_chat_decode,
};

static const struct store_config config = { .handlers = guarded, .decoders = decoders };

static bool
may_fail_for_good(const struct event *event)
{
	return event->kind == EVENT_RUN_ENDED || event->kind == EVENT_PROBED ||
	    event->kind == EVENT_GIT_ANSWERED || event->kind == EVENT_CLOUDFLARE_GOT ||
	    event->kind == EVENT_CLOUDFLARE_WAS_SET || event->kind == EVENT_WITNESSED ||
	    event->kind == EVENT_FORGE_SAID || event->kind == EVENT_VAULT_SAID;
}

/* What a library refuses for want of memory is a failed request. */
static bool
lacks_memory(void)
{
	return sim_lacks_memory != NULL && sim_lacks_memory();
}

static void
decide_guarded(struct tx *tx, const struct event *event)
{
	struct sim *sim = current;
	struct sim_before before;

	if (sim_disk_kills(sim, event)) {
		tx_fail(tx, ERR_FULL, "dead");
		return;
	}
	if (tx->store != sim->store)
		sim_fail(sim, "who_is_deposed_decides_nothing", "%s", event_name(event->kind));
	sim->batch++;
	if (event->kind == EVENT_MESSAGE_SENT)
		sim_chat_sent(sim, &event->u.message_sent);
	sim_trace(sim, "    %s%s%" PRId64, event_name(event->kind),
	    event->effect != 0 ? " of " : " ", event->effect);
	if (event->kind == EVENT_FAULT && !lacks_memory() && sim->n_planned-- == 0)
		sim_fail(sim, "no_result_fails", "%s", event->u.fault.reason);
	sim_check_before(sim, tx, &before);
	handlers[event->kind](tx, event);
	if (tx->failed && !lacks_memory())
		sim_fail(sim, "no_handler_fails", "%s: %s", event_name(event->kind), tx->err.text);
	sim->is_distrusted |= event->kind == EVENT_STARTED && event->u.started.is_restored;
	if (sim->is_full) {
		tx_fail(tx, ERR_FULL, "no space left");
	} else if (sim->is_failing && may_fail_for_good(event)) {
		sim->is_failing = false;
		sim->n_planned++;
		sim_note(sim, SIM_HANDLER_FAILED);
		sim_trace(sim, "    it fails for good");
		tx_fail(tx, ERR_INVALID, "planned");
	}
	if (!tx->failed)
		sim_check_after(sim, tx, &before);
}

/* --- effects that are handed out --- */

struct sim_open *
sim_server_find(struct sim *sim, int64_t effect)
{
	for (size_t i = 0; i < SIM_OPEN; i++)
		if (sim->open[i].effect != NULL && sim->open[i].effect->id == effect)
			return &sim->open[i];
	return NULL;
}

struct sim_open *
sim_server_find_run(struct sim *sim, int64_t run)
{
	for (size_t i = 0; i < SIM_OPEN; i++)
		if (sim->open[i].effect != NULL && sim->open[i].effect->kind == EFFECT_RUN &&
		    sim->open[i].effect->u.run.run == run)
			return &sim->open[i];
	return NULL;
}

static void
wait_comes(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);

	(void)b;
	if (open != NULL)
		sim_server_report(sim, open);
}

/* The others begin anew when they fire. */
static bool
ends_by_itself(enum timer_kind kind)
{
	return kind == TIMER_QUESTION || kind == TIMER_PUSH || kind == TIMER_APPROVAL ||
	    kind == TIMER_PAD || kind == TIMER_CHANGED || kind == TIMER_CLOUDFLARE ||
	    kind == TIMER_WITNESS || kind == TIMER_GATE || kind == TIMER_LOAN ||
	    kind == TIMER_BAKE || kind == TIMER_WAVES;
}

static void
perform_timer(struct sim *sim, const struct effect *effect)
{
	int64_t left = effect->due > sim->now ? effect->due - sim->now : 0;

	if (sim->is_resting && !ends_by_itself(effect->u.timer.kind) &&
	    effect->u.timer.kind != TIMER_HOLDS)
		return; /* for ever, so no history would come to rest */
	sim_later(sim, sim->life, left + sim_draw(sim, 20), wait_comes, effect->id, 0);
}

void
sim_server_report_soon(struct sim *sim, const struct effect *effect)
{
	sim_later(sim, sim->life, sim_delay(sim, 1, 2000), wait_comes, effect->id, 0);
}

static bool
has_moved(const struct sim *sim, const struct effect *effect)
{
	return sim->moved != 0 && effect->u.send_message.message.address.chat == sim->moving;
}

/* Of a message, when it is handed out: what is held back, edits that take buttons away, failures,
 * answers, what is new, and edits. */
static int
lane_of(const struct effect *effect)
{
	const struct message *message = &effect->u.send_message.message;

	if (effect->kind != EFFECT_SEND_MESSAGE)
		return 0;
	if (message->held_until != 0)
		return 5;
	if (message->remote_id != 0 && message->is_closing)
		return 4;
	if (message->remote_id != 0 && message->is_pinned)
		return 6;
	if (message->is_alarm || message->is_answer)
		return message->is_alarm ? 3 : 2;
	return message->remote_id != 0;
}

/* The store hands out the head of a lane, and nothing behind it.  (What was on its way to a chat
 * that moved has its lane under the new id; the old one is begun anew by the settings' chat.) */
static void
check_lane(struct sim *sim, const struct effect *effect)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *other = sim->open[i].effect;

		if (other == NULL || other == effect || other->kind != effect->kind)
			continue;
		if (effect->kind == EFFECT_SEND_MESSAGE && !has_moved(sim, effect) &&
		    sim->open[i].lane == lane_of(effect) &&
		    other->u.send_message.message.address.chat ==
			effect->u.send_message.message.address.chat)
			sim_fail(sim, "a_lane_has_one_out", "effects %" PRId64 " and %" PRId64,
			    other->id, effect->id);
		if (other->id == effect->id)
			sim_fail(sim, "an_effect_is_handed_out_once", "%" PRId64, effect->id);
	}
}

static void
perform(struct sim *sim, struct effect *effect)
{
	struct sim_open *open = sim->open;

	while (open < sim->open + SIM_OPEN && open->effect != NULL)
		open++;
	assert(open < sim->open + SIM_OPEN);
	check_lane(sim, effect);
	*open = (struct sim_open){ .effect = effect, .lane = lane_of(effect) };
	sim_trace(sim, "  %s%s %" PRId64 " for %" PRId64, effect->is_recovered ? "again " : "",
	    effect_name(effect->kind), effect->id, effect->subject);
	sim_uploads_check_asked(sim, effect);
	switch (effect->kind) {
	case EFFECT_RUN:
		sim_uploads_check_order(sim, &effect->u.run);
		sim_run_order(sim, open);
		break;
	case EFFECT_STOP_RUN:
		sim_run_end(sim, open);
		break;
	case EFFECT_GIT_QUERY:
		sim_forge_ask(sim, open);
		break;
	case EFFECT_GITHUB_RUNS:
		sim_ci_ask(sim, open);
		break;
	case EFFECT_OPA:
		sim_opa_ask(sim, open);
		break;
	case EFFECT_PROM_QUERY:
		sim_bake_ask(sim, open);
		break;
	case EFFECT_FORGE_REPORT:
		sim_ci_report(sim, open);
		break;
	case EFFECT_FORGE_START:
	case EFFECT_FORGE_STOP:
	case EFFECT_FORGE_LOOK:
		sim_pipelines_ask(sim, open);
		break;
	case EFFECT_FORGE_ANSWER:
		sim_rules_answer(sim, open);
		break;
	case EFFECT_PROBE:
		sim_run_probe(sim, open);
		break;
	case EFFECT_SEND_MESSAGE:
		sim_chat_say(sim, open);
		break;
	case EFFECT_DELETE_MESSAGE:
		sim_chat_delete(sim, open);
		break;
	case EFFECT_APPLICATION_LOG: /* it says nothing there */
	case EFFECT_GITHUB_FAILURE:
	case EFFECT_LEAVE_CHAT:
	case EFFECT_PIN_MESSAGE:
	case EFFECT_PURGE_UPLOAD:
	case EFFECT_TOAST:
		sim_chat_toast(sim, open);
		break;
	case EFFECT_NOTIFY:
		sim_notify_call(sim, open);
		break;
	case EFFECT_GITHUB_DELIVERIES: /* nothing is missing by it */
		open->effect->result->u.github_deliveries_read.hook = 7;
		sim_chat_toast(sim, open);
		break;
	case EFFECT_DOCUMENT:
		sim_chat_document(sim, open);
		break;
	case EFFECT_PURGE_RUN:
		sim_run_purge(sim, open);
		break;
	case EFFECT_CLOUDFLARE_GET:
	case EFFECT_CLOUDFLARE_SET:
		sim_cloudflare_call(sim, open);
		break;
	case EFFECT_VAULT_LEND:
	case EFFECT_VAULT_REVOKE:
	case EFFECT_VAULT_LOOK:
	case EFFECT_LEND_MESSAGE:
		sim_loans_call(sim, open);
		break;
	case EFFECT_WITNESS:
		sim_witness_put(sim, open);
		break;
	case EFFECT_TIMER:
		perform_timer(sim, effect);
		break;
	case EFFECT_FETCH_FILE:
		sim_uploads_fetch(sim, open);
		break;
	case EFFECT_SIGN_CERTIFICATE: /* nobody enrols there */
	case EFFECT_KIND_COUNT:
		abort();
	}
}

/* --- results, told once, twice, or too late --- */

static struct event *
copy_result(struct sim *sim, const struct event *result)
{
	struct event *copy = sim_server_event(sim, result->kind);
	const struct probed *probed = &result->u.probed;

	copy->effect = result->effect;
	memcpy(&copy->u, &result->u, event_size(result->kind) - offsetof(struct event, u));
	if (result->kind == EVENT_GIT_ANSWERED && result->u.git_answered.answer != NULL)
		copy->u.git_answered.answer = strdup(result->u.git_answered.answer);
	if (result->kind == EVENT_GIT_ANSWERED && result->u.git_answered.binding != NULL)
		copy->u.git_answered.binding = strdup(result->u.git_answered.binding);
	if (result->kind == EVENT_RUN_ENDED && result->u.run_ended.binding != NULL)
		copy->u.run_ended.binding = strdup(result->u.run_ended.binding);
	if (result->kind == EVENT_GITHUB_RUNS_READ && result->u.github_runs_read.n > 0)
		copy->u.github_runs_read.runs = mem_copy(result->u.github_runs_read.runs,
		    result->u.github_runs_read.n * sizeof(struct pipeline_run));
	if (result->kind == EVENT_PROBED && probed->findings != NULL) {
		copy->u.probed.findings = calloc(probed->n, sizeof(*probed->findings));
		assert(copy->u.probed.findings != NULL);
		memcpy(copy->u.probed.findings, probed->findings,
		    probed->n * sizeof(*probed->findings));
	}
	return copy;
}

/* What a second telling says need not be what the first said. */
static void
twist(struct sim *sim, struct event *event)
{
	if (event->kind == EVENT_RUN_ENDED && sim_one_in(sim, 2))
		event->u.run_ended.exit_status = event->u.run_ended.exit_status == 0;
	if (event->kind == EVENT_CLOUDFLARE_GOT || event->kind == EVENT_CLOUDFLARE_WAS_SET)
		event->u.cloudflare = (struct cloudflare_answer){ .verdict = CLOUDFLARE_REFUSED };
	if (event->kind == EVENT_FORGE_SAID)
		event->u.forge_said.verdict = FORGE_SAYS_NOTHING;
	if (event->kind == EVENT_VAULT_SAID)
		event->u.vault_said.is_done = !event->u.vault_said.is_done;
	if (event->kind == EVENT_NOTIFIED)
		event->u.notified.verdict = NOTIFY_OFF;
	if (event->kind == EVENT_OPA_SAID)
		event->u.opa_said.verdict = OPA_YES;
	if (event->kind == EVENT_WITNESSED)
		event->u.witnessed.verdict =
		    sim_one_in(sim, 2) ? WITNESS_CONFIRMED : WITNESS_REFUSED;
	for (size_t i = 0; event->kind == EVENT_PROBED && i < event->u.probed.n; i++)
		event->u.probed.findings[i].is_healthy = !event->u.probed.findings[i].is_healthy;
}

static void
submit_now(struct sim *sim, struct event *event)
{
	queue_list_add(&sim->events, &event->link);
	if (!sim->is_turn_due) {
		sim->is_turn_due = true;
		sim_later(sim, sim->life, sim_delay(sim, 0, 2000), server_turn, 0, 0);
	}
}

struct event *
sim_server_event(struct sim *sim, enum event_kind kind)
{
	struct event *event = event_new(kind);

	assert(event != NULL);
	event->context.at = sim->now;
	event->context.settings = settings_ref(sim_settings_get(sim->loaded));
	for (size_t i = 0; i < sizeof(event->context.random); i++)
		event->context.random[i] = (uint8_t)sim_draw(sim, 256);
	(void)text_copy(event->context.own_name, sizeof(event->context.own_name), "deploy_bot");
	return event;
}

void
sim_server_submit(struct sim *sim, struct event *event)
{
	submit_now(sim, event);
}

void
sim_server_report(struct sim *sim, struct sim_open *open)
{
	struct effect *effect = TAKE(open->effect);
	struct event *event = sim_server_event(sim, effect->result->kind), *again = NULL;

	*open = (struct sim_open){ 0 };
	event->effect = effect->id;
	if (sim_one_in(sim, 24)) {
		again = copy_result(sim, effect->result);
		twist(sim, again);
	}
	memcpy(&event->u, &effect->result->u, event_size(event->kind) - offsetof(struct event, u));
	memset(
	    &effect->result->u, 0, event_size(event->kind) - offsetof(struct event, u)); /* moved */
	submit_now(sim, event);
	effect_free(effect);
	if (again != NULL) {
		sim_note(sim, SIM_RESULT_AGAIN);
		submit_now(sim, again);
	}
}

/* Its row is gone; a performer that was about to report may do so all the same. */
static void
withdraw(struct sim *sim, int64_t id)
{
	struct sim_open *open = sim_server_find(sim, id);

	sim_trace(sim, "  withdrawn: %" PRId64, id);
	if (open == NULL)
		return;
	sim_rules_drop(sim, open->effect);
	sim_pipelines_drop(sim, open->effect);
	if (sim_one_in(sim, 3)) {
		sim_note(sim, SIM_RESULT_LATE);
		sim_server_report(sim, open);
		return;
	}
	effect_free(TAKE(open->effect));
}

/* --- a turn --- */

static void
take_outcome(struct sim *sim, struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_ANSWER:
		outcome->done(outcome->done_ctx, &outcome->answer);
		break;
	case OUTCOME_EFFECT:
		perform(sim, TAKE(outcome->effect));
		break;
	case OUTCOME_CHANGE:
		sim_chat_change(sim, outcome->effect);
		break;
	case OUTCOME_WITHDRAW:
		withdraw(sim, outcome->withdraw);
		break;
	case OUTCOME_PEERS:
		sim_agents_take_peers(known_peers_ref(outcome->peers));
		break;
	case OUTCOME_STATE:
		sim_agents_take_state(TAKE(outcome->state));
		break;
	case OUTCOME_FATAL:
		sim_fail(sim, "no_flush_fails", "a flush failed in memory");
	default:
		break;
	}
}

static void
free_outcomes(struct queue_list *outcomes)
{
	struct queue_link *link;

	while ((link = queue_list_take(outcomes)) != NULL)
		outcome_free(QUEUE_ITEM(link, struct outcome, link));
}

/* False: it was cut in the middle. */
static bool
hand_over(struct sim *sim, struct queue_list *outcomes)
{
	size_t cut_at = !sim->is_resting && sim_one_in(sim, 90) ?
	    sim_draw(sim, (uint32_t)outcomes->length + 1) :
	    sim_two_cut_at(sim, outcomes);
	struct queue_link *link;

	for (size_t i = 0; i < cut_at && (link = queue_list_take(outcomes)) != NULL; i++) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		take_outcome(sim, outcome);
		outcome_free(outcome);
	}
	if (cut_at == SIZE_MAX)
		return true;
	sim_note(sim, SIM_CUT_AFTER_COMMIT);
	sim_trace(sim, "  cut with %zu not handed over", outcomes->length);
	sim_two_keep(outcomes);
	return false;
}

static void
commit(struct sim *sim, struct queue_list *batch)
{
	struct queue_list outcomes = { 0 };
	struct err err;
	bool ok, is_there;

	sim->is_full = !sim->is_resting && sim_one_in(sim, 60);
	sim->is_failing = !sim->is_resting && sim_one_in(sim, 60);
	sim->is_distrusted = false;
	sim_trace(sim, "  a turn with %zu%s", batch->length, sim->is_full ? ": no space" : "");
	sim->batch = 0;
	sim_check_remember(sim);
	sim_two_decides(sim, true);
	ok = store_batch(sim->store, batch, &outcomes, &err);
	is_there = sim_two_is_there(sim, ok, &err);
	if (!is_there)
		sim_check_forget(sim);
	sim->totals->commits += is_there;
	if (sim->is_full)
		sim_note(sim, SIM_DISK_FULL);
	if (is_there) {
		if (ok && (store_is_release_unreported(sim->store) || sim_agents_lack_states()))
			(void)store_project(sim->store, &outcomes); /* tried again at idle */
		sim_check_commit(sim);
		sim->is_copy &=
		    !sim->is_distrusted; /* it is started so until it has come that far */
	}
	queue_list_append(batch, &sim->events); /* those that came since stand behind */
	sim->events = *batch;
	if (sim->is_dying) {
		free_outcomes(&outcomes);
		sim_server_cut(sim, false);
		sim_disk_is_dead(sim);
		return;
	}
	if (sim_two_is_deposed() || !hand_over(sim, &outcomes)) {
		sim_server_cut(sim, false);
		return;
	}
	if (sim->events.length > 0 && !sim->is_turn_due) {
		sim->is_turn_due = true;
		sim_later(sim, sim->life, ok ? 1 : RETRY_MS, server_turn, 0, 0);
	}
}

static void
server_turn(struct sim *sim, int64_t a, int64_t b)
{
	size_t n = 1 + sim_draw(sim, TOGETHER_MOST);
	struct queue_list batch = { 0 };
	struct queue_link *link;

	(void)a;
	(void)b;
	sim->is_turn_due = false;
	if (!sim->is_resting && sim_one_in(sim, 150)) {
		sim_note(sim, SIM_CUT_BEFORE_COMMIT);
		sim_server_cut(sim, false);
		return;
	}
	while (n-- > 0 && (link = queue_list_take(&sim->events)) != NULL)
		queue_list_add(&batch, link);
	if (batch.length > 0)
		commit(sim, &batch);
}

/* --- ends and beginnings --- */

void
sim_server_cut(struct sim *sim, bool is_host)
{
	struct queue_link *link;
	int64_t start_ms;

	if (sim->store == NULL)
		return;
	sim_note(sim, is_host ? SIM_HOST_CUT : SIM_POWER_CUT);
	sim_trace(sim, "-- %s is killed", is_host ? "everything" : "the server");
	sim_waves_cut(sim);
	sim_two_cut(sim, is_host);
	sim_chat_cut(sim);
	sim_cloudflare_cut(sim);
	sim_witness_cut(sim);
	sim_notify_cut(sim);
	sim_loans_cut(sim);
	sim_agents_cut(sim);
	for (size_t i = 0; i < SIM_OPEN; i++) {
		if (sim->open[i].effect != NULL) {
			sim_rules_drop(sim, sim->open[i].effect);
			sim_pipelines_drop(sim, sim->open[i].effect);
		}
		effect_free(sim->open[i].effect);
		sim->open[i] = (struct sim_open){ 0 };
	}
	while ((link = queue_list_take(&sim->events)) != NULL)
		event_free(QUEUE_ITEM(link, struct event, link));
	if (sim_one_in(sim, 3))
		sim_disk_tears(sim);
	sim_two_close(sim);
	sim->is_turn_due = false;
	sim->is_copy |= is_host && !sim_two_is() && sim_one_in(sim, 4);
	start_ms = sim_two_start_ms(sim);
	sim_run_cut(sim, is_host);
	sim_later(sim, 0, start_ms, server_start, sim_two_next(), 0);
}

static void
server_start(struct sim *sim, int64_t whose, UNUSED int64_t b)
{
	struct queue_list outcomes = { 0 };
	struct queue_link *link;
	struct event *started;

	sim->life++;
	sim->loaded = sim->variant;
	current = sim;
	sim_two_start(sim, (int)whose, &config, &outcomes);
	sim_agents_server_starts(sim);
	started = sim_server_event(sim, EVENT_STARTED);
	started->u.started.is_restored = sim->is_copy;
	if (sim->is_copy)
		sim_note(sim, SIM_RESTORED);
	submit_now(sim, started); /* as serve.c does: before anything that was open has a result */
	while ((link = queue_list_take(&outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		take_outcome(sim, outcome);
		outcome_free(outcome);
	}
	sim_runner_server_started(sim);
	sim_chat_up(sim);
}

void
sim_server_reload(struct sim *sim, int variant)
{
	struct event *event;

	sim->variant = variant;
	if (sim->store == NULL)
		return;
	sim_note(sim, SIM_SETTINGS_CHANGED);
	sim_trace(sim, "settings %d are read", variant);
	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].phase != SIM_ENDED &&
		    settings_environment(sim_settings_get(variant),
			sim_environments[sim->processes[i].environment]) == NULL)
			sim_note(sim, SIM_APPLICATION_GONE);
	sim->loaded = variant;
	sim_nag_reloaded(sim);
	event = sim_server_event(sim, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)text_copy(event->u.settings_read.changed, sizeof(event->u.settings_read.changed),
	    "ADMIN_TELEGRAM_IDS");
	submit_now(sim, event);
}

void
sim_server_poll(struct sim *sim)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL && effect->kind == EFFECT_TIMER &&
		    (effect->u.timer.kind == TIMER_POLL || effect->u.timer.kind == TIMER_HOLDS))
			sim_server_report(sim, &sim->open[i]);
	}
}

bool
sim_server_project(struct sim *sim)
{
	struct queue_list outcomes = { 0 };
	bool behind = store_project(sim->store, &outcomes);

	free_outcomes(&outcomes); /* only counts */
	return !behind;
}

/* Nothing is waited for but what is always waited for. */
bool
sim_server_is_idle(struct sim *sim)
{
	bool is_stuck = sim_cloudflare_is_stuck(sim);

	if (sim->store == NULL || sim->events.length > 0)
		return false;
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL &&
		    (effect->kind != EFFECT_TIMER ||
			(ends_by_itself(effect->u.timer.kind) &&
			    (effect->u.timer.kind != TIMER_CLOUDFLARE || !is_stuck))))
			return false;
	}
	return true;
}

/* --- a history --- */

void
sim_server_new(struct sim *sim)
{
	struct err err;

	sim_files_new(sim);
	sim->eyes = db_open(sim_server_path(), DB_READ_ONLY, &err);
	sim_must(sim->eyes != NULL, err.text);
	sim_agents_new(sim);
	sim_two_begin(sim);
	server_start(sim, sim_two_next(), 0);
}

void
sim_server_free(struct sim *sim)
{
	sim_agents_free(sim);
	db_close(sim->eyes);
	store_close(sim->store);
	for (size_t i = 0; i < SIM_OPEN; i++)
		effect_free(sim->open[i].effect);
	sim_two_free();
	sim_files_free();
}
