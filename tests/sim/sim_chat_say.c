/* sim_chat_say.c - Telegram: what is sent, shown, edited and deleted, and what it answers.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* A message may be shown though its sender never hears of it. */
#include "tests/sim/sim_two.h"

static sim_fn say_arrives, say_is_known, toast_is_known;

/* --- what is shown --- */

const struct sim_post *
sim_chat_find(const struct sim *sim, int64_t chat, int64_t remote_id)
{
	for (size_t i = 0; i < sim->n_posts; i++)
		if (sim->posts[i].chat == chat && sim->posts[i].remote_id == remote_id &&
		    !sim->posts[i].is_deleted)
			return &sim->posts[i];
	return NULL;
}

bool
sim_chat_is_reachable(const struct sim *sim, int64_t chat)
{
	bool is_group = chat == SIM_GROUP || (sim->moving == SIM_GROUP && chat == sim->moved);

	return (!sim->is_dead || !is_group) && (!sim->never_wrote || chat != SIM_SECOND);
}

/* Sends or edits; one that is gone is sent anew.  Returns its id. */
static int64_t
show(struct sim *sim, const struct message *message)
{
	struct sim_post *post =
	    (struct sim_post *)sim_chat_find(sim, message->address.chat, message->remote_id);

	if (message->remote_id == 0 || post == NULL) {
		assert(sim->n_posts < SIM_POSTS);
		post = &sim->posts[sim->n_posts++];
		post->chat = message->address.chat;
		post->remote_id = sim->next_remote++;
		post->row = message->id;
		post->is_unanswered = true;
	}
	free(post->text);
	post->buttons = message->buttons;
	post->text = strdup(message->head);
	if (post->text == NULL)
		abort();
	sim_factor_shown(sim, post);
	sim_trace(sim, "shown in %" PRId64 " as %" PRId64 ": %.60s", post->chat, post->remote_id,
	    post->text);
	return post->remote_id;
}

/* --- sending --- */

static bool
refuse(struct sim *sim, const struct message *message, struct message_sent *said)
{
	if (message->address.chat == SIM_SECOND && sim->never_wrote) {
		sim_note(sim, SIM_NEVER_WROTE);
		(void)text_copy(said->failure, sizeof(said->failure),
		    "Forbidden: bot can't initiate conversation with a user");
		said->is_closed = true;
	} else if (message->address.chat == sim->moving && sim->moved != 0) {
		said->new_chat = sim->moved;
	} else if (!sim_chat_is_reachable(sim, message->address.chat)) {
		sim_note(sim, SIM_CHAT_REFUSED);
		(void)text_copy(said->failure, sizeof(said->failure), "Forbidden: bot was kicked");
	} else if (message->address.thread != 0 && sim->is_topic_gone && message->remote_id == 0) {
		said->thread_gone = true;
	} else {
		return false;
	}
	return true;
}

static void
say_arrives(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	struct message_sent *said;

	(void)b;
	if (open == NULL)
		return;
	if (sim->now < sim->away_until) {
		sim_note(sim, SIM_CHAT_AWAY);
		sim_later(sim, sim->life, sim->away_until - sim->now + sim_delay(sim, 1, 60000),
		    say_arrives, effect, 0);
		return;
	}
	said = &open->effect->result->u.message_sent;
	said->message = open->effect->u.send_message.message.id;
	said->chat = open->effect->u.send_message.message.address.chat;
	if (!refuse(sim, &open->effect->u.send_message.message, said))
		said->remote_id = show(sim, &open->effect->u.send_message.message);
	open->is_sent = true;
	sim_later(sim, sim->life, sim_delay(sim, 1, 1000), say_is_known, effect, 0);
}

static void
end_unsent(struct sim *sim, struct sim_open *open)
{
	struct message_sent *said = &open->effect->result->u.message_sent;
	const struct message *message = &open->effect->u.send_message.message;

	said->message = message->id;
	said->chat = message->address.chat;
	said->remote_id = message->remote_id;
	sim_server_report(sim, open);
}

static void
say_is_known(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);

	(void)b;
	if (open != NULL)
		sim_server_report(sim, open);
}

void
sim_chat_sent(struct sim *sim, const struct message_sent *sent)
{
	struct sim_post *post = (struct sim_post *)sim_chat_find(sim, sent->chat, sent->remote_id);

	if (post != NULL)
		post->is_unanswered = false;
}

/* What is handed out behind it says it: an edit of before is not sent any more. */
static void
cover(struct sim *sim, const struct sim_open *by)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		struct sim_open *open = &sim->open[i];
		const struct message *message;

		if (open == by || open->effect == NULL ||
		    open->effect->kind != EFFECT_SEND_MESSAGE || open->is_sent)
			continue;
		message = &open->effect->u.send_message.message;
		if (message->id == by->effect->u.send_message.message.id && message->remote_id != 0)
			end_unsent(sim, open);
	}
}

void
sim_chat_say(struct sim *sim, struct sim_open *open)
{
	int64_t until = open->effect->u.send_message.message.held_until;
	int64_t held = until > sim->now ? until - sim->now : 0;

	cover(sim, open);
	sim_later(
	    sim, sim->life, held + sim_delay(sim, 10, 4000), say_arrives, open->effect->id, 0);
}

/* Half of them are on their way by then. */
void
sim_chat_change(struct sim *sim, struct effect *as)
{
	struct sim_open *open = sim_server_find(sim, as->id);
	struct message *is = &as->u.send_message.message, was;

	if (open == NULL || open->is_sent || sim_one_in(sim, 2))
		return;
	if (is->is_covered) {
		sim_note(sim, SIM_MESSAGE_COVERED);
		end_unsent(sim, open);
		return;
	}
	was = open->effect->u.send_message.message;
	if (was.remote_id != is->remote_id)
		return;
	open->effect->u.send_message.message = *is;
	*is = was;
}

/* What was sent anew: the copy before it goes, where Telegram lets it. */
void
sim_chat_delete(struct sim *sim, struct sim_open *open)
{
	const struct effect_delete_message *wanted = &open->effect->u.delete_message;
	struct sim_post *post =
	    (struct sim_post *)sim_chat_find(sim, wanted->chat, wanted->remote_id);

	if (open->effect->subject != 0 && post != NULL && sim_one_in(sim, 8)) {
		(void)text_copy(open->effect->result->u.message_sent.failure, LIMIT_LINE,
		    "Bad Request: message can't be deleted");
	} else if (open->effect->subject != 0 && post != NULL) {
		sim_note(sim, SIM_MESSAGE_ANEW);
		post->is_deleted = true;
		sim_trace(sim, "%" PRId64 " was sent anew", post->remote_id);
	}
	sim_chat_toast(sim, open);
}

static void
toast_is_known(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);

	(void)b;
	if (open != NULL)
		sim_server_report(sim, open);
}

void
sim_chat_toast(struct sim *sim, struct sim_open *open)
{
	sim_later(sim, sim->life, sim_delay(sim, 10, 30000), toast_is_known, open->effect->id, 0);
}

void
sim_chat_document(struct sim *sim, struct sim_open *open)
{
	if (sim_one_in(sim, 4))
		(void)text_copy(
		    open->effect->result->u.message_sent.failure, LIMIT_LINE, "too large");
	sim_later(sim, sim->life, sim_delay(sim, 10, 60000), toast_is_known, open->effect->id, 0);
}

/* It was on its way for longer than its server has led. */
void
sim_chat_say_late(struct sim *sim, const struct message *message)
{
	struct message_sent ignored;

	if (message->remote_id == 0 && sim->now >= sim->away_until &&
	    !refuse(sim, message, &ignored))
		(void)show(sim, message);
}

/* What was on its way is shown, or is not; nobody hears which. */
void
sim_chat_cut(struct sim *sim)
{
	struct message_sent ignored;

	sim->is_poll_in_progress = false;
	for (size_t i = sim->first_open_update; i < sim->n_updates; i++)
		sim->updates[i].is_in_progress = false;
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL && effect->kind == EFFECT_SEND_MESSAGE &&
		    !sim->open[i].is_sent && sim->now >= sim->away_until && sim_one_in(sim, 2) &&
		    !refuse(sim, &effect->u.send_message.message, &ignored))
			(void)show(sim, &effect->u.send_message.message);
	}
}
