/* order_aid.h - rows, lanes, jobs and pace of one group, on a clock of the test's own.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* A program that uses it is linked with --wrap of what order_aid.c replaces (Makefile). */
#pragma once

#include "lib/loop.h"
#include "lib/text.h"
#include "store/row_message.h"
#include "store_aid.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_send.h"
#include "unit.h"

#define GROUP	  (-1001234567890)
#define ANSWER_MS 200
#define SECOND	  INT64_C(1000)
#define MINUTE	  (60 * SECOND)
#define SENT_MAX  1000

struct order_sent {
	char text[48];
	bool is_edit;
	bool is_reply;
	bool has_buttons;
	bool rings;
	int64_t of; /* the message that it edits */
	int64_t at;
};

/* The loop's clock, its one timer, and Telegram, which answers after a while. */
struct order {
	struct store_aid aid;
	struct telegram_send *send;
	int64_t now;
	bool is_deferred;
	struct loop_task *pump;
	struct loop_timer *timer;
	int64_t timer_at; /* -1: none */
	struct {
		telegram_done_fn *on_done; /* NULL: no call */
		void *ctx;
		int64_t at;
		bool is_edit;
	} calls[2];
	bool is_away;
	bool edits_hang;
	bool refuses; /* what is new */
	int64_t next_remote;
	size_t n;
	struct order_sent sent[SENT_MAX];
	size_t n_deleted;
	int64_t deleted[SENT_MAX];
};
extern struct order order;

struct order_say {
	struct message message;
	int64_t row;
	const char *button; /* NULL: none */
	int64_t lives_ms;
};

int order_set_up(void **state);
int order_tear_down(void **state);

/* One turn, of 50 ms. */
void order_step(void);
void order_run_for(int64_t ms);
/* The program dies and starts again: rows alone are left. */
void order_crash(void);

/* Decides on a struct order_say. */
void order_act_add(struct tx *tx, void *arg);
/* ... its buttons stay. */
void order_act_change_text(struct tx *tx, void *arg);

/* A message of the group; returns its row. */
int64_t order_add(const char *head, struct message as);
void order_change(int64_t row, const char *head);
/* With a button, which that one has not any more where it is changed. */
int64_t order_ask(const char *head, const char *what);
void order_renew(int64_t row, const char *head, struct message as);

/* When it was sent first; it was, once. */
int64_t order_sent_at(const char *text);
/* The first that says that, NULL: none; and how many do. */
const struct order_sent *order_find(const char *text);
size_t order_count(const char *text);
