/* settings_notify.c - NOTIFY_<NAME>_…: what each kind of destination needs.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_notify.h"

#include "lib/crypto.h"
#include "lib/signing_key.h"
#include "lib/text.h"
#include "settings/checks/settings_production.h"
#include "settings/settings_inside.h"
#include "types/notify.h"

#define TO(kind) (1u << (unsigned)NOTIFY_TO_##kind)
#define ANY_KIND (TO(WEBHOOK) | TO(SLACK) | TO(DISCORD) | TO(MATRIX) | TO(MAIL))

static const struct need {
	enum family_setting setting;
	unsigned needed, taken; /* by which kinds */
	const char *why;
} needs[] = {
	{ NOTIFY_SETTING_URL, ANY_KIND, ANY_KIND,
	    "the incoming webhook of Slack or Discord, https://… of a webhook or Matrix, smtps://… of mail" },
	{ NOTIFY_SETTING_WHAT, ANY_KIND, ANY_KIND, "of what, as */*: live failed" },
	{ NOTIFY_SETTING_SECRET, TO(WEBHOOK) | TO(MATRIX), TO(WEBHOOK) | TO(MATRIX),
	    "whsec_… of a webhook, the access token of Matrix" },
	{ NOTIFY_SETTING_SECRET_PREVIOUS, 0, TO(WEBHOOK), "" },
	{ NOTIFY_SETTING_ROOM, TO(MATRIX), TO(MATRIX), "the room's id, as !abc:example.org" },
	{ NOTIFY_SETTING_ADDRESS, TO(MAIL), TO(MAIL), "who gets it" },
	{ NOTIFY_SETTING_FROM, TO(MAIL), TO(MAIL), "who it is from" },
};

static void
check_needs(struct settings_loader *l, const struct settings_member *member, enum notify_kind kind)
{
	unsigned to = 1u << (unsigned)kind;

	for (size_t i = 0; i < COUNT(needs); i++) {
		bool is_set = settings_own(member, needs[i].setting)->is_given;

		if (!is_set && (needs[i].needed & to) != 0)
			settings_say_of(l, SETTINGS_ERROR, member, needs[i].setting,
			    "is not set: %s", needs[i].why);
		else if (is_set && (needs[i].taken & to) == 0)
			settings_say_of(l, SETTINGS_ERROR, member, needs[i].setting,
			    "is nothing that %s has: take it out, or is _TO another?",
			    settings_own(member, NOTIFY_SETTING_TO)->text);
	}
}

static void
check_key(
    struct settings_loader *l, const struct settings_member *member, enum family_setting setting)
{
	const char *text = settings_own(member, setting)->text;
	uint8_t key[SIGNING_KEY_MAX];
	size_t size;

	if (text != NULL && !signing_key_read(text, key, &size))
		settings_say_of(l, SETTINGS_ERROR, member, setting,
		    "expected whsec_ and base64 of 24 to 64 bytes; make one with: echo \"whsec_$(openssl rand -base64 32)\"");
	crypto_wipe(key, sizeof(key));
}

/* Of docs: a host that RFC 2606 keeps for examples, or Slack's own with its noughts or X. */
static bool
is_placeholder(const struct notify *to)
{
	static const char *const domains[] = { "example.org", "example.com", "example.net" };
	char room[URL_PLACE], host[URL_PLACE];
	const char *place = notify_place(to, room);

	text_setf(host, "%.*s", (int)strcspn(place, ":"), place);
	for (size_t i = 0; i < COUNT(domains); i++)
		if (url_host_is_in(host, domains[i]))
			return true;
	return to->kind == NOTIFY_TO_SLACK &&
	    (strstr(to->url, "/T000") != NULL || strstr(to->url, "/XXX") != NULL);
}

static void
check_url(struct settings_loader *l, const struct settings_member *member, const struct notify *to)
{
	bool is_mails = text_starts_ci(to->url, "smtp");

	if (is_mails != (to->kind == NOTIFY_TO_MAIL))
		settings_say_of(l, SETTINGS_ERROR, member, NOTIFY_SETTING_URL, "expected %s",
		    is_mails ? "https://…: smtp is for _TO=mail" :
			       "smtps://USER:PASSWORD@HOST, or smtp://… for STARTTLS");
	else if (is_placeholder(to))
		settings_say_of(l, SETTINGS_ERROR, member, NOTIFY_SETTING_URL,
		    "is that of an example, and nobody is there: put in the address that %s gave you",
		    settings_own(member, NOTIFY_SETTING_TO)->text);
	else if (settings_leaves_machine(to->url))
		settings_say_of(l, SETTINGS_ERROR, member, NOTIFY_SETTING_URL,
		    "http:// would carry messages and secrets over the network in the clear: https, or http:// to this machine itself");
}

/* Of an environment that may have been there once, or is to come. */
static void
check_what(struct settings_loader *l, const struct settings_member *member, const char *what)
{
	char name[LIMIT_ENVIRONMENT], live[LIMIT_ENVIRONMENT + 8];

	for (; *what != '\0'; what += strcspn(what, ";"), what += strspn(what, "; ")) {
		bool covers = false;

		text_setf(name, "%.*s", (int)strcspn(what, ":"), what);
		text_setf(live, "%s: live", name);
		for (size_t i = 0; !covers && i < l->s->environment_count; i++)
			covers = notify_covers(live, l->s->environments[i].name, NOTIFY_LIVE);
		if (!covers)
			settings_say_of(l, SETTINGS_WARNING, member, NOTIFY_SETTING_WHAT,
			    "there is no environment %s, so nothing of it is ever sent: ENVIRONMENTS lists them",
			    name);
	}
}

static void
check(struct settings_loader *l, const struct settings_member *member)
{
	struct notify to;

	if (!notify_find(l->s, member->id, &to)) {
		if (!settings_own(member, NOTIFY_SETTING_TO)->is_given)
			settings_say_of(l, SETTINGS_ERROR, member, NOTIFY_SETTING_TO,
			    "is not set: webhook, slack, discord, matrix or mail");
		return;
	}
	check_needs(l, member, to.kind);
	if (to.url != NULL)
		check_url(l, member, &to);
	if (to.what != NULL)
		check_what(l, member, to.what);
	if (to.kind == NOTIFY_TO_WEBHOOK) {
		check_key(l, member, NOTIFY_SETTING_SECRET);
		check_key(l, member, NOTIFY_SETTING_SECRET_PREVIOUS);
	}
}

void
settings_check_notify(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;
	size_t n = 0;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_NOTIFY) {
			check(l, in->members[i]);
			n++;
		}
	if (n > NOTIFY_MAX)
		settings_say(l->report, SETTINGS_ERROR,
		    "NOTIFY_<NAME>_TO: there are %zu destinations, and at most %d are notified", n,
		    NOTIFY_MAX);
}
