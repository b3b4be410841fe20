/* deliver_aid.c - deliveries whose handlers do what they say, in a store.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "deliver_aid.h"

#include <signal.h>
#include <sys/resource.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_dedupe.h"
#include "store/row_effect.h"

struct deliver_aid deliver_aid;

static void
on_delivery(struct tx *tx, const struct event *event)
{
	const struct delivery *d = &event->u.delivery;
	struct effect *effect;

	deliver_aid.delivered++;
	deliver_aid.last_context = event->context;
	if (deliver_aid.may_starve || (strcmp(d->login, "starve") == 0 && deliver_aid.may_crash))
		mem_abort();
	if (strcmp(d->login, "crash") == 0 && deliver_aid.may_crash)
		(void)raise(SIGKILL);
	if (!row_dedupe_add(tx, "github", d->id, NULL)) {
		tx->answer.is_duplicate = true;
		return;
	}
	tx_log(tx, LOG_LEVEL_INFO, "looked at %s", d->id);
	if (strcmp(d->login, "bug") == 0)
		tx_fail(tx, ERR_INVALID, "a bug");
	if (strcmp(d->login, "full") == 0)
		tx_fail(tx, ERR_FULL, "the disk");
	tx_log(tx, LOG_LEVEL_INFO, "decided on %s", d->id);
	tx->answer.status = 202;
	effect = effect_new(EFFECT_GIT_QUERY);
	(void)text_copy(effect->u.git_query.requested_by, LIMIT_PERSON, d->login);
	effect->subject = 7;
	(void)row_effect_add(tx, effect);
}

static void
on_git_answered(struct tx *tx, const struct event *event)
{
	deliver_aid.ended++;
	assert_non_null(tx->effect);
	assert_int_equal(tx->effect->id, event->effect);
	(void)text_copy(deliver_aid.requested_by, sizeof(deliver_aid.requested_by),
	    tx->effect->u.git_query.requested_by);
	if (event->u.git_answered.exit_status == 99)
		tx_fail(tx, ERR_INVALID, "cannot read the answer");
	if (event->u.git_answered.exit_status == 28 && deliver_aid.ended == 1)
		tx_fail(tx, ERR_FULL, "the disk is full");
	(void)row_effect_timer(tx, TIMER_POLL, "", 0, tx->at + 1000);
}

static void
on_fault(struct tx *tx, const struct event *event)
{
	deliver_aid.faulted++;
	deliver_aid.last_context = event->context;
	assert_non_null(tx->effect);
	deliver_aid.last_fault = event->u.fault;
}

static store_handler *const handlers[EVENT_KIND_COUNT] = {
	[EVENT_DELIVERY] = on_delivery,
	[EVENT_UPDATE] = on_delivery,
	[EVENT_GIT_ANSWERED] = on_git_answered,
	[EVENT_FAULT] = on_fault,
};

static bool
decode(struct event *raw, struct queue_list *ret_events, int *ret_status, int64_t *ret_offset)
{
	char *copy = mem_textn(raw->raw.data, raw->raw.size), *at = copy, *word;

	*ret_offset = 42;
	if (copy[0] == '!') {
		*ret_status = 400;
		free(copy);
		return false;
	}
	while ((word = strsep(&at, ",")) != NULL) {
		struct event *event = event_new(EVENT_DELIVERY);
		char *login = strchr(word, '/');

		if (login != NULL)
			*login++ = '\0';
		(void)text_copy(event->u.delivery.id, LIMIT_DELIVERY, word);
		(void)text_copy(event->u.delivery.login, LIMIT_PERSON, login == NULL ? "" : login);
		queue_list_add(ret_events, &event->link);
	}
	free(copy);
	return true;
}

static store_decode *const decoders[EVENT_SOURCE_COUNT] = { [SOURCE_DELIVERY] = decode };

int
deliver_aid_setup(void **state)
{
	static struct store_aid aid;

	deliver_aid = (struct deliver_aid){ .may_crash = true };
	store_aid_open(&aid, handlers, decoders, NULL);
	*state = &aid;
	return 0;
}

struct event *
deliver_aid_event(struct store_aid *aid, const char *id, const char *login)
{
	struct event *event = store_aid_event(aid, EVENT_DELIVERY);

	(void)text_copy(event->u.delivery.id, LIMIT_DELIVERY, id);
	(void)text_copy(event->u.delivery.login, LIMIT_PERSON, login);
	return event;
}

struct event *
deliver_aid_raw(struct store_aid *aid, const char *text)
{
	struct event *event = store_aid_event(aid, EVENT_DELIVERY);

	event->source = SOURCE_DELIVERY;
	event->raw.data = strdup(text);
	event->raw.size = strlen(text);
	return event;
}

bool
deliver_aid_commits(struct store_aid *aid, struct event *event)
{
	struct rlimit was, small = { 0 };
	struct queue_list events = { 0 };
	bool ok;

	queue_list_add(&events, &event->link);
	if (database_aid_is_server()) {
		database_aid_refuse(aid->path, true);
		ok = store_batch(aid->store, &events, &aid->outcomes, &aid->err);
		database_aid_refuse(aid->path, false);
		return ok;
	}
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = (struct rlimit){ .rlim_cur = 1, .rlim_max = was.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ok = store_batch(aid->store, &events, &aid->outcomes, &aid->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	return ok;
}
