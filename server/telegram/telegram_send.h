/* telegram_send.h - sends messages: paced, in order, repeated until Telegram takes or refuses them.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The caller (the outbox) gives at most one message, one toast and one document of a chat at a
 * time.  Here they are paced: about one message a second for each chat, 20 a minute for a group,
 * 30 a second in all; a 429 is obeyed.  In a chat alarms go first, then edits that take buttons
 * away, then answers; nobody is passed for longer than a minute.  An edit that changes nothing, or
 * that a later one covers, is not sent, and counts as done; that a group's minute is full is said
 * there once.  5xx, silence and a refused token are tried again, 1 s to
 * 5 min apart, for ever.  A callback comes exactly once, from the loop and never in the call that
 * asked; its result is NULL when telegram_send_free() ends it: nothing is known then.
 */
#pragma once

#include <sys/types.h>

#include "types/effect.h"

struct buf;
struct loop;
struct telegram_api;
struct telegram_send;

typedef void telegram_sent_fn(void *ctx, const struct message_sent *said);
/* "" : done; else Telegram's final no. */
typedef void telegram_ended_fn(void *ctx, const char *failure);

/* live fills what stands below the head of a message whose live_run is set; on_said is told
 * of each message that was said, but of none that a later one covers; may_send is asked before
 * calls are begun, again and again while it says no. */
struct telegram_send_hooks {
	void (*live)(void *ctx, const struct message *message, struct buf *marked);
	void (*on_said)(void *ctx, const struct message *message, const struct message_sent *said);
	void *ctx;
	bool (*may_send)(void *ctx); /* NULL: always */
};

struct telegram_send *telegram_send_new(
    struct loop *loop, struct telegram_api *api, const struct telegram_send_hooks *hooks) MUST_USE;
void telegram_send_free(struct telegram_send *send);

/*
 * Sends the message, or edits it where remote_id is set; "not modified" is success; one that is
 * gone is sent anew (its new remote_id comes back); HTML that Telegram cannot parse is sent once
 * more as plain text.  message is borrowed until the callback.
 */
void telegram_message_send(
    struct telegram_send *send, struct message *message, telegram_sent_fn *on_said, void *ctx);

/* The message with this id says that now: exchanged with the one that was borrowed, where no call
 * for it is in progress.  is_covered: it is not sent any more, nor tried again. */
void telegram_message_change(struct telegram_send *send, struct message *message);

/* Answers a press.  After 30 s it is given up, which counts as done.  toast is not kept. */
void telegram_toast(struct telegram_send *send, const struct effect_toast *toast,
    telegram_ended_fn *on_ended, void *ctx);

/* Leaves a chat; tried again until Telegram's answer is final. */
void
telegram_leave(struct telegram_send *send, int64_t chat, telegram_ended_fn *on_ended, void *ctx);

/* Deletes a message of ours, which Telegram takes for 48 hours; that it is gone counts as done. */
void telegram_delete(struct telegram_send *send, int64_t chat, int64_t remote_id,
    telegram_ended_fn *on_ended, void *ctx);

/* Pins a message of ours without a sound, or unpins it; that it is so already counts as done.
 * In a group only an administrator with the right to pin may.  pin is not kept. */
void telegram_pin(struct telegram_send *send, const struct effect_pin_message *pin,
    telegram_ended_fn *on_ended, void *ctx);

enum telegram_file_state { TELEGRAM_FILE_MORE, TELEGRAM_FILE_READY, TELEGRAM_FILE_FAILED };

/* A file to send: `size` bytes from the beginning of an open descriptor (read by pread, not
 * closed).  Where it must be made first, `prepare` is called once a turn until it is ready (then
 * name, fd and size are set) or has failed (then `failure` says why). */
struct telegram_file {
	struct chat_address address;
	const char *name;
	const char *caption; /* plain text; "" none */
	int fd;
	int64_t size; /* 1 to TELEGRAM_FILE_MAX */
	/* NULL: ready */
	enum telegram_file_state (*prepare)(struct telegram_file *file, void *ctx);
	char failure[LIMIT_LINE];
};
#define TELEGRAM_FILE_MAX  (49 * 1000 * 1000) /* Telegram takes 50 MB */

/* Sends it.  file and what it points at are borrowed until the callback. */
void telegram_document(
    struct telegram_send *send, struct telegram_file *file, telegram_ended_fn *on_ended, void *ctx);

/* Wall ms since when the oldest message or document of those that were handed to us here waits to
 * be taken by Telegram; 0: none waits.  A press is not counted, it is given up soon. */
int64_t telegram_send_waiting_since(const struct telegram_send *send);

/* The program ends: no call is begun any more.  True: one for a new message is still out. */
bool telegram_send_end(struct telegram_send *send);

/* New messages of which Telegram has not said whether it has them: rows into ret, at most `max`;
 * returns how many there are. */
size_t telegram_send_unanswered(const struct telegram_send *send, int64_t *ret, size_t max);

/* --- for telegram_live alone --- */

/* Its chat has nothing else to be said, and can bear an edit of it now that is only decoration. */
bool telegram_send_can_decorate(struct telegram_send *send, const struct message *message);

/* An edit that is worth nothing later: one try, and false, with nothing done, when
 * telegram_send_can_decorate() is.  Nothing is borrowed.  is_gone: it can be edited no more. */
bool
telegram_send_live_edit(struct telegram_send *send, const struct message *message, const char *html,
    void (*on_done)(void *ctx, int64_t message, bool is_gone), void *ctx) MUST_USE;
