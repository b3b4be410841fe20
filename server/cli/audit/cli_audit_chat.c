/* cli_audit_chat.c - the heads in Telegram's "export chat history".  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "cli/audit/cli_audit_against_inside.h"
#include "lib/array.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

#define SENDERS_MAX 32
#define TEXT_MAX    65536
#define WORD	    "audit "

struct sender {
	const char *id, *name;
	size_t n;
	int64_t first, last; /* times */
};

struct reading {
	struct sender senders[SENDERS_MAX];
	size_t n_senders;
	bool has_more; /* of them */
};

void
cli_audit_heads_add(struct audit_heads *heads, const struct audit_head *head)
{
	array_reserve(&heads->at, heads->n, &heads->room, 64, sizeof(*heads->at));
	heads->at[heads->n++] = *head;
}

/* A text, or a list of texts and of objects that have one. */
static void
flatten(const struct json *text, struct buf *out)
{
	buf_clear(out);
	if (json_str(text) != NULL)
		buf_adds(out, json_str(text));
	for (size_t i = 0; i < json_count(text) && json_holds_array(text); i++) {
		const struct json *part = json_at(text, i);
		const char *piece =
		    json_str(part) != NULL ? json_str(part) : json_get_str(part, "text");

		if (piece != NULL)
			buf_adds(out, piece);
	}
}

/* "audit 36fec2005dd1a0b4", 8 digits in a message of 0.1.0; moves *at behind it. */
static bool
find_head(const char **at, struct audit_head *ret)
{
	while ((*at = strstr(*at, WORD)) != NULL) {
		char digits[2 * AUDIT_HASH + 1];
		size_t size;

		*at += sizeof(WORD) - 1;
		size = strspn(*at, "0123456789abcdef");
		if (size != LIMIT_AUDIT_HEAD - 1 && size != 8)
			continue;
		if (((*at)[size] >= 'a' && (*at)[size] <= 'z') || (*at)[size] == '-')
			continue;
		memcpy(digits, *at, size);
		digits[size] = '\0';
		return audit_head_read(ret, digits, 0);
	}
	return false;
}

/* NULL: there are too many. */
static struct sender *
sender_of(struct reading *r, const struct json *message)
{
	const char *id = json_get_str(message, "from_id");

	if (id == NULL)
		return NULL;
	for (size_t i = 0; i < r->n_senders; i++)
		if (strcmp(r->senders[i].id, id) == 0)
			return &r->senders[i];
	if (r->n_senders == SENDERS_MAX) {
		r->has_more = true;
		return NULL;
	}
	r->senders[r->n_senders] = (struct sender){ .id = id, .name = json_text(message, "from") };
	return &r->senders[r->n_senders++];
}

/* When its text was last written: seconds, as a text. */
static int64_t
time_of(const struct json *message)
{
	const char *text = json_get_str(message, "edited_unixtime");
	int64_t at;

	if (text == NULL)
		text = json_text(message, "date_unixtime");
	return text_to_i64(text, 1, INT64_C(253402300799), &at, NULL) ? 1000 * at : 0;
}

/* bot NULL: the senders are counted; else that one's heads are kept. */
static void
read_message(struct reading *r, const struct json *message, const char *bot, struct buf *text,
    struct audit_heads *ret)
{
	struct sender *sender = NULL;
	const char *at;
	struct audit_head head;

	if (json_get(message, "forwarded_from") != NULL ||
	    json_get(message, "forwarded_from_id") != NULL)
		return;
	flatten(json_get(message, "text"), text);
	at = buf_text(text);
	while (at != NULL && find_head(&at, &head)) {
		if (sender == NULL && (sender = sender_of(r, message)) == NULL)
			return;
		head.at = time_of(message);
		sender->n++;
		if (sender->first == 0 || head.at < sender->first)
			sender->first = head.at;
		if (head.at > sender->last)
			sender->last = head.at;
		if (bot != NULL && strcmp(sender->id, bot) == 0)
			cli_audit_heads_add(ret, &head);
	}
}

static void
read_chat(struct reading *r, const struct json *chat, const char *bot, struct audit_heads *ret)
{
	const struct json *messages = json_get(chat, "messages");
	CLEANUP(buf_done) struct buf text = buf_make(TEXT_MAX);

	for (size_t i = 0; i < json_count(messages); i++)
		read_message(r, json_at(messages, i), bot, &text, ret);
}

static bool
read_all(struct reading *r, const struct json *root, const char *bot, struct audit_heads *ret,
    struct err *err)
{
	const struct json *list = json_get(json_get(root, "chats"), "list");

	*r = (struct reading){ 0 };
	if (json_holds_array(json_get(root, "messages"))) {
		read_chat(r, root, bot, ret);
		return true;
	}
	if (!json_holds_array(list))
		return err_set(err, ERR_INVALID,
		    "it has no \"messages\": expected a copy of the log, or Telegram's \"Export chat history\" as JSON");
	for (size_t i = 0; i < json_count(list); i++)
		read_chat(r, json_at(list, i), bot, ret);
	return true;
}

/* Everybody in a group can write what looks like a head: only one sender's count. */
static const struct sender *
choose(const struct reading *r, const char *bot, struct err *err)
{
	char list[160] = "";
	size_t used = 0;

	for (size_t i = 0; bot != NULL && i < r->n_senders; i++)
		if (strcmp(r->senders[i].id, bot) == 0 ||
		    (text_starts(r->senders[i].id, "user") &&
			strcmp(r->senders[i].id + strlen("user"), bot) == 0))
			return &r->senders[i];
	if (bot == NULL && r->n_senders == 1 && !r->has_more)
		return &r->senders[0];
	for (size_t i = 0; i < r->n_senders && used < sizeof(list) - 1; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%.20s (%zu)",
		    i == 0 ? "" : ", ", r->senders[i].id, r->senders[i].n);
	if (r->n_senders == 0)
		(void)err_set(
		    err, ERR_INVALID, "no message in it shows a head (\"audit\" and 16 digits)");
	else if (bot != NULL)
		(void)err_set(
		    err, ERR_INVALID, "--bot %.40s has no heads in it; these have: %s", bot, list);
	else
		(void)err_set(err, ERR_INVALID,
		    "several senders have heads: say with --bot ID which of them is deploybot: %s",
		    list);
	return NULL;
}

bool
cli_audit_telegram(
    const char *text, size_t size, const char *bot, struct audit_heads *ret, struct err *err)
{
	CLEANUP(json_freep) struct json *root = json_decode(text, size, err);
	CLEANUP(freep) struct reading *r = mem_new(1, sizeof(*r));
	const struct sender *sender;
	char id[64] = "", first[TEXT_TIME_SIZE], last[TEXT_TIME_SIZE], name[64];
	bool ok;

	if (root == NULL)
		return false;
	ok = read_all(r, root, NULL, ret, err);
	sender = ok ? choose(r, bot, err) : NULL;
	ok = sender != NULL && text_copy(id, sizeof(id), sender->id);
	if (ok) {
		(void)text_copy(
		    name, sizeof(name), text_is_plain(sender->name) ? sender->name : "");
		(void)printf("note: %zu heads of \"%s\" (%s), %s to %s\n", sender->n, name, id,
		    text_time(first, sender->first), text_time(last, sender->last));
		ok = read_all(r, root, id, ret, err);
	}
	return ok;
}
