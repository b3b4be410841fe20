/* link_tls_context.c - certificates: what is demanded, and whom one names.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/crypto_certificate.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "link/link_tls.h"

#define CHAIN_MAX 16384

static const unsigned char enrol[] = LINK_ENROL_ALPN;

_Static_assert(LINK_NAME == CRYPTO_CA_IDENTITY, "a name is copied whole");

void
link_tls_identity(X509 *certificate, struct link_identity *ret)
{
	unsigned char *der = NULL, digest[CRYPTO_SHA256_SIZE];
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	crypto_certificate_identity(certificate, ret->name);
	ret->digest[0] = '\0';
	if (size > 0 && crypto_sha256(der, (size_t)size, digest, NULL))
		text_hex(ret->digest, digest, sizeof(digest));
	OPENSSL_free(der);
}

static bool
load(SSL_CTX *context, const struct link_settings *files, struct err *err)
{
	const char *reason;
	unsigned long code;
	bool good;

	ERR_clear_error();
	good = SSL_CTX_load_verify_file(context, files->ca) == 1 &&
	    SSL_CTX_use_certificate_chain_file(context, files->certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(context) == 1;
	code = ERR_peek_error();
	reason = ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code)) :
					  ERR_reason_error_string(code);
	return good ||
	    err_set(err, ERR_CONFIG, "%s: %s, %s or %s",
		reason == NULL ? "not as it should be" : reason, files->ca, files->certificate,
		files->key);
}

/* Of another protocol, or of none, nothing changes: who has no certificate is refused. */
static int
on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_size, const unsigned char *offered,
    unsigned size, UNUSED void *ctx)
{
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, ret_size, enrol, sizeof(enrol) - 1, offered, size) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret = chosen;
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* it is asked for none */
	return SSL_TLSEXT_ERR_OK;
}

struct ssl_ctx_st *
link_tls_context(const struct link_settings *settings, struct link_identity *ret, struct err *err)
{
	bool is_server = settings != NULL && settings->use == LINK_SERVE;
	SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

	if (context == NULL)
		mem_abort();
	(void)SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
	(void)SSL_CTX_set_num_tickets(context, 0);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_max_cert_list(context, CHAIN_MAX);
	if (settings == NULL) {
		if (SSL_CTX_set_alpn_protos(context, enrol, sizeof(enrol) - 1) != 0)
			mem_abort();
		return context;
	}
	if (is_server)
		SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (!is_server)
		(void)X509_VERIFY_PARAM_set_flags(
		    SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
	if (load(context, settings, err)) {
		link_tls_identity(SSL_CTX_get0_certificate(context), ret);
		return context;
	}
	SSL_CTX_free(context);
	return NULL;
}

void
link_tls_context_free(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
}
