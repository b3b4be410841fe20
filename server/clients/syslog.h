/* syslog.h - some text for a syslog server over TLS: one try, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A connection for each try: RFC 5425 has no acknowledgement, but a receiver that closes the
 * connection when it is asked to, and not before, has read all of it (lib/crypto_tls.h).
 */
#pragma once

#include "lib/http_client.h"
#include "lib/loop.h"

struct syslog_call;

/* why: NULL: the server has read all of it; else what it has is not known. */
typedef void syslog_done_fn(void *ctx, const struct err *why);

struct syslog_send {
	const char *server;  /* HOST or HOST:PORT */
	const char *ca_file; /* NULL: the system's authorities */
	const char *certificate_file; /* ours; NULL: none */
	const char *key_file;
	const char *text; /* frames; must live until on_done or cancel, as what stands above */
	size_t size; /* 0: it is only asked to prove its name, and to take ours */
	int64_t timeout_ms; /* of all of it; 0: 30 s */
	syslog_done_fn *on_done;
	void *ctx;
};

/* A trust zone of its own, which makes the connections. */
struct http_client *syslog_client(struct loop *loop, struct err *err) MUST_USE;

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  NULL: could
 * not be started; *err says why. */
struct syslog_call *syslog_start(struct loop *loop, struct http_client *client,
    const struct syslog_send *send, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void syslog_cancel(struct syslog_call *call);
