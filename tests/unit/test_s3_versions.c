/* Goal: a bucket's list, locks and errors are read as S3 writes them; circles end.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/s3_versions.h"

#include "lib/err.h"
#include "unit.h"

#define HEAD \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define ONE(kind, key, version, at) \
	"<" kind "><Key>" key "</Key><VersionId>" version \
	"</VersionId><IsLatest>true</IsLatest><LastModified>" at \
	"</LastModified><Owner><ID>7</ID></Owner></" kind ">"
#define TAIL "</ListVersionsResult>"

static bool
read_page(struct s3_versions *all, const char *text, struct err *err)
{
	return s3_versions_read(all, text, strlen(text), err);
}

TEST(versions_and_delete_markers_of_all_pages_are_in_the_order_of_their_age)
{
	struct s3_versions all = { 0 };
	struct err err;

	assert_true(read_page(&all,
	    HEAD "<IsTruncated>true</IsTruncated><NextKeyMarker>b&amp;</NextKeyMarker>"
		 "<NextVersionIdMarker>3</NextVersionIdMarker>" ONE(
		     "DeleteMarker", "b&amp;", "4", "2026-11-20T07:10:49.000Z")
		     ONE("Version", "b&amp;", "3", "2026-11-20T07:10:48.000Z") TAIL,
	    &err));
	assert_true(all.is_truncated);
	assert_string_equal(all.next_key, "b&");
	assert_string_equal(all.next_version, "3");
	/* Of one second: S3 names the newest first. */
	assert_true(read_page(&all,
	    HEAD "<IsTruncated>false</IsTruncated>" ONE("Version", "b&amp;", "2",
		"2026-11-20T07:10:48Z") ONE("Version", "a", "1", "2026-11-20T09:00:00.000Z") TAIL,
	    &err));
	assert_false(all.is_truncated);
	s3_versions_sort(&all);
	assert_int_equal(all.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(all.at[i].version[0], '1' + (int)i);
	assert_true(all.at[3].is_marker && !all.at[2].is_marker);
	assert_true(all.at[1].at == INT64_C(1795158648000));
	s3_versions_done(&all);
}

TEST(a_list_that_leads_nowhere_or_is_none_is_refused)
{
	static const char *const texts[] = {
		HEAD "<IsTruncated>true</IsTruncated>" TAIL,
		HEAD "<IsTruncated>perhaps</IsTruncated>" TAIL,
		HEAD "<Version><Key>a</Key><VersionId>1</VersionId></Version>" TAIL,
		HEAD "<Version><VersionId>1</VersionId>"
		     "<LastModified>2026-11-20T07:10:48Z</LastModified></Version>" TAIL,
		HEAD ONE("Version", "a", "1", "yesterday") TAIL,
		"<ListBucketResult/>",
		"<html/>",
		"",
	};
	static const char again[] =
	    HEAD "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>" TAIL;
	struct s3_versions all = { 0 };
	struct err err;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (read_page(&all, texts[i], &err))
			fail_msg("%s", texts[i]);
	assert_true(read_page(&all, again, &err));
	assert_false(read_page(&all, again, &err)); /* round and round */
	s3_versions_done(&all);
}

TEST(a_lock_is_mode_and_date_and_nothing_less)
{
	static const char *const bad[] = { "<Retention/>",
		"<Retention><Mode>COMPLIANCE</Mode></Retention>",
		"<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>x</RetainUntilDate></Retention>",
		"<Retention><Mode>COMPLIANCE AND SO ON</Mode><RetainUntilDate>2031-01-01T00:00:00Z</RetainUntilDate></Retention>",
		"<a/>", "x" };
	static const char good[] =
	    "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2031-01-01T00:00:00.000Z</RetainUntilDate></Retention>";
	struct s3_lock lock;
	struct err err;

	assert_true(s3_lock_read(&lock, good, strlen(good), &err));
	assert_string_equal(lock.mode, "COMPLIANCE");
	assert_true(lock.until == INT64_C(1924992000000));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(s3_lock_read(&lock, bad[i], strlen(bad[i]), &err));
}

TEST(an_error_is_its_code_and_message_and_moves_no_cursor)
{
	static const char error[] =
	    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
	static const char *const none[] = { "", "<Error/>", "<html><Code>x</Code></html>",
		"<Error><Code>&#10;x</Code></Error>" };
	char out[64];

	assert_string_equal(
	    s3_error_read(error, strlen(error), out, sizeof(out)), "AccessDenied: Access Denied");
	for (size_t i = 0; i < COUNT(none); i++)
		assert_string_equal(s3_error_read(none[i], strlen(none[i]), out, sizeof(out)), "");
}
