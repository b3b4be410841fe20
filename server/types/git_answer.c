/* git_answer.c - what git said, as a struct.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/git_answer.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/text.h"

#define STATUS_ANSWERED 0
#define STATUS_NO	64 /* git was asked; the ref is none of the repository */
#define LINE_ROOM	4096
#define AT_MOST_S	INT64_C(253402300799) /* the year 9999 */

/* The value of a key, NUL-terminated and scratch for its reader, into the member it belongs to. */
typedef bool take_fn(void *out, size_t room, char *value);

struct key {
	const char *name;
	take_fn *take;
	size_t offset;
	size_t size;
	bool decorates; /* a value that is none is left out */
};

static const char *const kind_names[] = { "", "branch", "tag", "commit", "upload" };

/* --- values ------------------------------------------------------------------------------- */

static bool
take_text(void *out, size_t room, char *value)
{
	(void)clean_line(out, room, value, strlen(value));
	return true;
}

/* A name must come back from us as it is: what cannot be shown as it is, is refused. */
static bool
take_name(void *out, size_t room, char *value)
{
	(void)clean_line(out, room, value, strlen(value));
	return strcmp(out, value) == 0 && *value != '\0';
}

static bool
take_hash(void *out, size_t room, char *value)
{
	size_t digits = strlen(value);

	if ((digits != 40 && digits != 64) || strspn(value, "0123456789abcdef") != digits)
		return false;
	return text_copy(out, room, value);
}

static bool
take_flag(void *out, UNUSED size_t room, char *value)
{
	*(bool *)out = strcmp(value, "1") == 0;
	return strcmp(value, "1") == 0 || strcmp(value, "0") == 0;
}

bool
git_image_is_digest(const char *image)
{
	static const char algorithm[] = "sha256:";
	const char *hex = image + strlen(algorithm);

	return text_starts(image, algorithm) && strlen(hex) == 64 &&
	    strspn(hex, "0123456789abcdef") == 64;
}

static enum git_kind
kind_of(const char *word)
{
	enum git_kind kind = GIT_UPLOAD;

	while (kind > GIT_NONE && strcmp(word, kind_names[kind]) != 0)
		kind--;
	return kind;
}

static bool
take_kind(void *out, UNUSED size_t room, char *value)
{
	*(enum git_kind *)out = kind_of(value);
	return true;
}

/* 0, not known, is what is odd too: anybody may write any date into a commit. */
static bool
take_at(void *out, UNUSED size_t room, char *value)
{
	int64_t seconds;

	if (!text_to_i64(value, 0, AT_MOST_S, &seconds, NULL))
		seconds = 0;
	*(int64_t *)out = seconds * 1000;
	return true;
}

static bool
take_image(void *out, size_t room, char *value)
{
	static const char *const words[] = { GIT_IMAGE_BUILD, GIT_IMAGE_NONE, GIT_IMAGE_UNKNOWN };

	if (git_image_is_digest(value) || text_index(value, words, COUNT(words)) < COUNT(words))
		(void)text_copy(out, room, value);
	return true;
}

/* Not empty, whatever it is: that there is a branch decides whether a commit may be off it. */
static bool
take_branch(void *out, size_t room, char *value)
{
	(void)clean_line(out, room, value, strlen(value));
	if (((char *)out)[0] == '\0')
		(void)text_copy(out, room, "?");
	return true;
}

/* A file without a word in it forbids the same. */
static bool
take_barrier(void *out, size_t room, char *value)
{
	if (*clean_line(out, room, value, strlen(value)) == '\0')
		(void)text_copy(out, room, "no reason is given");
	return true;
}

static bool
take_violation(void *out, size_t room, char *value)
{
	size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyz_");

	return size > 0 && size < room && value[size] == '\0' && text_copy(out, room, value);
}

static bool
take_count(void *out, UNUSED size_t room, char *value)
{
	return text_to_i64(value, 0, INT64_MAX, out, NULL);
}

/* --- lines of which there may be several, into the whole answer --------------------------- */

/* Cuts the first word off; NULL when nothing stands behind it. */
static char *
rest_of(char *value)
{
	char *blank = strchr(value, ' ');

	if (blank == NULL)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

/* `HASH AUTHOR<TAB>SUBJECT`, for people: either text may be empty or missing, and a line without a
 * commit is left out. */
static bool
take_change(void *out, UNUSED size_t room, char *value)
{
	struct git_answer *answer = out;
	struct git_change *change = &answer->change[answer->n_changes];
	char *author = rest_of(value);
	char *subject = author == NULL ? NULL : strchr(author, '\t');

	if (answer->n_changes == COUNT(answer->change) ||
	    !take_hash(change->commit, sizeof(change->commit), value))
		return true;
	answer->n_changes++;
	if (subject != NULL)
		*subject++ = '\0';
	if (author != NULL)
		(void)take_text(change->author, sizeof(change->author), author);
	return subject == NULL || take_text(change->subject, sizeof(change->subject), subject);
}

static bool
take_contains(void *out, UNUSED size_t room, char *value)
{
	struct git_answer *answer = out;

	if (answer->n_contained < COUNT(answer->contained) &&
	    take_hash(answer->contained[answer->n_contained], LIMIT_COMMIT, value))
		answer->n_contained++;
	return true; /* it decorates: without it a block stays until a person deploys */
}

static bool
take_past(void *out, UNUSED size_t room, char *value)
{
	struct git_answer *answer = out;
	struct git_past *past = &answer->past[answer->n_past];
	char *reason = rest_of(value), none[] = "";

	if (answer->n_past < COUNT(answer->past) &&
	    take_hash(past->commit, sizeof(past->commit), value) &&
	    take_barrier(past->reason, sizeof(past->reason), reason != NULL ? reason : none))
		answer->n_past++;
	return true;
}

/* A comma behind each. */
static bool
take_untouched(void *out, UNUSED size_t room, char *value)
{
	struct git_answer *answer = out;
	size_t used = strlen(answer->untouched);

	if (used + strlen(value) + 2 <= sizeof(answer->untouched))
		(void)snprintf(
		    answer->untouched + used, sizeof(answer->untouched) - used, "%s,", value);
	return true; /* what is not there counts as touched */
}

static bool
take_head(void *out, UNUSED size_t room, char *value)
{
	struct git_answer *answer = out;
	struct git_head *head;
	char *branch = rest_of(value);

	if (branch == NULL || answer->n_heads == COUNT(answer->head))
		return branch != NULL;
	head = &answer->head[answer->n_heads++];
	return take_hash(head->commit, sizeof(head->commit), value) &&
	    take_name(head->branch, sizeof(head->branch), branch);
}

/* What is possible is help for people: one that cannot be shown is left out. */
static bool
take_possible(void *out, UNUSED size_t room, char *value)
{
	struct git_answer *answer = out;
	struct git_name possible = { .kind = GIT_NONE };
	char *name = rest_of(value);
	char *about = name == NULL ? NULL : strchr(name, '\t');

	if (about != NULL) {
		*about++ = '\0';
		(void)take_text(possible.about, sizeof(possible.about), about);
	}
	possible.kind = kind_of(value);
	if (name != NULL && answer->n_possible < COUNT(answer->possible) &&
	    possible.kind != GIT_NONE && take_name(possible.name, sizeof(possible.name), name))
		answer->possible[answer->n_possible++] = possible;
	return true;
}

/* In the order of runner/protocol.h.  Only what is decided by makes an answer unreadable where it
 * is odd: commit, branch_commit, in_branch, base, forced, count, head.  The others decorate. */
#define ROW(name, take, decorates) \
	{ \
#name, take, offsetof(struct git_answer, name), \
		    sizeof(((struct git_answer *)0)->name), decorates \
	}
#define MEMBER(name, take)     ROW(name, take, false)
#define DECORATION(name, take) ROW(name, take, true)
#define WHOLE(name, take) \
	{ \
#name, take, 0, sizeof(struct git_answer), false \
	}

static const struct key keys[] = {
	MEMBER(ref, take_text),
	MEMBER(kind, take_kind),
	MEMBER(commit, take_hash),
	DECORATION(tree, take_hash),
	MEMBER(author, take_text),
	MEMBER(at, take_at),
	MEMBER(subject, take_text),
	MEMBER(branch, take_branch),
	MEMBER(branch_commit, take_hash),
	MEMBER(in_branch, take_flag),
	MEMBER(base, take_hash),
	MEMBER(forced, take_flag),
	MEMBER(lacks_after, take_flag),
	MEMBER(touches, take_flag),
	WHOLE(untouched, take_untouched),
	MEMBER(barrier, take_barrier),
	WHOLE(past, take_past),
	MEMBER(no_history, take_flag),
	MEMBER(count, take_count),
	WHOLE(change, take_change),
	MEMBER(missing, take_text),
	MEMBER(image, take_image),
	DECORATION(mirror, take_count),
	MEMBER(files, take_count),
	MEMBER(bytes, take_count),
	WHOLE(contains, take_contains),
	WHOLE(head, take_head),
	MEMBER(error, take_text),
	MEMBER(advised, take_flag),
	DECORATION(violation, take_violation),
	WHOLE(possible, take_possible),
};

/* --- lines -------------------------------------------------------------------------------- */

/* A line without its end; keys that are not known are of a newer version.  *bad_key is set to the
 * name of one whose value is none. */
static bool
take_line(struct git_answer *answer, const char *line, size_t size, const char **bad_key)
{
	char copy[LINE_ROOM];
	char *value;

	if (size >= sizeof(copy))
		size = text_cut(line, size, sizeof(copy) - 1);
	memcpy(copy, line, size);
	copy[size] = '\0';
	value = strchr(copy, ' ');
	if (value == NULL)
		return true;
	*value++ = '\0';
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i].name, copy) != 0)
			continue;
		if (keys[i].take((char *)answer + keys[i].offset, keys[i].size, value) ||
		    keys[i].decorates)
			return true;
		*bad_key = keys[i].name;
		return false;
	}
	return true;
}

/* True when `end` stood there, and nothing before it was wrong. */
static bool
take_lines(struct git_answer *answer, const char *text, const char **bad_key)
{
	const char *stop;

	for (; *text != '\0'; text = *stop == '\0' ? stop : stop + 1) {
		size_t size = strcspn(text, "\n");

		stop = text + size;
		if (size == 3 && memcmp(text, "end", 3) == 0)
			return true;
		if (text_starts(text, "==> "))
			continue;
		if (!take_line(answer, text, size, bad_key))
			return false;
	}
	return false;
}

/* What is decided by stands beside a commit, or the answer is unreadable: 0 would be a guess. */
static const char *
missing_key(const struct git_answer *answer, const char *text)
{
	static const char *const wanted[] = { "\nin_branch ", "\nforced ", "\ncount " };
	static const char *const names[] = { "in_branch", "forced", "count" };

	for (size_t i = 0; answer->commit[0] != '\0' && i < COUNT(wanted); i++) {
		if (strstr(text, wanted[i]) == NULL)
			return names[i];
	}
	return NULL;
}

/* The last line with anything in it. */
static void
last_line(char out[LIMIT_LINE], const char *text)
{
	size_t end = strlen(text);

	out[0] = '\0';
	while (end > 0 && out[0] == '\0') {
		size_t start = end;

		while (start > 0 && text[start - 1] != '\n')
			start--;
		(void)clean_line(out, LIMIT_LINE, text + start, end - start);
		end = start > 0 ? start - 1 : 0;
	}
}

static bool
unanswered(const char *text, int exit_status, struct git_answer *ret, struct err *err)
{
	struct git_answer said = { .kind = GIT_NONE };
	const char *bad_key = NULL;

	(void)take_lines(&said, text, &bad_key);
	if (said.error[0] == '\0')
		last_line(said.error, text);
	if (said.error[0] == '\0')
		text_setf(said.error, "git did not answer (status %d)", exit_status);
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->error, said.error, sizeof(ret->error));
	ret->advised = said.advised;
	memcpy(ret->violation, said.violation, sizeof(ret->violation));
	return err_set(err, ERR_IO, "%s", ret->error);
}

static bool
broken(struct git_answer *ret, const char *bad_key, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (bad_key != NULL)
		text_setf(ret->error, "git's answer cannot be read: bad %s", bad_key);
	else
		text_setf(ret->error, "git's answer broke off");
	return err_set(err, ERR_IO, "%s", ret->error);
}

bool
git_answer_decode(const char *text, int exit_status, struct git_answer *ret, struct err *err)
{
	const char *bad_key = NULL;

	if (text == NULL)
		text = "";
	if (exit_status != STATUS_ANSWERED && exit_status != STATUS_NO)
		return unanswered(text, exit_status, ret, err);
	memset(ret, 0, sizeof(*ret));
	ret->touches = true; /* unless git says that it does not */
	if (!take_lines(ret, text, &bad_key) || (bad_key = missing_key(ret, text)) != NULL)
		return broken(ret, bad_key, err);
	ret->has_base = ret->base[0] != '\0';
	if (exit_status == STATUS_NO && ret->error[0] == '\0')
		text_setf(ret->error, "git knows no such ref");
	if (exit_status == STATUS_ANSWERED)
		ret->error[0] = '\0';
	return true;
}
