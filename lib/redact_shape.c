/* redact_shape.c - tables of what tokens and hooks' URLs look like, and who reads them.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_shape.h"

#define DIGITS_MAX  64	  /* of the number before a bot token's colon */
#define PART_MAX    16384 /* bytes of one part of a JWT */
#define JWT_HEADER  8
#define JWT_PAYLOAD 3 /* "e30" is {} */
#define JWT_SIGN    4
#define PARTS	    4

/* --- characters --- */

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
redact_shape_is_token(char c)
{
	return is_alnum(c) || c == '_' || c == '-';
}

bool
redact_shape_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_base64(char c)
{
	return redact_shape_is_token(c) || c == '+' || c == '/' || c == '=';
}

static bool
is_encoded(char c)
{
	return redact_shape_is_token(c) || c == '%';
}

static bool
is_path(char c)
{
	return redact_shape_is_token(c) || c == '/';
}

static bool
is_upper(char c)
{
	return (c >= 'A' && c <= 'Z') || redact_shape_is_digit(c);
}

static bool
is_hex(char c)
{
	return redact_shape_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Of a GUID. */
static bool
is_guid(char c)
{
	return is_hex(c) || c == '-';
}

/* Mattermost's ids. */
static bool
is_zbase32(char c)
{
	return is_alnum(c) && !(c >= 'A' && c <= 'Z') && c != 'l' && c != 'v' && c != '0' &&
	    c != '2';
}

/* --- the tables --- */

/* Fixed beginnings of tokens and how many of their characters follow at least. */
static const struct token {
	const char *prefix;
	size_t least;
	bool at_word; /* only where no letter or digit stands before */
	redact_belongs *of;
} tokens[] = {
	{ "ghp_", 20, false, redact_shape_is_token },
	{ "gho_", 20, false, redact_shape_is_token },
	{ "ghu_", 20, false, redact_shape_is_token },
	{ "ghs_", 20, false, redact_shape_is_token }, /* ghs_APP_JWT, too */
	{ "ghr_", 20, false, redact_shape_is_token },
	{ "github_pat_", 20, false, redact_shape_is_token },
	/* GitLab: people, deploy, runner, CI job, trigger, feed, mail, agent, SCIM, flags, OAuth */
	{ "glpat-", 20, false, redact_shape_is_token },
	{ "gldt-", 20, false, redact_shape_is_token },
	{ "glrt-", 20, false, redact_shape_is_token },
	{ "glrtr-", 20, false, redact_shape_is_token },
	{ "glcbt-", 20, false, redact_shape_is_token },
	{ "glptt-", 20, false, redact_shape_is_token },
	{ "glft-", 20, false, redact_shape_is_token },
	{ "glimt-", 20, false, redact_shape_is_token },
	{ "glagent-", 20, false, redact_shape_is_token },
	{ "glsoat-", 20, false, redact_shape_is_token },
	{ "glffct-", 20, false, redact_shape_is_token },
	{ "gloas-", 20, false, redact_shape_is_token },
	/* Vault: service, batch, recovery; of a service before Vault 1.10, and OpenBao's */
	{ "hvs.", 20, false, redact_shape_is_token },
	{ "hvb.", 20, false, redact_shape_is_token },
	{ "hvr.", 20, false, redact_shape_is_token },
	{ "s.", 24, true, redact_shape_is_token },
	/* Our own, of the API and of the console's sessions. */
	{ "deploybot_", 20, false, is_hex },
	{ "deploybotc_", 20, false, is_hex },
	{ "whsec_", 20, false, is_base64 },
	{ "AKIA", 16, true, redact_shape_is_token },
	{ "ASIA", 16, true, redact_shape_is_token },
	{ "xoxa-", 10, true, redact_shape_is_token },
	{ "xoxb-", 10, true, redact_shape_is_token },
	{ "xoxe-", 10, true, redact_shape_is_token },
	{ "xoxp-", 10, true, redact_shape_is_token },
	{ "xoxr-", 10, true, redact_shape_is_token },
	{ "xoxs-", 10, true, redact_shape_is_token },
};

/* URLs that need no other secret.  The host says nothing (proxies, servers of one's own): what
 * stands behind these words, in parts of that many characters with that one behind each, is a
 * secret.  A part without one behind it is the last; where `most` bounds that, nothing follows. */
struct hook_part {
	redact_belongs *of;
	size_t least, most;
	char behind;
};

static const struct hook {
	const char *begin;
	struct hook_part part[PARTS];
	redact_belongs *rest;
} hooks[] = {
	/* Slack */
	{ "/services/",
	    { { is_upper, 8, 64, '/' }, { is_upper, 8, 64, '/' }, { is_alnum, 20, 0, 0 } },
	    is_path },
	{ "/workflows/",
	    { { is_upper, 8, 64, '/' }, { is_upper, 8, 64, '/' },
		{ redact_shape_is_digit, 8, 64, '/' }, { is_alnum, 20, 0, 0 } },
	    is_path },
	{ "/triggers/",
	    { { is_upper, 8, 64, '/' }, { redact_shape_is_digit, 8, 64, '/' },
		{ is_alnum, 20, 0, 0 } },
	    is_path },
	/* Discord */
	{ "/webhooks/",
	    { { redact_shape_is_digit, 15, 25, '/' }, { redact_shape_is_token, 50, 0, 0 } },
	    is_path },
	/* Teams: today's, of before, by Power Automate (and every address that Azure signs) */
	{ "/webhookb2/",
	    { { is_guid, 36, 36, '@' }, { is_guid, 36, 36, '/' }, { is_alnum, 1, 0, 0 } },
	    is_path },
	{ "/webhook/",
	    { { is_guid, 36, 36, '@' }, { is_guid, 36, 36, '/' }, { is_alnum, 1, 0, 0 } },
	    is_path },
	{ "?sig=", { { is_encoded, 40, 0, 0 } }, is_encoded },
	{ "&sig=", { { is_encoded, 40, 0, 0 } }, is_encoded },
	/* Mattermost, Rocket.Chat */
	{ "/hooks/", { { is_zbase32, 26, 26, 0 } }, NULL },
	{ "/hooks/", { { is_alnum, 17, 24, '/' }, { is_alnum, 40, 0, 0 } }, is_path },
};

static const char jwt[] = "eyJ"; /* `{"` in base64 */

/* --- tokens --- */

static size_t
run_of(redact_belongs *of, const char *t, size_t from, size_t end)
{
	while (from < end && of(t[from]))
		from++;
	return from;
}

/* At least `least` of them from t + from. */
static enum redact_match
match_run(redact_belongs *of, const char *t, size_t n, size_t from, size_t least,
    struct redact_shape *ret)
{
	size_t end = run_of(of, t, from, n);

	if (end - from < least)
		return end == n ? REDACT_MORE : REDACT_NO;
	ret->size = end;
	ret->rest = of;
	return REDACT_YES;
}

static enum redact_match
match_bot_token(const char *t, size_t n, struct redact_shape *ret)
{
	size_t digits = run_of(redact_shape_is_digit, t, 0, n < DIGITS_MAX ? n : DIGITS_MAX);

	if (digits == n)
		return REDACT_MORE;
	if (digits < 6 || t[digits] != ':')
		return REDACT_NO;
	return match_run(redact_shape_is_token, t, n, digits + 1, 30, ret);
}

static bool
begins_with(const char *t, size_t n, const char *prefix)
{
	size_t size = t[0] == prefix[0] ? strlen(prefix) : 0;

	return size > 0 && memcmp(t, prefix, n < size ? n : size) == 0;
}

static enum redact_match
match_token(const char *t, size_t n, char previous, struct redact_shape *ret)
{
	for (size_t i = 0; i < COUNT(tokens); i++) {
		const struct token *token = &tokens[i];

		if (!begins_with(t, n, token->prefix) || (token->at_word && is_alnum(previous)))
			continue;
		if (n < strlen(token->prefix))
			return REDACT_MORE;
		return match_run(token->of, t, n, strlen(token->prefix), token->least, ret);
	}
	return REDACT_NO;
}

/* The part of a JWT from there on, which a dot must follow. */
static enum redact_match
match_jwt_part(const char *t, size_t n, size_t from, size_t least, size_t *ret_end)
{
	size_t room = n - from < PART_MAX ? n - from : PART_MAX;

	*ret_end = run_of(redact_shape_is_token, t, from, from + room);
	if (*ret_end == n)
		return REDACT_MORE;
	return *ret_end - from >= least && t[*ret_end] == '.' ? REDACT_YES : REDACT_NO;
}

/* "eyJ…", a dot, what it says, a dot, the signature.  Where that fails all later
 * beginnings in the first part fail with it: they are not tried, or a long run of such words would
 * cost its square. */
static enum redact_match
match_jwt(const char *t, size_t n, bool is_last, struct redact_shape *ret)
{
	size_t size = strlen(jwt), header = 0, payload;
	enum redact_match m;

	if (!begins_with(t, n, jwt))
		return REDACT_NO;
	if (n < size)
		return REDACT_MORE;
	m = match_jwt_part(t, n, 0, JWT_HEADER, &header);
	if (m == REDACT_YES) {
		m = match_jwt_part(t, n, header + 1, JWT_PAYLOAD, &payload);
		if (m == REDACT_YES)
			m = match_run(redact_shape_is_token, t, n, payload + 1, JWT_SIGN, ret);
	}
	if (m == REDACT_NO || is_last)
		ret->none = header;
	return m;
}

/* --- hooks --- */

/* The part of a hook from t + from on.  REDACT_YES: *ret_end is behind it. */
static enum redact_match
match_hook_part(const struct hook_part *part, const char *t, size_t n, size_t from, bool is_last,
    size_t *ret_end)
{
	size_t room = part->most != 0 && n - from > part->most ? part->most : n - from;
	size_t end = run_of(part->of, t, from, from + room);
	bool is_enough = end - from >= part->least;

	*ret_end = end;
	if (part->behind == '\0' && is_enough && (part->most == 0 || (end == n && is_last)))
		return REDACT_YES;
	if (end == n)
		return REDACT_MORE;
	return is_enough &&
		(part->behind != '\0' ? t[end] == part->behind : !redact_shape_is_token(t[end])) ?
	    REDACT_YES :
	    REDACT_NO;
}

static enum redact_match
match_hook(const struct hook *hook, const char *t, size_t n, bool is_last, struct redact_shape *ret)
{
	size_t begin = strlen(hook->begin), end = begin;

	if (!begins_with(t, n, hook->begin))
		return REDACT_NO;
	if (n < begin)
		return REDACT_MORE;
	for (const struct hook_part *part = hook->part;; part++, end++) {
		enum redact_match m = match_hook_part(part, t, n, end, is_last, &end);

		if (m != REDACT_YES)
			return m;
		if (part->behind == '\0')
			break;
	}
	*ret = (struct redact_shape){ .keep = begin, .size = end, .rest = hook->rest };
	return REDACT_YES;
}

static enum redact_match
match_hooks(const char *t, size_t n, bool is_last, struct redact_shape *ret)
{
	for (size_t i = 0; i < COUNT(hooks); i++) {
		enum redact_match m = match_hook(&hooks[i], t, n, is_last, ret);

		if (m == REDACT_YES || (m == REDACT_MORE && !is_last))
			return m;
	}
	return REDACT_NO;
}

/* --- all of them --- */

/* One of two letters with each that may follow: a beginning has three. */
static void
each_beginning(const struct token *token, void (*each)(void *ctx, const char *begin), void *ctx)
{
	char begin[] = { token->prefix[0], token->prefix[1], '\0', '\0' };

	if (token->prefix[2] != '\0') {
		each(ctx, token->prefix);
		return;
	}
	for (int c = 1; c < 128; c++) {
		begin[2] = (char)c;
		if (token->of(begin[2]))
			each(ctx, begin);
	}
}

void
redact_shape_each(void (*each)(void *ctx, const char *begin), void *ctx)
{
	for (size_t i = 0; i < COUNT(tokens); i++)
		each_beginning(&tokens[i], each, ctx);
	for (size_t i = 0; i < COUNT(hooks); i++)
		each(ctx, hooks[i].begin);
	each(ctx, jwt);
}

enum redact_match
redact_shape_find(const char *t, size_t n, char previous, bool is_last, bool looks_for_jwt,
    struct redact_shape *ret)
{
	*ret = (struct redact_shape){ 0 };
	if (redact_shape_is_digit(t[0]))
		return redact_shape_is_digit(previous) ? REDACT_NO : match_bot_token(t, n, ret);
	if (t[0] == '/' || t[0] == '?' || t[0] == '&')
		return match_hooks(t, n, is_last, ret);
	if (t[0] == 'e')
		return looks_for_jwt ? match_jwt(t, n, is_last, ret) : REDACT_NO;
	return match_token(t, n, previous, ret);
}

size_t
redact_shape_rest(redact_belongs *rest, const char *t, size_t n, bool is_last, bool *ret_more)
{
	size_t at = 0;

	*ret_more = false;
	for (;;) {
		at = run_of(rest, t, at, n);
		if (at == n || t[at] != '.' || rest != redact_shape_is_token) {
			*ret_more = at == n;
			return at;
		}
		if (at + 1 == n) {
			*ret_more = !is_last;
			return at;
		}
		if (!redact_shape_is_token(t[at + 1]))
			return at;
		at++;
	}
}
