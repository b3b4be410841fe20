/* github_account.h - as whom GitHub is asked: an App, its installations, people.  Asks nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "clients/github_api_answer.h"

struct buf;
struct github_accounts;

/* One credential at one address: a limit of its own. */
struct github_account {
	struct github_account *next;
	char *base; /* GITHUB_API_URL */
	char *name; /* the App's number, or the mark of a person's token */
	int64_t installation; /* 0: the App itself, or a person */
	char token[GITHUB_API_TOKEN]; /* of an installation; "": none */
	int64_t made_at;	      /* monotonic ms */
	bool is_making;		      /* a call asks for one */
	/* Rows of github_needs: of the installation, of the token, of the one that is asked for. */
	uint32_t granted, has, asked;
	struct github_api_budget budget;
};

/* A repository in its installation. */
struct github_home {
	struct github_account *account;
	char *repository;
	bool is_asked, is_covered; /* as the account's rows */
};

struct github_accounts *github_accounts_new(void) MUST_USE;
void github_accounts_free(struct github_accounts *accounts); /* takes NULL; wipes the tokens */

/* Makes it where there is none.  They are few, and stay. */
struct github_account *github_account_get(struct github_accounts *accounts, const char *base,
    const char *name, int64_t installation);

/* The home of a repository for that App; NULL: it is not known yet. */
struct github_home *github_home_find(const struct github_accounts *accounts, const char *base,
    const char *app_id, const char *repository);
void github_home_add(
    struct github_accounts *accounts, struct github_account *account, const char *repository);
/* What was known of a repository there is not so any more; NULL: of each. */
void github_home_forget(struct github_accounts *accounts, const struct github_account *account,
    const char *repository);

/* May the installation's token be used there, for these needs? */
bool github_home_is_open(const struct github_home *home, uint32_t needs);

/* Adds what a token of the installation is asked for with: its repositories, and of the needs what
 * was granted.  Then notes the one that came for them. */
void github_account_narrow(const struct github_accounts *accounts, struct github_account *account,
    uint32_t needs, struct buf *out);
void github_account_take(const struct github_accounts *accounts, struct github_account *account,
    const char token[GITHUB_API_TOKEN]);

/* The largest of all. */
double github_accounts_factor(const struct github_accounts *accounts, int64_t now_s);
