/* link_frame.c - frames on TLS, and the words of channel 0.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "link/link_frame.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/column.h"
#include "lib/text.h"

#define ON(kind) (1u << LINK_##kind)
/* A word that lacks that field has 0 or "" there.  Hosts are not upgraded at once, so each field
 * that a kind did not have in its first version is one of these. */
#define OPTIONAL (1u << LINK_KIND_COUNT)

static const char *const kinds[] = { LINK_KINDS(COLUMN_SECOND) };
/* most 0: a text; least 1: of one word. */
static const struct field {
	const char *key;
	size_t offset, room;
	unsigned kinds;
	int64_t least, most;
} fields[] = {
#define AT(of) offsetof(struct link_word, of), sizeof(((struct link_word *)NULL)->of)
	{ "channel", AT(channel), ON(OPEN) | ON(CREDIT), 1, UINT32_MAX },
	{ "channel", AT(channel), ON(CLOSE), 0, UINT32_MAX },
	{ "id", AT(id), ON(OPEN), 0, INT64_MAX },
	{ "bytes", AT(bytes), ON(CREDIT), 1, LINK_WINDOW },
	{ "at", AT(at), ON(HELLO), 0, INT64_MAX / 2 },
	{ "epoch", AT(epoch), ON(HELLO) | OPTIONAL, 0, INT64_MAX },
	{ "name", AT(name), ON(HELLO), 1, 0 },
	{ "version", AT(version), ON(HELLO), 1, 0 },
	{ "text", AT(text), ON(CLOSE), 0, 0 },
	{ "renewal", AT(renewal), ON(RENEW), 0, 0 },
#undef AT
};

enum link_frame_state
link_frame_read(const char *data, size_t size, struct link_frame *ret)
{
	uint32_t head[2];

	*ret = (struct link_frame){ 0 };
	if (size < sizeof(head[0]))
		return LINK_FRAME_PART;
	memcpy(head, data, size < sizeof(head) ? sizeof(head[0]) : sizeof(head));
	ret->size = be32toh(head[0]);
	if (ret->size == 0 || ret->size > PROTOCOL_PACKET_MAX)
		return LINK_FRAME_WRONG;
	if (size < LINK_FRAME_HEAD || size - LINK_FRAME_HEAD < ret->size)
		return LINK_FRAME_PART;
	ret->channel = be32toh(head[1]);
	ret->packet = data + LINK_FRAME_HEAD;
	return LINK_FRAME_WHOLE;
}

void
link_frame_head(char out[LINK_FRAME_HEAD], uint32_t channel, size_t size)
{
	uint32_t head[2] = { htobe32((uint32_t)size), htobe32(channel) };

	assert(size > 0 && size <= PROTOCOL_PACKET_MAX);
	memcpy(out, head, sizeof(head));
}

static bool
read_value(const struct field *field, const char *value, struct link_word *ret)
{
	char *at = (char *)ret + field->offset;
	int64_t number;

	if (field->most == 0)
		return text_is_plain(value) &&
		    (field->least == 0 || (value[0] != '\0' && strchr(value, ' ') == NULL)) &&
		    text_copy(at, field->room, value);
	if (!text_to_i64(value, field->least, field->most, &number, NULL))
		return false;
	memcpy(at, &number, sizeof(number));
	return true;
}

/* `key value`; seen: a bit for each field. */
static bool
read_field(char *line, struct link_word *ret, unsigned *seen)
{
	const char *key = strsep(&line, " ");

	for (size_t i = 0; line != NULL && i < COUNT(fields); i++) {
		if ((fields[i].kinds & 1u << ret->kind) == 0 || strcmp(fields[i].key, key) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return false;
		*seen |= 1u << i;
		return read_value(&fields[i], line, ret);
	}
	return line != NULL;
}

bool
link_word_read(
    const char *packet, size_t size, enum link_sender from, struct link_word *ret, struct err *err)
{
	char text[LINK_WORD_MAX], *rest = text, *line;
	unsigned seen = 0;

	*ret = (struct link_word){ .kind = LINK_KIND_COUNT };
	if (size == 0 || size > sizeof(text) || packet[size - 1] != '\n' ||
	    memchr(packet, '\0', size) != NULL)
		return err_set(err, ERR_INVALID, "a word without end, too long or with NUL");
	memcpy(text, packet, size);
	text[size - 1] = '\0';
	clean_bytes(text);
	line = strsep(&rest, "\n");
	ret->kind = (enum link_kind)text_index(line, kinds, COUNT(kinds));
	if (ret->kind == LINK_KIND_COUNT || (ret->kind == LINK_OPEN && from == LINK_OF_HOST))
		return err_set(err, ERR_INVALID, "a kind that it may not send: %.20s",
		    text_is_plain(line) ? line : "?");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (!read_field(line, ret, &seen))
			return err_set(err, ERR_INVALID, "%s: bad %.20s", kinds[ret->kind],
			    text_is_plain(line) ? line : "?");
	for (size_t i = 0; i < COUNT(fields); i++)
		if ((fields[i].kinds & 1u << ret->kind) != 0 && (seen & 1u << i) == 0 &&
		    (fields[i].kinds & OPTIONAL) == 0)
			return err_set(
			    err, ERR_INVALID, "%s: %s is missing", kinds[ret->kind], fields[i].key);
	return true;
}

size_t
link_word_write(const struct link_word *word, char out[LINK_WORD_MAX])
{
	size_t len = (size_t)snprintf(out, LINK_WORD_MAX, "%s\n", kinds[word->kind]);
	int64_t number;

	for (size_t i = 0; i < COUNT(fields); i++) {
		const char *at = (const char *)word + fields[i].offset;

		if ((fields[i].kinds & 1u << word->kind) == 0)
			continue;
		len += (size_t)snprintf(out + len, LINK_WORD_MAX - len, "%s ", fields[i].key);
		memcpy(&number, at, sizeof(number));
		len += (size_t)(fields[i].most == 0 ?
			snprintf(out + len, LINK_WORD_MAX - len, "%s\n", at) :
			snprintf(out + len, LINK_WORD_MAX - len, "%" PRId64 "\n", number));
	}
	assert(len < LINK_WORD_MAX);
	return len;
}
