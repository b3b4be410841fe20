/* message.h - a message as every chat platform can show it.  No HTML, no platform.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A message is head + live.  Decisions write head and buttons; the loop fills live, and nothing
 * else, from a run's output and the clock.
 *
 * Text is UTF-8 with marks: control characters that text from outside cannot contain, because
 * whoever takes it in replaces them (text_clean()).  A mark is switched on and off by the same
 * character, and marks do not nest.
 */
#pragma once

#include "types/limits.h"

#define MARK_BOLD   "\x01"
#define MARK_CODE   "\x02"
#define MARK_PRE    "\x03"
#define MARK_ITALIC "\x04"
#define MARK_QUOTE  "\x05" /* folded away until it is tapped; whole lines */

/* Where a message goes: a chat, and in it a topic (0: none). */
struct chat_address {
	int64_t chat;
	int64_t thread;
};

struct button {
	char label[LIMIT_BUTTON];
	char id[LIMIT_BUTTON_ID]; /* opaque, it comes back when it is pressed; or "" */
	char copy[LIMIT_COPY];	  /* what it puts on the clipboard; "": nothing */
	char link[LIMIT_LINK];	  /* the page that it opens; "": none */
	bool is_web_app;	  /* that page opens inside the chat: in private alone, by https */
};

struct buttons {
	size_t n;
	struct button at[LIMIT_BUTTONS];
};

struct message {
	int64_t id; /* our row */
	struct chat_address address;
	int64_t remote_id; /* the platform's id; 0 until it was sent once */
	char *head;	   /* owned; "" at least */
	struct buttons buttons;
	bool is_silent;		  /* it does not notify when it is sent; an edit never does */
	bool is_answer;		  /* somebody waits for it: edits of other messages stand back */
	bool is_alarm;		  /* a failure: it is sent before all else in its chat */
	bool is_closing;	  /* an edit that takes buttons away, or says an end */
	bool is_pinned;		  /* its chat keeps it pinned: its edits take what others leave */
	bool is_covered;	  /* of one in hand: what is handed out behind it says it instead */
	int64_t held_until;	  /* wall ms: not shown before, but when changed; 0: at once */
	int64_t reply_to;	  /* the platform's id of what it replies to; 0: nothing */
	int64_t reply_row;	  /* the same, as our row; 0: reply_to says it, or nothing */
	int64_t rings_for;	  /* the deployment that it notifies of; 0: none */
	int64_t live_run;	  /* the run whose output stands below head; 0: none */
	int64_t live_since;	  /* wall ms: elapsed time is counted from here */
	int64_t live_estimate_ms; /* how long it took lately; 0: not known */
};

/* One more button, which puts that on the clipboard.  Nothing where either does not fit, or there
 * is nothing to copy. */
void buttons_add_copy(struct buttons *buttons, const char *label, const char *copy);

/* One more button, which opens that page.  Nothing where either does not fit. */
void buttons_add_link(
    struct buttons *buttons, const char *label, const char *link, bool is_web_app);

/* Frees what the message owns, not the struct. */
void message_done(struct message *message);
