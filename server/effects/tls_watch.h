/* tls_watch.h - once an hour: until when is our own certificate good?  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Looks at TELEGRAM_WEBHOOK_URL's host as the world sees it, at whatever terminates TLS there.
 * While it shows an expired certificate Telegram delivers nothing, and no message says why.
 */
#pragma once

#include "lib/base.h"

struct loop;
struct settings;
struct tls_watch;

#define TLS_WATCH_URL_SIZE 512

/* is_read: a certificate was shown, expires_at_s is its notAfter in seconds since 1970, also
 * when that is over or nobody knows who signed it.  From the loop, never inside a call of this
 * module. */
typedef void tls_watch_fn(void *ctx, bool is_read, int64_t expires_at_s);

/* 0: an hour, and five minutes after a look that failed. */
struct tls_watch_config {
	struct loop *loop;
	int64_t period_ms;
	int64_t retry_ms;
	tls_watch_fn *on_read;
	void *ctx;
};

/* Looks at nothing before it has settings.  NULL and *err when curl has none. */
struct tls_watch *tls_watch_start(const struct tls_watch_config *config, struct err *err) MUST_USE;

/* Looks at once at TELEGRAM_WEBHOOK_URL's host, and then again and again; at nothing where it is
 * not set or not https.  What is in progress is given up.  Nothing of settings is kept. */
void tls_watch_settings(struct tls_watch *watch, const struct settings *settings);

void tls_watch_free(struct tls_watch *watch); /* takes NULL */

/* "https://host:port/" of an https URL: what is looked at is the host, not the webhook, which would
 * count a request.  False: it is no https URL, or too long. */
bool tls_watch_host(const char *url, char ret[TLS_WATCH_URL_SIZE]) MUST_USE;
