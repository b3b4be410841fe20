/* order_aid.c - rows, lanes, jobs and pace of one group, on a clock of the test's own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "order_aid.h"

#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "store/row_button.h"

struct order order;

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_loop_now_ms(void);
void __wrap_loop_defer(struct loop *loop, struct loop_task *task);
void __wrap_loop_timer_start(
    struct loop *loop, struct loop_timer *timer, int64_t after_ms, int64_t repeat_ms);
struct telegram_call *__wrap_telegram_api_post(struct telegram_api *api, const char *method,
    const struct buf *json, telegram_done_fn *on_done, void *ctx, struct err *err);
void __wrap_telegram_api_cancel(struct telegram_call *call);

int64_t
__wrap_clock_wall_ms(void)
{
	return order.aid.at;
}

int64_t
__wrap_loop_now_ms(void)
{
	return order.now;
}

void
__wrap_loop_defer(UNUSED struct loop *loop, struct loop_task *task)
{
	order.is_deferred = true;
	order.pump = task;
}

void
__wrap_loop_timer_start(
    UNUSED struct loop *loop, struct loop_timer *timer, int64_t after_ms, UNUSED int64_t repeat_ms)
{
	order.timer = timer;
	order.timer_at = order.now + after_ms;
}

void
__wrap_telegram_api_cancel(UNUSED struct telegram_call *call)
{
}

/* One chat has one call at a time, and a failure's beside an edit. */
struct telegram_call *
__wrap_telegram_api_post(UNUSED struct telegram_api *api, const char *method,
    const struct buf *json, telegram_done_fn *on_done, void *ctx, struct err *err)
{
	struct order_sent *sent = &order.sent[order.n++];
	struct json *body = json_decode(buf_text(json), strlen(buf_text(json)), err);
	size_t call = order.calls[0].on_done == NULL ? 0 : 1;

	assert_true(order.n < SENT_MAX);
	assert_true(call == 0 || order.calls[0].is_edit);
	assert_null(order.calls[call].on_done);
	assert_non_null(body);
	*sent = (struct order_sent){ .at = order.now,
		.is_edit = strcmp(method, "editMessageText") == 0 };
	sent->rings = !sent->is_edit && json_get(body, "disable_notification") == NULL;
	sent->of = sent->is_edit ? json_get_i64_or(body, "message_id", 0) : 0;
	(void)text_copy(sent->text, sizeof(sent->text), json_str(json_get(body, "text")));
	sent->is_reply = json_get(body, "reply_parameters") != NULL;
	sent->has_buttons = strstr(buf_text(json), "callback_data") != NULL;
	json_free(body);
	order.calls[call].on_done = on_done;
	order.calls[call].ctx = ctx;
	order.calls[call].at = order.now;
	order.calls[call].is_edit = sent->is_edit;
	return (struct telegram_call *)&order;
}

static void
answer(size_t call)
{
	struct telegram_result result = { .description = "" };
	struct err err;
	char text[48];

	(void)snprintf(text, sizeof(text), "{\"message_id\":%lld}", (long long)++order.next_remote);
	if (order.refuses && !order.calls[call].is_edit)
		result = (struct telegram_result){ .code = 400, .description = "Bad Request" };
	else if (!order.is_away)
		result = (struct telegram_result){ .ok = true,
			.code = 200,
			.description = "",
			.result = json_decode(text, strlen(text), &err) };
	TAKE(order.calls[call].on_done)(order.calls[call].ctx, &result);
	json_free((struct json *)result.result);
}

static void
on_said(void *ctx, const struct message_sent *said)
{
	struct effect *effect = ctx;

	if (said == NULL) {
		effect_free(effect);
		return;
	}
	effect->result->u.message_sent = *said;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	(void)store_aid_report(&order.aid, effect);
}

static void
take_effect(struct effect *effect)
{
	if (effect->kind == EFFECT_DELETE_MESSAGE) {
		order.deleted[order.n_deleted++] = effect->u.delete_message.remote_id;
		(void)store_aid_report(&order.aid, effect);
	} else {
		assert_int_equal(effect->kind, EFFECT_SEND_MESSAGE);
		telegram_message_send(order.send, &effect->u.send_message.message, on_said, effect);
	}
}

/* What the store has decided reaches the loop, in its order. */
static void
take_outcomes(void)
{
	struct queue_link *link;

	while ((link = queue_list_take(&order.aid.outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		if (outcome->kind == OUTCOME_CHANGE)
			telegram_message_change(
			    order.send, &outcome->effect->u.send_message.message);
		else if (outcome->kind == OUTCOME_EFFECT)
			take_effect(TAKE(outcome->effect));
		outcome_free(outcome);
	}
}

void
order_step(void)
{
	take_outcomes();
	while (order.is_deferred) {
		order.is_deferred = false;
		order.pump->run(order.pump, order.pump->ctx);
		take_outcomes();
	}
	order.now += 50;
	order.aid.at += 50;
	for (size_t i = 0; i < COUNT(order.calls); i++)
		if (order.calls[i].on_done != NULL && order.now >= order.calls[i].at + ANSWER_MS &&
		    !(order.edits_hang && order.calls[i].is_edit))
			answer(i);
	if (order.timer_at >= 0 && order.now >= order.timer_at) {
		order.timer_at = -1;
		order.timer->on_expire(order.timer, order.timer->ctx);
	}
}

void
order_run_for(int64_t ms)
{
	for (int64_t end = order.now + ms; order.now < end;)
		order_step();
}

void
order_crash(void)
{
	telegram_send_free(order.send);
	memset(order.calls, 0, sizeof(order.calls));
	order.is_deferred = false;
	order.timer_at = -1;
	store_aid_reopen(&order.aid);
	order.send = telegram_send_new(NULL, NULL, NULL);
	assert_non_null(order.send);
}

int
order_set_up(UNUSED void **state)
{
	memset(&order, 0, sizeof(order));
	order.timer_at = -1;
	order.now = MINUTE;
	store_aid_open(&order.aid, handlers, NULL, NULL);
	order.send = telegram_send_new(NULL, NULL, NULL);
	assert_non_null(order.send);
	return 0;
}

int
order_tear_down(UNUSED void **state)
{
	telegram_send_free(order.send);
	store_aid_close(&order.aid);
	return 0;
}

void
order_act_add(struct tx *tx, void *arg)
{
	struct order_say *say = arg;
	struct button_row button = { .chat = GROUP };

	if (say->button != NULL) {
		button.request = request_of("confirm", say->button);
		button.expires_at = say->lives_ms != 0 ? tx->at + say->lives_ms : 0;
		row_button_show(tx, &button, "Confirm", &say->message.buttons);
	}
	say->row = row_message_add(tx, &say->message);
}

static void
act_change(struct tx *tx, void *arg)
{
	struct order_say *say = arg;

	row_message_change(tx, say->row, &say->message);
}

void
order_act_change_text(struct tx *tx, void *arg)
{
	struct order_say *say = arg;
	struct message now;

	row_message_get(tx, say->row, &now);
	say->message.buttons = now.buttons;
	message_done(&now);
	row_message_change(tx, say->row, &say->message);
}

static void
act_renew(struct tx *tx, void *arg)
{
	struct order_say *say = arg;

	row_message_renew(tx, say->row, &say->message);
}

int64_t
order_add(const char *head, struct message as)
{
	struct order_say say = { .message = as };

	say.message.address.chat = GROUP;
	say.message.head = (char *)head;
	store_aid_act(&order.aid, order_act_add, &say);
	return say.row;
}

void
order_change(int64_t row, const char *head)
{
	struct order_say say = { .row = row, .message = { .head = (char *)head } };

	store_aid_act(&order.aid, act_change, &say);
}

int64_t
order_ask(const char *head, const char *what)
{
	struct order_say say = { .message = { .address.chat = GROUP, .head = (char *)head },
		.button = what };

	store_aid_act(&order.aid, order_act_add, &say);
	return say.row;
}

void
order_renew(int64_t row, const char *head, struct message as)
{
	struct order_say say = { .row = row, .message = as };

	say.message.head = (char *)head;
	store_aid_act(&order.aid, act_renew, &say);
}

int64_t
order_sent_at(const char *text)
{
	int64_t at = 0;
	int n = 0;

	for (size_t i = 0; i < order.n; i++)
		if (strcmp(order.sent[i].text, text) == 0 && !order.sent[i].is_edit) {
			at = order.sent[i].at;
			n++;
		}
	assert_int_equal(n, 1);
	return at;
}

const struct order_sent *
order_find(const char *text)
{
	for (size_t i = 0; i < order.n; i++)
		if (strcmp(order.sent[i].text, text) == 0)
			return &order.sent[i];
	return NULL;
}

size_t
order_count(const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < order.n; i++)
		n += strcmp(order.sent[i].text, text) == 0;
	return n;
}
