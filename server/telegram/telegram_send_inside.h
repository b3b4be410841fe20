/* telegram_send_inside.h - a sender and its jobs, for the telegram_send files alone.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * How a job goes: telegram_message_send → (waits in the list) → on_pump → start_job →
 * telegram_send_call → telegram_send_on_answer → judge_* → telegram_send_job_*, or again later.
 * The list is short:  the outbox gives one job of a kind for each chat.
 */
#pragma once

#include <sys/queue.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "telegram/telegram_pace.h"
#include "telegram/telegram_said.h"
#include "telegram/telegram_send.h"

#define TELEGRAM_SEND_MAGIC 0x74675e4du

struct telegram_call;
struct telegram_result;

enum telegram_job_kind {
	TELEGRAM_JOB_SEND,
	TELEGRAM_JOB_CALL, /* a call of which nothing comes but a yes or a no */
	TELEGRAM_JOB_DOCUMENT,
	TELEGRAM_JOB_LIVE,
	TELEGRAM_JOB_NOTICE, /* that a group is at its limit */
};

struct telegram_job {
	struct telegram_send *send;
	TAILQ_ENTRY(telegram_job) of_send;
	enum telegram_job_kind kind;
	int64_t chat; /* 0: none */
	int64_t thread;
	const char *method;	    /* of such a call, as the two below */
	struct buf body;
	const char *fine[2];	    /* words of a no that count as done; or NULL */
	int64_t since;		    /* wall ms: it was handed to us */
	int64_t added_at;	    /* the same, loop_now_ms() */
	int64_t not_before;	    /* loop_now_ms() */
	int64_t held_until;	    /* the same: it waits for what it is to say; 0: it does not */
	bool is_token_refused;	    /* why: it goes once Telegram takes the token */
	int64_t give_up_at;	    /* of a toast; 0: never */
	unsigned failures;	    /* in a row, passing ones */
	bool is_plain;		    /* Telegram could not parse our HTML */
	bool is_anew;		    /* the message to edit is gone */
	bool is_edit;		    /* what is in progress */
	bool is_same;		    /* no call was needed: the message says that already */
	bool is_covered;	    /* another job says it: this one is not tried again */
	uint8_t digest[CRYPTO_SHA256_SIZE]; /* of what is in progress */
	bool may_stand;		    /* an earlier try of this send got no answer */
	struct telegram_call *call; /* in progress */
	struct message *message;
	struct telegram_file *file;
	off_t offset;	  /* of the file: read so far */
	bool is_prepared; /* the file */
	telegram_sent_fn *on_said;
	telegram_ended_fn *on_ended;
	void (*on_live)(void *ctx, int64_t message, bool is_gone);
	int64_t live_message;
	void *ctx;
};

struct telegram_send {
	unsigned magic;
	struct loop *loop;
	struct telegram_api *api;
	struct telegram_send_hooks hooks;
	TAILQ_HEAD(, telegram_job) jobs; /* oldest first */
	struct loop_task pump;
	struct loop_timer timer;
	bool is_away; /* the last call failed in passing: said once */
	bool is_ending; /* nothing is begun any more */
	struct telegram_pace pace;
	struct telegram_said said;
};

/* Begins the call of any job but a live edit; telegram_send_on_answer() is called.
 * NULL: nothing goes; job->is_same: nothing has to, else *err says why. */
struct telegram_call *telegram_send_call(struct telegram_job *job, struct err *err) MUST_USE;
/* The same for TELEGRAM_JOB_LIVE; nothing is borrowed. */
struct telegram_call *telegram_send_call_live(
    struct telegram_job *job, const struct message *message, const char *html) MUST_USE;

/* ctx is the job.  It is finished, or to be started again. */
void telegram_send_on_answer(void *ctx, const struct telegram_result *result);

/* A new job at the end of the list, which is looked at in this turn.  address: NULL, of no chat;
 * on_ended: NULL, it is notified otherwise. */
struct telegram_job *telegram_send_job_add(struct telegram_send *send, enum telegram_job_kind kind,
    const struct chat_address *address, telegram_ended_fn *on_ended, void *ctx);

/* Takes it out of the list, notifies whoever asked (but for the first), and frees it. */
void telegram_send_job_drop(struct telegram_job *job);
void telegram_send_job_sent(struct telegram_job *job, const struct message_sent *said);
void telegram_send_job_ended(struct telegram_job *job, const char *failure);
void telegram_send_job_live(struct telegram_job *job, bool is_gone);
