/* link_frame.c - frames on TLS, and the words of channel 0.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "link/link_frame.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/text.h"

#define ON(kind) (1u << LINK_##kind)

static const char *const kinds[] = {
#define K(name, word, of) word,
	LINK_KINDS(K)
#undef K
};
static const unsigned senders[] = {
#define K(name, word, of) of,
	LINK_KINDS(K)
#undef K
};

/* room 0: a number of at most `most`.  Each field that its kind has must be there. */
static const struct field {
	const char *key;
	size_t offset, room;
	unsigned kinds;
	int64_t least, most;
} fields[] = {
#define NUMBER(of, kinds, least, most) \
	{ \
#of, offsetof(struct link_word, of), 0, kinds, least, most \
	}
#define TEXT(of, kinds, least) \
	{ \
#of, offsetof(struct link_word, of), sizeof(((struct link_word *)NULL)->of), \
		    kinds, least, 0 \
	}
	NUMBER(channel, ON(OPEN) | ON(CREDIT), 1, UINT32_MAX),
	NUMBER(channel, ON(CLOSE), 0, UINT32_MAX),
	NUMBER(id, ON(OPEN), 0, INT64_MAX),
	NUMBER(bytes, ON(CREDIT), 1, LINK_WINDOW),
	NUMBER(at, ON(HELLO), 0, INT64_MAX),
	NUMBER(epoch, ON(HELLO), 0, INT64_MAX),
	TEXT(name, ON(HELLO), 1),
	TEXT(version, ON(HELLO), 1),
	TEXT(text, ON(CLOSE), 0),
#undef NUMBER
#undef TEXT
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

/* Takes one line out of [*data, end), without its '\n'. */
static bool
take_line(const char **data, const char *end, char line[LINK_TEXT * 2], struct err *err)
{
	const char *stop = memchr(*data, '\n', (size_t)(end - *data));
	size_t len = stop == NULL ? 0 : (size_t)(stop - *data);

	if (stop == NULL || len >= LINK_TEXT * 2 || memchr(*data, '\0', len) != NULL)
		return err_set(err, ERR_INVALID, "a line without end, too long or with NUL");
	memcpy(line, *data, len);
	line[len] = '\0';
	*data = stop + 1;
	return true;
}

static bool
take_value(const struct field *field, const char *value, struct link_word *ret, struct err *err)
{
	char *at = (char *)ret + field->offset;
	int64_t number;

	if (field->room == 0) {
		if (!text_to_i64(value, field->least, field->most, &number, err))
			return err_wrap(err, "%s: %s", kinds[ret->kind], field->key);
		memcpy(at, &number, sizeof(number));
		return true;
	}
	if (strlen(value) < (size_t)field->least || strlen(value) >= field->room ||
	    !text_is_plain(value))
		return err_set(err, ERR_INVALID, "%s: bad %s", kinds[ret->kind], field->key);
	memcpy(at, value, strlen(value) + 1);
	return true;
}

static bool
take_field(char *line, struct link_word *ret, unsigned *seen, struct err *err)
{
	char *value = strchr(line, ' ');

	if (value == NULL)
		return err_set(err, ERR_INVALID, "%s: a line without a value", kinds[ret->kind]);
	*value++ = '\0';
	for (size_t i = 0; i < COUNT(fields); i++) {
		if ((fields[i].kinds & 1u << ret->kind) == 0 || strcmp(fields[i].key, line) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return err_set(err, ERR_INVALID, "%s: %s twice", kinds[ret->kind], line);
		*seen |= 1u << i;
		return take_value(&fields[i], value, ret, err);
	}
	return true; /* of a newer version */
}

bool
link_word_read(
    const char *packet, size_t size, unsigned from, struct link_word *ret, struct err *err)
{
	const char *end = packet + size;
	char line[LINK_TEXT * 2];
	unsigned seen = 0;

	*ret = (struct link_word){ .kind = LINK_KIND_COUNT };
	if (!take_line(&packet, end, line, err))
		return false;
	ret->kind = (enum link_kind)text_index(line, kinds, COUNT(kinds));
	if (ret->kind == LINK_KIND_COUNT || (senders[ret->kind] & from) == 0)
		return err_set(err, ERR_INVALID, "a kind that it may not send: %.20s",
		    text_is_plain(line) ? line : "?");
	while (packet < end) {
		if (!take_line(&packet, end, line, err))
			return false;
		if (line[0] == '\0')
			break;
		if (!take_field(line, ret, &seen, err))
			return false;
	}
	ret->body = packet;
	ret->body_size = (size_t)(end - packet);
	if (ret->body_size > LINK_BODY_MAX)
		return err_set(err, ERR_LIMIT, "%s: a body of %zu bytes", line, ret->body_size);
	for (size_t i = 0; i < COUNT(fields); i++)
		if ((fields[i].kinds & 1u << ret->kind) != 0 && (seen & 1u << i) == 0)
			return err_set(
			    err, ERR_INVALID, "%s: %s is missing", kinds[ret->kind], fields[i].key);
	return true;
}

size_t
link_word_write(const struct link_word *word, char out[LINK_WORD_MAX])
{
	int n = snprintf(out, LINK_WORD_MAX, "%s\n", kinds[word->kind]);
	size_t len = (size_t)n;
	int64_t number;

	for (size_t i = 0; i < COUNT(fields); i++) {
		const char *at = (const char *)word + fields[i].offset;

		if ((fields[i].kinds & 1u << word->kind) == 0)
			continue;
		memcpy(&number, at, sizeof(number));
		n = fields[i].room == 0 ?
		    snprintf(
			out + len, LINK_WORD_MAX - len, "%s %" PRId64 "\n", fields[i].key, number) :
		    snprintf(out + len, LINK_WORD_MAX - len, "%s %s\n", fields[i].key, at);
		len += (size_t)n;
	}
	if (word->body_size > 0) {
		assert(word->body_size <= LINK_BODY_MAX && len < LINK_WORD_MAX - LINK_BODY_MAX);
		out[len++] = '\n';
		memcpy(out + len, word->body, word->body_size);
	}
	return len + word->body_size;
}
