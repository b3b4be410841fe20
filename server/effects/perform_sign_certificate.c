/* perform_sign_certificate.c - signs the request of a host that enrols or renews, and answers it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"
#include "lib/buf.h"
#include "lib/enrol_code.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/crypto_renewal.h"
#include "runs/link_client.h"
#include "types/settings.h"

/* As a word of deploybot-link's: where its host is disconnected, it asks for another one later. */
static void
say_renewed(struct perform *perform, const char *identity, char *certificate)
{
	CLEANUP(buf_done) struct buf word = buf_make(CRYPTO_CA_PEM + LIMIT_LINE);

	crypto_renewal_fold(certificate);
	buf_addf(&word, "renew\nrenewal %s\n", certificate);
	link_client_send(perform->link, identity, 0, buf_text(&word), word.size);
}

void
perform_sign_certificate(struct perform *perform, struct effect *effect)
{
	const struct effect_sign_certificate *what = &effect->u.sign_certificate;
	const struct settings_link *link = &effect->settings->link;
	const struct crypto_ca_order order = { .key = link->ca_key,
		.certificate = link->ca,
		.identity = what->identity,
		.from = what->from,
		.until = what->from + PEER_LIFE_MS };
	char certificate[CRYPTO_CA_PEM], mac[LIMIT_DIGEST];
	CLEANUP(buf_done) struct buf given = buf_make(CRYPTO_CA_PEM + CRYPTO_CA_FILE + LIMIT_LINE);
	CLEANUP(buf_done) struct buf answer = buf_make(CRYPTO_CA_PEM + CRYPTO_CA_FILE + LIMIT_LINE);
	struct err err = { .text = "LINK_CA_KEY is not set any more" };
	bool is_signed = link->ca_key != NULL && link->ca != NULL &&
	    crypto_ca_sign(&order, what->text, certificate, &err);

	if (is_signed)
		buf_addf(&given, "%s\n%s%s", link->order_public, certificate, link->ca);
	if (is_signed && what->secret[0] == '\0') { /* nobody waits for more than that */
		if (perform->link != NULL)
			say_renewed(perform, what->identity, certificate);
		perform_report(effect);
		return;
	}
	if (is_signed && enrol_code_mac(what->secret, "yes", buf_text(&given), mac, &err)) {
		buf_addf(&answer, "yes %s %s", mac, buf_text(&given));
	} else {
		log_error("no certificate for %s: %s", what->identity, err.text);
		buf_addf(&answer, "no %s\n", err.text);
	}
	if (perform->link != NULL)
		link_client_enrolled(perform->link, what->request, buf_text(&answer));
	perform_report(effect);
}
