/* settings_link.c - the certificates of deploybot-link, and the keys that the server signs with.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_ca.h"
#include "lib/err.h"
#include "lib/file.h"
#include "settings/settings_inside.h"

/* NULL: it is not set, or cannot be read, which was said. */
static char *
read_certificates(struct settings_loader *l, enum setting setting)
{
	const char *path = settings_text(l->s, setting);
	char *text;
	struct err err;

	if (path == NULL)
		return NULL;
	text = file_read(path, CRYPTO_CA_FILE, NULL, &err);
	if (text == NULL)
		settings_say(
		    l->report, SETTINGS_ERROR, "%s: %s", settings_table[setting].name, err.text);
	return text;
}

void
settings_take_link(struct settings_loader *l)
{
	struct settings_link *link = &l->s->link;
	CLEANUP(freep) char *certificate = read_certificates(l, SETTING_LINK_CERTIFICATE_FILE);
	char *ca = read_certificates(l, SETTING_LINK_CA_FILE);
	struct err err;

	link->ca = l->s->inside->link_ca = ca;
	if (certificate != NULL && !crypto_ca_key_digest(certificate, link->fingerprint, &err))
		settings_say(l->report, SETTINGS_ERROR, "LINK_CERTIFICATE_FILE: %s", err.text);
	if (ca != NULL && link->ca_key != NULL && !crypto_ca_check(link->ca_key, ca, &err))
		settings_say(l->report, SETTINGS_ERROR, "LINK_CA_KEY: %s", err.text);
	if (link->order_key != NULL &&
	    !crypto_ca_order_public(link->order_key, link->order_public, &err))
		settings_say(l->report, SETTINGS_ERROR, "LINK_ORDER_KEY: %s", err.text);
}
