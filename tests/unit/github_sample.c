/* github_sample.c - the members and sizes of a real push.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/github_sample.h"

#include "lib/base.h"
#include "lib/buf.h"

#define BEFORE "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"

static const char *const repository_urls[] = { "forks", "keys{/key_id}",
	"collaborators{/collaborator}", "teams", "hooks", "issues/events{/number}", "events",
	"assignees{/user}", "branches{/branch}", "tags", "git/blobs{/sha}", "git/refs{/sha}",
	"git/tags{/sha}", "git/trees{/sha}", "statuses/{sha}", "languages", "stargazers",
	"contributors", "subscribers", "subscription", "commits{/sha}", "git/commits{/sha}",
	"comments{/number}", "issues/comments{/number}", "contents/{+path}",
	"compare/{base}...{head}", "merges", "{archive_format}{/ref}", "downloads",
	"issues{/number}", "pulls{/number}", "milestones{/number}",
	"notifications{?since,all,participating}", "labels{/name}", "releases{/id}",
	"deployments" };

static const char *const user_urls[] = { "followers", "following{/other_user}", "gists{/gist_id}",
	"starred{/owner}{/repo}", "subscriptions", "orgs", "repos", "events{/privacy}",
	"received_events" };

static void
add_user(struct buf *out, const char *login, unsigned id)
{
	buf_addf(out,
	    "{\"login\":\"%s\",\"id\":%u,\"node_id\":\"MDQ6VXNlcjIxMDMxMDY3\","
	    "\"avatar_url\":\"https://avatars.githubusercontent.com/u/"
	    "%u?v=4\",\"gravatar_id\":\"\"",
	    login, id, id);
	for (size_t i = 0; i < COUNT(user_urls); i++)
		buf_addf(out, ",\"url_%zu\":\"https://api.github.com/users/%s/%s\"", i, login,
		    user_urls[i]);
	buf_adds(out, ",\"type\":\"User\",\"site_admin\":false}");
}

static void
add_commit(struct buf *out, unsigned number)
{
	buf_addf(out,
	    "{\"id\":\"" GITHUB_SAMPLE_AFTER "\",\"tree_id\":\"" BEFORE "\",\"distinct\":true,"
	    "\"message\":\"Make the button blue (#%u)\\n\\nIt was \\\"green\\\" \\u2013 "
	    "S\xc3\xb8rensen asked for it.\",\"timestamp\":\"2026-11-20T07:10:48+01:00\","
	    "\"url\":\"https://github.com/Codertocat/Hello-World/commit/" GITHUB_SAMPLE_AFTER "\"",
	    number);
	for (int i = 0; i < 2; i++)
		buf_addf(out,
		    ",\"%s\":{\"name\":\"Ann Example\",\"email\":"
		    "\"21031067+Codertocat@users.noreply.github.com\",\"username\":\"Codertocat\"}",
		    i == 0 ? "author" : "committer");
	buf_adds(out,
	    ",\"added\":[\"docs/colours.md\"],\"removed\":[],"
	    "\"modified\":[\"web/button.css\",\"README.md\"]}");
}

static void
add_repository(struct buf *out)
{
	buf_adds(out,
	    "{\"id\":186853002,\"node_id\":\"MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=\","
	    "\"name\":\"Hello-World\",\"full_name\":\"Codertocat/Hello-World\",\"private\":false,"
	    "\"owner\":");
	add_user(out, "Codertocat", 21031067);
	for (size_t i = 0; i < COUNT(repository_urls); i++)
		buf_addf(out,
		    ",\"url_%zu\":\"https://api.github.com/repos/Codertocat/Hello-World/%s\"", i,
		    repository_urls[i]);
	buf_adds(out,
	    ",\"created_at\":1557933565,\"size\":0,\"stargazers_count\":0,\"language\":\"Ruby\","
	    "\"has_issues\":true,\"has_wiki\":true,\"mirror_url\":null,\"archived\":false,"
	    "\"license\":null,\"default_branch\":\"main\",\"score\":1.5e0}");
}

void
github_sample_push(struct buf *out, const char *ref, unsigned number)
{
	buf_addf(out,
	    "{\"ref\":\"%s\",\"before\":\"" BEFORE "\",\"after\":\"" GITHUB_SAMPLE_AFTER "\","
	    "\"repository\":",
	    ref);
	add_repository(out);
	buf_adds(
	    out, ",\"pusher\":{\"name\":\"Codertocat\",\"email\":\"c@example.com\"},\"sender\":");
	add_user(out, "Codertocat", 21031067);
	buf_addf(out,
	    ",\"created\":false,\"deleted\":false,\"forced\":true,\"base_ref\":null,"
	    "\"compare\":\"https://github.com/Codertocat/Hello-World/compare/%u\",\"commits\":[",
	    number);
	for (unsigned i = 0; i < 3; i++) {
		buf_adds(out, i == 0 ? "" : ",");
		add_commit(out, number + i);
	}
	buf_adds(out, "],\"head_commit\":");
	add_commit(out, number);
	buf_adds(out, "}");
}
