/* sim_chat.c - Telegram and the people in it: what is typed and pressed, and what comes when.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* An update comes until it is acknowledged, and nothing of its chat behind it before. */
#include "tests/sim/sim_inside.h"

#include "types/update.h"

#define MANY	      10 /* updates in one answer of getUpdates */
#define THREAD	      5	 /* the group's topic */
#define POLL_MS	      500
#define LOOKS_AT_ONCE 10 /* who presses more in a minute is too fast */

static sim_fn update_comes, poll_comes;

/* --- updates on their way --- */

static bool
is_held_back(const struct sim *sim, const struct sim_update *update)
{
	for (const struct sim_update *u = sim->updates + sim->first_open_update; u < update; u++)
		if (!u->is_acknowledged && u->chat == update->chat)
			return true;
	return false;
}

/* What nobody has taken for so long comes no more. */
static void
drop_old(struct sim *sim)
{
	for (size_t i = sim->first_open_update; i < sim->n_updates; i++)
		if (sim->now - sim->updates[i].at >= SIM_UPDATE_KEPT_MS) {
			sim->updates[i].is_dropped |= !sim->updates[i].is_acknowledged;
			sim->updates[i].is_acknowledged = true;
		}
}

static void
go_on(struct sim *sim)
{
	drop_old(sim);
	while (sim->first_open_update < sim->n_updates &&
	    sim->updates[sim->first_open_update].is_acknowledged)
		sim->first_open_update++;
	for (size_t i = sim->first_open_update; !sim->is_polling && i < sim->n_updates; i++) {
		struct sim_update *update = &sim->updates[i];

		if (update->is_acknowledged || update->is_in_progress || is_held_back(sim, update))
			continue;
		update->is_in_progress = true;
		sim_later(sim, 0, sim_delay(sim, 5, 3000), update_comes, (int64_t)i, 0);
	}
	if (sim->is_polling && !sim->is_poll_in_progress &&
	    sim->first_open_update < sim->n_updates && sim->store != NULL) {
		sim->is_poll_in_progress = true;
		sim_later(sim, sim->life, POLL_MS, poll_comes, 0, 0);
	}
}

void
sim_chat_up(struct sim *sim)
{
	go_on(sim);
}

static void
acknowledge(struct sim *sim, struct sim_update *update)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRId64, update->id);
	if (sim->now - update->at < SIM_UPDATE_KEPT_MS)
		sim_check_acknowledged(sim, "telegram", id, NULL);
	update->is_acknowledged = true;
}

static void
again_later(struct sim *sim, struct sim_update *update)
{
	update->is_in_progress = true;
	sim_later(sim, 0, sim_delay(sim, 200, 60000), update_comes, update - sim->updates, 0);
}

static void
comes_again(struct sim *sim, struct sim_update *update, int status)
{
	if (status == 200)
		sim_note(sim, SIM_UPDATE_AGAIN);
	again_later(sim, update);
}

static void
on_update_answered(void *ctx, const struct answer *answer)
{
	struct sim_update *update = ctx;
	struct sim *sim = update->sim;

	update->is_in_progress = false;
	if (answer->status == 200 && !sim_one_in(sim, 16))
		acknowledge(sim, update);
	else /* refused, or the answer was lost on its way */
		comes_again(sim, update, answer->status);
	go_on(sim);
}

static struct update *
make_update(const struct sim_update *from)
{
	struct update *update = calloc(1, sizeof(*update));

	assert(update != NULL);
	update->id = from->id;
	update->kind = from->kind;
	update->address = (struct chat_address){ from->chat, from->thread };
	update->is_private = from->chat > 0;
	update->person = from->person;
	update->new_chat = from->new_chat;
	/* Every request has a name of its own: whose deployment is whose is seen in the rows. */
	(void)snprintf(
	    update->name, sizeof(update->name), "@p%" PRId64 ".%" PRId64, from->person, from->id);
	(void)snprintf(update->callback, sizeof(update->callback), "cb%" PRId64, from->id);
	(void)text_copy(update->text, sizeof(update->text), from->text);
	update->raw_size = strlen(from->text);
	(void)text_copy(update->raw, sizeof(update->raw), from->text);
	(void)text_copy(update->button, sizeof(update->button), from->button);
	update->reply_to = from->reply_to;
	(void)text_copy(update->file.id, sizeof(update->file.id), from->archive);
	(void)text_copy(update->file.name, sizeof(update->file.name),
	    from->archive[0] != '\0' ? "site.zip" : "");
	update->file.size = from->archive[0] != '\0' ? 1000 : 0;
	return update;
}

static void
update_comes(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_update *from = &sim->updates[index];
	struct event *event;

	(void)b;
	from->is_in_progress = false;
	drop_old(sim);
	if (from->is_acknowledged) {
		go_on(sim);
		return;
	}
	if (sim->store == NULL || (!sim->is_resting && sim_one_in(sim, 40))) {
		again_later(sim, from);
		return;
	}
	from->is_in_progress = true;
	event = sim_server_event(sim, EVENT_UPDATE);
	event->u.update = make_update(from);
	event->done = on_update_answered;
	event->done_ctx = from;
	sim_server_submit(sim, event);
}

/* --- the other mode: several in one answer, acknowledged by the next question --- */

bool
sim_chat_decode(
    struct event *raw, struct queue_list *ret_events, int *ret_status, int64_t *ret_offset)
{
	struct sim_update from;

	*ret_status = 200;
	for (size_t at = 0; at + sizeof(from) <= raw->raw.size; at += sizeof(from)) {
		struct event *event = event_new(EVENT_UPDATE);

		assert(event != NULL);
		memcpy(&from, raw->raw.data + at, sizeof(from));
		event->u.update = make_update(&from);
		*ret_offset = from.id + 1;
		queue_list_add(ret_events, &event->link);
	}
	return true;
}

static void
on_poll_answered(void *ctx, const struct answer *answer)
{
	struct sim *sim = ctx;

	sim->is_poll_in_progress = false;
	if (answer->status == 200 && !sim_one_in(sim, 16)) {
		for (size_t i = sim->first_open_update; i < sim->n_updates; i++)
			if (sim->updates[i].id < answer->offset)
				acknowledge(sim, &sim->updates[i]);
	} else if (answer->status == 200) {
		sim_note(sim, SIM_UPDATE_AGAIN);
	}
	go_on(sim);
}

static void
poll_comes(struct sim *sim, int64_t a, int64_t b)
{
	struct event *event;
	size_t n;

	(void)a;
	(void)b;
	go_on(sim); /* without what came of age meanwhile */
	n = sim->n_updates - sim->first_open_update;
	if (n == 0) {
		sim->is_poll_in_progress = false;
		return;
	}
	event = sim_server_event(sim, EVENT_UPDATE);
	if (n > MANY)
		n = MANY;
	event->source = SOURCE_TELEGRAM_POLL;
	event->raw.size = n * sizeof(struct sim_update);
	event->raw.data = malloc(event->raw.size);
	assert(event->raw.data != NULL);
	memcpy(event->raw.data, &sim->updates[sim->first_open_update], event->raw.size);
	event->done = on_poll_answered;
	event->done_ctx = sim;
	sim_server_submit(sim, event);
}

/* --- what people do --- */

static int64_t
somebody(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_ADMIN, SIM_ADMIN, SIM_OTHER, SIM_OTHER,
		SIM_STAGING, SIM_STRANGER };

	if (sim->is_many && sim_one_in(sim, 8))
		return SIM_CONTRACTOR;
	return sim->day == SIM_DAY_CALM ? SIM_ADMIN : people[sim_draw(sim, COUNT(people))];
}

static struct sim_update *
add_update(struct sim *sim, enum update_kind kind, int64_t person, int64_t chat)
{
	struct sim_update *update = &sim->updates[sim->n_updates++];

	assert(sim->n_updates < SIM_UPDATES);
	*update = (struct sim_update){ .sim = sim,
		.id = sim->next_update++,
		.at = sim->now,
		.kind = kind,
		.person = person,
		.chat = chat };
	if (chat == SIM_SECOND)
		sim->never_wrote = false;
	return update;
}

/* Under the id that it has now. */
static int64_t
chat_now(const struct sim *sim, int64_t chat)
{
	return sim->moved != 0 && chat == sim->moving ? sim->moved : chat;
}

static void
press(struct sim *sim, struct sim_update *update, const struct button *button)
{
	struct sim_press *noted = &sim->presses[sim->n_presses++ % SIM_PRESSES];

	noted->update = update->id;
	(void)text_copy(update->button, sizeof(update->button), button->id);
	(void)text_copy(noted->button, sizeof(noted->button), button->id);
	for (size_t i = 0; i < sim->n_posts; i++)
		for (size_t b = 0; b < sim->posts[i].buttons.n; b++)
			if (strcmp(sim->posts[i].buttons.at[b].id, button->id) == 0)
				(void)text_copy(
				    noted->text, sizeof(noted->text), sim->posts[i].text);
	sim_cloudflare_pressed(sim, button->label);
	sim_trace(sim, "update %" PRId64 ": %" PRId64 " presses %s in %" PRId64, update->id,
	    update->person, button->label, update->chat);
	go_on(sim);
}

/* On a calm day a question is answered, with what it asks for, before it expires; where several
 * releases are offered, the newest is taken and then (a) asked about.  What stands under a release
 * that is live is no question. */
static void
question_is_confirmed(struct sim *sim, int64_t a, UNUSED int64_t b)
{
	for (size_t i = sim->n_posts; i > 0; i--) {
		const struct sim_post *post = &sim->posts[i - 1];

		if (post->is_deleted || post->buttons.n == 0 || strstr(post->text, "✅") != NULL ||
		    (strstr(post->buttons.at[0].label, "Roll ") == NULL &&
			strstr(post->buttons.at[0].label, "↩️ to ") == NULL &&
			strstr(post->buttons.at[0].label, "Deploy to") == NULL))
			continue;
		press(sim, add_update(sim, UPDATE_PRESS, SIM_ADMIN, post->chat),
		    &post->buttons.at[0]);
		if (a == 0 && strstr(post->buttons.at[0].label, "↩️ to ") != NULL)
			sim_later(sim, 0, 20000, question_is_confirmed, 1, 0);
		return;
	}
}

void
sim_chat_somebody_types(struct sim *sim)
{
	static const char *const typed[] = { "/deploy %s", "/deploy %s", "/deploy %s",
		"/deploy %s v1", "/deploy %s nowhere", "/cancel %s", "/rollback %s", "/rollback %s",
		"/rollback %s 1", "/status %s", "/history %s", "/show 1", "/show 12", "/status",
		"/queue", "/queue %s", "/do service-status acme", "/do restart-web acme",
		"/do reload-nginx beta", "/do" };
	static const char *const calm[] = { "/deploy %s", "/deploy %s", "/rollback %s",
		"/rollback %s", "/rollback %s", "/rollback %s", "/deploy %s", "/deploy %s",
		"/rollback %s", "/rollback %s", "/rollback %s 2", "/status" };
	int64_t person = somebody(sim);
	int64_t chats[] = { chat_now(sim, SIM_TEAM), chat_now(sim, SIM_GROUP),
		chat_now(sim, SIM_GROUP), person };
	struct sim_update *update =
	    add_update(sim, UPDATE_TEXT, person, chats[sim_draw(sim, COUNT(chats))]);

	if (update->chat == SIM_GROUP && !sim->is_topic_gone && sim_one_in(sim, 2))
		update->thread = THREAD;
	if (sim->day == SIM_DAY_CALM)
		sim_later(sim, 0, 40000 + sim_draw(sim, 40000), question_is_confirmed, 0, 0);
	if (sim->day == SIM_DAY_CALM)
		(void)snprintf(update->text, sizeof(update->text), calm[sim_draw(sim, COUNT(calm))],
		    sim_environments[0]);
	else
		(void)snprintf(update->text, sizeof(update->text),
		    typed[sim_draw(sim, COUNT(typed))],
		    sim_environments[2 * sim_application(sim) + sim_one_in(sim, 3)]);
	sim_trace(sim, "update %" PRId64 ": %" PRId64 " types %s in %" PRId64, update->id, person,
	    update->text, update->chat);
	go_on(sim);
}

void
sim_chat_type_in(struct sim *sim, int64_t person, int64_t chat, const char *text)
{
	struct sim_update *update = add_update(sim, UPDATE_TEXT, person, chat_now(sim, chat));

	(void)text_copy(update->text, sizeof(update->text), text);
	sim_trace(sim, "update %" PRId64 ": %" PRId64 " types %s", update->id, person, text);
	go_on(sim);
}

void
sim_chat_send_archive(struct sim *sim, int64_t person, const char *environment, const char *archive)
{
	struct sim_update *update = add_update(sim, UPDATE_TEXT, person, person);

	(void)snprintf(update->text, sizeof(update->text), "/deploy %s", environment);
	(void)text_copy(update->archive, sizeof(update->archive), archive);
	sim_trace(sim, "update %" PRId64 ": %" PRId64 " sends %.7s for %s", update->id, person,
	    archive, environment);
	go_on(sim);
}

void
sim_chat_type(struct sim *sim, int64_t person, const char *text)
{
	sim_chat_type_in(sim, person, person, text);
}

bool
sim_chat_reply(struct sim *sim, int64_t person, const char *words, const char *text)
{
	struct sim_update *update;

	for (size_t i = sim->n_posts; i > 0; i--) {
		const struct sim_post *post = &sim->posts[i - 1];

		if (post->chat != person || strstr(post->text, words) == NULL)
			continue;
		update = add_update(sim, UPDATE_TEXT, person, person);
		(void)text_copy(update->text, sizeof(update->text), text);
		update->reply_to = post->remote_id;
		sim_trace(sim, "update %" PRId64 ": %" PRId64 " replies to %" PRId64, update->id,
		    person, post->remote_id);
		go_on(sim);
		return true;
	}
	return false;
}

static const struct button *
find_button(const struct sim *sim, int64_t chat, const char *words)
{
	for (size_t i = sim->n_posts; i > 0; i--) {
		const struct sim_post *post = &sim->posts[i - 1];

		for (size_t b = 0; post->chat == chat && b < post->buttons.n; b++)
			if (strstr(post->buttons.at[b].label, words) != NULL)
				return &post->buttons.at[b];
	}
	return NULL;
}

void
sim_chat_press_button(struct sim *sim, int64_t person, int64_t chat, const struct button *button)
{
	press(sim, add_update(sim, UPDATE_PRESS, person, chat), button);
}

bool
sim_chat_press(struct sim *sim, int64_t person, const char *words)
{
	const struct button *button = find_button(sim, person, words);

	if (button != NULL)
		sim_chat_press_button(sim, person, person, button);
	return button != NULL;
}

void
sim_chat_question_is_answered(struct sim *sim, int64_t person, int64_t b)
{
	static const char *const yes[] = { "Deploy to", "Roll ", "Deploy again", "Go back", "🔧",
		"↩️ to " };

	(void)b;
	for (size_t i = 0; i < COUNT(yes); i++)
		if (sim_chat_press(sim, person, yes[i]))
			return;
}

/* A private chat has one reader: Telegram lets nobody else press what stands there. */
static int64_t
who_presses(const struct sim_post *post, int64_t person)
{
	return post->chat > 0 ? post->chat : person;
}

bool
sim_chat_press_anywhere(struct sim *sim, int64_t person, const char *words)
{
	for (size_t i = sim->n_posts; i > 0; i--) {
		const struct sim_post *post = &sim->posts[i - 1];

		for (size_t b = 0; !post->is_deleted && b < post->buttons.n; b++) {
			if (strstr(post->buttons.at[b].label, words) == NULL)
				continue;
			sim_chat_press_button(
			    sim, who_presses(post, person), post->chat, &post->buttons.at[b]);
			return true;
		}
	}
	return false;
}

/* Mostly of one of the last that have any: early buttons are dead. */
static const struct sim_post *
choose_post(struct sim *sim)
{
	bool is_any = sim_one_in(sim, 8);

	for (size_t i = sim->n_posts; i > 0; i--) {
		const struct sim_post *post = &sim->posts[i - 1];

		if (post->buttons.n > 0 && !post->is_deleted && sim_draw(sim, 4) < (is_any ? 1 : 3))
			return post;
	}
	return NULL;
}

void
sim_chat_somebody_presses(struct sim *sim)
{
	const struct sim_post *post = choose_post(sim);
	const struct button *button;
	int64_t person = somebody(sim);

	if (post == NULL || sim->day == SIM_DAY_CALM)
		return;
	button =
	    &post->buttons.at[sim_one_in(sim, 2) ? 0 : sim_draw(sim, (uint32_t)post->buttons.n)];
	press(sim,
	    add_update(sim, UPDATE_PRESS, who_presses(post, person),
		sim_one_in(sim, 30) ? SIM_TEAM : post->chat),
	    button);
}

bool
sim_chat_all_is_known(struct sim *sim)
{
	struct db_rows rows = { 0 };
	struct sim_update *update;
	bool is_known = true;
	struct err err;

	sim_must(
	    db_query(&rows, sim->eyes, &err,
		"SELECT id, chat FROM button WHERE action = 'looked' AND closed_at = 0 AND id ="
		" (SELECT MAX(id) FROM button o WHERE o.action = 'looked' AND o.closed_at = 0"
		" AND o.target = button.target) AND target IN (SELECT name FROM environment"
		" WHERE unknown_since <> 0) ORDER BY target LIMIT $1",
		DB_I64(LOOKS_AT_ONCE)),
	    "looking for buttons");
	while (db_next(&rows)) {
		update = add_update(sim, UPDATE_PRESS, SIM_ADMIN, db_col_i64(&rows, 1));
		(void)text_copy(update->button, sizeof(update->button), db_col_text(&rows, 0));
		sim_trace(sim, "update %" PRId64 ": somebody has looked", update->id);
		is_known = false;
	}
	sim_must(db_rows_end(&rows, &err), "looking for buttons");
	go_on(sim);
	return is_known;
}

void
sim_chat_goes_away(struct sim *sim)
{
	sim->away_until = sim->now + sim_delay(sim, 1000, 4 * 3600000);
	sim_trace(sim, "Telegram is away");
}

/* Its update comes, or is first heard of when something is sent there. */
void
sim_chat_moves(struct sim *sim)
{
	if (sim->moved != 0)
		return;
	sim_note(sim, SIM_CHAT_MOVED);
	sim->moved = sim->moving - 1000000;
	sim_trace(sim, "chat %" PRId64 " moves to %" PRId64, sim->moving, sim->moved);
	if (sim_one_in(sim, 2))
		return;
	add_update(sim, UPDATE_MIGRATED, SIM_ADMIN, sim->moving)->new_chat = sim->moved;
	go_on(sim);
}

void
sim_chat_topic_goes(struct sim *sim)
{
	sim_note(sim, SIM_TOPIC_DELETED);
	sim->is_topic_gone = true;
	sim_trace(sim, "the topic is deleted");
}

void
sim_chat_message_goes(struct sim *sim)
{
	struct sim_post *post;

	if (sim->n_posts == 0)
		return;
	sim_note(sim, SIM_MESSAGE_DELETED);
	post = &sim->posts[sim_draw(sim, (uint32_t)sim->n_posts)];
	post->is_deleted = true;
	sim_trace(sim, "message %" PRId64 " is deleted", post->remote_id);
}

void
sim_chat_bot_is_thrown_out(struct sim *sim)
{
	sim->is_dead = true;
	sim_trace(sim, "the group throws the bot out");
}

/* --- the whole --- */

void
sim_chat_new(struct sim *sim)
{
	sim->is_polling = sim_one_in(sim, 3);
	sim->moving = sim_one_in(sim, 2) ? SIM_TEAM : SIM_GROUP;
	sim->never_wrote = sim_one_in(sim, 2);
	sim->next_update = 1000;
	sim->next_remote = 500;
}

bool
sim_chat_is_idle(const struct sim *sim)
{
	return sim->first_open_update == sim->n_updates;
}

void
sim_chat_free(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_posts; i++)
		free(sim->posts[i].text);
}
