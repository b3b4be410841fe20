/* link_checked.c - what the server has said of certificates, kept for a minute.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_checked.h"

#include <stdio.h>

#include "lib/mem.h"
#include "lib/sha256.h"

#define PLACES 16384

struct link_checked {
	struct {
		uint8_t of[SHA256_SIZE]; /* name and key */
		int64_t at;		 /* monotonic ms; 0: free */
		bool yes;
	} places[PLACES];
};

struct link_checked *
link_checked_new(void)
{
	return mem_new(1, sizeof(struct link_checked));
}

/* Its place, and in `of` what stands there if it is known. */
static size_t
place_of(const struct link_identity *who, uint8_t of[SHA256_SIZE])
{
	char text[LINK_NAME + LINK_DIGEST];
	size_t place;

	(void)snprintf(text, sizeof(text), "%s %s", who->name, who->digest); /* fits */
	sha256(text, strlen(text), of);
	memcpy(&place, of, sizeof(place));
	return place % PLACES;
}

enum link_checked_state
link_checked_find(const struct link_checked *checked, const struct link_identity *who, int64_t now)
{
	uint8_t of[SHA256_SIZE];
	size_t place = place_of(who, of);
	bool is_old = now - checked->places[place].at >= LINK_CHECKED_MS;

	if (checked->places[place].at == 0 ||
	    memcmp(checked->places[place].of, of, sizeof(of)) != 0)
		return LINK_CHECKED_UNKNOWN;
	if (!checked->places[place].yes)
		return is_old ? LINK_CHECKED_UNKNOWN : LINK_CHECKED_NO;
	return is_old ? LINK_CHECKED_OLD : LINK_CHECKED_YES;
}

void
link_checked_put(
    struct link_checked *checked, const struct link_identity *who, bool yes, int64_t now)
{
	uint8_t of[SHA256_SIZE];
	size_t place = place_of(who, of);

	memcpy(checked->places[place].of, of, sizeof(of));
	checked->places[place].at = now;
	checked->places[place].yes = yes;
}
