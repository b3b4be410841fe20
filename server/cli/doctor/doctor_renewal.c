/* doctor_renewal.c - will certbot be able to renew the webhooks' certificate?  Asks no network.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <glob.h>
#include <limits.h>
#include <stdio.h>

#include "cli/doctor/doctor.h"
#include "lib/file.h"
#include "lib/text.h"
#include "types/settings.h"

#define FOLDER	      "/etc/letsencrypt/renewal"
#define HOOKS	      "/etc/letsencrypt/renewal-hooks/pre/*"
#define RENEWAL_BYTES 65536 /* certbot writes about 700 */
#define HTTP_PORT     80

bool
doctor_renews_standalone(const char *text)
{
	bool is_standalone = false, is_provided_for = false;
	char word[32];

	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		if (sscanf(text, " authenticator = %31s", word) == 1)
			is_standalone = strcmp(word, "standalone") == 0;
		else if (sscanf(text, " pre_hook = %31s", word) == 1)
			is_provided_for = true; /* it ends who listens there, as a rule */
		else if (sscanf(text, " http01_port = %31s", word) == 1)
			is_provided_for = is_provided_for || strcmp(word, "80") != 0;
	}
	return is_standalone && !is_provided_for;
}

/* One of them may end who listens there, as a certificate's own does. */
static bool
has_hooks(void)
{
	glob_t found = { 0 };
	bool has_one = glob(HOOKS, 0, NULL, &found) == 0;

	globfree(&found);
	return has_one;
}

/* After `certbot certonly --standalone` nothing is renewed while somebody else listens there. */
void
doctor_renewal(struct doctor *doctor)
{
	const char *url = doctor->settings->telegram_webhook_url;
	CLEANUP(freep) char *text = NULL;
	char path[PATH_MAX];
	int size;

	if (doctor->settings->telegram_mode != TELEGRAM_WEBHOOK || url == NULL ||
	    !text_starts_ci(url, "https://"))
		return;
	url += strlen("https://");
	size = (int)strcspn(url, ":/?#");
	if (snprintf(path, sizeof(path), FOLDER "/%.*s.conf", size, url) >= (int)sizeof(path))
		return;
	text = file_read(path, RENEWAL_BYTES, NULL, NULL);
	if (text != NULL && /* else it is not certbot's, or not for us to see */
	    doctor_renews_standalone(text) && !has_hooks() &&
	    doctor_port_is_taken("0.0.0.0", HTTP_PORT))
		TELL(doctor, WEBHOOKS, WARNING,
		    "certificate: certbot will not renew it: %s says standalone, and port 80 is in use: sudo deploybot-setup webhooks %.*s",
		    path, size, url);
}
