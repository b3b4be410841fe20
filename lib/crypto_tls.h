/* crypto_tls.h - one text sent over TLS, and whether its receiver has read all of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * TLS 1.2 or later over a connected socket that does not block.  The receiver says nothing by
 * itself: behind the text TLS is closed from here, and the receiver has read all of it when it
 * then closes TLS too (close_notify, which nobody on the way can forge), and the connection in
 * order.  One that ends, or is killed, with something unread resets it, and one that ends before
 * it was asked to has closed TLS before, or leaves bytes that nobody has acknowledged.  A
 * connection that just ends is one that a relay may have ended.
 */
#pragma once

#include "lib/base.h"

struct crypto_tls;

struct crypto_tls_config {
	const char *host;    /* whose certificate it has to be: a name, or an IP address */
	const char *ca_file; /* authorities in PEM; NULL: the system's */
	const char *certificate_file; /* ours in PEM, with its chain; NULL: none */
	const char *key_file;	      /* of it, in PEM without a password */
};

enum crypto_tls_step {
	CRYPTO_TLS_READS,  /* call again when the socket can be read */
	CRYPTO_TLS_WRITES, /* call again when the socket can be written */
	CRYPTO_TLS_DONE,   /* the receiver has read all of it */
	CRYPTO_TLS_FAILED, /* what it has is not known */
};

/* fd and text are borrowed until it is freed; the files are read here.  NULL: ERR_CONFIG: a file
 * cannot be used, which is named; ERR_IO: OpenSSL gives none. */
struct crypto_tls *crypto_tls_new(const struct crypto_tls_config *config, int fd, const char *text,
    size_t size, struct err *err) MUST_USE;

/* Goes on as far as it can without waiting.  *err with FAILED alone: ERR_DENIED: its certificate is
 * not accepted; ERR_IO: all else.  After DONE or FAILED it is only freed, not called again. */
enum crypto_tls_step crypto_tls_step(struct crypto_tls *tls, struct err *err) MUST_USE;

void crypto_tls_free(struct crypto_tls *tls); /* takes NULL */
