/* perform.h - what every performer is given, and how it reports.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * For each row of types/effect.def there is perform_<name>(), and where its recovery is OWN
 * recover_<name>(), in effects/perform_<name>.c (or perform_telegram.c).  Both take the effect;
 * sooner or later they fill effect->result and call perform_report().  An effect that was open when
 * the program started may have been carried out already: it is recovered, or performed AGAIN.
 * Retries are the performer's, in memory.
 * What ends before its result comes goes by the `end` of its job: perform_inside.h.
 */
#pragma once

#include "lib/loop.h"
#include "types/effect.h"

struct aws_credentials;
struct forge_api;
struct buf;
struct http_client;
struct link_client;
struct redact;
struct run_source;
struct runs;
struct telegram;
struct vault;
struct loan_shelf;
struct notify_clients;
struct settings;
struct uploads;

/* Trust zones of their own.  What people look at takes no gate's turn. */
struct probe_clients {
	struct http_client *gates, *looks;
};

/* The parts that performers act through; serve.c makes them.  Lives as long as the program. */
struct perform {
	struct loop *loop;
	struct runs *runs;
	struct run_source *source;
	struct telegram *telegram;
	struct probe_clients probes;
	struct redact *redact;		/* for what they answer, which a chat may show */
	struct http_client *cloudflare; /* another */
	struct forge_api *github;
	struct http_client *opa;	/* another */
	struct http_client *prometheus; /* another */
	struct notify_clients *notify;	/* others */
	struct settings *const *settings; /* those in force at any moment */
	struct http_client *s3;		/* another */
	struct aws_credentials *aws;
	struct vault *vault;
	struct link_client *link; /* NULL: no LINK_ADDRESS */
	struct loan_shelf *loans; /* what was lent and not given yet */
	struct uploads *uploads;
	/* Stamps the event (time, random bytes, settings) and hands it to the store; takes it.
	 * One of our own is never refused. */
	void (*submit)(void *ctx, struct event *event);
	void *submit_ctx;
	/* May something with an outside be begun now?  Of submit_ctx; NULL: there is one server. */
	bool (*may_act)(void *ctx);
	/* What git takes on the runner's disk, as its answers say.  Of submit_ctx; may be NULL. */
	void (*note_mirror)(void *ctx, int64_t bytes);
	bool is_restored; /* what was open when the program started is no run of this machine's */
	struct perform_job *jobs; /* effects that wait, oldest first: perform_inside.h */
	int64_t probe_begin_ms; /* the millisecond in which the next URL is asked first, and how */
	int n_probe_begin;	/* many are already */
	size_t n_looks;		/* of people, in progress */
};

/* How `probes` are to be made; false: err says why not. */
bool perform_probe_clients(
    struct probe_clients *ret, struct loop *loop, struct err *err) MUST_USE;

typedef void performer(struct perform *perform, struct effect *effect);

/* Kinds that one function carries out. */
#define perform_cloudflare_get	perform_cloudflare
#define perform_cloudflare_set	perform_cloudflare
#define perform_forge_answer	perform_github
#define perform_forge_start	perform_github
#define perform_forge_stop	perform_github
#define perform_forge_look	perform_github

#define RECOVERER_AGAIN(name)
#define RECOVERER_OWN(name) performer recover_##name;
#define EFFECT(upper, name, word, result, lane, outbox, withdrawable, row, drop, recovery) \
	performer perform_##name; RECOVERER_##recovery(name)
#include "types/effect.def"
#undef RECOVERER_AGAIN
#undef RECOVERER_OWN

/* Hands effect->result (filled) to the store of effect->perform and frees the effect. */
void perform_report(struct effect *effect);

/* Appends how the health gate of what that run has released stands, as one line of text: "50 of 150
 * passed, last: HTTP 503".  Nothing where none is at work. */
void perform_gate_text(const struct perform *perform, int64_t run, struct buf *out);

/* Carries it out, or looks what became of it where effect->is_recovered.  Takes it. */
void perform_effect(struct perform *perform, struct effect *effect);

/* The message of a SEND_MESSAGE in hand says this now, where no call for it is in progress: what
 * was decided since is not sent as a question.  Borrows it. */
void perform_change(struct perform *perform, struct effect *effect);

/* Its row is gone: forget it.  One that is not there any more is fine: its result is on its way
 * and will find nothing.  Only kinds whose row says that they can be withdrawn. */
void perform_withdraw(struct perform *perform, int64_t id);

/* At the end of the program: frees every effect still in hand (their rows stay), cancels timers. */
void perform_done(struct perform *perform);
