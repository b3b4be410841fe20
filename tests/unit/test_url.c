/* Goal: the host of an address is found whatever stands around it, and a domain has its names alone.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/url.h"

#include "unit.h"

TEST(the_host_stands_between_scheme_and_port_or_path)
{
	static const struct {
		const char *url;
		const char *host;
	} rows[] = {
		{ "https://acme.example", "acme.example" },
		{ "HTTPS://WWW.Acme.Example/up", "www.acme.example" },
		{ "http://acme.example:8080/up", "acme.example" },
		{ "https://acme.example.:443", "acme.example" },
		{ "https://acme.example?up", "acme.example" },
		{ "https://acme.example#up", "acme.example" },
		{ "https://a/b://acme.example", "a" },
		{ "http://[::1]:8080/up", "" },
		{ "http://127.0.0.1:8080", "127.0.0.1" },
		{ "acme.example", "" },
		{ "https://", "" },
		{ "", "" },
	};
	char out[URL_HOST], url[URL_HOST + 16];

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(url_host(rows[i].url, out), rows[i].host);
	assert_string_equal(url_host(NULL, out), "");
	memset(url, 'a', sizeof(url));
	memcpy(url, "http://", 7);
	url[7 + URL_HOST - 1] = '\0';
	assert_int_equal(strlen(url_host(url, out)), URL_HOST - 1);
	url[7 + URL_HOST - 1] = 'a';
	url[7 + URL_HOST] = '\0';
	assert_string_equal(url_host(url, out), "");
}

TEST(the_place_is_host_and_port_as_they_are_written)
{
	static const struct {
		const char *url;
		const char *place;
	} rows[] = {
		{ "https://acme.example", "acme.example" },
		{ "HTTPS://WWW.Acme.Example:81/up?key=a", "WWW.Acme.Example:81" },
		{ "https://acme.example?up", "acme.example" },
		{ "https://acme.example#up", "acme.example" },
		{ "http://[::1]:8080/up", "[::1]:8080" },
		{ "acme.example", "" },
		{ "https://", "" },
		{ NULL, "" },
	};
	char out[URL_PLACE], url[URL_PLACE + 16];

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(url_place(rows[i].url, out), rows[i].place);
	memset(url, 'a', sizeof(url));
	memcpy(url, "http://", 7);
	url[7 + URL_PLACE - 1] = '\0';
	assert_int_equal(strlen(url_place(url, out)), URL_PLACE - 1);
	url[7 + URL_PLACE - 1] = 'a';
	url[7 + URL_PLACE] = '\0';
	assert_string_equal(url_place(url, out), "");
}

TEST(a_domain_has_itself_and_what_is_below_it)
{
	assert_true(url_host_is_in("acme.example", "acme.example"));
	assert_true(url_host_is_in("a.b.acme.example", "acme.example"));
	assert_false(url_host_is_in("notacme.example", "acme.example"));
	assert_false(url_host_is_in("example", "acme.example"));
	assert_false(url_host_is_in("acme.example.org", "acme.example"));
	assert_false(url_host_is_in("", "acme.example"));
	assert_false(url_host_is_in("acme.example", ""));
}
