/* link_renew.c - the certificates that a host may show, and a new one in time.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_renew.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/crypto_renewal.h"
#include "lib/mem_wiped.h"

static void
add(struct link_pairs *pairs, const char *file)
{
	struct link_settings settings = *pairs->settings;
	struct link_pair pair = { .key = file };
	struct link_identity who;
	struct err err;

	if (access(file, F_OK) != 0)
		return;
	settings.certificate = settings.key = file;
	pair.context = link_tls_context(&settings, &who, &err);
	if (pair.context == NULL) {
		log_warning("not used: %s", err.text);
	} else if (strcmp(who.name, pairs->name) != 0) {
		log_warning("not used: %s is the certificate of %s", file, who.name);
		link_tls_context_free(pair.context);
	} else {
		pairs->all[pairs->count++] = pair;
	}
}

static void
load(struct link_pairs *pairs, struct link_pair enrolled)
{
	pairs->count = 0;
	add(pairs, pairs->settings->renewed);
	add(pairs, pairs->before);
	pairs->all[pairs->count++] = enrolled;
}

void
link_pairs_init(struct link_pairs *pairs, const struct link_settings *settings,
    struct ssl_ctx_st *enrolled, const char *name)
{
	pairs->settings = settings;
	pairs->name = name;
	(void)snprintf(
	    pairs->before, sizeof(pairs->before), "%s.before", settings->renewed); /* cut: none */
	load(pairs, (struct link_pair){ enrolled, settings->key });
}

bool
link_pairs_ask(struct link_pairs *pairs, size_t n, char ret[LINK_RENEWAL], struct err *err)
{
	CLEANUP(mem_wiped_freep)
	char *key = file_read(pairs->all[n].key, CRYPTO_CA_FILE - 1, NULL, err);

	static_assert(LINK_RENEWAL == CRYPTO_RENEWAL_TEXT, "a word has room for it");
	return key != NULL && crypto_ca_make_request(&pairs->next, err) &&
	    crypto_renewal_make(key, pairs->name, pairs->next.text, ret, err);
}

/* The files as they are to be; a host that is killed anywhere here has one that counts. */
static bool
write_pair(struct link_pairs *pairs, size_t n, const char *certificate, struct err *err)
{
	const char *renewed = pairs->settings->renewed;
	char both[2 * CRYPTO_CA_PEM];
	bool good;

	CRASH_POINT(link_certificate_received);
	/* What counts now is not written over. */
	if (pairs->all[n].key == renewed && rename(renewed, pairs->before) != 0)
		return err_errno(err, ERR_IO, errno, "%s", pairs->before);
	CRASH_POINT(link_pair_kept);
	(void)snprintf(both, sizeof(both), "%s%s", pairs->next.key, certificate); /* fits */
	good = file_write(renewed, both, strlen(both), 0600, err);
	crypto_wipe(both, sizeof(both));
	CRASH_POINT(link_pair_written);
	return good;
}

bool
link_pairs_take(struct link_pairs *pairs, size_t n, char *certificate, struct err *err)
{
	char asked[CRYPTO_SHA256_HEX], given[CRYPTO_SHA256_HEX];
	struct link_pair enrolled = pairs->all[pairs->count - 1];
	bool good;

	if (pairs->next.key[0] == '\0')
		return err_set(err, ERR_INVALID, "a certificate that was not asked for");
	crypto_renewal_unfold(certificate);
	good = crypto_ca_check_request(pairs->next.text, asked, err) &&
	    crypto_ca_key_digest(certificate, given, err);
	if (good && strcmp(asked, given) != 0)
		good = err_set(err, ERR_INVALID, "a certificate of another key");
	good = good && write_pair(pairs, n, certificate, err);
	crypto_wipe(&pairs->next, sizeof(pairs->next));
	if (!good)
		return false;
	for (size_t i = 0; i + 1 < pairs->count; i++)
		link_tls_context_free(pairs->all[i].context);
	load(pairs, enrolled);
	return true;
}
