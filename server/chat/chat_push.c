/* chat_push.c - what a push says that asks in several environments at once.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_push.h"

#include <stdio.h>

#include "chat/chat_first.h"
#include "lib/environment_id.h"

#define GROUPS_SHOWN 4

/* Of "mail/qa" what stands behind its application. */
static const char *
short_name(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

static size_t
count_same(const struct chat_push_ask *ask, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < ask->n; k++) {
		if (strcmp(short_name(ask->names[k]), short_name(ask->names[i])) != 0)
			continue;
		if (k < i)
			return 0; /* it was counted there */
		n++;
	}
	return n;
}

static void
list_groups(const struct chat_push_ask *ask, char *out, size_t room)
{
	size_t used = 0, shown = 0, left = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ask->n; i++) {
		size_t n = count_same(ask, i);
		int put;

		if (n == 0)
			continue;
		if (shown == GROUPS_SHOWN) {
			left += n;
			continue;
		}
		put = n == 1 ? snprintf(out + used, room - used, "%s%s", shown > 0 ? ", " : "",
				   ask->names[i]) :
			       snprintf(out + used, room - used, "%s%s ×%zu", shown > 0 ? ", " : "",
				   short_name(ask->names[i]), n);
		used += (size_t)put; /* four names fit */
		shown++;
	}
	if (left > 0)
		(void)snprintf(out + used, room - used, " and %zu more", left);
}

/* Nobody has answered it yet, and its message is another. */
static void
say_below(struct chat_text *text, const struct chat_push_ask *ask)
{
	if (ask->last[0] != '\0') {
		chat_first(text, FIRST_ASKED_BELOW, ask->last);
		chat_text_add(text, "asked below%s", ask->n_below > 1 ? ", as are others" : "");
	} else {
		chat_text_add(text, "❓ Asked below");
	}
	chat_text_commit(text, "\n", ask->commit);
	chat_text_quoted(text, " ", ask->subject, CHAT_FIRST_SUBJECT);
	chat_text_add(text, " waits for an answer there.");
}

void
chat_push_asks(struct chat_text *text, const struct chat_push_ask *ask)
{
	char groups[(GROUPS_SHOWN + 1) * (ENVIRONMENT_ID_MAX + 24)];

	if (ask->n == 0 && ask->n_below > 0) {
		say_below(text, ask);
		return;
	}
	if (ask->n == 0) {
		if (ask->last[0] != '\0') {
			chat_first(text, FIRST_ANSWERED, ask->last);
			chat_text_add(text, "and all others that asked");
		} else {
			chat_text_add(text, "Answered by others");
		}
		chat_text_commit(text, "\n", ask->commit);
		chat_text_quoted(text, " ", ask->subject, CHAT_FIRST_SUBJECT);
		chat_text_add(text, " waits nowhere any more.");
		return;
	}
	list_groups(ask, groups, sizeof(groups));
	chat_first(text, FIRST_ASKS_SEVERAL, groups);
	chat_text_commit(text, "\n", ask->commit);
	chat_text_quoted(text, " ", ask->subject, CHAT_FIRST_SUBJECT);
	chat_text_add(
	    text, " waits for an answer in %s.", ask->n == 1 ? "one environment" : "each of them");
	if (ask->n_below > 0)
		chat_text_add(
		    text, " %zu %s asked below.", ask->n_below, ask->n_below == 1 ? "is" : "are");
	chat_text_some(text, "\nauthor ", ask->author);
	chat_text_some(text, ask->author[0] != '\0' ? " · pushed by " : "\npushed by ",
	    strcmp(ask->requester, "git") != 0 ? FORGE_PERSON(ask->requester) : "");
}
