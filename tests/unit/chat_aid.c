/* chat_aid.c - a deployment in each state, and what its message says.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat_aid.h"

#include "chat_texts.h"
#include "unit.h"

struct deployment
chat_sample(enum deploy_state state)
{
	return (struct deployment){
		.id = 7,
		.environment = "staging",
		.trigger = TRIGGER_CHAT,
		.state = state,
		.commit = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d",
		.ref = "develop",
		.subject = "Make it blue",
		.author = "Ann",
		.previous = "9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c",
		.requested_by = 11,
		.requester = "@ada",
		.started_at = NOW - 61000,
		.urls = "http://127.0.0.1:1/",
		.run = 3,
	};
}

const struct environment chat_there = {
	.name = "staging",
	.current = { .id = 41,
	    .commit = "9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c",
	    .at = NOW - 3600000 },
};

struct chat_deployment
chat_about(const struct deployment *deployment)
{
	static const struct chat_approvals approvals = {
		.needed = 2, .n = 1, .n_others = 1, .changes = ""
	};

	return (struct chat_deployment){
		.deployment = deployment,
		.environment = &chat_there,
		.back = &chat_there.current,
		.approvals = deployment->state == DEPLOY_AWAITING_APPROVAL ? &approvals : NULL,
		.position = 1,
		.at = NOW,
	};
}

/* The message's text without marks; valid until the next call. */
const char *
chat_plain(const struct chat_deployment *what)
{
	static char text[LIMIT_MESSAGE];
	struct message message = { 0 };
	size_t n = 0;

	assert_true(chat_deployment(what, &message));
	chat_texts_keep(&message);
	for (const char *c = message.head; *c != '\0'; c++)
		if ((unsigned char)*c > 5)
			text[n++] = *c;
	text[n] = '\0';
	message_done(&message);
	return text;
}

void
chat_says(const struct chat_deployment *what, const char *part)
{
	const char *text = chat_plain(what);

	if (strstr(text, part) == NULL)
		fail_msg("%s: \"%s\" is not in:\n%s", deploy_flow_word(what->deployment->state),
		    part, text);
}
