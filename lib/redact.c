/* redact.c - one pass over what a filter does not pass over.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact.h"

#include <pthread.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/redact_filter.h"
#include "lib/redact_ledger.h"
#include "lib/redact_lent.h"
#include "lib/redact_shape.h"
#include "lib/redact_value.h"

#define KEY_MAX	    32768 /* bytes after which a private key without END has ended */
#define KEY_HEADING 96	  /* "-----BEGIN … PRIVATE KEY-----" at most */
#define HELD_CAP    (4u << 20)
#define PART_MAX    8192 /* bytes of a URL's user and password, or of a header's credentials */
#define USER_MIN    20	 /* a user without a password is a token from here on, and no name */
#define GAP_MAX	    8	 /* between "authorization" and the scheme: `": "` and the like */

struct redact {
	pthread_mutex_t lock;
	struct redact_values known;
	struct redact_ledger lent;
	size_t values; /* that are known for ever */
	size_t values_max;
};

#ifndef NEXT /* a test looks at each byte */
#define NEXT redact_filter_next
#endif

/* What is known from the text before the bytes in hand. */
struct state {
	char previous;	      /* the byte before, 0 at the start */
	redact_belongs *rest; /* in a secret of known shape, of such bytes; NULL: in none */
	size_t no_jwt;	      /* so many bytes from here on begin none */
	size_t key_bytes;     /* > 0: in a private key, so far */
};

struct redact_stream {
	struct redact *redact;
	struct state state;
	struct buf held;
};

static const char user_begin[] = "://", key_begin[] = "-----BEGIN ", key_end[] = "-----END ",
		  authorization[] = "authorization";

/* --- the filter --- */

static void
add_shape(void *ctx, const char *begin)
{
	redact_filter_add_shape(ctx, begin);
}

/* In capitals, too. */
static void
add_authorization(struct redact_filter *f)
{
	for (unsigned capitals = 0; capitals < 1 << REDACT_FILTER_SHAPE; capitals++) {
		char begin[REDACT_FILTER_SHAPE];

		for (size_t i = 0; i < sizeof(begin); i++)
			begin[i] = (char)(authorization[i] - (capitals >> i & 1 ? 'a' - 'A' : 0));
		redact_filter_add_shape(f, begin);
	}
}

static void
init_filter(struct redact_filter *f)
{
	redact_filter_init(f);
	redact_shape_each(add_shape, f);
	redact_filter_add_shape(f, user_begin);
	redact_filter_add_shape(f, key_begin);
	add_authorization(f);
}

/* Where no values are known. */
static struct redact_filter shapes;

static void
init_shapes(void)
{
	init_filter(&shapes);
}

static const struct redact_filter *
filter_of(const struct redact *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (r != NULL)
		return &r->known.filter;
	(void)pthread_once(&once, init_shapes); /* fails for no valid control */
	return &shapes;
}

/* --- known values --- */

struct redact *
redact_new(void)
{
	struct redact *r = mem_new(1, sizeof(*r));

	(void)pthread_mutex_init(&r->lock, NULL); /* a plain mutex: takes nothing */
	r->values_max = REDACT_VALUES_MAX;
	redact_value_init(&r->known, filter_of(NULL));
	return r;
}

void
redact_free(struct redact *r)
{
	if (r == NULL)
		return;
	redact_value_done(&r->known);
	(void)pthread_mutex_destroy(&r->lock); /* nobody uses it any more */
	free(r);
}

static void
lock(struct redact *r)
{
	if (r != NULL)
		(void)pthread_mutex_lock(&r->lock); /* a plain mutex of ours: cannot fail */
}

static void
unlock(struct redact *r)
{
	if (r != NULL)
		(void)pthread_mutex_unlock(&r->lock);
}

void
redact_room(struct redact *r, size_t values)
{
	lock(r);
	r->values_max = values > REDACT_VALUES_MAX ? values : REDACT_VALUES_MAX;
	unlock(r);
}

bool
redact_add(struct redact *r, const char *value, struct err *err)
{
	const struct redact_needle *is;
	size_t size = strlen(value);
	bool known, ok;

	if (size < REDACT_VALUE_MIN)
		return true;
	if (size > REDACT_VALUE_MAX)
		return err_set(
		    err, ERR_LIMIT, "a secret is longer than %d bytes", REDACT_VALUE_MAX);
	lock(r);
	is = redact_value_find(&r->known, value);
	known = is != NULL && is->until == REDACT_EVER;
	ok = known || r->values < r->values_max;
	if (!ok) {
		(void)err_set(err, ERR_LIMIT,
		    "more than %zu secrets to keep out of logs and messages since the start: restart",
		    r->values_max);
	} else {
		redact_value_add(&r->known, value, REDACT_EVER);
		r->values += known ? 0 : 1;
	}
	unlock(r);
	return ok;
}

/* What it takes up, whoever else knows it. */
static struct redact_entry
entry_of(const struct redact *r, const struct redact_lesson *lesson)
{
	struct redact_entry entry = { .value = redact_value_find(&r->known, lesson->value),
		.by = lesson->by,
		.until = lesson->until,
		.bytes = strlen(lesson->value),
		.needles = redact_value_needles(lesson->value) };

	for (size_t i = 0; i < lesson->n_parts; i++)
		if (strlen(lesson->parts[i]) >= REDACT_VALUE_MIN)
			entry.needles += redact_value_needles(lesson->parts[i]);
	return entry;
}

static bool
repeats(const struct redact_lesson *lesson)
{
	bool is_so = redact_value_repeats(lesson->value);

	for (size_t i = 0; i < lesson->n_parts; i++)
		is_so = is_so || redact_value_repeats(lesson->parts[i]);
	return is_so;
}

static bool
has_room(struct redact *r, const struct redact_lesson *lesson, const struct redact_entry *entry,
    struct err *err)
{
	if (redact_ledger_find(&r->lent, entry->value, &entry->by) != NULL)
		return true;
	if (entry->needles > REDACT_LENT_NEEDLES / SHARE_OF_ONE)
		return err_set(err, ERR_LIMIT, "it has too many lines to keep out of logs");
	if (repeats(lesson))
		return err_set(
		    err, ERR_LIMIT, "it repeats itself too often to keep it out of logs");
	return redact_ledger_check(&r->lent, entry, err);
}

static void
learn(struct redact *r, const struct redact_lesson *lesson, struct redact_entry *entry)
{
	redact_value_add(&r->known, lesson->value, lesson->until);
	for (size_t i = 0; i < lesson->n_parts; i++)
		if (strlen(lesson->parts[i]) >= REDACT_VALUE_MIN)
			redact_value_add(&r->known, lesson->parts[i], lesson->until);
	entry->value = redact_value_find(&r->known, lesson->value);
	redact_ledger_put(&r->lent, entry);
}

bool
redact_learn_until(struct redact *r, const struct redact_lesson *lesson, struct err *err)
{
	struct redact_entry entry;
	bool ok;

	if (strlen(lesson->value) < REDACT_VALUE_MIN)
		return err_set(err, ERR_INVALID, "it is shorter than %d bytes", REDACT_VALUE_MIN);
	lock(r);
	entry = entry_of(r, lesson);
	ok = has_room(r, lesson, &entry, err);
	if (ok)
		learn(r, lesson, &entry);
	unlock(r);
	return ok;
}

bool
redact_is_full(struct redact *r, const struct share_by *by)
{
	static const char least[] = "shorte";
	const struct redact_entry more = {
		.by = *by, .bytes = REDACT_VALUE_MIN, .needles = redact_value_needles(least)
	};
	bool is_full;

	_Static_assert(sizeof(least) == REDACT_VALUE_MIN + 1, "a shorter one is not known");
	lock(r);
	is_full = !redact_ledger_check(&r->lent, &more, NULL);
	unlock(r);
	return is_full;
}

/* What is known for a time is known for one of the entries'. */
int64_t
redact_forget(struct redact *r, int64_t now)
{
	int64_t next;

	lock(r);
	next = redact_ledger_forget(&r->lent, now);
	redact_value_forget(&r->known, filter_of(NULL), now);
	unlock(r);
	return next;
}

/* --- matching at one place --- */

static enum redact_match
match_value(const struct redact *r, const char *t, size_t n, bool is_last, size_t *ret_size)
{
	return r == NULL ? REDACT_NO : redact_value_match(&r->known, t, n, is_last, ret_size);
}

static bool
is_user(char c)
{
	return redact_shape_is_token(c) || (c != '\0' && strchr(".~%!$&()*+,;=:", c) != NULL);
}

/* token68 (RFC 9110, 11.2) */
static bool
is_credential(char c)
{
	return redact_shape_is_token(c) || (c != '\0' && strchr(".~+/=", c) != NULL);
}

/* All that belongs together from t + from.  A known value in it is passed whole, whatever it is
 * made of: else what is left of it would stay. */
static enum redact_match
match_part(const struct redact *r, const char *t, size_t n, size_t from, bool is_last,
    bool (*belongs)(char c), size_t *ret_end)
{
	size_t at = from, size = 0;

	while (at < n) {
		enum redact_match m = match_value(r, t + at, n - at, is_last, &size);

		if (m == REDACT_MORE)
			return REDACT_MORE;
		if (m == REDACT_NO && (at - from >= PART_MAX || !belongs(t[at])))
			break;
		at += m == REDACT_YES ? size : 1;
	}
	*ret_end = at;
	return at < n || is_last ? REDACT_YES : REDACT_MORE;
}

/* "://user:password@" */
static enum redact_match
match_user(const struct redact *r, const char *t, size_t n, bool is_last, size_t *ret_keep,
    size_t *ret_size)
{
	size_t head = strlen(user_begin), end;
	const char *colon;

	if (memcmp(t, user_begin, n < head ? n : head) != 0)
		return REDACT_NO;
	if (n < head || match_part(r, t, n, head, is_last, is_user, &end) == REDACT_MORE)
		return REDACT_MORE;
	if (end == n || t[end] != '@')
		return REDACT_NO;
	colon = memchr(t + head, ':', end - head);
	if (colon == NULL ? end - head < USER_MIN : colon + 1 == t + end)
		return REDACT_NO;
	*ret_keep = head;
	*ret_size = end;
	return REDACT_YES;
}

/* "Authorization: Bearer credentials", however it is quoted. */
static enum redact_match
match_authorization(const struct redact *r, const char *t, size_t n, bool is_last, size_t *ret_keep,
    size_t *ret_size)
{
	static const char *const schemes[] = { "bearer ", "basic ", "token " };
	size_t at = strlen(authorization), end;

	if (strncasecmp(t, authorization, n < at ? n : at) != 0)
		return REDACT_NO;
	while (at < n && at < strlen(authorization) + GAP_MAX && t[at] != '\0' &&
	    strchr("\"' \t:=", t[at]) != NULL)
		at++;
	if (at >= n)
		return REDACT_MORE;
	for (size_t i = 0; i < COUNT(schemes); i++) {
		size_t size = strlen(schemes[i]), left = n - at;

		if (strncasecmp(t + at, schemes[i], left < size ? left : size) != 0)
			continue;
		if (left < size ||
		    match_part(r, t, n, at + size, is_last, is_credential, &end) == REDACT_MORE)
			return REDACT_MORE;
		*ret_keep = at + size;
		*ret_size = end;
		return end - *ret_keep < REDACT_VALUE_MIN ? REDACT_NO : REDACT_YES;
	}
	return REDACT_NO;
}

/* "-----BEGIN " or "-----END ", capitals and blanks, "PRIVATE KEY-----". */
static enum redact_match
match_key_line(const char *t, size_t n, const char *begin, size_t *ret_size)
{
	static const char tail[] = "PRIVATE KEY-----";
	size_t head = strlen(begin), end;

	if (memcmp(t, begin, n < head ? n : head) != 0)
		return REDACT_NO;
	if (n < head)
		return REDACT_MORE;
	for (end = head; end < n && end < KEY_HEADING; end++) {
		if (t[end] == '-')
			break;
		if (t[end] != ' ' && !(t[end] >= 'A' && t[end] <= 'Z') &&
		    !redact_shape_is_digit(t[end]))
			return REDACT_NO;
	}
	if (end == KEY_HEADING)
		return REDACT_NO;
	end += 5; /* the dashes */
	if (end > n)
		return REDACT_MORE;
	if (end < head + strlen(tail) || memcmp(t + end - strlen(tail), tail, strlen(tail)) != 0)
		return REDACT_NO;
	*ret_size = end;
	return REDACT_YES;
}

/* --- the pass --- */

/* Inside a private key: moves past its END line, or past all but what could begin one. */
static size_t
skip_key(struct state *s, const char *t, size_t n, bool is_last)
{
	size_t size = 0, at;

	for (at = 0; at < n && s->key_bytes < KEY_MAX; at++, s->key_bytes++) {
		enum redact_match m =
		    t[at] != '-' ? REDACT_NO : match_key_line(t + at, n - at, key_end, &size);

		if (m == REDACT_MORE && !is_last)
			return at;
		if (m != REDACT_YES)
			continue;
		s->key_bytes = 0;
		return at + size;
	}
	if (s->key_bytes >= KEY_MAX)
		s->key_bytes = 0;
	return at;
}

/* Something secret behind words that are none.  A known value that begins in those is looked at by
 * itself. */
static enum redact_match
check_kept(const struct redact *r, const char *t, size_t n, bool is_last, size_t keep)
{
	size_t size;

	for (size_t i = 1; i < keep; i++) {
		enum redact_match value = match_value(r, t + i, n - i, is_last, &size);

		if (value != REDACT_NO)
			return value == REDACT_YES ? REDACT_NO : REDACT_MORE;
	}
	return REDACT_YES;
}

static enum redact_match
match_key(struct state *s, const char *t, size_t n, struct redact_shape *ret)
{
	enum redact_match m = match_key_line(t, n, key_begin, &ret->size);

	s->key_bytes = m == REDACT_YES ? 1 : 0;
	return m;
}

/* By what it looks like. */
static enum redact_match
match_shape(const struct redact *r, struct state *s, char previous, const char *t, size_t n,
    bool is_last, struct redact_shape *ret)
{
	enum redact_match m;

	*ret = (struct redact_shape){ 0 };
	switch (t[0]) {
	case '-':
		return match_key(s, t, n, ret);
	case ':':
		m = match_user(r, t, n, is_last, &ret->keep, &ret->size);
		break;
	case 'a':
		m = match_authorization(r, t, n, is_last, &ret->keep, &ret->size);
		break;
	case 'A':
		m = match_authorization(r, t, n, is_last, &ret->keep, &ret->size);
		if (m != REDACT_NO)
			break;
		/* fall through */
	default:
		m = redact_shape_find(t, n, previous, is_last, s->no_jwt == 0, ret);
	}
	return m == REDACT_YES && ret->keep > 0 ? check_kept(r, t, n, is_last, ret->keep) : m;
}

/* What stands at t; sets the state for what goes on after a YES.  What may become a value is waited
 * for, also where it has a token's shape: the value may be longer than that. */
static enum redact_match
match_any(const struct redact *r, struct state *s, char previous, const char *t, size_t n,
    bool is_last, struct redact_shape *ret)
{
	enum redact_match m;

	*ret = (struct redact_shape){ 0 };
	m = match_value(r, t, n, is_last, &ret->size);
	if (m == REDACT_NO) {
		m = match_shape(r, s, previous, t, n, is_last, ret);
		s->rest = m == REDACT_YES ? ret->rest : NULL;
		if (ret->none > s->no_jwt)
			s->no_jwt = ret->none;
	}
	return m;
}

static void
move_on(struct state *s, size_t size, size_t *at)
{
	*at += size;
	s->no_jwt = s->no_jwt > size ? s->no_jwt - size : 0;
}

/* In a secret that was begun: moves behind all that is certain of it.  False: it is not over. */
static bool
skip(struct state *s, const char *t, size_t n, bool is_last, size_t *at)
{
	bool more = false;

	if (s->rest == NULL) {
		move_on(s, skip_key(s, t + *at, n - *at, is_last), at);
		return s->key_bytes == 0;
	}
	move_on(s, redact_shape_rest(s->rest, t + *at, n - *at, is_last, &more), at);
	if (!more)
		s->rest = NULL;
	return !more;
}

/* Appends what is certain and returns how much of t that was: all when is_last.  out NULL: it
 * ends where something is replaced, too. */
static size_t
scan(
    const struct redact *r, struct state *s, const char *t, size_t n, bool is_last, struct buf *out)
{
	const struct redact_filter *filter = filter_of(r);
	struct redact_places places = { 0 };
	size_t at = 0, plain = 0, next; /* t[plain..at) is to be copied */

	while (at < n) {
		struct redact_shape is;
		enum redact_match m;

		if (s->key_bytes > 0 || s->rest != NULL) {
			bool is_over = out != NULL && skip(s, t, n, is_last, &at);

			plain = at;
			if (!is_over)
				break;
			continue;
		}
		next = NEXT(filter, &places, t, n, at);
		move_on(s, next - at, &at);
		if (at == n)
			break;
		m = match_any(
		    r, s, (char)(at > 0 ? t[at - 1] : s->previous), t + at, n - at, is_last, &is);
		if (m == REDACT_MORE && !is_last)
			break;
		if (m == REDACT_YES && out == NULL) {
			s->rest = NULL;
			s->key_bytes = 0;
			break;
		}
		if (m == REDACT_YES) {
			buf_add(out, t + plain, at - plain + is.keep);
			buf_adds(out, REDACT_MARK);
			move_on(s, is.size, &at);
			plain = at;
			continue;
		}
		move_on(s, 1, &at);
	}
	if (out != NULL)
		buf_add(out, t + plain, at - plain);
	if (at > 0)
		s->previous = t[at - 1];
	return is_last ? n : at;
}

void
redact_text(struct redact *r, const char *text, size_t size, struct buf *out)
{
	struct state state = { 0 };

	lock(r);
	(void)scan(r, &state, text, size, true, out); /* all of it */
	unlock(r);
}

void
redact_head(struct redact *r, const char *text, size_t size, struct buf *out)
{
	struct state state = { 0 };

	lock(r);
	(void)scan(r, &state, text, size, false, out); /* what is certain of it */
	unlock(r);
}

struct redact_stream *
redact_stream_new(struct redact *r, bool has_all)
{
	struct redact_stream *s = mem_new(1, sizeof(*s));

	s->redact = r;
	buf_init(&s->held, HELD_CAP);
	if (has_all)
		buf_reserve(&s->held);
	return s;
}

void
redact_stream_free(struct redact_stream *s)
{
	if (s == NULL)
		return;
	buf_wipe(&s->held);
	free(s);
}

static void
stream(struct redact_stream *s, const char *piece, size_t size, bool is_last, struct buf *out)
{
	bool is_held = s->held.size > 0;
	size_t done;

	if (!is_held) { /* most often: nothing is copied but what is held back then */
		lock(s->redact);
		done = scan(s->redact, &s->state, piece, size, is_last, out);
		unlock(s->redact);
		piece += done;
		size -= done;
	}
	buf_add(&s->held, piece, size);
	if (buf_failed(&s->held)) {
		out->failed = true;
		return;
	}
	if (!is_held)
		return;
	lock(s->redact);
	done = scan(s->redact, &s->state, buf_text(&s->held), s->held.size, is_last, out);
	unlock(s->redact);
	buf_drop_front(&s->held, done);
}

void
redact_stream_add(struct redact_stream *s, const char *piece, size_t size, struct buf *out)
{
	size_t part;

	for (; size > 0; piece += part, size -= part) {
		part = size < HELD_CAP / 4 ? size : HELD_CAP / 4;
		stream(s, piece, part, false, out);
	}
}

size_t
redact_stream_pass(struct redact_stream *s, const char *piece, size_t size)
{
	size_t passed;

	if (s->held.size > 0)
		return 0;
	lock(s->redact);
	passed = scan(s->redact, &s->state, piece, size, false, NULL);
	unlock(s->redact);
	return passed;
}

void
redact_stream_end(struct redact_stream *s, struct buf *out)
{
	stream(s, "", 0, true, out);
	s->state = (struct state){ 0 };
	buf_clear(&s->held);
}
