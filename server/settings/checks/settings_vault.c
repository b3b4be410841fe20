/* settings_vault.c - where Vault is: by TLS or on this machine, and with which certificates.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/err.h"
#include "lib/file.h"
#include "settings/checks/settings_production.h"
#include "settings/settings_inside.h"

#define CERTIFICATES_MAX (1u << 20)
#define PEM_END		 "CERTIFICATE-----" /* of one, in both of its lines */

static void
check_certificates(struct settings_loader *l, const char *path)
{
	CLEANUP(freep) char *text = NULL;
	struct err err;
	size_t size;

	text = file_read(path, CERTIFICATES_MAX, &size, &err);
	if (text == NULL)
		settings_say(l->report, SETTINGS_ERROR, "VAULT_CA_FILE: %s", err.text);
	else if (strstr(text, PEM_END) == NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "VAULT_CA_FILE: %s has no certificate in PEM (-----BEGIN CERTIFICATE-----)",
		    path);
}

void
settings_check_vault(struct settings_loader *l)
{
	const struct settings_vault *vault = &l->s->vault;

	if (l->main != NULL || vault->address == NULL)
		return;
	if (settings_leaves_machine(vault->address))
		settings_say(l->report, SETTINGS_ERROR,
		    "VAULT_ADDR: http:// would carry tokens and secrets over the network in the clear: https, or http:// to this machine itself");
	if (vault->ca_file != NULL)
		check_certificates(l, vault->ca_file);
}
