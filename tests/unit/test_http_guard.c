/* Goal: a head that two readers could read differently never passes.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_guard.h"

#include "unit.h"

#define FIELD(n, v) \
	{ \
		.name = (n), .value = (v), .name_size = sizeof(n) - 1, .value_size = sizeof(v) - 1 \
	}
#define LIMIT 1000

struct row {
	const char *says;
	struct http_field fields[3];
	size_t count;
	bool may_have_body;
	int status;
	uint64_t body_size;
};

static const struct row rows[] = {
	{ "a length within the limit passes", { FIELD("Content-Length", "17") }, 1, true, 0, 17 },
	{ "the limit itself passes", { FIELD("content-length", "1000") }, 1, true, 0, 1000 },
	{ "an empty body passes", { FIELD("Content-Length", "0") }, 1, true, 0, 0 },
	{ "nothing where nothing is taken passes", { FIELD("Host", "x") }, 1, false, 0, 0 },
	{ "no bytes where nothing is taken passes", { FIELD("Content-Length", "0") }, 1, false, 0,
	    0 },
	{ "one byte too many", { FIELD("Content-Length", "1001") }, 1, true, 413, 0 },
	{ "a body where none is taken", { FIELD("Content-Length", "1") }, 1, false, 413, 0 },
	{ "no length", { FIELD("Host", "x") }, 1, true, 411, 0 },
	{ "two lengths", { FIELD("Content-Length", "3"), FIELD("Content-Length", "4") }, 2, true,
	    400, 0 },
	{ "the same length twice", { FIELD("Content-Length", "3"), FIELD("CONTENT-LENGTH", "3") },
	    2, true, 400, 0 },
	{ "a list of lengths", { FIELD("Content-Length", "3, 3") }, 1, true, 400, 0 },
	{ "a sign", { FIELD("Content-Length", "+3") }, 1, true, 400, 0 },
	{ "a negative length", { FIELD("Content-Length", "-3") }, 1, true, 400, 0 },
	{ "a hexadecimal length", { FIELD("Content-Length", "0x3") }, 1, true, 400, 0 },
	{ "a blank in front", { FIELD("Content-Length", " 3") }, 1, true, 400, 0 },
	{ "a blank behind", { FIELD("Content-Length", "3 ") }, 1, true, 400, 0 },
	{ "an empty length", { FIELD("Content-Length", "") }, 1, true, 400, 0 },
	{ "2^64 - 1", { FIELD("Content-Length", "18446744073709551615") }, 1, true, 400, 0 },
	{ "2^64 + 3", { FIELD("Content-Length", "18446744073709551619") }, 1, true, 400, 0 },
	{ "19 digits", { FIELD("Content-Length", "9999999999999999999") }, 1, true, 413, 0 },
	{ "chunked", { FIELD("Transfer-Encoding", "chunked") }, 1, true, 400, 0 },
	{ "chunked and a length",
	    { FIELD("Content-Length", "3"), FIELD("Transfer-Encoding", "chunked") }, 2, true, 400,
	    0 },
	{ "junk as encoding", { FIELD("transfer-encoding", "xchunked") }, 1, true, 400, 0 },
	{ "an encoding where no body is taken", { FIELD("Transfer-Encoding", "identity") }, 1,
	    false, 400, 0 },
	{ "a blank behind a name", { FIELD("Content-Length ", "3") }, 1, true, 400, 0 },
	{ "a blank in a name", { FIELD("X Y", "3"), FIELD("Content-Length", "3") }, 2, true, 400,
	    0 },
	{ "an empty name", { FIELD("", "3"), FIELD("Content-Length", "3") }, 2, true, 400, 0 },
	{ "a byte above ASCII in a name", { FIELD("X\xc3\xa9", "3"), FIELD("Content-Length", "3") },
	    2, true, 400, 0 },
	{ "a name that begins with a control character",
	    { FIELD("\x01X", "3"), FIELD("Content-Length", "3") }, 2, true, 400, 0 },
	{ "a value that begins with a line feed",
	    { FIELD("X", "\n3"), FIELD("Content-Length", "3") }, 2, true, 400, 0 },
	{ "names of the same length are other names",
	    { FIELD("Content-Lenght", "x"), FIELD("Content-Length", "3") }, 2, true, 0, 3 },
	{ "names that begin the same are other names",
	    { FIELD("Content-Length-2", "x"), FIELD("Content-Length", "3") }, 2, true, 0, 3 },
	{ "each character of a token", { FIELD("!#$%&'*+-.^_`|~09azAZ", "") }, 1, false, 0, 0 },
	{ "what stands beside them in ASCII: (", { FIELD("x(", "") }, 1, false, 400, 0 },
	{ "what stands beside them in ASCII: /", { FIELD("x/", "") }, 1, false, 400, 0 },
	{ "what stands beside them in ASCII: :", { FIELD("x:", "") }, 1, false, 400, 0 },
	{ "what stands beside them in ASCII: @", { FIELD("x@", "") }, 1, false, 400, 0 },
	{ "what stands beside them in ASCII: [", { FIELD("x[", "") }, 1, false, 400, 0 },
	{ "what stands beside them in ASCII: {", { FIELD("x{", "") }, 1, false, 400, 0 },
	{ "the last control character", { FIELD("X", "\x1f") }, 1, false, 400, 0 },
	{ "the first that is none", { FIELD("X", " ") }, 1, false, 0, 0 },
	{ "0 to 9 in a length", { FIELD("Content-Length", "09") }, 1, true, 0, 9 },
	{ "what stands before 0 in a length", { FIELD("Content-Length", "/") }, 1, true, 400, 0 },
	{ "what stands behind 9 in a length", { FIELD("Content-Length", ":") }, 1, true, 400, 0 },
	{ "a NUL in a name", { FIELD("X\0Y", "3"), FIELD("Content-Length", "3") }, 2, true, 400,
	    0 },
	{ "a NUL in a value", { FIELD("X-Y", "a\0b"), FIELD("Content-Length", "3") }, 2, true, 400,
	    0 },
	{ "a line feed in a value", { FIELD("X-Y", "a\nb"), FIELD("Content-Length", "3") }, 2, true,
	    400, 0 },
	{ "DEL in a value", { FIELD("X-Y", "a\x7f") }, 1, false, 400, 0 },
	{ "a tab and UTF-8 in a value pass", { FIELD("X-Y", "a\t\xc3\xa9") }, 1, false, 0, 0 },
};

TEST(each_head_gets_its_verdict)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct http_guard_verdict verdict =
		    http_guard_check(row->fields, row->count, row->may_have_body, LIMIT);

		if (verdict.status != row->status || verdict.body_size != row->body_size)
			fail_msg("%s: status %d, not %d", row->says, verdict.status, row->status);
		assert_int_equal(verdict.status == 0, verdict.why == NULL);
	}
}

TEST(too_many_fields_are_refused)
{
	struct http_field fields[HTTP_GUARD_FIELDS_MAX + 1];
	const struct http_field one = FIELD("X", "y");

	for (size_t i = 0; i < COUNT(fields); i++)
		fields[i] = one;
	assert_int_equal(http_guard_check(fields, HTTP_GUARD_FIELDS_MAX, false, 0).status, 0);
	assert_int_equal(http_guard_check(fields, HTTP_GUARD_FIELDS_MAX + 1, false, 0).status, 431);
}

TEST(a_content_type_is_compared_without_case_and_parameters)
{
	static const char *const types[] = { "application/json", "text/plain", NULL };

	assert_true(http_guard_type_is_in("application/json", types));
	assert_true(http_guard_type_is_in("Application/JSON; charset=utf-8", types));
	assert_true(http_guard_type_is_in("text/plain ;x=y", types));
	assert_false(http_guard_type_is_in("application/jsonx", types));
	assert_false(http_guard_type_is_in("application/jso", types));
	assert_false(http_guard_type_is_in("", types));
	assert_false(http_guard_type_is_in(NULL, types));
}
