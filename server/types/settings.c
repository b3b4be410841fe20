/* settings.c - a snapshot of the settings: counted, asked, wiped.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/seal.h"
#include "lib/text.h"
#include "lib/window.h"
#include "lib/zone.h"
#include "types/roles.h"
#include "types/settings_member.h"

void
settings_wipe_text(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

struct settings *
settings_ref(struct settings *s)
{
	atomic_fetch_add_explicit(&s->inside->count, 1, memory_order_relaxed);
	return s;
}

static void
wipe_value(struct settings_value *value)
{
	settings_wipe_text(&value->text);
	settings_wipe_text(&value->runners);
	free(value->file);
}

static void
free_member(struct settings_member *member)
{
	for (size_t i = 0; i < member->value_count; i++)
		wipe_value(&member->values[i]);
	for (size_t i = 0; i < SETTINGS_HEALTH_URLS_MAX; i++)
		free(member->urls[i]);
	windows_free(member->freeze);
	free(member->approvals_if);
	for (size_t i = 0; i < member->special_count; i++)
		wipe_value(&member->specials[i].value);
	free(member->specials);
	free(member->shared);
	free(member->fingerprint);
	free(member);
}

static void
free_inside(struct settings_inside *in)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		wipe_value(&in->values[i]);
	for (size_t m = 0; m < in->member_count; m++)
		free_member(in->members[m]);
	for (size_t i = 0; i < in->application_count; i++)
		settings_unref(in->applications[i]);
	free(in->applications);
	free(in->environments);
	free(in->clients);
	free(in->require_otp);
	if (in->totp_keys != NULL)
		seal_wipe(in->totp_keys);
	free(in->totp_keys);
	free(in->link_ca);
	roles_free(in->roles);
	zone_free(in->zone);
	free(in->firsts);
	free(in->refused);
	free(in->warned);
	free(in->admins);
	free(in->allowed_chats);
	free(in->overlaps);
	free(in);
}

void
settings_unref(struct settings *s)
{
	if (s == NULL)
		return;
	if (s->inside != NULL) {
		/* Release: what others did with it is done; acquire: and we see that. */
		if (atomic_fetch_sub_explicit(&s->inside->count, 1, memory_order_acq_rel) != 1)
			return;
		free_inside(s->inside);
	}
	free(s);
}

/* Where in the list the application of that name is, whose name goes on behind size bytes. */
static bool
find_application(const struct settings *s, const char *name, size_t size, size_t *ret)
{
	for (size_t low = 0, high = s->application_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		const char *its = s->applications[middle]->application;
		int order = strncmp(its, name, size);

		if (order == 0 && its[size] == '\0') {
			*ret = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Of the count from the first on; NULL: none has that name. */
static const struct environment_settings *
find_environment(const struct settings *s, size_t first, size_t count, const char *name)
{
	for (size_t i = first; i < first + count; i++)
		if (strcmp(s->environments[i].name, name) == 0)
			return &s->environments[i];
	return NULL;
}

const struct client_settings *
settings_client(const struct settings *s, const char *id)
{
	for (size_t i = 0; i < s->client_count; i++)
		if (strcmp(s->clients[i].id, id) == 0)
			return &s->clients[i];
	return NULL;
}

const char *
settings_member_line(
    const struct settings *s, const char *environment, enum family family, const char *name)
{
	const struct settings_inside *in = settings_of(s, environment)->inside;
	enum family_setting line = family == FAMILY_JOB ? JOB_SETTING_COMMAND :
	    family == FAMILY_PLAYBOOK			? PLAYBOOK_SETTING_IS :
							  PIPELINE_SETTING_IS;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == family &&
		    (name == NULL || strcmp(in->members[i]->name, name) == 0))
			return settings_own(in->members[i], line)->text;
	return NULL;
}

size_t
settings_names(
    const struct settings *s, const char *environment, enum family family, char out[LIMIT_LINE])
{
	const struct settings_inside *in = settings_of(s, environment)->inside;
	size_t n = 0, used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < in->member_count && used < LIMIT_LINE; i++)
		if (in->members[i]->family == family)
			used += (size_t)snprintf(out + used, LIMIT_LINE - used, "%s%s",
			    n++ == 0 ? "" : ", ", in->members[i]->name);
	return n;
}

const struct environment_settings *
settings_environment(const struct settings *s, const char *name)
{
	size_t size = strcspn(name, "/"), at;
	const char *id = environment_client(name);
	const struct client_settings *client = id != NULL ? settings_client(s, id) : NULL;

	if (id != NULL)
		return client != NULL && client->target == client->as.name ? &client->as : NULL;
	if (name[size] == '/' && find_application(s, name, size, &at))
		return find_environment(
		    s, s->inside->firsts[at], s->applications[at]->environment_count, name);
	return find_environment(s, 0, settings_own_count(s), name);
}

size_t
settings_own_count(const struct settings *s)
{
	return s->application_count > 0 ? s->inside->firsts[0] : s->environment_count;
}

const struct settings *
settings_application(const struct settings *s, const char *name)
{
	size_t at;

	if (strcmp(s->application, name) == 0)
		return s;
	return find_application(s, name, strlen(name), &at) ? s->applications[at] : NULL;
}

const struct settings *
settings_of(const struct settings *s, const char *environment)
{
	const struct environment_settings *found = settings_environment(s, environment);

	return found == NULL ? s : found->of;
}

const struct settings *
settings_clock(const struct settings *s, const char *target)
{
	size_t size = strcspn(target, "/"), at;

	return target[size] == '/' && find_application(s, target, size, &at) ? s->applications[at] :
									       s;
}

bool
settings_refused_has(
    const struct settings_refused refused[], size_t count, const char *application, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(refused[i].file, application, size) == 0 &&
		    strcmp(refused[i].file + size, ".env") == 0)
			return true;
	return false;
}

bool
settings_is_unread_application(const struct settings *s, const char *name, size_t size)
{
	for (size_t i = 0; i < s->refused_count; i++)
		if (s->refused[i].file[0] == '\0') /* the folder itself */
			return true;
	return settings_refused_has(s->refused, s->refused_count, name, size);
}

bool
settings_is_unread(const struct settings *s, const char *environment)
{
	size_t size = strcspn(environment, "/"), at;

	return environment[size] == '/' && !find_application(s, environment, size, &at) &&
	    settings_is_unread_application(s, environment, size);
}

const char *
settings_refusal(const struct settings *s, const char *environment)
{
	const struct environment_settings *found = settings_environment(s, environment);

	return found != NULL && found->refusal[0] != '\0' ? found->refusal : NULL;
}

/* The overlap of this environment that decides: that in which it gives way, or another one that is
 * live where this is not. */
static const struct settings_overlap *
deciding_overlap(const struct settings *s, size_t at, settings_is_live *is_live, void *ctx)
{
	const struct environment_settings *all = s->environments;

	for (size_t i = 0; i < s->inside->overlap_count; i++) {
		const struct settings_overlap *overlap = &s->inside->overlaps[i];
		bool later_wins = is_live(ctx, all[overlap->later].name) &&
		    !is_live(ctx, all[overlap->first].name);

		if (at == (later_wins ? overlap->first : overlap->later))
			return overlap;
	}
	return NULL;
}

static bool
is_of_overlap(const struct settings *s, const char *refusal)
{
	for (size_t i = 0; i < s->inside->overlap_count; i++)
		if (refusal == s->inside->overlaps[i].text)
			return true;
	return false;
}

const char *
settings_refusal_among(
    const struct settings *s, const char *environment, settings_is_live *is_live, void *ctx)
{
	const struct environment_settings *found = settings_environment(s, environment);
	const struct settings_overlap *overlap;

	if (found == NULL)
		return NULL;
	if (found->refusal[0] != '\0' && !is_of_overlap(s, found->refusal))
		return found->refusal;
	if (s->inside->overlap_count == 0 || is_live == NULL)
		return NULL;
	overlap = deciding_overlap(s, (size_t)(found - s->environments), is_live, ctx);
	return overlap == NULL ? NULL : overlap->text;
}

const char *
settings_local_socket(const struct settings *s)
{
	struct stat st;

	if (s->local_socket != NULL)
		return s->local_socket;
	return lstat(SETTINGS_LOCAL_FOLDER, &st) == 0 && S_ISDIR(st.st_mode) &&
		st.st_uid == geteuid() ?
	    SETTINGS_LOCAL_SOCKET :
	    NULL;
}

bool
settings_trusts_proxy(const struct settings *s, const char *peer, bool is_local)
{
	if (!s->proxies.is_set)
		return is_local;
	return strcmp(peer, "unix") == 0 ? s->proxies.has_unix :
					   address_networks_have(&s->proxies.networks, peer);
}

int64_t
settings_user(const struct settings *s, uint32_t uid, const char **ret_name)
{
	for (size_t i = 0; i < s->inside->member_count; i++) {
		const struct settings_member *member = s->inside->members[i];

		if (member->person == 0 || member->user.uid != uid)
			continue;
		*ret_name = member->user.user;
		return member->person;
	}
	return 0;
}

int64_t
settings_user_named(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->inside->member_count; i++)
		if (strcmp(s->inside->members[i]->user.user, name) == 0)
			return s->inside->members[i]->person;
	return 0;
}

int64_t
settings_person_of_login(const struct settings *s, const char *login, size_t size)
{
	static const char gitlabs[] = "gitlab:";
	bool is_gitlabs = text_starts(login, gitlabs);
	size_t mark = is_gitlabs ? strlen(gitlabs) : 0;

	login += mark;
	size -= mark < size ? mark : size;
	for (size_t i = 0; i < s->inside->member_count; i++) {
		const struct settings_member *member = s->inside->members[i];
		enum family_setting by = is_gitlabs ? PERSON_SETTING_GITLAB : PERSON_SETTING_GITHUB;
		const char *theirs = settings_own(member, by)->text;

		if (theirs != NULL && strlen(theirs) == size &&
		    strncasecmp(theirs, login, size) == 0)
			return strtoll(member->name, NULL, 10); /* digits alone: as it was found */
	}
	return 0;
}

const char *
settings_user_name(const struct settings *s, int64_t person)
{
	for (size_t i = 0; i < s->inside->member_count; i++)
		if (s->inside->members[i]->user.uid == (uint32_t) - (person + 1) &&
		    s->inside->members[i]->person == person)
			return s->inside->members[i]->user.user;
	return NULL;
}

/* Those of ALLOWED_CHATS, the main file's, the applications'. */
static bool
chat_at(const struct settings *s, size_t i, int64_t *ret_chat)
{
	size_t n = s->allowed_chats.count;

	if (i < n)
		*ret_chat = s->allowed_chats.id[i];
	else if (i == n)
		*ret_chat = s->telegram_chat_id;
	else if (i <= n + s->application_count)
		*ret_chat = s->applications[i - n - 1]->telegram_chat_id;
	else if (i <= n + s->application_count + s->environment_count)
		*ret_chat = s->environments[i - n - s->application_count - 1].approval_chat;
	else
		return false;
	return true;
}

bool
settings_next_chat(const struct settings *s, size_t *at, int64_t *ret_chat)
{
	int64_t before;
	size_t i;

	do {
		if (!chat_at(s, *at, ret_chat))
			return false;
		for (i = 0; i < *at && chat_at(s, i, &before) && before != *ret_chat; i++)
			;
	} while (i < (*at)++ || *ret_chat == 0);
	return true;
}

/* The setting that the chat_at() of this number stands in. */
static const char *
name_chat(const struct settings *s, size_t i, char out[LIMIT_LINE])
{
	size_t n = s->allowed_chats.count, applications = s->application_count;
	const struct environment_settings *of =
	    i <= n + applications ? NULL : &s->environments[i - n - applications - 1];
	const char *application = of != NULL ? of->of->application :
	    i > n			     ? s->applications[i - n - 1]->application :
					       "";
	const char *slash = of == NULL ? NULL : strchr(of->name, '/');
	char its[SETTING_NAME_MAX] = "TELEGRAM_CHAT_ID";

	if (of != NULL)
		(void)setting_name(
		    "<ENV>_APPROVAL_CHAT_ID", slash != NULL ? slash + 1 : of->name, its);
	(void)snprintf(out, LIMIT_LINE, "%s%s%s", application, application[0] != '\0' ? ": " : "",
	    i < n ? "ALLOWED_CHATS" : its);
	return out;
}

bool
settings_names_chat(const struct settings *s, int64_t chat, char *names, size_t room)
{
	size_t used = 0;
	int64_t named;
	char name[LIMIT_LINE];

	names[0] = '\0';
	for (size_t i = 0; chat != 0 && used < room && chat_at(s, i, &named); i++)
		if (named == chat)
			used += (size_t)snprintf(names + used, room - used, "%s%s",
			    used == 0 ? "" : ", ", name_chat(s, i, name));
	return used > 0;
}

const struct settings_value *
settings_value_of(
    const struct settings *s, const struct settings_member *member, enum setting setting)
{
	for (size_t i = 0; member != NULL && i < member->special_count; i++)
		if (member->specials[i].setting == setting)
			return &member->specials[i].value;
	return &s->inside->values[setting];
}

const char *
settings_text_for(const struct environment_settings *e, enum setting setting)
{
	return settings_value_of(e->of, e->member, setting)->text;
}

bool
settings_is_given_for(const struct environment_settings *e, enum setting setting)
{
	return settings_value_of(e->of, e->member, setting)->is_given;
}

const struct settings_times *
settings_times(const struct settings *s, const char *environment)
{
	const struct environment_settings *found = settings_environment(s, environment);

	return found == NULL || found->times == NULL ? &s->times : found->times;
}

const char *
settings_text(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].text;
}

bool
settings_is_given(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].is_given;
}

const char *
settings_secret_file(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].file;
}
