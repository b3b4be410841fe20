/* telegram_live.c - keeps messages about running programs moving: time, bar, last lines.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_live.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "telegram/telegram_html.h"
#include "telegram/telegram_send.h"
#include "types/message.h"

#define LIVE_MAGIC 0x74676c76u
#define TICK_MS	   500
#define PRIVATE_MS 2000
#define GROUP_MS   5000	 /* 12 of the 20 messages a minute that a group may get */
#define QUIET_MS   10000 /* only the clock has moved */
#define BAR_CELLS  10
#define TAIL_MAX   ((size_t)8 * 1024)
#define GATE_MAX   ((size_t)1024)
#define LIVE_MAX   ((size_t)16 * 1024)
#define HTML_MAX   ((size_t)128 * 1024)

struct entry {
	struct message message; /* a copy; id 0: free */
	int64_t edited_at;	/* loop_now_ms() */
	char *shown;		/* the tail that was shown last; may be NULL */
};

struct telegram_live {
	unsigned magic;
	struct loop *loop;
	struct telegram_send *send;
	telegram_live_tail_fn *tail;
	telegram_live_tail_fn *gate;
	void *tail_ctx;
	struct loop_timer timer;
	struct entry entry[TELEGRAM_LIVE_MAX];
};

static void on_tick(struct loop_timer *timer, void *ctx);
static void on_edited(void *ctx, int64_t message, bool is_gone);
static void refresh(struct telegram_live *live, struct entry *entry, int64_t now);

struct telegram_live *
telegram_live_new(
    struct loop *loop, telegram_live_tail_fn *tail, telegram_live_tail_fn *gate, void *ctx)
{
	struct telegram_live *live = mem_new(1, sizeof(*live));

	live->magic = LIVE_MAGIC;
	live->loop = loop;
	live->tail = tail;
	live->gate = gate;
	live->tail_ctx = ctx;
	loop_timer_init(&live->timer, on_tick, live);
	return live;
}

void
telegram_live_join(struct telegram_live *live, struct telegram_send *send)
{
	live->send = send;
}

static void
clear(struct entry *entry)
{
	message_done(&entry->message);
	free(entry->shown);
	*entry = (struct entry){ 0 };
}

void
telegram_live_free(struct telegram_live *live)
{
	if (live == NULL)
		return;
	OBJ_CHECK(live, LIVE_MAGIC);
	loop_timer_stop(&live->timer);
	for (size_t i = 0; i < TELEGRAM_LIVE_MAX; i++)
		clear(&live->entry[i]);
	free(live);
}

/* The entry of a message, a free one for id 0; NULL: none. */
static struct entry *
find(struct telegram_live *live, int64_t id)
{
	for (size_t i = 0; i < TELEGRAM_LIVE_MAX; i++)
		if (live->entry[i].message.id == id)
			return &live->entry[i];
	return NULL;
}

/* A copy that owns its text. */
static void
copy_message(const struct message *from, struct message *to)
{
	*to = *from;
	to->head = mem_text(from->head == NULL ? "" : from->head);
}

void
telegram_live_set(struct telegram_live *live, const struct message *message, int64_t remote_id)
{
	struct entry *entry;
	struct message copy;

	OBJ_CHECK(live, LIVE_MAGIC);
	entry = find(live, message->id);
	if (message->live_run == 0 || remote_id == 0) {
		if (entry != NULL && message->id != 0)
			clear(entry);
		return;
	}
	copy_message(message, &copy);
	copy.remote_id = remote_id;
	if (entry == NULL)
		entry = find(live, 0);
	if (entry == NULL) {
		message_done(&copy);
		return;
	}
	message_done(&entry->message);
	entry->message = copy;
	entry->edited_at = loop_now_ms();
	if (!loop_timer_is_started(&live->timer))
		loop_timer_start(live->loop, &live->timer, TICK_MS, TICK_MS);
}

/* --- the live part --- */

static void
put_time(const struct message *message, int64_t elapsed_ms, struct buf *marked)
{
	char elapsed[TEXT_DURATION_SIZE];
	char usual[TEXT_DURATION_SIZE];
	const int64_t estimate_ms = message->live_estimate_ms;

	/* Whole seconds: text_duration() has decimals below one. */
	(void)text_duration(elapsed, elapsed_ms < 1000 ? 1000 : elapsed_ms / 1000 * 1000);
	if (estimate_ms <= 0) {
		buf_addf(marked, "\xe2\x8f\xb1 %s", elapsed); /* a stopwatch */
		return;
	}
	int64_t cells = elapsed_ms * BAR_CELLS / estimate_ms;

	if (cells >= BAR_CELLS)
		cells = BAR_CELLS - 1; /* only its end is the end */
	for (int64_t i = 0; i < BAR_CELLS; i++)
		buf_adds(marked, i < cells ? "\xe2\x96\x93" : "\xe2\x96\x91");
	(void)text_duration(usual, estimate_ms / 1000 * 1000);
	buf_addf(marked, " %s of about %s", elapsed, usual);
}

/* Marks are ours alone, whatever the text holds. */
static void
put_text(const char *text, struct buf *marked)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x20 || *c == '\n')
			buf_addc(marked, *c);
}

static void
put_tail(const char *tail, struct buf *marked)
{
	buf_adds(marked, MARK_PRE);
	put_text(tail, marked);
	buf_adds(marked, MARK_PRE "\n");
}

/* False: nothing is checked. */
static bool
put_gate(const struct telegram_live *live, const struct message *message, struct buf *marked)
{
	CLEANUP(buf_done) struct buf gate = buf_make(GATE_MAX);

	if (live->gate != NULL)
		live->gate(live->tail_ctx, message->live_run, &gate);
	put_text(buf_text(&gate), marked);
	if (gate.size > 0)
		buf_addc(marked, '\n');
	return gate.size > 0;
}

/* What a script said last is stale while its release is checked. */
static void
fill(const struct telegram_live *live, const struct message *message, const char *tail,
    int64_t now_ms, struct buf *marked)
{
	int64_t elapsed_ms = now_ms - message->live_since;

	if (!put_gate(live, message, marked) && tail[0] != '\0')
		put_tail(tail, marked);
	put_time(message, elapsed_ms > 0 ? elapsed_ms : 0, marked);
}

static void
read_tail(struct telegram_live *live, const struct message *message, struct buf *tail)
{
	buf_init(tail, TAIL_MAX);
	if (live->tail != NULL)
		live->tail(live->tail_ctx, message->live_run, tail);
}

void
telegram_live_fill(
    struct telegram_live *live, const struct message *message, int64_t now_ms, struct buf *marked)
{
	CLEANUP(buf_done) struct buf tail = { 0 };

	OBJ_CHECK(live, LIVE_MAGIC);
	read_tail(live, message, &tail);
	fill(live, message, buf_text(&tail), now_ms > 0 ? now_ms : clock_wall_ms(), marked);
}

/* --- edits --- */

static void
on_tick(struct loop_timer *timer, void *ctx)
{
	struct telegram_live *live = OBJ_OF(struct telegram_live, ctx, LIVE_MAGIC);
	int64_t now = loop_now_ms();
	bool any = false;

	for (size_t i = 0; i < TELEGRAM_LIVE_MAX; i++) {
		struct entry *entry = &live->entry[i];
		int64_t period = entry->message.address.chat < 0 ? GROUP_MS : PRIVATE_MS;

		if (entry->message.id == 0)
			continue;
		any = true;
		if (now - entry->edited_at >= period)
			refresh(live, entry, now);
	}
	if (!any)
		loop_timer_stop(timer);
}

static bool
edit(struct telegram_live *live, const struct message *message, const char *tail)
{
	struct telegram_html_parts parts = { .head = message->head };
	CLEANUP(buf_done) struct buf marked = buf_make(LIVE_MAX);
	CLEANUP(buf_done) struct buf html = buf_make(HTML_MAX);

	fill(live, message, tail, clock_wall_ms(), &marked);
	parts.live = buf_text(&marked);
	telegram_html_render(&parts, TELEGRAM_HTML_TEXT_MAX, &html);
	return !buf_failed(&html) &&
	    telegram_send_live_edit(live->send, message, buf_text(&html), on_edited, live);
}

static void
refresh(struct telegram_live *live, struct entry *entry, int64_t now)
{
	CLEANUP(buf_done) struct buf tail = { 0 };

	if (!telegram_send_can_decorate(live->send, &entry->message))
		return;
	read_tail(live, &entry->message, &tail);
	bool is_news = entry->shown == NULL || strcmp(entry->shown, buf_text(&tail)) != 0;

	if ((is_news || now - entry->edited_at >= QUIET_MS) &&
	    edit(live, &entry->message, buf_text(&tail))) {
		entry->edited_at = now;
		free(entry->shown);
		/* NOANALYZE(malloc-leak): the entry has it */
		entry->shown = mem_text(buf_text(&tail));
	}
}

static void
on_edited(void *ctx, int64_t message, bool is_gone)
{
	struct telegram_live *live = OBJ_OF(struct telegram_live, ctx, LIVE_MAGIC);
	struct entry *entry;

	entry = find(live, message);
	if (is_gone && message != 0 && entry != NULL)
		clear(entry);
}
