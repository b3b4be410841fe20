/* Goal: of a token nothing stays in memory that a library has given back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/mem_wiped.h"

#include "http_client_aid.h"
#include "lib/http_server_inside.h"
#include "lib/json.h"

#define TOKEN "hvs.CAESIOfWhatIsLent0031"

/* How many blocks that had TOKEN were zeroed. */
static int n_wiped;

void __real_crypto_wipe(void *data, size_t size);
void __wrap_crypto_wipe(void *data, size_t size);

void
__wrap_crypto_wipe(void *data, size_t size)
{
	n_wiped += data != NULL && memmem(data, size, TOKEN, strlen(TOKEN)) != NULL;
	__real_crypto_wipe(data, size);
}

TEST(what_is_given_back_is_zeroed)
{
	char *text = malloc(64);

	n_wiped = 0;
	assert_non_null(text);
	(void)snprintf(text, 64, "%s", TOKEN);
	mem_wiped_free(text);
	assert_int_equal(n_wiped, 1);
	mem_wiped_free(NULL);
}

TEST(what_grows_or_shrinks_is_zeroed_where_it_stood)
{
	static const size_t sizes[] = { sizeof(TOKEN), 1 << 20, 64 };
	char *text = mem_wiped_resize(NULL, 64);

	n_wiped = 0;
	assert_non_null(text);
	(void)snprintf(text, 64, "%s", TOKEN);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		text = mem_wiped_resize(text, sizes[i]);
		assert_non_null(text);
		assert_string_equal(text, TOKEN);
		assert_int_equal(n_wiped, (int)i + 1);
	}
	mem_wiped_free(text);
}

TEST(a_text_of_json_is_zeroed_with_its_tree)
{
	static const char body[] = "{\"wrap_info\":{\"token\":\"" TOKEN "\"}}";
	struct json *json = json_decode(body, strlen(body), NULL);

	assert_non_null(json);
	n_wiped = 0;
	json_free(json);
	assert_int_equal(n_wiped, 1);
}

/* Its answer is kept by us, its header and body by curl. */
CLIENT_TEST(a_request_and_its_answer_are_zeroed_by_the_end_of_the_client)
{
	static const char body[] = "{\"text\":\"" TOKEN "\"}";
	const char *const headers[] = { "X-Vault-Token: " TOKEN, NULL };
	const struct http_client_config config = { 0 };
	struct outcome outcome = { 0 };
	struct http_client_request request = client_aid_request(f, "/take", &outcome);

	client_aid_start(f, &config);
	request.body = body;
	request.body_size = strlen(body);
	request.headers = headers;
	n_wiped = 0;
	assert_non_null(http_client_start(f->client, &request, NULL));
	UNTIL(f, outcome.times == 1);
	http_client_free(f->client);
	f->client = NULL;
	assert_true(n_wiped >= 2);
}

TEST(an_answer_is_zeroed_when_it_was_sent)
{
	struct MHD_Response *response = http_request_response(NULL, TOKEN, strlen(TOKEN));

	assert_non_null(response);
	n_wiped = 0;
	MHD_destroy_response(response);
	assert_int_equal(n_wiped, 1);
	MHD_destroy_response(http_request_response(NULL, NULL, 0));
}
