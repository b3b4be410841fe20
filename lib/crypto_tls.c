/* crypto_tls.c - handshake, text, close, and the receiver's end.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/err.h"
#include "lib/mem.h"

#define MAGIC	   0x63746c73u
#define SAID_MOST  4096 /* bytes that a receiver may say, though it has nothing to say */
#define BEFORE_ALL "it closed the connection before it had all"
#define BARE_END \
	"it ended the connection without TLS's close (close_notify): whether it has read all is not known"

enum phase { HANDSHAKE, TEXT, CLOSING, ITS_CLOSE, ITS_END };

struct crypto_tls {
	unsigned magic;
	enum phase phase;
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	const char *text;
	size_t left;
	size_t said;
};

/* The reason of the oldest error in OpenSSL's own queue, which is emptied. */
static bool
fail(struct err *err, enum err_code code, const char *what)
{
	unsigned long first = ERR_peek_error();
	const char *reason = first == 0 ? NULL : ERR_reason_error_string(first);

	/* Of a file that cannot be opened OpenSSL's reason is errno's. */
	if (first != 0 && ERR_SYSTEM_ERROR(first))
		(void)err_errno(err, code, ERR_GET_REASON(first), "it cannot be read");
	else
		(void)err_set(err, code, "%s%s%s", what, reason == NULL ? "" : ": ",
		    reason == NULL ? "" : reason);
	ERR_clear_error();
	return false;
}

/* Debian's folder of hashed names is read one certificate at a time, its bundle would be parsed
 * whole. */
static bool
load_authorities(SSL_CTX *context, const struct crypto_tls_config *config, struct err *err)
{
	if (config->ca_file == NULL)
		return SSL_CTX_set_default_verify_dir(context) == 1 ||
		    fail(err, ERR_CONFIG, "the system's authorities");
	return SSL_CTX_load_verify_file(context, config->ca_file) == 1 ||
	    (fail(err, ERR_CONFIG, "it holds no certificate in PEM") ||
		err_wrap(err, "%.160s", config->ca_file));
}

static bool
load_ours(SSL_CTX *context, const struct crypto_tls_config *config, struct err *err)
{
	if (config->certificate_file == NULL || config->key_file == NULL)
		return true;
	if (SSL_CTX_use_certificate_chain_file(context, config->certificate_file) != 1) {
		(void)fail(err, ERR_CONFIG, "it holds no certificate in PEM");
		return err_wrap(err, "%.160s", config->certificate_file);
	}
	if (SSL_CTX_use_PrivateKey_file(context, config->key_file, SSL_FILETYPE_PEM) != 1) {
		(void)fail(err, ERR_CONFIG, "it holds no key of that certificate");
		return err_wrap(err, "%.160s", config->key_file);
	}
	return true;
}

/* Nobody is there to type one. */
static int
no_password(UNUSED char *buffer, UNUSED int size, UNUSED int writes, UNUSED void *ctx)
{
	return 0;
}

static SSL_CTX *
make_context(const struct crypto_tls_config *config, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		return ERR_NULL(fail(err, ERR_IO, "TLS"));
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_password);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(
	    context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	    load_authorities(context, config, err) && load_ours(context, config, err))
		return context;
	SSL_CTX_free(context);
	return NULL;
}

/* A certificate's name of an address is another than one of a host, and no name is sent for it. */
static bool
expect_host(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct crypto_tls *
crypto_tls_new(
    const struct crypto_tls_config *config, int fd, const char *text, size_t size, struct err *err)
{
	struct crypto_tls *tls = mem_new(1, sizeof(*tls));

	*tls = (struct crypto_tls){ .magic = MAGIC, .fd = fd, .text = text, .left = size };
	tls->context = make_context(config, err);
	if (tls->context == NULL) {
		crypto_tls_free(tls);
		return NULL;
	}
	tls->ssl = SSL_new(tls->context);
	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 ||
	    !expect_host(tls->ssl, config->host)) {
		(void)fail(err, ERR_IO, "TLS"); /* before what OpenSSL says of it is cleared */
		crypto_tls_free(tls);
		return NULL;
	}
	return tls;
}

void
crypto_tls_free(struct crypto_tls *tls)
{
	if (tls == NULL)
		return;
	OBJ_CHECK(tls, MAGIC);
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	ERR_clear_error();
	tls->magic = 0;
	free(tls);
}

/* --- one step --- */

static enum crypto_tls_step
failed(struct err *err, const char *what, int errno_value)
{
	if (errno_value != 0)
		(void)err_errno(err, ERR_IO, errno_value, "%s", what);
	else
		(void)fail(err, ERR_IO, what);
	ERR_clear_error();
	return CRYPTO_TLS_FAILED;
}

/* The connection's end without TLS's: anybody on the way can make one. */
static bool
is_bare_end(void)
{
	return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/* A receiver of TLS 1.3 refuses our certificate behind the handshake: it says why, and is gone. */
static bool
has_alert(struct crypto_tls *tls)
{
	char said[512];

	ERR_clear_error();
	return SSL_get_error(tls->ssl, SSL_read(tls->ssl, said, sizeof(said))) == SSL_ERROR_SSL &&
	    !is_bare_end();
}

/* What OpenSSL says of a call that has not done all it should. */
static enum crypto_tls_step
judge(struct crypto_tls *tls, int result, const char *what, struct err *err)
{
	int os_errno = errno;
	long verdict = SSL_get_verify_result(tls->ssl);

	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return CRYPTO_TLS_READS;
	case SSL_ERROR_WANT_WRITE:
		return CRYPTO_TLS_WRITES;
	case SSL_ERROR_ZERO_RETURN:
		return failed(err, BEFORE_ALL, 0);
	case SSL_ERROR_SYSCALL:
		if ((tls->phase == TEXT || tls->phase == CLOSING) && has_alert(tls))
			break;
		return failed(err, what, os_errno != 0 ? os_errno : ECONNRESET);
	default:
		break;
	}
	if ((tls->phase == CLOSING || tls->phase == ITS_CLOSE) && is_bare_end()) {
		ERR_clear_error();
		return failed(err, tls->phase == CLOSING ? BEFORE_ALL : BARE_END, 0);
	}
	if (tls->phase != HANDSHAKE || verdict == X509_V_OK)
		return failed(err, what, 0);
	(void)err_set(err, ERR_DENIED, "its certificate is not accepted: %s",
	    X509_verify_cert_error_string(verdict));
	ERR_clear_error();
	return CRYPTO_TLS_FAILED;
}

static bool
may_say(struct crypto_tls *tls, size_t size)
{
	tls->said += size;
	return tls->said <= SAID_MOST;
}

/* Has its kernel taken every byte?  Then its close came behind ours, as an answer to it. */
static bool
has_all(const struct crypto_tls *tls)
{
	int left = -1;

	return ioctl(tls->fd, SIOCOUTQ, &left) == 0 && left == 0;
}

/* What it says is read and thrown away.  DONE: it has closed TLS. */
static enum crypto_tls_step
look_for_close(struct crypto_tls *tls, struct err *err)
{
	char said[512];
	int got;

	do {
		errno = 0;
		got = SSL_read(tls->ssl, said, sizeof(said));
		if (got > 0 && !may_say(tls, (size_t)got))
			return failed(err, "it says more than a receiver has to say", 0);
	} while (got > 0);
	return SSL_get_error(tls->ssl, got) == SSL_ERROR_ZERO_RETURN ?
	    CRYPTO_TLS_DONE :
	    judge(tls, got, "waiting until it has read all", err);
}

static enum crypto_tls_step
close_ours(struct crypto_tls *tls, struct err *err)
{
	enum crypto_tls_step early = look_for_close(tls, err);
	int result;

	if (early == CRYPTO_TLS_FAILED)
		return early;
	if (early == CRYPTO_TLS_DONE)
		return failed(err, BEFORE_ALL, 0);
	errno = 0;
	result = SSL_shutdown(tls->ssl);
	if (result < 0)
		return judge(tls, result, "closing", err);
	tls->phase = ITS_CLOSE;
	return CRYPTO_TLS_DONE;
}

static enum crypto_tls_step
wait_for_close(struct crypto_tls *tls, struct err *err)
{
	enum crypto_tls_step its = look_for_close(tls, err);

	if (its != CRYPTO_TLS_DONE)
		return its;
	if (!has_all(tls))
		return failed(err, BEFORE_ALL, 0);
	(void)shutdown(tls->fd, SHUT_WR); /* what it says of that is read below */
	tls->phase = ITS_END;
	return CRYPTO_TLS_DONE;
}

static enum crypto_tls_step
wait_for_end(struct crypto_tls *tls, struct err *err)
{
	char said[512];
	ssize_t got;

	do {
		got = recv(tls->fd, said, sizeof(said), 0);
		if (got > 0 && !may_say(tls, (size_t)got))
			return failed(err, "it says more than a receiver has to say", 0);
	} while (got > 0);
	if (got == 0)
		return CRYPTO_TLS_DONE;
	return errno == EAGAIN ?
	    CRYPTO_TLS_READS :
	    failed(err, "it closed the connection before it had read all", errno);
}

static enum crypto_tls_step
write_text(struct crypto_tls *tls, struct err *err)
{
	while (tls->left > 0) {
		int most = tls->left < INT_MAX ? (int)tls->left : INT_MAX, sent;

		errno = 0;
		sent = SSL_write(tls->ssl, tls->text, most);
		if (sent <= 0)
			return judge(tls, sent, "sending", err);
		tls->text += sent;
		tls->left -= (size_t)sent;
	}
	tls->phase = CLOSING;
	return CRYPTO_TLS_DONE;
}

/* DONE: the phase is, and there is a next one. */
static enum crypto_tls_step
go_on(struct crypto_tls *tls, struct err *err)
{
	int result;

	errno = 0;
	switch (tls->phase) {
	case HANDSHAKE:
		result = SSL_connect(tls->ssl);
		if (result != 1)
			return judge(tls, result, "TLS", err);
		tls->phase = TEXT;
		return CRYPTO_TLS_DONE;
	case TEXT:
		return write_text(tls, err);
	case CLOSING:
		return close_ours(tls, err);
	case ITS_CLOSE:
		return wait_for_close(tls, err);
	case ITS_END:
		break;
	}
	return wait_for_end(tls, err);
}

enum crypto_tls_step
crypto_tls_step(struct crypto_tls *tls, struct err *err)
{
	enum crypto_tls_step step;
	enum phase before;

	OBJ_CHECK(tls, MAGIC);
	do {
		before = tls->phase;
		step = go_on(tls, err);
	} while (step == CRYPTO_TLS_DONE && before != ITS_END);
	return step;
}
