/* store_aid.c - a store for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_load.h"
#include "tests/unit/store_aid.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "lib/db_inside.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/row_message.h"
#include "store/store_inside.h"
#include "tests/unit/ids_aid.h"
#include "unit.h"

#define SETTINGS_MAX 48
#define TEMPLATE_MAX ((size_t)1 << 20)

/* --- opening, closing --- */

static void
load_settings(struct store_aid *aid, va_list more)
{
	char state[128];
	char token[] = "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789";
	char admins[] = "ADMIN_TELEGRAM_IDS=11,22";
	char repository[] = "GITHUB_REPOSITORY=acme/shop";
	char *list[SETTINGS_MAX] = { token, admins, repository, state };
	struct settings_report report = { 0 };
	size_t n = 4;

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", aid->folder);
	while ((list[n] = va_arg(more, char *)) != NULL)
		assert_true(++n < SETTINGS_MAX);
	if (!settings_load(NULL, list, &aid->settings, &report))
		fail_msg("settings: %s", report.lines[0].text);
}

/* An empty database: migrating anew for each test would cost more than most of them. */
static void
make_database(struct store_aid *aid)
{
	static char *template;
	static size_t size;

	if (database_aid_is_server())
		return;
	if (template == NULL) {
		struct db *db = db_open(aid->path, 0, &aid->err);

		assert_non_null(db);
		assert_true(store_schema_migrate(db, NULL, store_schema_newest(), &aid->err));
		db_close(db);
		template = file_read(aid->path, TEMPLATE_MAX, &size, &aid->err);
		assert_non_null(template);
	} else {
		int fd = open(aid->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		assert_true(fd >= 0 && file_write_all(fd, template, size, &aid->err));
		assert_int_equal(close(fd), 0);
	}
}

static void
open_store(struct store_aid *aid)
{
	aid->store = store_open(&aid->config, &aid->err);
	if (aid->store == NULL)
		fail_msg("store_open: %s", aid->err.text);
	if (!store_recover(aid->store, aid->settings, aid->at, &aid->outcomes, &aid->err))
		fail_msg("store_recover: %s", aid->err.text);
}

void
store_aid_open(
    struct store_aid *aid, store_handler *const *handlers, store_decode *const *decoders, ...)
{
	const char *address = getenv("TMPDIR");
	va_list more;

	*aid = (struct store_aid){ .at = STORE_AID_AT };
	assert_in_range(snprintf(aid->folder, sizeof(aid->folder), "%s/store_aid.XXXXXX",
			    address == NULL ? "/tmp" : address),
	    0, sizeof(aid->folder) - 1);
	assert_non_null(mkdtemp(aid->folder));
	database_aid_make(aid->folder, "db", aid->path);
	(void)snprintf(aid->audit_path, sizeof(aid->audit_path), "%s/audit.log", aid->folder);
	(void)snprintf(
	    aid->environments_path, sizeof(aid->environments_path), "%s/environments", aid->folder);
	(void)snprintf(aid->poison_path, sizeof(aid->poison_path), "%s/under-way", aid->folder);
	if (handlers != NULL)
		memcpy(aid->handlers, handlers, sizeof(aid->handlers));
	aid->config = (struct store_config){
		.path = aid->path,
		.audit_path = aid->audit_path,
		.environments_path = aid->environments_path,
		.handlers = aid->handlers,
		.decoders = decoders,
		.poison_path = aid->poison_path,
	};
	va_start(more, decoders);
	load_settings(aid, more);
	va_end(more);
	make_database(aid);
	open_store(aid);
}

void
store_aid_reopen(struct store_aid *aid)
{
	store_close(aid->store);
	store_aid_forget(aid);
	open_store(aid);
}

static int
remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type, UNUSED struct FTW *ftw)
{
	return remove(path);
}

void
store_aid_close(struct store_aid *aid)
{
	store_close(aid->store);
	database_aid_remove(aid->path);
	store_aid_forget(aid);
	settings_unref(aid->settings);
	agents_seen_unref(aid->seen);
	aid->seen = NULL;
	assert_int_equal(nftw(aid->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- events --- */

static void
stamp(struct store_aid *aid, struct event *event)
{
	event->context.at = aid->at;
	if (event->context.settings == NULL)
		event->context.settings = settings_ref(aid->settings);
	if (event->context.seen == NULL)
		event->context.seen = agents_seen_ref(aid->seen);
	text_set(event->context.main_app, aid->main_app != NULL ? aid->main_app : "");
	memset(event->context.random, 0x5a, sizeof(event->context.random));
	memcpy(event->context.random, &aid->n_events, sizeof(aid->n_events));
	aid->n_events++;
}

int
store_aid_setup(void **state)
{
	static struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	*state = &aid;
	return 0;
}

int
store_aid_teardown(void **state)
{
	store_aid_close(*state);
	return 0;
}

struct event *
store_aid_event(struct store_aid *aid, enum event_kind kind)
{
	struct event *event = event_new(kind);

	assert_non_null(event);
	stamp(aid, event);
	return event;
}

static void
on_answer(void *ctx, const struct answer *answer)
{
	*(struct answer *)ctx = *answer;
	((struct answer *)ctx)->text = NULL; /* borrowed: it is in aid->said */
}

static void
keep_asked(struct store_aid *aid, const struct answer *answer)
{
	size_t used = 0;

	aid->asked[0] = '\0';
	for (size_t i = 0; i < answer->n_targets && used < sizeof(aid->asked); i++)
		used += (size_t)snprintf(aid->asked + used, sizeof(aid->asked) - used, "\n%s %s",
		    answer->targets[i].url, answer->targets[i].commit);
}

/* Calls done() of every answer that came. */
static void
give_answers(struct store_aid *aid)
{
	struct outcome *outcome;

	while ((outcome = store_aid_take_outcome(aid, OUTCOME_ANSWER)) != NULL) {
		if (outcome->answer.text != NULL) {
			size_t size = strlen(outcome->answer.text);

			(void)text_copy(aid->said, sizeof(aid->said), outcome->answer.text);
			(void)text_copy(aid->said_last, sizeof(aid->said_last),
			    outcome->answer.text + (size > 60 ? size - 60 : 0));
		}
		keep_asked(aid, &outcome->answer);
		outcome->done(outcome->done_ctx, &outcome->answer);
		outcome_free(outcome);
	}
}

/* What is given next is what the rows say, and each row has what was given. */
static void
check_ids(struct store_aid *aid)
{
	struct store_ids written;
	int64_t beyond;

	assert_true(store_ids_read(aid->store->db, &written, &aid->err));
	assert_memory_equal(&written, &aid->store->mark.ids, sizeof(written));
	if (!db_one_i64(&beyond, aid->store->db, &aid->err, IDS_AID_BEYOND))
		fail_msg("%s", aid->err.text);
	assert_int_equal(beyond, 0);
}

struct answer
store_aid_decide(struct store_aid *aid, struct event *event)
{
	struct queue_list events = { 0 };
	struct answer answer = { 0 };
	int64_t *most = &aid->trips[event->kind], before = aid->store->db->n_trips, trips;

	event->done = on_answer;
	event->done_ctx = &answer;
	queue_list_add(&events, &event->link);
	if (!store_batch(aid->store, &events, &aid->outcomes, &aid->err))
		fail_msg("store_batch: %s", aid->err.text);
	assert_null(events.first);
	trips = aid->store->db->n_trips - before;
	*most = trips > *most ? trips : *most;
	if (!aid->is_measured)
		check_ids(aid);
	give_answers(aid);
	assert_int_not_equal(answer.status, 0);
	return answer;
}

/* --- acting on rows --- */

static struct {
	void (*act)(struct tx *tx, void *arg);
	void *arg;
	struct store_aid *aid;
} acting;

static void
act_as_handler(struct tx *tx, UNUSED const struct event *event)
{
	acting.act(tx, acting.arg);
	(void)tx_changed(tx); /* what was posted has its answer */
	acting.aid->failed = tx->failed;
	acting.aid->err = tx->err;
}

bool
store_aid_try(struct store_aid *aid, void (*act)(struct tx *tx, void *arg), void *arg)
{
	store_handler *was = aid->handlers[EVENT_STARTED];
	struct answer answer;

	acting.act = act;
	acting.arg = arg;
	acting.aid = aid;
	aid->failed = true; /* when it is not even called */
	aid->handlers[EVENT_STARTED] = act_as_handler;
	answer = store_aid_decide(aid, store_aid_event(aid, EVENT_STARTED));
	aid->handlers[EVENT_STARTED] = was;
	assert_int_equal(answer.status, aid->failed ? 500 : 200);
	return !aid->failed;
}

void
store_aid_act(struct store_aid *aid, void (*act)(struct tx *tx, void *arg), void *arg)
{
	if (!store_aid_try(aid, act, arg))
		fail_msg("the tx failed: %s", aid->err.text);
}

void
store_aid_count_rows(struct db *db)
{
#define COUNT_ROWS(name, word, column, table) \
	"INSERT INTO counter SELECT '" word "', COALESCE(MAX(" column "), 0) FROM " table \
	" WHERE true ON CONFLICT (name)" \
	" DO UPDATE SET value = MAX(counter.value, excluded.value);"
	struct err err;

	if (!db_script(db, STORE_IDS(COUNT_ROWS), &err))
		fail_msg("%s", err.text);
#undef COUNT_ROWS
}

void
store_aid_count_rows_of(struct tx *tx)
{
	struct store_ids written;

	if (tx->failed)
		fail_msg("%s", tx->err.text);
	store_aid_count_rows(tx->db);
	assert_true(store_ids_read(tx->db, &written, &tx->err));
	for (int i = 0; i < STORE_ID_COUNT; i++)
		if (tx->store->mark.ids.last[i] < written.last[i])
			tx->store->mark.ids.last[i] = written.last[i];
}

/* --- outcomes --- */

/* Takes the oldest outcome that matches; NULL: none. */
static struct outcome *
take(struct store_aid *aid, enum outcome_kind kind, int effect_kind)
{
	struct queue_list rest = { 0 };
	struct outcome *found = NULL;
	struct queue_link *link;

	while ((link = queue_list_take(&aid->outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		if (found == NULL && outcome->kind == kind &&
		    (effect_kind < 0 || (int)outcome->effect->kind == effect_kind))
			found = outcome;
		else
			queue_list_add(&rest, link);
	}
	aid->outcomes = rest;
	return found;
}

struct outcome *
store_aid_take_outcome(struct store_aid *aid, enum outcome_kind kind)
{
	return take(aid, kind, -1);
}

struct effect *
store_aid_take(struct store_aid *aid, enum effect_kind kind)
{
	struct outcome *outcome = take(aid, OUTCOME_EFFECT, (int)kind);
	struct effect *effect = NULL;

	if (outcome != NULL)
		effect = TAKE(outcome->effect);
	outcome_free(outcome);
	return effect;
}

size_t
store_aid_count(const struct store_aid *aid, enum effect_kind kind)
{
	size_t n = 0;

	for (struct queue_link *l = aid->outcomes.first; l != NULL; l = l->next) {
		struct outcome *outcome = QUEUE_ITEM(l, struct outcome, link);

		n += outcome->kind == OUTCOME_EFFECT && outcome->effect->kind == kind;
	}
	return n;
}

size_t
store_aid_count_outcomes(const struct store_aid *aid, enum outcome_kind kind)
{
	size_t n = 0;

	for (struct queue_link *l = aid->outcomes.first; l != NULL; l = l->next)
		n += QUEUE_ITEM(l, struct outcome, link)->kind == kind;
	return n;
}

struct answer
store_aid_report(struct store_aid *aid, struct effect *effect)
{
	struct event *event = TAKE(effect->result);

	assert_non_null(event);
	assert_int_equal(event->effect, effect->id);
	effect_free(effect);
	stamp(aid, event);
	return store_aid_decide(aid, event);
}

void
store_aid_forget(struct store_aid *aid)
{
	struct queue_link *link;

	while ((link = queue_list_take(&aid->outcomes)) != NULL)
		outcome_free(QUEUE_ITEM(link, struct outcome, link));
}

static void
add_file(const char *path, struct buf *out)
{
	size_t size;
	char *text = file_read(path, 1 << 20, &size, NULL);

	if (text != NULL)
		buf_add(out, text, size);
	free(text);
}

char *
store_aid_read(const char *path)
{
	struct audit_segments closed = { 0 };
	char segment[PATH_MAX], *text;
	struct buf all;

	buf_init(&all, 1 << 22);
	buf_adds(&all, "");
	if (text_ends(path, "/audit.log"))
		assert_true(audit_segments_list(path, &closed, NULL));
	for (size_t i = 0; i < closed.n; i++) {
		audit_segment_path(path, closed.first[i], segment);
		add_file(segment, &all);
	}
	audit_segments_done(&closed);
	add_file(path, &all);
	text = strdup(buf_text(&all));
	assert_non_null(text);
	buf_done(&all);
	return text;
}

void
store_aid_give(const struct store_aid *aid, unsigned user)
{
	static const char *const names[] = { "", "-journal", "-wal", "-shm" };
	char path[DATABASE_AID_PATH + 8];

	for (size_t i = 0; i < COUNT(names) && !database_aid_is_server(); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", aid->path, names[i]);
		assert_int_equal(chown(path, user, user), 0);
	}
}

void
store_aid_act_send(struct tx *tx, UNUSED void *arg)
{
	static char head[] = "hello";

	(void)row_message_add(tx, &(struct message){ .address.chat = 1, .head = head });
}
