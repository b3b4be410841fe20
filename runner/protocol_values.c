/* protocol_values.c - which commits, images, releases, refs and hosts a message may have.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/protocol.h"

#include <string.h>

#include "lib/clean.h"
#include "lib/host_lines.h"
#include "lib/text.h"

#define HEX    "0123456789abcdef"
#define TARGET "target:" /* and a transport's word for what ran before deploybot */

bool
protocol_is_commit(const char *text)
{
	size_t digits = strspn(text, HEX);

	return digits >= 7 && digits <= 64 && text[digits] == '\0';
}

bool
protocol_is_image(const char *text)
{
	static const char algorithm[] = "sha256:";

	if (strncmp(text, algorithm, strlen(algorithm)) != 0)
		return false;
	text += strlen(algorithm);
	return strspn(text, HEX) == 64 && text[64] == '\0';
}

bool
protocol_is_release(const char *text)
{
	size_t digits = strspn(text, HEX);

	if (strncmp(text, TARGET, strlen(TARGET)) == 0)
		return text_is_word(text + strlen(TARGET), PROTOCOL_TARGET_WORD);
	return digits >= 7 && digits <= 64 &&
	    (text[digits] == '\0' || (text[digits] == '@' && protocol_is_image(text + digits + 1)));
}

bool
protocol_is_ref(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 255 && text_is_plain(text);
}

static bool
is_group(const char *line)
{
	const char *release = line + strlen(PROTOCOL_GROUP);

	return strcmp(release, PROTOCOL_GROUP_NONE) == 0 || protocol_is_release(release);
}

bool
protocol_are_hosts(const char *body, size_t len)
{
	const char *at = body, *end = body + len;
	bool was_group = false;
	char line[HOST_TEXT];
	size_t count = 0;

	while (host_lines_next(&at, end, line)) {
		bool is_new = text_starts(line, PROTOCOL_GROUP);

		if (is_new ? was_group || !is_group(line) : !host_is_plain(line))
			return false;
		was_group = is_new;
		count += !is_new;
	}
	return at == end && !was_group && count >= 1 && count <= HOST_LINES_MAX;
}
