/* s3_versions.c - ListVersionsResult, Retention and Error, field by field.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/s3_versions.h"

#include <stdlib.h>
#include <time.h>

#include "lib/array.h"
#include "lib/clean.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/xml.h"

#define LIST	"ListVersionsResult"
#define VERSION LIST "/Version"
#define MARKER	LIST "/DeleteMarker"

bool
s3_time_read(const char *text, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end != NULL && *end == '.') {
		end++;
		end += strspn(end, "0123456789");
	}
	if (end == NULL || strcmp(end, "Z") != 0)
		return false;
	*ret_ms = 1000 * (int64_t)timegm(&tm);
	return true;
}

/* --- a page of versions --- */

struct page {
	struct s3_versions *all;
	struct s3_version version; /* the one that is read */
	bool is_one;		   /* the root is a list */
	bool is_truncated;
	char next_key[S3_KEY_MAX], next_version[S3_VERSION_MAX];
};

static void
drop(struct s3_version *version)
{
	free(version->key);
	free(version->version);
	*version = (struct s3_version){ 0 };
}

static void
take_text(char **ret, const char *text)
{
	free(*ret);
	*ret = mem_text(text);
}

static bool
add(struct page *page, bool is_marker, struct err *err)
{
	struct s3_versions *all = page->all;

	if (page->version.key == NULL || page->version.version == NULL || page->version.at == 0)
		return err_set(err, ERR_INVALID,
		    "a version in the bucket's list lacks its Key, VersionId or LastModified");
	if (all->n == S3_VERSIONS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d versions", S3_VERSIONS_MAX);
	array_reserve(&all->at, all->n, &all->room, 1000, sizeof(*all->at));
	page->version.is_marker = is_marker;
	page->version.order = all->n;
	all->at[all->n++] = page->version;
	page->version = (struct s3_version){ 0 };
	return true;
}

static bool
on_list_start(void *ctx, const char *path, struct err *err)
{
	struct page *page = ctx;

	if (strchr(path, '/') == NULL && strcmp(path, LIST) != 0)
		return err_set(
		    err, ERR_INVALID, "it is no list of versions: it begins with %.40s", path);
	page->is_one = true;
	if (strcmp(path, VERSION) == 0 || strcmp(path, MARKER) == 0)
		drop(&page->version);
	return true;
}

/* Of a Version or a DeleteMarker. */
static bool
take_field(struct page *page, const char *name, const char *text, struct err *err)
{
	if (strcmp(name, "Key") == 0)
		take_text(&page->version.key, text);
	else if (strcmp(name, "VersionId") == 0)
		take_text(&page->version.version, text);
	else if (strcmp(name, "LastModified") == 0 && !s3_time_read(text, &page->version.at))
		return err_set(err, ERR_INVALID, "LastModified is %.40s", text);
	return true;
}

static bool
on_list_end(void *ctx, const char *path, const char *text, struct err *err)
{
	struct page *page = ctx;
	bool is_marker = text_starts(path, MARKER), is_version = text_starts(path, VERSION);
	const char *name = strrchr(path, '/');

	if (strcmp(path, MARKER) == 0 || strcmp(path, VERSION) == 0)
		return add(page, is_marker, err);
	if (name != NULL && (is_marker || is_version))
		return take_field(page, name + 1, text, err);
	if (strcmp(path, LIST "/IsTruncated") == 0)
		return text_to_bool(text, &page->is_truncated, err) || err_wrap(err, "IsTruncated");
	if ((strcmp(path, LIST "/NextKeyMarker") == 0 &&
		!text_copy(page->next_key, sizeof(page->next_key), text)) ||
	    (strcmp(path, LIST "/NextVersionIdMarker") == 0 &&
		!text_copy(page->next_version, sizeof(page->next_version), text)))
		return err_set(err, ERR_LIMIT, "a marker of the bucket's list is too long");
	return true;
}

bool
s3_versions_read(struct s3_versions *versions, const char *xml, size_t size, struct err *err)
{
	static const struct xml_reader reader = { .on_start = on_list_start,
		.on_end = on_list_end };
	CLEANUP(freep) struct page *page = mem_new(1, sizeof(*page));
	bool ok;

	page->all = versions;
	ok = xml_read(xml, size, &reader, page, err);
	if (ok && page->is_truncated &&
	    (page->next_key[0] == '\0' ||
		(strcmp(page->next_key, versions->next_key) == 0 &&
		    strcmp(page->next_version, versions->next_version) == 0)))
		ok = err_set(err, ERR_INVALID, "the bucket's list goes on, and does not say where");
	if (ok) {
		versions->is_truncated = page->is_truncated;
		memcpy(versions->next_key, page->next_key, sizeof(page->next_key));
		memcpy(versions->next_version, page->next_version, sizeof(page->next_version));
	}
	drop(&page->version);
	return ok;
}

void
s3_versions_done(struct s3_versions *versions)
{
	for (size_t i = 0; i < versions->n; i++)
		drop(&versions->at[i]);
	free(versions->at);
	*versions = (struct s3_versions){ 0 };
}

static int
compare(const void *a, const void *b)
{
	const struct s3_version *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	if (order != 0)
		return order;
	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	return (left->order < right->order) - (left->order > right->order);
}

void
s3_versions_sort(struct s3_versions *versions)
{
	if (versions->n > 1)
		qsort(versions->at, versions->n, sizeof(versions->at[0]), compare);
}

/* --- small answers --- */

struct error {
	char code[64], message[160];
};

static bool
on_error_end(void *ctx, const char *path, const char *text, UNUSED struct err *err)
{
	struct error *error = ctx;

	if (strcmp(path, "Error/Code") == 0)
		text_set(error->code, text);
	else if (strcmp(path, "Error/Message") == 0)
		text_set(error->message, text);
	return true;
}

const char *
s3_error_read(const char *xml, size_t size, char *out, size_t room)
{
	static const struct xml_reader reader = { .on_end = on_error_end };
	struct error error = { "", "" };
	char line[sizeof(error) + 4];
	struct err err;

	out[0] = '\0';
	if (!xml_read(xml, size, &reader, &error, &err) || !text_is_plain(error.code) ||
	    !text_is_plain(error.message) || error.code[0] == '\0')
		return out;
	text_setf(line, "%s: %s", error.code, error.message);
	(void)clean_line(out, room, line, strlen(line));
	return out;
}

static bool
on_lock_end(void *ctx, const char *path, const char *text, struct err *err)
{
	struct s3_lock *lock = ctx;

	if (strcmp(path, "Retention/Mode") == 0 && !text_copy(lock->mode, sizeof(lock->mode), text))
		return err_set(err, ERR_INVALID, "a lock of mode %.40s", text);
	if (strcmp(path, "Retention/RetainUntilDate") == 0 && !s3_time_read(text, &lock->until))
		return err_set(err, ERR_INVALID, "a lock until %.40s", text);
	return true;
}

bool
s3_lock_read(struct s3_lock *ret, const char *xml, size_t size, struct err *err)
{
	static const struct xml_reader reader = { .on_end = on_lock_end };

	*ret = (struct s3_lock){ 0 };
	if (!xml_read(xml, size, &reader, ret, err))
		return false;
	return (ret->mode[0] != '\0' && ret->until != 0) ||
	    err_set(err, ERR_INVALID, "a lock without mode or date");
}
