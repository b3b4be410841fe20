/* decide_pin.c - the summary that a chat keeps pinned: written, edited, pinned, given up.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_pin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chat/chat_text.h"
#include "decide/decide_chat.h"
#include "decide/decide_reply.h"
#include "decide/view/decide_status.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_pin.h"
#include "types/probe_hosts.h"
#include "types/waves.h"

#define SOON_MS	 (2 * INT64_C(1000)) /* what comes together is one edit */
#define APART_MS (10 * INT64_C(1000))
#define LOOK_MS	 (5 * 60 * INT64_C(1000))
#define AGAIN_MS (3600 * INT64_C(1000)) /* what Telegram refused */

#define CHANGED "\nLast change: "

/* The open timer is this one from now on. */
static void
wait(struct tx *tx, struct pin *pin, int64_t due)
{
	char name[24];

	text_setf(name, "%" PRId64, pin->chat);
	row_effect_withdraw(tx, pin->timer);
	pin->timer = row_effect_timer(tx, TIMER_PIN, name, 0, due);
	pin->due = due;
}

/* By a clock that was ahead it would come too late. */
static void
wake(struct tx *tx, int64_t chat)
{
	struct pin pin = row_pin_get(tx, chat);
	int64_t due = tx->at + SOON_MS;

	if (pin.shown_at <= tx->at && pin.shown_at + APART_MS > due)
		due = pin.shown_at + APART_MS;
	if (pin.timer != 0 && pin.due <= due)
		return;
	wait(tx, &pin, due);
	row_pin_put(tx, &pin);
}

/* Whatever became of the timer that there was. */
static void
begin(struct tx *tx, int64_t chat)
{
	struct pin pin = row_pin_get(tx, chat);

	pin.tried_at = 0; /* whoever gave the right meanwhile does not wait */
	wait(tx, &pin, tx->at + SOON_MS);
	row_pin_put(tx, &pin);
}

void
decide_pins(struct tx *tx)
{
	const char *name;

	for (size_t i = 0; !tx->failed && (name = row_pin_changed(tx, i)) != NULL; i++)
		if (tx->settings != NULL && settings_environment(tx->settings, name) != NULL &&
		    settings_of(tx->settings, name)->pin_status)
			wake(tx, decide_chat_of(tx, name));
}

void
decide_pins_look(struct tx *tx)
{
	const struct settings *settings = tx->settings;
	int64_t chat = INT64_MIN;

	while (row_pin_next(tx, &chat))
		begin(tx, chat);
	if (settings->pin_status && settings->telegram_chat_id != 0)
		begin(tx, row_chat_now(tx, settings->telegram_chat_id));
	for (size_t i = 0; i < settings->application_count; i++)
		if (settings->applications[i]->pin_status &&
		    settings->applications[i]->telegram_chat_id != 0)
			begin(tx, row_chat_now(tx, settings->applications[i]->telegram_chat_id));
}

/* --- what it says --- */

/* What was said before the moment that stands behind it. */
static bool
says_the_same(const char *head, const char *body)
{
	size_t size = strlen(body);

	return strncmp(head, body, size) == 0 &&
	    strncmp(head + size, CHANGED, strlen(CHANGED)) == 0;
}

/* One that never reached its chat is tried again, but not each five minutes. */
static void
send_again(struct tx *tx, struct pin *pin)
{
	if (row_effect_find(tx, EFFECT_SEND_MESSAGE, pin->message) != 0 ||
	    (pin->tried_at <= tx->at && pin->tried_at + AGAIN_MS > tx->at))
		return;
	pin->tried_at = tx->at;
	row_effect_send(tx, pin->message);
}

static void
write_message(struct tx *tx, struct pin *pin, const char *head)
{
	CLEANUP(message_done)
	struct message message = { .address.chat = pin->chat, .is_silent = true };

	message.head = mem_text(head);
	if (pin->message == 0) {
		pin->message = row_message_add(tx, &message);
		pin->tried_at = tx->at;
	} else {
		row_message_change(tx, pin->message, &message);
	}
}

/* The clock is of the chat's first environment; its zone's name stands behind it. */
static void
show(struct tx *tx, struct pin *pin)
{
	CLEANUP(message_done) struct message before = { 0 };
	struct chat_clock clock = { .zone = tx->settings->zone, .is_named = true };
	struct chat_text text = CHAT_TEXT_EMPTY;
	CLEANUP(freep) char *body = NULL;
	CLEANUP(freep) char *whole = NULL;

	row_message_get(tx, pin->message, &before);
	pin->shown_at = tx->at;
	(void)decide_status_pinned(tx, pin->chat, &text);
	body = chat_text_take(&text);
	if (body == NULL || tx->failed) {
		tx_fail(tx, ERR_LIMIT, "a message is too long");
		return;
	}
	if (before.id == 0) /* gone, or none yet */
		pin->message = 0;
	if (pin->message != 0 && says_the_same(before.head, body)) {
		if (before.remote_id == 0)
			send_again(tx, pin);
		return;
	}
	chat_text_add(&text, "%s", body);
	chat_text_since(&text, CHANGED, &clock, tx->at, 0);
	whole = chat_text_take(&text);
	if (whole == NULL)
		tx_fail(tx, ERR_LIMIT, "a message is too long");
	else
		write_message(tx, pin, whole);
}

/* --- pinned --- */

static void
order(struct tx *tx, int64_t chat, int64_t remote_id, bool is_off)
{
	(void)row_effect_order(tx,
	    &(struct effect){ .kind = EFFECT_PIN_MESSAGE,
		.u.pin_message = { .chat = chat, .remote_id = remote_id, .is_off = is_off } });
}

/* One that was refused is tried again: somebody may have given the right meanwhile. */
static void
pin_again(struct tx *tx, struct pin *pin)
{
	CLEANUP(message_done) struct message message = { 0 };

	row_message_get(tx, pin->message, &message);
	if (message.remote_id == 0 || message.remote_id == pin->pinned ||
	    (pin->tried_at <= tx->at && pin->tried_at + AGAIN_MS > tx->at))
		return;
	pin->tried_at = tx->at;
	order(tx, pin->chat, message.remote_id, false);
}

void
decide_pin_sent(struct tx *tx, int64_t message, int64_t remote_id)
{
	struct pin pin = row_pin_get(tx, row_pin_of_message(tx, message));

	if (pin.chat == 0 || pin.message != message)
		return;
	pin.tried_at = tx->at;
	row_pin_put(tx, &pin);
	order(tx, pin.chat, remote_id, false);
}

static void
say_refused(struct tx *tx, const struct effect_pin_message *pinned, const char *failure)
{
	const struct chat_address address = { .chat = pinned->chat };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_outside(&text, "Status not pinned: ", failure);
	chat_text_add(&text,
	    ".\nGive the bot the right to pin messages here; it is tried again each hour and at each start. The status is kept up to date all the same.");
	(void)decide_send(tx, &address, &text);
}

void
decide_pin_pinned(struct tx *tx, const struct effect_pin_message *pinned, const char *failure)
{
	struct pin pin = row_pin_get(tx, pinned->chat);
	CLEANUP(message_done) struct message message = { 0 };

	row_message_get(tx, pin.message, &message);
	/* Another one is the summary by now, or none. */
	if (pinned->is_off || pin.message == 0 || message.remote_id != pinned->remote_id)
		return;
	if (failure[0] == '\0') {
		pin.pinned = pinned->remote_id;
		pin.is_notified = false;
	} else if (!pin.is_notified) {
		pin.is_notified = true;
		say_refused(tx, pinned, failure);
	}
	row_pin_put(tx, &pin);
}

/* --- looked at --- */

/* Nobody edits it from now on: what it says would grow old. */
static void
end(struct tx *tx, const struct pin *pin, const char *why)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, pin->message, &message);
	row_effect_withdraw(tx, pin->timer);
	row_pin_remove(tx, pin->chat);
	if (message.id == 0)
		return;
	chat_text_add(&text,
	    "Status no longer kept up to date here: %s. " MARK_CODE "/status" MARK_CODE
	    " shows it.",
	    why);
	free(message.head);
	message.head = chat_text_take(&text);
	row_message_change(tx, pin->message, &message);
	if (pin->pinned != 0)
		order(tx, pin->chat, pin->pinned, true);
}

void
decide_pin_move(struct tx *tx, int64_t old_chat, int64_t new_chat)
{
	struct pin old = row_pin_get(tx, old_chat), now = row_pin_get(tx, new_chat);

	if (old_chat != new_chat && old.timer != 0 && now.timer != 0)
		end(tx, &old, "another message has it");
}

static bool
ask_health(struct tx *tx, int64_t chat)
{
	struct effect *probe = decide_status_pinned_probe(tx, chat);

	return probe != NULL && row_effect_add(tx, probe) != 0;
}

void
decide_pin_due(struct tx *tx, int64_t named)
{
	int64_t chat = row_chat_now(tx, named);
	struct pin pin = row_pin_get(tx, chat);
	bool is_first = pin.shown_at == 0;

	if (!decide_status_is_pinned(tx, chat)) {
		end(tx, &pin, "PIN_STATUS is off");
		return;
	}
	wait(tx, &pin, tx->at + LOOK_MS);
	if (ask_health(tx, chat) && is_first)
		pin.shown_at = tx->at; /* with what they answer */
	else
		show(tx, &pin);
	pin_again(tx, &pin);
	row_pin_put(tx, &pin);
}

/* What bakes there answers as itself before it is live. */
static bool
bakes(struct tx *tx, const char *environment, const char *commit)
{
	struct deployment active;

	row_deployment_active(tx, environment, &active);
	return (deployment_is_baking(&active) || active.waves > 0) &&
	    !probe_is_other_commit(commit, active.commit);
}

/* As many of its hosts may be unhealthy as a release may fail on. */
static bool
are_healthy(const struct tx *tx, const char *environment, const struct probe_finding *hosts)
{
	const struct environment_settings *e = settings_environment(tx->settings, environment);
	size_t n = (size_t)(hosts->passes + hosts->failures);

	return e != NULL && n > 0 &&
	    (size_t)hosts->failures <= waves_failures(e->in_waves.failures_max, n);
}

/* Of all of its URLs; findings: one for each target. */
static void
keep_health(struct tx *tx, const struct effect_probe *probe, const struct probe_finding *findings,
    const char *environment)
{
	struct environment now;
	struct probe_finding all = { .is_healthy = true };

	row_environment_get(tx, environment, &now);
	for (size_t i = 0; i < probe->n; i++) {
		const struct probe_finding *one = &findings[i];

		if (strcmp(probe->targets[i].environment, environment) != 0)
			continue;
		all.is_healthy = all.is_healthy &&
		    (probe_is_template(probe->targets[i].url) ? are_healthy(tx, environment, one) :
								one->is_healthy);
		if (probe_is_other_commit(one->commit, now.current.commit) &&
		    !bakes(tx, environment, one->commit))
			text_set(all.commit, one->commit);
	}
	row_pin_set_health(tx, environment, &all);
}

void
decide_pin_probed(struct tx *tx, const struct effect_probe *probe, const struct probed *probed)
{
	struct pin pin = row_pin_get(tx, row_chat_now(tx, probe->pin));
	CLEANUP(freep) struct probe_finding *findings = probe_hosts_collapse(probe, probed);
	const char *last = "";

	for (size_t i = 0; findings != NULL && i < probe->n; i++) {
		const char *name = probe->targets[i].environment;

		if (strcmp(last, name) != 0) /* an environment's stand side by side */
			keep_health(tx, probe, findings, name);
		last = name;
	}
	if (pin.timer == 0 || !decide_status_is_pinned(tx, pin.chat))
		return; /* it is no more */
	show(tx, &pin);
	row_pin_put(tx, &pin);
}
