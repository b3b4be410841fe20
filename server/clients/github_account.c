/* github_account.c - accounts, homes of repositories, and for what a token is.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/github_account.h"

#include <stdlib.h>

#include "clients/github_need.h"
#include "lib/array.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

#define NARROWED_MAX 500 /* repositories that GitHub narrows a token to */

struct github_accounts {
	struct github_account *first;
	size_t count;
	struct github_home *homes;
};

struct github_accounts *
github_accounts_new(void)
{
	return mem_new(1, sizeof(struct github_accounts));
}

void
github_accounts_free(struct github_accounts *accounts)
{
	if (accounts == NULL)
		return;
	for (struct github_account *account = accounts->first, *next; account != NULL;
	     account = next) {
		next = account->next;
		crypto_wipe(account->token, sizeof(account->token));
		free(account->base);
		free(account->name);
		free(account);
	}
	for (size_t i = 0; i < accounts->count; i++)
		free(accounts->homes[i].repository);
	free(accounts->homes);
	free(accounts);
}

struct github_account *
github_account_get(
    struct github_accounts *accounts, const char *base, const char *name, int64_t installation)
{
	struct github_account *account = accounts->first;

	while (account != NULL &&
	    (account->installation != installation || strcmp(account->base, base) != 0 ||
		strcmp(account->name, name) != 0))
		account = account->next;
	if (account != NULL)
		return account;
	account = mem_new(1, sizeof(*account));
	account->base = mem_text(base);
	account->name = mem_text(name);
	account->installation = installation;
	account->next = accounts->first;
	accounts->first = account;
	return account;
}

struct github_home *
github_home_find(const struct github_accounts *accounts, const char *base, const char *app_id,
    const char *repository)
{
	for (size_t i = 0; i < accounts->count; i++) {
		struct github_home *home = &accounts->homes[i];

		if (text_same_ci(home->repository, repository) &&
		    strcmp(home->account->base, base) == 0 &&
		    strcmp(home->account->name, app_id) == 0)
			return home;
	}
	return NULL;
}

void
github_home_add(
    struct github_accounts *accounts, struct github_account *account, const char *repository)
{
	struct github_home *home = array_add(&accounts->homes, &accounts->count, sizeof(*home));

	*home = (struct github_home){ .account = account, .repository = mem_text(repository) };
}

void
github_home_forget(
    struct github_accounts *accounts, const struct github_account *account, const char *repository)
{
	for (size_t i = accounts->count; i-- > 0;) {
		struct github_home *home = &accounts->homes[i];

		if (home->account != account ||
		    (repository != NULL && !text_same_ci(home->repository, repository)))
			continue;
		free(home->repository);
		*home = accounts->homes[--accounts->count];
	}
}

bool
github_home_is_open(const struct github_home *home, uint32_t needs)
{
	const struct github_account *account = home->account;

	return home->is_covered && account->token[0] != '\0' &&
	    (needs & account->granted & ~account->has) == 0 &&
	    github_api_is_fresh(clock_monotonic_ms() - account->made_at);
}

/* Of all, where there are more than GitHub takes. */
static void
put_repositories(const struct github_accounts *accounts, const struct github_account *account,
    struct json_out *json)
{
	size_t n = 0;

	for (size_t i = 0; i < accounts->count; i++)
		n += accounts->homes[i].account == account;
	if (n > NARROWED_MAX)
		return;
	json_put_open(json, "repositories", '[');
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->homes[i].account == account)
			json_out_str(json, strchr(accounts->homes[i].repository, '/') + 1);
	json_out_end(json);
}

void
github_account_narrow(const struct github_accounts *accounts, struct github_account *account,
    uint32_t needs, struct buf *out)
{
	struct json_out json = json_out_begin(out, '{');

	for (size_t i = 0; i < accounts->count; i++)
		accounts->homes[i].is_asked |= accounts->homes[i].account == account;
	account->asked = (account->has | needs) & account->granted;
	github_needs_put(&json, account->asked);
	put_repositories(accounts, account, &json);
	json_out_end(&json);
}

void
github_account_take(const struct github_accounts *accounts, struct github_account *account,
    const char token[GITHUB_API_TOKEN])
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->homes[i].account == account)
			accounts->homes[i].is_covered = accounts->homes[i].is_asked;
	account->has = account->asked;
	account->made_at = clock_monotonic_ms();
	memcpy(account->token, token, GITHUB_API_TOKEN);
}

double
github_accounts_factor(const struct github_accounts *accounts, int64_t now_s)
{
	double most = 1;

	for (const struct github_account *account = accounts->first; account != NULL;
	     account = account->next) {
		double factor = github_api_budget_factor(&account->budget, now_s);

		most = factor > most ? factor : most;
	}
	return most;
}
