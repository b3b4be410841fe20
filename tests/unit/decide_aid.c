/* decide_aid.c - the world around the decisions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid_inside.h"

#include <errno.h>
#include <sys/stat.h>

#include "chat_texts.h"
#include "decide/who/decide_allowed.h"
#include "handlers/handlers.h"
#include "lib/db.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "store/row_principal.h"

#define SETTINGS_MAX   32
#define WORLD_SETTINGS "KEEP_RELEASES=4e07408562bedb8b pre-deploy/10-migrate=6588117f7b516232"

/* --- opening, closing, settings --- */

static void
load(struct world *w, va_list more)
{
	char state[128];
	char token[] = "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789";
	char admins[] = "ADMIN_TELEGRAM_IDS=11,22";
	char users[] = "STAGING_TELEGRAM_IDS=33";
	char team[] = "TELEGRAM_CHAT_ID=-1001";
	char repository[] = "GITHUB_REPOSITORY=acme/shop";
	char poll[] = "POLL_REPOSITORY_SECONDS=0";
	char *base[] = { token, admins, users, team, repository, state, poll };
	char *list[SETTINGS_MAX] = { 0 };
	char *given[SETTINGS_MAX] = { 0 };
	struct settings_report report = { 0 };
	struct settings *settings;
	size_t n_given = 0, n = 0;

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", w->aid.folder);
	while ((given[n_given] = va_arg(more, char *)) != NULL)
		assert_true(++n_given < SETTINGS_MAX - COUNT(base));
	for (size_t i = 0; i < COUNT(base); i++) {
		size_t name = strcspn(base[i], "=") + 1;
		bool is_given = false;

		for (size_t g = 0; g < n_given; g++)
			is_given |= strncmp(given[g], base[i], name) == 0;
		if (!is_given)
			list[n++] = base[i];
	}
	for (size_t g = 0; g < n_given; g++)
		if (given[g][strcspn(given[g], "=") + 1] != '\0') /* "NAME=": leave it out */
			list[n++] = given[g];
	if (!settings_load(NULL, list, &settings, &report))
		fail_msg("settings: %s", report.lines[0].text);
	settings_unref(w->aid.settings);
	w->aid.settings = settings;
}

static void
open_with(struct world *w, va_list more)
{
	memset(w, 0, sizeof(*w));
	log_set_level(LOG_LEVEL_ERROR); /* what is decided is asked of rows, not of logs */
	w->settings = WORLD_SETTINGS;
	w->next_update = 1000;
	w->next_remote = 500;
	store_aid_open(&w->aid, handlers, NULL, NULL);
	load(w, more);
	world_restart(w);
}

void
world_open(struct world *w, ...)
{
	va_list more;

	va_start(more, w);
	open_with(w, more);
	va_end(more);
}

static struct world world; /* of the test that runs */

int
world_set_up_none(void **state)
{
	world.aid.store = NULL;
	*state = &world;
	return 0;
}

int
world_set_up(void **state, ...)
{
	va_list more;

	va_start(more, state);
	open_with(&world, more);
	va_end(more);
	*state = &world;
	return 0;
}

int
world_tear_down(void **state)
{
	struct world *w = *state;

	if (w->aid.store != NULL)
		world_close(w);
	return 0;
}

void
world_settings(struct world *w, ...)
{
	va_list more;

	va_start(more, w);
	load(w, more);
	va_end(more);
}

void
world_application(struct world *w, const char *name, const char *text)
{
	char directory[128], path[192], whole[2048];

	(void)snprintf(directory, sizeof(directory), "%s/apps", w->aid.folder);
	assert_true(mkdir(directory, 0700) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s/%s.env", directory, name);
	(void)snprintf(whole, sizeof(whole),
	    "GITHUB_REPOSITORY=acme/%s\nSTAGING_HOST=%s-s\n%s%s\n%s", name, name,
	    strstr(text, "ENVIRONMENTS=") == NULL ? "PRODUCTION_HOST=p-" : "# ", name, text);
	assert_true(file_write(path, whole, strlen(whole), 0600, NULL));
	(void)snprintf(path, sizeof(path), "APPS_DIRECTORY=%s", directory);
	world_settings(w, path, "GITHUB_REPOSITORY=", NULL);
}

void
world_close(struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		effect_free(w->open[i]);
	for (size_t i = 0; i < w->n_screen; i++)
		free(w->screen[i].text);
	free(w->audit);
	store_aid_close(&w->aid);
}

void
world_restart(struct world *w)
{
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
}

void
world_rewrite(struct world *w, const char *sql)
{
	struct db *db;

	store_close(w->aid.store);
	w->aid.store = NULL;
	db = db_open(w->aid.path, 0, &w->aid.err);
	assert_non_null(db);
	assert_true(db_script(db, sql, &w->aid.err));
	store_aid_count_rows(db);
	db_close(db);
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	w->aid.store = store_open(&w->aid.config, &w->aid.err);
	assert_non_null(w->aid.store);
	assert_true(
	    store_recover(w->aid.store, w->aid.settings, w->aid.at, &w->aid.outcomes, &w->aid.err));
}

/* --- what comes out --- */

static struct world_message *
find_screen(struct world *w, const struct message *sent)
{
	for (size_t i = 0; i < w->n_screen && sent->remote_id != 0; i++)
		if (w->screen[i].row == sent->id && w->screen[i].remote_id == sent->remote_id)
			return &w->screen[i];
	return NULL;
}

static void
show(struct world *w, const struct message *sent, int64_t remote_id)
{
	struct world_message *message = find_screen(w, sent);

	if (message == NULL) {
		assert_true(w->n_screen < WORLD_SCREEN);
		message = &w->screen[w->n_screen++];
		message->is_silent = sent->is_silent;
		message->is_alarm = sent->is_alarm;
		message->reply_to = sent->reply_to;
	}
	free(message->text);
	message->row = sent->id;
	message->remote_id = remote_id;
	message->chat = sent->address.chat;
	message->sends++;
	message->is_answer = sent->is_answer;
	message->buttons = sent->buttons;
	message->text = strdup(sent->head);
	assert_non_null(message->text);
	chat_texts_keep(sent);
}

/* Telegram sends nothing to who never wrote to the bot. */
static bool
refuse(struct world *w, const struct message *message, struct message_sent *said)
{
	for (size_t i = 0; i < COUNT(w->refuses); i++) {
		if (w->refuses[i] == 0 || w->refuses[i] != message->address.chat)
			continue;
		(void)text_copy(said->failure, sizeof(said->failure),
		    "Forbidden: bot can't initiate conversation with a user");
		said->is_closed = true;
		w->n_refused++;
		return true;
	}
	return false;
}

static void
deliver(struct world *w, struct effect *effect)
{
	if (effect->kind == EFFECT_SEND_MESSAGE) {
		struct message_sent *said = &effect->result->u.message_sent;
		const struct message *message = &effect->u.send_message.message;

		said->message = message->id;
		said->chat = message->address.chat;
		said->remote_id = message->remote_id;
		if (!message->is_covered && !refuse(w, message, said)) {
			if (said->remote_id == 0)
				said->remote_id = w->next_remote++;
			show(w, message, said->remote_id);
			w->screen_remote[message->id % WORLD_SCREEN] = said->remote_id;
		}
	} else {
		(void)text_copy(w->toast, sizeof(w->toast), effect->u.toast.text);
		w->is_alert = effect->u.toast.is_alert;
		w->n_toasts++;
	}
	(void)store_aid_report(&w->aid, effect);
}

/* What was sent anew stands below. */
static void delete (struct world *w, struct effect *effect)
{
	for (size_t i = 0; i < w->n_screen && !w->is_deletion_refused; i++) {
		struct world_message *message = &w->screen[i];

		if (message->chat != effect->u.delete_message.chat ||
		    message->remote_id != effect->u.delete_message.remote_id)
			continue;
		message->is_gone = true;
		message->text[0] = '\0';
		message->buttons.n = 0;
	}
	if (w->is_deletion_refused)
		(void)text_copy(effect->result->u.message_sent.failure, LIMIT_LINE,
		    "Bad Request: message can't be deleted");
	(void)store_aid_report(&w->aid, effect);
}

static struct effect *
take_at(struct world *w, size_t i)
{
	struct effect *effect = w->open[i];

	memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(w->open[0]));
	return effect;
}

static void
withdraw(struct world *w, int64_t id)
{
	w->withdrawn = id;
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->id == id) {
			effect_free(take_at(w, i));
			return;
		}
}

/* Git, or what is asked for its health, mostly answers within a moment. */
static bool
is_held(const struct world *w, const struct effect *effect)
{
	const struct message *message = &effect->u.send_message.message;

	return w->is_telegram_away ||
	    (message->held_until > w->aid.at && (!message->is_answer || w->is_health_quick));
}

/* As the loop does with one that it has not begun to send. */
static void
change(struct world *w, struct effect *as)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct message *held = &w->open[i]->u.send_message.message;
		struct message before;

		if (w->open[i]->kind != EFFECT_SEND_MESSAGE || w->open[i]->id != as->id)
			continue;
		before = *held;
		if (!as->u.send_message.message.is_covered) {
			*held = as->u.send_message.message;
			as->u.send_message.message = before;
		} else {
			held->is_covered = true;
		}
		if (held->is_covered || !is_held(w, w->open[i]))
			deliver(w, take_at(w, i));
		return;
	}
}

char *
world_list_of(struct world *w, const char *name)
{
	const struct environment_settings *environment =
	    settings_environment(w->aid.settings, name);
	char *list = NULL;

	if (w->settings == NULL)
		return NULL;
	if (strcmp(w->settings, WORLD_SETTINGS) == 0 && environment != NULL &&
	    environment->fingerprint != NULL)
		assert_true(asprintf(&list, "%s pre-deploy/10-migrate=6588117f7b516232",
				environment->fingerprint) > 0);
	else
		list = strdup(w->settings);
	return list;
}

static void
list_settings(struct world *w, struct effect *effect)
{
	struct git_answered *asked = &effect->result->u.git_answered;

	asked->answer = strdup(w->settings != NULL ? "end\n" : "no file");
	asked->exit_status = w->settings != NULL ? 0 : 78;
	asked->binding = world_list_of(w, effect->u.git_query.environment);
	(void)store_aid_report(&w->aid, effect);
}

static void
take_in(struct world *w, struct outcome *outcome)
{
	if (outcome->kind == OUTCOME_WITHDRAW)
		withdraw(w, outcome->withdraw);
	if (outcome->kind == OUTCOME_CHANGE)
		change(w, outcome->effect);
	if (outcome->kind == OUTCOME_METRIC && outcome->increment.kind == INCREMENT_DEPLOYMENT)
		(void)text_copy(w->counted, sizeof(w->counted), outcome->increment.label[2]);
	if (outcome->kind == OUTCOME_METRIC && outcome->increment.kind == INCREMENT_CHANGE)
		(void)snprintf(w->changes + strlen(w->changes),
		    sizeof(w->changes) - strlen(w->changes), " %s:%d", outcome->increment.label[1],
		    (int)outcome->increment.value);
	if (outcome->kind == OUTCOME_METRIC && outcome->increment.kind == INCREMENT_OPA)
		(void)text_copy(w->judged, sizeof(w->judged), outcome->increment.label[0]);
	if (outcome->kind != OUTCOME_EFFECT)
		return;
	if ((outcome->effect->kind == EFFECT_SEND_MESSAGE && !is_held(w, outcome->effect)) ||
	    outcome->effect->kind == EFFECT_TOAST) {
		deliver(w, TAKE(outcome->effect));
		return;
	}
	if (outcome->effect->kind == EFFECT_DELETE_MESSAGE && outcome->effect->subject != 0) {
		delete (w, TAKE(outcome->effect));
		return;
	}
	if (outcome->effect->kind == EFFECT_GIT_QUERY &&
	    outcome->effect->u.git_query.kind == GIT_QUERY_SETTINGS && !w->is_runner_slow) {
		list_settings(w, TAKE(outcome->effect));
		return;
	}
	assert_true(w->n_open < WORLD_OPEN);
	w->open[w->n_open++] = TAKE(outcome->effect);
}

static void
pump(struct world *w)
{
	struct queue_link *link;

	while ((link = queue_list_take(&w->aid.outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		take_in(w, outcome);
		outcome_free(outcome);
	}
}

void
world_telegram_back(struct world *w)
{
	struct effect *effect;

	w->is_telegram_away = false;
	while ((effect = world_take(w, EFFECT_SEND_MESSAGE)) != NULL) {
		deliver(w, effect);
		pump(w);
	}
}

void
world_moment(struct world *w)
{
	struct effect *effect;

	while ((effect = world_take(w, EFFECT_SEND_MESSAGE)) != NULL) {
		deliver(w, effect);
		pump(w);
	}
}

void
world_act(struct world *w, void (*act)(struct tx *tx, void *arg), void *arg)
{
	store_aid_act(&w->aid, act, arg);
	pump(w);
}

struct rooted {
	const char *role;
	int64_t number;
};

static void
find_root(struct tx *tx, void *arg)
{
	struct rooted *rooted = arg;

	rooted->number = row_principal_of(tx, PRINCIPAL_USER, "", rooted->role);
}

int64_t
world_root(struct world *w, const char *role)
{
	struct rooted rooted = { .role = role };

	world_act(w, find_root, &rooted);
	return rooted.number;
}

struct answer
world_decide(struct world *w, struct event *event)
{
	struct answer answer = store_aid_decide(&w->aid, event);

	w->aid.at += TICK_MS;
	pump(w);
	return answer;
}

/* --- what people do --- */

struct event *
world_update(struct world *w, enum update_kind kind, int64_t person, int64_t chat)
{
	struct event *event = store_aid_event(&w->aid, EVENT_UPDATE);
	struct update *update = calloc(1, sizeof(*update));
	const char *name = person == WORLD_ADMIN ? "@ada" :
	    person == WORLD_OTHER_ADMIN		 ? "@bob" :
	    person == WORLD_STAGING_USER	 ? "@cy" :
						   "@eve";

	assert_non_null(update);
	update->id = w->next_update++;
	update->kind = kind;
	update->address.chat = chat;
	update->is_private = chat > 0;
	update->message = kind == UPDATE_TEXT ? update->id + WORLD_WRITTEN : 0;
	update->person = person;
	(void)text_copy(update->name, sizeof(update->name), name);
	(void)snprintf(update->callback, sizeof(update->callback), "cb%" PRId64, update->id);
	event->u.update = update;
	return event;
}

struct answer
world_text_in(struct world *w, int64_t person, int64_t chat, const char *text)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, chat);

	update_set_text(event->u.update, text);
	update_take_token(event->u.update); /* as each platform's decoder does */
	return world_decide(w, event);
}

struct answer
world_text(struct world *w, int64_t person, const char *text)
{
	return world_text_in(w, person, WORLD_GROUP, text);
}

static void
act_is_stranger(struct tx *tx, void *arg)
{
	int64_t *person = arg;

	*person = decide_is_stranger(tx, *person);
}

/* A flood of theirs gets no answer. */
static bool
is_stranger(struct world *w, int64_t person)
{
	world_act(w, act_is_stranger, &person);
	return person != 0;
}

struct answer
world_press(struct world *w, int64_t person, int64_t chat, const char *button)
{
	struct event *event = world_update(w, UPDATE_PRESS, person, chat);
	size_t before = w->n_toasts;
	struct answer answer;

	w->toast[0] = '\0';
	(void)text_copy(event->u.update->button, sizeof(event->u.update->button), button);
	answer = world_decide(w, event);
	if (answer.status == 200 && w->n_toasts != before + 1 &&
	    (w->n_toasts != before || !is_stranger(w, person)))
		fail_msg("a press was answered %zu times, last with \"%s\"", w->n_toasts - before,
		    w->toast);
	return answer;
}

struct event *
world_push(struct world *w, const char *branch)
{
	struct event *event = store_aid_event(&w->aid, EVENT_DELIVERY);
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_PUSH;
	(void)snprintf(delivery->id, sizeof(delivery->id), "d-%" PRId64, w->next_update);
	memcpy(delivery->digest, &w->next_update, sizeof(w->next_update));
	w->next_update++;
	(void)text_copy(delivery->repository, sizeof(delivery->repository), "Acme/Shop");
	(void)text_copy(delivery->branch, sizeof(delivery->branch), branch);
	(void)text_copy(delivery->login, sizeof(delivery->login), "octo");
	(void)text_copy(delivery->after, sizeof(delivery->after), COMMIT_A);
	delivery->sender = 7;
	return event;
}

/* --- open effects --- */

/* A probe behind an end is in nobody's way. */
static bool
is_look(const struct effect *effect)
{
	return effect->kind == EFFECT_PROBE && effect->subject != 0 && effect->u.probe.run == 0;
}

static struct effect *
peek(struct world *w, enum effect_kind kind, bool looks)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == kind && is_look(w->open[i]) == looks)
			return w->open[i];
	return NULL;
}

struct effect *
world_peek(struct world *w, enum effect_kind kind)
{
	return peek(w, kind, false);
}

struct effect *
world_peek_look(struct world *w)
{
	return peek(w, EFFECT_PROBE, true);
}

static struct effect *
take_out(struct world *w, const struct effect *wanted)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect != wanted)
			continue;
		memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(w->open[0]));
		return effect;
	}
	return NULL;
}

struct effect *
world_take(struct world *w, enum effect_kind kind)
{
	return take_out(w, world_peek(w, kind));
}

struct effect *
world_take_look(struct world *w)
{
	return take_out(w, world_peek_look(w));
}

size_t
world_count(const struct world *w, enum effect_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == kind;
	return n;
}

void
world_report(struct world *w, struct effect *effect)
{
	(void)store_aid_report(&w->aid, effect);
	w->aid.at += TICK_MS;
	pump(w);
}

struct effect *
world_must_take(struct world *w, enum effect_kind kind)
{
	struct effect *effect = world_take(w, kind);

	if (effect == NULL)
		fail_msg("no effect %s is open", effect_name(kind));
	return effect;
}

/* No timer waits longer than its kind does (perform_timer.c), whatever its row says. */
static void
due(struct world *w, enum timer_kind kind, const int64_t *work)
{
	static const int longest_s[] = {
#define TIMER(name, word, seconds, number) [TIMER_##name] = (seconds),
		TIMERS(TIMER)
#undef TIMER
	};

	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect->kind != EFFECT_TIMER || effect->u.timer.kind != kind ||
		    (work != NULL && effect->subject != *work))
			continue;
		if (effect->due - w->aid.at > longest_s[kind] * INT64_C(1000))
			w->aid.at += longest_s[kind] * INT64_C(1000);
		else if (w->aid.at < effect->due)
			w->aid.at = effect->due;
		world_report(w, take_out(w, effect));
		return;
	}
	fail_msg("no such deadline is open");
}

void
world_due(struct world *w, enum timer_kind kind)
{
	due(w, kind, NULL);
}

void
world_due_of(struct world *w, enum timer_kind kind, int64_t work)
{
	due(w, kind, &work);
}

void
world_settings_listed(struct world *w)
{
	struct effect *effect = world_must_take(w, EFFECT_GIT_QUERY);

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_SETTINGS);
	list_settings(w, effect);
	w->aid.at += TICK_MS;
	pump(w);
}
