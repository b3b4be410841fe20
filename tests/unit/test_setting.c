/* Goal: a setting takes what it can be, up to its ends, and nothing else; no secret is told.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/setting.h"
#include <ctype.h>
#include <regex.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/text.h"
#include "lib/clean.h"
#include "unit.h"

#define AS_LONG_AS_CAN_BE 12 /* the most texts of a case */

struct setting_case {
	enum setting_type type;
	const char *good[AS_LONG_AS_CAN_BE];
	const char *bad[AS_LONG_AS_CAN_BE];
};

#define S(type) SETTING_TYPE_##type
#define NUMBERS_1_TO_64 \
	"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31" \
	",32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59" \
	",60,61,62,63,64"

static const struct setting_case cases[] = {
	{ S(TEXT), { "", "x", "~ \xc3\xa4" }, { "a\nb", "\x1f", "\x7f", "\xff" } },
	{ S(TOKEN), { "0123456789abcdef", "a<bcdefghijklmnop" },
	    { "", "0123456789abcde", "aaaaaaaaaaaaaaaaaaaa", "<0123456789abcdef>",
		"0123456789-Change-Me", "0123456789abcde\x7f" } },
	{ S(LONG_TOKEN),
	    { "0123456789abcdef0123456789abcdef", "a<bcdefghijklmnopqrstuvwxyz012345" },
	    { "", "0123456789abcdef0123456789abcde", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
	{ S(FORGE_TOKEN), { "ghp_0123456789abcdef", "a<bcdefghijklmnop" },
	    { "", "<0123456789abcdef>" } },
	{ S(SIGNING_KEY),
	    { "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u",
		"whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=" },
	    { "", "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG0=", "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u" } },
	{ S(DATABASE),
	    { "postgres://bot:pw%40@a,b/deploybot?sslmode=verify-full",
		"postgresql:///d?host=/run" },
	    { "", "http://h/d", "postgres://", "postgres://h/d d", "/srv/db", "Postgres://h/d" } },
	{ S(MACHINE), { "a", "server-a", "1.example.org" }, { "", "-a", ".a", "A", "a_b", "a/b" } },
	{ S(INSTALLATION), { "a", "Bot-1.example.org" }, { "", "-a", ".a", "a_b", "a/b", "a b" } },
	{ S(APP_ID), { "1", "123456789012345678" }, { "", "0", "Iv23liAbCdEf", "1 2", "-1" } },
	{ S(PEM),
	    { "-----BEGIN "
	      "PRIVATE KEY-----\nMIIE\r\n-----END "
	      "PRIVATE KEY-----",
		"-----BEGIN "
		"RSA PRIVATE KEY-----\nMIIE\n-----END "
		"RSA PRIVATE KEY-----" },
	    { "", "MIIE",
		"-----BEGIN "
		"PRIVATE KEY-----\nMIIE",
		"-----BEGIN "
		"PRIVATE KEY-----\n\x01\n-----END "
		"PRIVATE KEY-----",
		"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----" } },
	{ S(VAULT_TOKEN), { "hvs.CAESIJ0123456789", "0123456789abcdef" },
	    { "root", "hvs.CAESIJ 01234", "hvs.CAESIJ012345678\xc3\xa4", "your-vault-token" } },
	{ S(BEARER_TOKEN), { "0123456789abcdef", "0123456789abcde/" }, { "", "0123456789abcde" } },
	{ S(ROLE_ID), { "db02de05-fa39-4855-059b-67221c5c2f63", "deploybot.prod" },
	    { "", "a b", "a/b", "a\"b" } },
	{ S(NAMESPACE), { "admin", "teams/shop", "a.b/c_d/" },
	    { "", "/admin", "a//b", "a/../b", "a b", "a." } },
	{ S(S3_SECRET), { "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzAAAAAAAAA", "0123456789abcdef" },
	    { "", "0123456789abcde", "0123456789 abcdef", "aaaaaaaaaaaaaaaaaaaa",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" } },
	{ S(BOT_TOKEN), { "1:abcdefghijklmnop", "1234567890123456789:abc_-ABC" },
	    { "", ":abcdefghijklmnop", "12345678901234567890:abcdefghijklmnop", "1234567890abcdef",
		"1:", "1:abcdefghijklmnop!", "1:abcdefghijklm" } },
	{ S(WEBHOOK_SECRET), { "0123456789ABCDEF_-az", "0123456789abcdef" },
	    { "", "0123456789abcdef.", "0123456789abcde" } },
	{ S(BOOL), { "true", "no" }, { "", "2" } },
	{ S(COUNT), { "1", "1000" }, { "", "0", "1001", "x" } },
	{ S(SECONDS), { "1", "86400" }, { "", "0", "86401" } },
	{ S(SECONDS_OR_0), { "0", "86400" }, { "", "-1", "86401" } },
	{ S(SIZE), { "4096", "4K", "4398046511104" }, { "", "4095", "4398046511105", "x" } },
	{ S(PORT), { "1", "65535" }, { "", "0", "65536" } },
	{ S(ID), { "1", "-1", "-9223372036854775808", "9223372036854775807" },
	    { "", "0", "x", "9223372036854775808" } },
	{ S(IDS), { "1", " 1 ,2\t,\t3", "1,2," }, { "", " ", ",", "1,,2", "0", "-1", "1,x" } },
	{ S(URL), { "http://h", "HTTPS://h/p?q#f", "http://h/@" },
	    { "", "h", "ftp://h", "http://", "http:///p", "https://u@h", "http://h/a b",
		"http://h/\x01", "http://h/<", "http://h/`" } },
	{ S(URLS), { "http://a", "http://a , https://b," },
	    { "", "http://a,b", "http://a,,http://b" } },
	{ S(PATH), { "/", "/a b" }, { "", "a/b", "/a\nb" } },
	{ S(FILE), { "/a", "/a b" }, { "", "a", "/a:/b", "/a\n" } },
	{ S(LINK), { "link.example.org:9443", "[fd00::1]:1" },
	    { "", ":9443", "link.example.org", "a:0", "a:65536", "a b:1", "a:1:x" } },
	{ S(SOCKET), { "/", "/run/x.sock" }, { "", "run/x.sock", "/run/\n" } },
	{ S(ADDRESS), { "127.0.0.1", "::1", "/run/x.sock" },
	    { "", "localhost", "127.0.0.1:80", "run/x.sock", "/run/\n" } },
	{ S(NETWORKS),
	    { "unix", "10.0.0.7", "10.0.0.0/8, ::1,fd00::/8", "::ffff:10.0.0.7", "0.0.0.0/8" },
	    { "", "localhost", "10.0.0.7/8", "0.0.0.0/0", "10.0.0.0/7", "10.0.0.0/33", "10.0.0.0/",
		"::/0", "fd00::1/64", "Unix" } },
	{ S(NAMES), { "a", "a,z-9", "abcdefghijklmnopqrst" },
	    { "", "A", "1a", "-a", "{", "`", "a_b", "aA", "abcdefghijklmnopqrstu" } },
	{ S(BRANCH), { "m", "release/1.2_x-y", "a.lockx" },
	    { "", ".a", "_a", "/a", "-a", "a..b", "a//b", "a/.b", "a/", "a.", "a.lock" } },
	{ S(REPOSITORY), { "a/b", "A_.-9/b_.-9" },
	    { "", "/b", "a", "a/", "a b/c", "a/b/c", "a/b c" } },
	{ S(WORKFLOWS), { "ci.yml", "a_-.b.yaml, 9.yml" },
	    { "", "ci", ".yml", ".a.yml", "a/b.yml", "ci.yml lint.yml", "ci.YML" } },
	{ S(WATCHED), { "*", "ci.yml, none" }, { "", "ci", "**", "a/b.yml", "all" } },
	{ S(REPOSITORY_PATH), { "a/b", "group/sub.1/A_b-9" },
	    { "", "/b", "a", "a/", "a//b", "a b/c" } },
	{ S(STARTS),
	    { "deploy:staging", "deploy:shop/staging ref=$.a.b-C_9",
		"do.run-job:shop/staging  argument=x" },
	    { "", "deploy", "deploy:*", "deploy:a ref=$", "deploy:a ref=$.a[0]", "deploy:a ref=-x",
		"rollback:a", "deploy:a ref=$.a ref=$.b", "deploy:a,deploy:b", "do:client/acme" } },
	{ S(WORKFLOW_IS),
	    { "github 456789 deploy.yml@refs/heads/main",
		"github 1 a-b_c.1.yaml@refs/tags/v1.2 environment=production events=workflow_run",
		"gitlab 22 .gitlab-ci.yml@refs/heads/main",
		"gitlab  22  ci/deploy.yaml@refs/tags/v1 events=trigger environment=live" },
	    { "", "github octo/shop deploy.yml@refs/heads/main", "github 0 a.yml@refs/heads/main",
		"github 1 a.yml@main", "github 1 .github/workflows/a.yml@refs/heads/main",
		"github 1 a.txt@refs/heads/main", "gitea 1 a.yml@refs/heads/main",
		"github 1 a.yml@refs/heads/main sub=x", "github 1 a.yml@refs/heads/*",
		"gitlab 22 main", "gitlab group/shop .gitlab-ci.yml@refs/heads/main",
		"gitlab 22 .gitlab-ci.yml@refs/heads/main reusable=a" } },
	{ S(PLAYBOOK),
	    { "site.yml", "plays/a.b-c_1.yaml tags=restart", "a.yml  tags=a,b-c  skip-tags=d" },
	    { "", "site", "/a.yml", "a/../b.yml", "-a.yml", "a b.yml",
		"a.yml tags=", "a.yml --check", "a.yml tags={{x}}", "a.yml e=b", "a%.yml" } },
	{ S(HOST_PATTERN), { "*", "acme", "web*:!web3,db-1.acme.example:&live" },
	    { "", "-all", "@hosts", "/tmp/x", "a b", "{{a}}", "~a", "!a", "a%", "a;b", "a$b" } },
	{ S(VAULT_SECRET),
	    { "kv2 secret django/database", "kv1 kv a", "creds  team/db  a-b_c.1/d" },
	    { "", "kv2 secret", "kv3 secret a", "kv2 secret ../a", "kv2 secret a/../b",
		"kv2 secret a.", "kv2 secret a..b", "kv2 secret .a", "kv2 secret a%2e",
		"kv2 secret /a", "kv2 secret a/", "kv2 secret a//b" } },
	{ S(NOTIFY_TO), { "webhook", "Slack" }, { "", "teams" } },
	{ S(NOTIFY_URL), { "https://a/b", "smtps://u:p@a:465" }, { "ftp://a", "https://u:p@a" } },
	{ S(NOTIFY_SECRET), { "0123456789abcdef", "0123456789abcde_" }, { "short", "a b" } },
	{ S(MATRIX_ROOM), { "!a:b.org", "!aB-_" }, { "#a:b.org", "!a b:c" } },
	{ S(MAIL_ADDRESS), { "a@b.org", "a.b+c@x" }, { "a", "A <a@b>", "a@b>\r\nx" } },
	{ S(NOTIFY_WHAT), { "a: live", "a/b: live down; */*: down" }, { "a", "a: alive" } },
	{ S(DELIVERS), { "token", "value", "VALUE" }, { "both", "tokens", "token,value" } },
	{ S(LOAN_TIME), { "1m", "10m", "59m", "60m", "1h" },
	    { "", "0m", "61m", "2h", "1d", "10", "90s", "010m" } },
	{ S(PIPELINE_IS),
	    { "release.yml ref=main", "a-b_c.1.yaml  ref=v1.2 channel=stable version=? _x-9=a=b",
		"a.yml ref=m a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1" },
	    { "", "release.yml", "release.yml version=? ref=main", ".github/workflows/a.yml ref=m",
		"a.txt ref=m", "a.yml ref=", "a.yml ref=m 1a=x", "a.yml ref=m a",
		"a.yml ref=m a=", "a.yml ref=m a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 k=1",
		"a.yml ref=m a="
		"0123456789012345678901234567890123456789012345678901234567890123"
		"4" } },
	{ S(REMOTE),
	    { "https://h/p", "https://h/p@q", "ssh://git@h/p", "/srv/git", "git@h:p/q", "g@h:p:/" },
	    { "", "http://h/p", "git://h/p", "https://u@h/p", "ssh://-o/p", "/srv/g it",
		"https://h/\x7f" } },
	{ S(REMOTE), { "a@b:c/d" },
	    { "-a@h:p/q", "h:p/q", "@h:p/q", "git@-h:p/q", "git@h/q", "git@:p/q",
		"git@h:", "git@h/p:q", "a:b@c/d", "git@h:p", "git@h:-p/q" } },
	{ S(PROXY), { "http://h:1", "socks5h://u:p@h:1" },
	    { "", "h:1", "socks5://h:1", "http://", "http://h 1", "http://h\n" } },
	{ S(ZONE), { "UTC", "Europe/Berlin", "America/Argentina/Ushuaia" },
	    { "", "Mars/Olympus", "/etc/localtime", "../UTC", "Europe", "utc time" } },
	{ S(WINDOWS),
	    { "Fri 16:00-Mon 08:00 Europe/Berlin, 2026-12-20..2027-01-06",
		"Mon 22:00-Tue 06:00, 2028-02-29..2028-02-29 UTC" },
	    { "Fri 16:00-Mon 08:00 Europe/Berlinn", "Fri 16:00-Fri 16:00", "2027-01-06..2026-12-20",
		"Freitag 16:00-Montag 08:00" } },
	{ S(WAVE_PAUSE), { "auto", "Ask" }, { "no", "" } },
	{ S(PUSHES), { "wait", "Drop" }, { "keep", "" } },
	{ S(FAILURES), { "0", "2%" }, { "100%", "2 %" } },
	{ S(UPLOADS), { "true", "Unproven" }, { "yes", "" } },
	{ S(DURATION), { "1m", "9999m", "168h", "7d" }, { "", "8", "0h", "169h", "8d", "1 h" } },
	{ S(WAVES), { "1, 10%", "100%" }, { "0", "101%", "10 %", "1,2,3,4,5,6,7,8,9,10,11" } },
	{ S(BAKE_TIME), { "0", "1m", "1440m", "1d" }, { "", "0m", "1441m", "25h", "2d" } },
	{ S(BAKE_QUERY), { "a: x > 1%", "b c: x == 0" }, { "", "x > 1", "n: x" } },
	{ S(ROLES), { "admin", "lead, ops", "night-shift" }, { "", "Lead", "a_b", "-a", "1a" } },
	{ S(CONDITIONS), { "forced=2", "path db/**=2; outside Sat-Sun 09:00-10:00=1" },
	    { "", "forced", "path /x=2", "forced=2;" } },
	{ S(LOGIN), { "octo", "a-b9", "Ada", "jane_acme", "renovate[bot]" },
	    { "", "@octo", "-a", "a--b", "a b", "a(7)" } },
	{ S(GITLAB_LOGIN), { "mona", "a.b-c_9" }, { "", "@mona", "-a", "a b", "gitlab:a" } },
	{ S(DATE), { "2027-01-31", "2028-02-29" },
	    { "", "2027-02-29", "2027-1-31", "2027-01-31 " } },
	{ S(MEMBERS), { "1", "9223372036854775807", "7 until 2027-01-31", "7  until  2028-02-29" },
	    { "", "0", "-7", "x", "9223372036854775808", "7 until", "7 until 2027-02-29",
		"7 til 2027-01-31", "7 until 2027-01-31 x", "until 2027-01-31",
		"123456789012345678901234" } },
	{ S(LOCAL), { "1", "role admin", "role  a b" }, { "", "0", "role Admin", "admin" } },
	{ S(GRANTS),
	    { "status", "*", "deploy:shop/staging", "*:*/*", "log:*/s", "log:a/*", "deploy:staging",
		"*:client/*", "do.a-b:x/y", "a-b:client/c" },
	    { "", "Deploy", "deploy:", "deploy:/staging", "deploy:a/", "deploy:a/b/c", "deploy a/b",
		"deploy:A/b", "do.:x/y", "deploy:a_b/c", "deploy:**/c", "deploy:a/b:c" } },
	{ S(LEVEL), { "ERROR", "WARNING", "INFO", "DEBUG" }, { "", "LOUD" } },
	{ S(FORMAT), { "human", "LOGFMT" }, { "", "json" } },
	{ S(SERVER_KIND), { "production", "Development" }, { "staging", "productions" } },
	{ S(LINES), { "0", "20" }, { "21", "-1" } },
	{ S(DAYS_OR_0), { "0", "9999" }, { "-1", "10000" } },
	{ S(MINUTES_OR_0), { "0", "9999" }, { "05", "1h" } },
	{ S(BUCKET), { "acme-audit", "a.b" }, { "Acme", "ab-" } },
	{ S(REGION), { "eu-central-1", "garage" }, { "eu-", "EU" } },
	{ S(ACCESS_KEY), { "AKIAWRITERWRITER0001", "k_y-1" }, { "ab", "AKIA/B" } },
	{ S(COUNT_OR_0), { "0", "1000" }, { "-1", "1001" } },
	{ S(CHATS), { "-1001", "-1001, 7" }, { "0", "team" } },
	{ S(MODE), { "webhook", "Polling" }, { "", "both" } },
	{ S(HOSTS),
	    { "h", "a-b.example", "1.2.3.4:22", "[::1]", "[fe80::1]:2222", "a,b:1,[::1]:65535" },
	    { "", "-h", "a b", "a/b", "a,", ",a", "a,,b", "a, b", "a,b,a", "h:0", "::1",
		"[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]" } },
	{ S(HOSTS), { "a_b", "A.b.C", "0", NUMBERS_1_TO_64 },
	    { NUMBERS_1_TO_64 ",65", "h:65536", "h:", "h:1:2", "[::1", "[]", "[a]",
		"h:99999999999999999999", "[::1]x", "u@h", "_h", "h." } },
	{ S(HOSTS_OR_PATTERN), { "a:1,[::1]", "w*,h" }, { "", "*", "w*b", "[a", "h*:22", "H*" } },
	{ S(HOSTS_FILE), { "/etc/deploybot/kiosks", "/a b" }, { "hosts", "/etc/a:b" } },
	{ S(AT_ONCE), { "true", "No", "0", "1", "99" }, { "", "100", "-1", "01", "all", "1.5" } },
	{ S(JUMP), { "h", "ops@h", "ops@1.2.3.4:2222", "ops@[::1]:22", "[::1]" },
	    { "", "-h", "ops@", "@h", "-o@h", "ops@h:0", "ops@h:65536", "ops@h,i", "ops@h i", "::1",
		"ops@h;id", "ops@a@b" } },
	{ S(PROXY_COMMAND),
	    { "nc %h %p", "/usr/bin/aws ssm start-session --target %h --parameters portNumber=%p" },
	    { "", "nc %h %p;id", "nc $(id)", "nc %d", "nc %", "-x", "a|b", "a'b", "%h" } },
	{ S(CLIENTS), { "acme", "0a-b,c", "a, b" },
	    { "", "Acme", "-a", "a_b", "a/b", "a,,b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
	{ S(ZONE_ID), { "0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff" },
	    { "0123456789abcdef0123456789abcde", "0123456789ABCDEF0123456789abcdef" } },
	{ S(ZONE_NAME), { "acme.example", "a-b.co.uk", "xn--bcher-kva.example" },
	    { "", "acme", "Acme.example", ".acme.example", "acme.example.", "a b.c",
		"*.acme.example", "https://acme.example" } },
	{ S(MINUTES), { "5", "1440", "99", "1399" }, { "4", "1441", "05", "1500" } },
	{ S(CLIENT_HOST), { "agent:a", "agent:1.b-c" },
	    { "agent:", "agent:-a", "agent:.a", "agent:A", "agent:_", "agent:a:b", "w@agent:a" } },
	{ S(CLIENT_HOST), { "local", "h", "web@h", "w.e-b@[::1]:22", "1.2.3.4:2222" },
	    { "", "@h", "-w@h", "a b@h", "h:0", "web@h;id", "w@w@h", "h:65536", "W@h" } },
	{ S(UNIT), { "web", "web@1.service", "A_b:c" }, { "", "-a", ".a", "a b", "a/b", "a;b" } },
	{ S(ACTIONS), { "restart-web", "a, b" }, { "", "A", "-a", "a_b", "a;b", "a1" } },
	{ S(STAGES), { "none", "staging, shop/qa" }, { "", "a,b,c,d", "a/b/c", "A" } },
	{ S(TARGET), { "production", "shop/production" }, { "", "/a", "a/", "a/b/c", "*/a", "A" } },
	{ S(PORT_PAIR), { "8001,8002", "1,65535" },
	    { "", "8001", "1,1", "1,2,3", "1,2,", ",1", "0,1", "1,65536", "65536,1", "1, 2",
		"a,b" } },
	{ S(USER), { "deploy", "_x", "a.b-c_9" },
	    { "", "-x", ".x", "9", "Deploy", "a b", "a@b", "a;b", "a/b" } },
	{ S(HOST_PATH), { "/a/", "/srv/app", "/etc/nginx/a_b-c,d@1.conf", "/.a/..b/./c.." },
	    { "", "srv", "/a b", "/a$b", "/a'b", "/a\nb", "/\xc3\xa4", "/a;b", "/", "/a/../b",
		"/.." } },
	{ S(PATTERNS), { "src/**", "!docs/**", "*.md", "a b/..c", ":x", "-x", "Dockerfile" },
	    { "", "!", "/src", "!/src", "..", "../x", "a/../b", "!a/..", "a\nb" } },
	{ S(COMMAND), { "./migrate" }, { ".", "./", "./-x", "../x", ".x", "././x" } },
	{ S(COMMAND), { "sudo -n nginx -s reload", "/usr/sbin/nginx -s reload" },
	    { "", "-x", " x", "a;b", "a|b", "a $(b)", "a\nb", "a 'b'", "a*", "a>b", "~/a" } },
	{ S(SMOKE), { "http://h:65535/", "http://h:80/:99999" },
	    { "http://h:65536/", "http://[::1]:65536/" } },
	{ S(SMOKE),
	    { "http://127.0.0.1:{port}/health", "http://h", "http://h:80/a?b=c&d#e",
		"http://[::1]:1/", "http://[::1]:{port}/" },
	    { "", "h", "http://", "http:///a", "http://h/{port}", "http://{port}/", "http://u@h/",
		"http://h/a b", "https://h/", "http://h:{x}/", "{port}" } },
	{ S(IMAGE), { "myapp", "a/b-c/d_e.f", "a__b", "0" },
	    { "", "My", "a:1", "a@b", "/a", "a/", "a//b", "a..b", "a/-b", "-a", "a-" } },
	{ S(REGISTRY), { "http://h:65535", "h:1/a" }, { "http://h:65536", "h:65536/a" } },
	{ S(REGISTRY), { "h", "h:5000", "https://r.example.org/team/x", "http://10.0.0.1:5000" },
	    { "", "https://", "[::1]", "h/", "h/Team", "h:x", "h//a", "/h", "h a", "u@h",
		"h/a:1" } },
	{ S(REGISTRIES), { "base", "base, hub-2", "images,users" },
	    { "", "image", "base,url", "user", "password", "pull", "Base", "a_b", "base-",
		"a,b,c,d,e,f,g,h,i", "abcdefghijklmnopqrstu" } },
	{ S(BUILD_ARGS), { "A=1", "A=  _b2=x=y;$(id)", "KEY_ID=1  commit=2" },
	    { "", "A", "1A=2", "=1", "NPM_TOKEN=x", "A=1 db_Password=x", "MySecret=", "PASSWD=x",
		"COMMIT=x", "A=1 BUILDKIT_INLINE_CACHE=0", "A=\xc3\xa4", " A=1" } },
	{ S(BUILD_SECRETS), { "npmrc=/a", "a.b-c=/a b_1=/c/d" },
	    { "", "npmrc", "npmrc=a", "=/a", "a=/b,src=/c", "a=/b\"c", "-a=/b", "a=/b c" } },
	{ S(STAGE), { "web", "Web-2.a_b" }, { "", "-a", "a b", "a/b" } },
	{ S(PLATFORM), { "linux/arm64", "linux/arm/v7" },
	    { "", "arm64", "windows/amd64", "linux/amd64,linux/arm64", "linux/" } },
	{ S(ACCOUNT), { "ci", "robot$shop+push", "_json_key", "a@b.c" },
	    { "", "-u", "a b", "a:b", "a\n", "\xc3\xa4" } },
	{ S(PASSWORD), { "x", "a b:c $d", "\xc3\xa4" }, { "", "a\nb", "\t", "\x7f", "\xff" } },
	{ S(ENGINE), { "unix:///run/x.sock", "tcp://10.0.0.1:2376", "ssh://u@h" },
	    { "", "unix://run/x", "/run/x.sock", "http://h", "tcp://", "ssh://-oX", "tcp://a b" } },
	{ S(INSIDE), { "Dockerfile", "docker/app.Dockerfile", "..a/b" },
	    { "", "/etc/passwd", "../x", "a/../b", "a/..", "./a", "-x", "a//b", "a/", "a b",
		"a$b" } },
	{ S(INSIDE_FOLDER), { ".", "services/orders", "a/" },
	    { "", "/srv", "../x", "a/../b", "a/..", "./a", "-x", "a//b", "a b", "a$b", "/" } },
	{ S(REPOSITORIES), { "/team/library.git, team/libs/", "/", "/a%20b/~c" },
	    { "", "//", "../x", "/a/../b", "/a,/..", "a//b", "a b", "a%2fb", "https://h/a", "a?b",
		"a;b", "/a,,/b" } },
	{ S(WORD), { "ssh", "us-east-1" }, { "", "Ssh", "1a", "-a", "../x", "a_b", "a b" } },
	{ S(FORMER_NAME), { ".", "shop", "a-1" }, { "", "Shop", "..", "a.b", "-a", "a b", "1a" } },
	{ S(SERVICE), { "app", "Web_1.x-y" }, { "", "-a", ".a", "a b", "a/b", "a;b" } },
	{ S(SERVICES), { "app", "worker, Web_1.x-y" },
	    { "app,,b", "-a", ".a", "a b", "a/b", "a;b" } },
	{ S(LABEL), { "default", "a-1", "0" }, { "", "A", "-a", "a-", "a.b", "a_b", "a b" } },
	{ S(LABELS), { "shop", "shop.v-1" }, { "", ".a", "a.", "a..b", "A", "a/b", "-a", "a-.b" } },
	{ S(WORKLOADS), { "deployment/web", "statefulset/a.b, cronjob/c" },
	    { "web", "deployment/", "pod/x", "deployment/A", "deployment/a/b", "Deployment/a" } },
	{ S(COMPOSE_SOURCE), { "host", "repo" }, { "", "Repo", "git", "host repo" } },
	{ S(COMPOSE_ALLOW),
	    { "privileged", "devices  bind:/srv/media bind:/", "cap_add bind:/a/.b" },
	    { "", "Privileged", "devices,cap_add", "bind:srv", "bind:/srv/", "bind:/srv/../etc",
		"bind:/./x", "bind:/a b:c" } },
	{ S(MISSING), { "warn", "fetch" }, { "", "Warn", "ignore" } },
	{ S(SOURCE), { "build", "registry" }, { "", "Build", "ci" } },
	{ S(UNITS), { "shop.service", "shop.service, cron@a.service" },
	    { "shop", "shop.timer", "-H.service", "a.service,,b.service", "a b.service",
		"a;b.service" } },
	{ S(SCOPE), { "system", "user" }, { "", "System", "global" } },
	{ S(STEADY), { "1", "60" }, { "", "0", "61", "05", "1s" } },
	{ S(STRATEGY), { "recreate", "bluegreen" }, { "", "Recreate", "blue-green" } },
};

TEST(each_setting_takes_what_it_can_be_and_nothing_else)
{
	struct err err;

	for (size_t c = 0; c < COUNT(cases); c++)
		for (size_t i = 0; i < AS_LONG_AS_CAN_BE; i++) {
			const char *good = cases[c].good[i], *bad = cases[c].bad[i];
			const char *name = setting_rows[cases[c].type].name;

			if (good != NULL && !setting_check(cases[c].type, good, false, &err))
				fail_msg("%s: \"%s\" is refused: %s", name, good, err.text);
			if (bad == NULL)
				continue;
			err.text[0] = '\0';
			if (setting_check(cases[c].type, bad, false, &err))
				fail_msg("%s: \"%s\" is taken", name, bad);
			assert_string_not_equal(err.text, "");
		}
}

/* --- where capitals mean nothing --- */

/* Each text of an expression that is a list of them, behind *at; false: there is no more. */
static bool
next_word(const char **at, char out[32])
{
	while (**at != '\0') {
		size_t size = strcspn(*at, "|");
		const char *word = *at;

		*at += size + ((*at)[size] == '|');
		if (size >= 32 ||
		    strspn(word,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") < size)
			continue; /* it stands for many */
		memcpy(out, word, size);
		out[size] = '\0';
		return true;
	}
	return false;
}

/* In capitals, in small letters, every second one so. */
static void
check_cases(enum setting_type type, const char *text)
{
	char other[SETTING_PART_MAX + 1];
	struct err err;

	for (int way = 0; way < 3; way++) {
		(void)text_copy(other, sizeof(other), text);
		for (size_t i = 0; other[i] != '\0'; i++)
			other[i] = (char)(way == 0 || (way == 2 && i % 2 == 0) ? toupper(other[i]) :
										 tolower(other[i]));
		if (!setting_check(type, other, false, &err))
			fail_msg(
			    "%s: \"%s\" is refused: %s", setting_rows[type].name, other, err.text);
	}
}

/* What stands beside its words: longer, shorter, with a sign between, doubled. */
static void
check_others(enum setting_type type, const char *word)
{
	static const char *const forms[] = { "%sx", "x%s", "%s-", "_%s", "%1$.1s-%1$s", "%1$s,%1$s",
		"%1$s %1$s" };
	const char *sentence = setting_rows[type].sentence;
	char other[80];
	struct err err;

	if (strstr(sentence, word) == NULL)
		fail_msg("%s: \"%s\" is not in its sentence", setting_rows[type].name, word);
	for (size_t i = 0; i < COUNT(forms); i++) {
		(void)snprintf(other, sizeof(other), forms[i], word);
		if (setting_check(type, other, false, &err))
			fail_msg("%s: \"%s\" is taken", setting_rows[type].name, other);
		assert_non_null(strstr(err.text, sentence));
	}
}

/* A row that joins is in this walk; one that is no list of words shows in `cases` what it takes. */
TEST(where_capitals_mean_nothing_each_word_is_taken_and_another_is_answered_with_all_of_them)
{
	size_t rows = 0;

	for (enum setting_type type = 0; type < SETTING_TYPES; type++) {
		const char *at = setting_rows[type].expression;
		char word[32];

		if (!setting_rows[type].is_folded)
			continue;
		rows++;
		while (next_word(&at, word)) {
			check_cases(type, word);
			check_others(type, word);
		}
		for (size_t c = 0; c < COUNT(cases); c++)
			for (size_t i = 0; cases[c].type == type && i < AS_LONG_AS_CAN_BE; i++)
				if (cases[c].good[i] != NULL)
					check_cases(type, cases[c].good[i]);
	}
	assert_true(rows > 1);
}

/* `before`, then as many of "01010…" that there are `size` bytes, then `behind`. */
static const char *
sized(const char *before, size_t size, const char *behind)
{
	static char text[8192];
	size_t used = strlen(before), last = size - strlen(behind);

	assert_true(size < sizeof(text));
	memcpy(text, before, used);
	for (; used < last; used++)
		text[used] = used % 2 == 0 ? '0' : '1';
	memcpy(text + last, behind, strlen(behind) + 1);
	return text;
}

TEST(each_setting_has_its_longest)
{
	static const struct {
		enum setting_type type;
		const char *before;
		size_t most;
		const char *behind;
	} longest[] = {
		{ S(TEXT), "", 1023, "" },
		{ S(TOKEN), "", 1023, "" },
		{ S(WEBHOOK_SECRET), "", 256, "" },
		{ S(URL), "http://", 1023, "" },
		{ S(PATH), "/", 1023, "" },
		{ S(SOCKET), "/", 107, "" },
		{ S(ADDRESS), "/", 107, "" },
		{ S(HOSTS), "", 253, "" },
		{ S(USER), "a", 63, "" },
		{ S(HOST_PATH), "/", 1023, "" },
		{ S(PATTERNS), "a", 1023, "" },
		{ S(COMMAND), "a", 1023, "" },
		{ S(SMOKE), "http://a/", 1023, "" },
		{ S(IMAGE), "", 255, "" },
		{ S(REGISTRY), "h/", 255, "" },
		{ S(ACCOUNT), "", 1023, "" },
		{ S(PASSWORD), "", 4096, "" },
		{ S(ENGINE), "tcp://", 1023, "" },
		{ S(INSIDE), "", 1023, "" },
		{ S(INSIDE_FOLDER), "", 1023, "" },
		{ S(WORD), "a", 63, "" },
		{ S(SERVICE), "", 63, "" },
		{ S(LABEL), "", 63, "" },
		{ S(LABELS), "a.", 65, "" },
		{ S(BRANCH), "", 200, "" },
		{ S(REPOSITORY), "a/", 200, "" },
		{ S(REPOSITORY_PATH), "a/", 250, "" },
		{ S(STARTS), "deploy:staging ref=$.", 280, "" },
		{ S(WORKFLOW_IS), "github 1 a.yml@refs/heads/", 511, "" },
		{ S(VAULT_SECRET), "kv2 secret a/", 250, "" },
		{ S(PIPELINE_IS),
		    "a.yml ref=m a="
		    "012345678901234567890123456789012345678901234567890123456789"
		    " b="
		    "012345678901234567890123456789012345678901234567890123456789"
		    " c="
		    "012345678901234567890123456789012345678901234567890123456789 d=",
		    255, "" },
		{ S(REMOTE), "/", 1023, "" },
		{ S(PROXY), "http://", 1023, "" },
		{ S(URLS), "http://a/", SETTING_URL_LIST_MAX, ",http://b" },
	};

	for (size_t i = 0; i < COUNT(longest); i++) {
		size_t most = longest[i].most;
		bool is_list = longest[i].behind[0] != '\0';
		enum setting_type type = longest[i].type;
		const char *name = setting_rows[type].name;

		if (!is_list &&
		    !setting_check(type, sized(longest[i].before, most, ""), false, NULL))
			fail_msg("%s: %zu bytes are refused", name, most);
		if (setting_check(
			type, sized(longest[i].before, most + 1, longest[i].behind), false, NULL))
			fail_msg("%s: %zu bytes are taken", name, most + 1);
	}
}

TEST(a_list_has_as_many_parts_as_may_be)
{
	static char text[2 * SETTING_IDS_SIZE_MAX];
	struct err err;

	for (size_t n = 1, used = 0; n <= SETTING_IDS_MAX + 1; n++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu until 2027-01-31",
		    n > 1 ? ", " : "", 123456789012 + n);
		if (n == 500 || n >= SETTING_IDS_MAX)
			assert_int_equal(setting_check(SETTING_TYPE_MEMBERS, text, false, &err),
			    n <= SETTING_IDS_MAX);
	}
	assert_string_equal(err.text, "has more than 512 in its list");
	text[0] = '\0';
	for (size_t n = 1, used = 0; n <= SETTING_NAMES_MAX + 1; n++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%sa-name-of-18-byte%zu",
		    n > 1 ? ", " : "", n + 10);
		assert_int_equal(
		    setting_check(SETTING_TYPE_NAMES, text, false, NULL), n <= SETTING_NAMES_MAX);
	}
}

TEST(a_part_of_a_list_is_as_long_as_a_value_may_be)
{
	char text[SETTING_PART_MAX + 2] = "http://";

	memset(text + strlen("http://"), 'a', SETTING_PART_MAX + 1 - strlen("http://"));
	assert_false(setting_check(SETTING_TYPE_URLS, text, false, NULL));
	text[SETTING_PART_MAX] = '\0';
	assert_true(setting_check(SETTING_TYPE_URLS, text, false, NULL));
}

/* A row without texts in `cases`, or with an expression that does not compile. */
TEST(every_row_has_a_sentence_and_two_texts_that_fit_and_two_that_do_not)
{
	for (enum setting_type type = 0; type < SETTING_TYPES; type++) {
		size_t good = 0, bad = 0;
		struct err err;

		for (size_t c = 0; c < COUNT(cases); c++)
			for (size_t i = 0; cases[c].type == type && i < AS_LONG_AS_CAN_BE; i++) {
				good += cases[c].good[i] != NULL;
				bad += cases[c].bad[i] != NULL;
			}
		if (good < 2 || bad < 2 || strlen(setting_rows[type].sentence) < 8)
			fail_msg("%s: %zu texts that fit, %zu that do not", setting_rows[type].name,
			    good, bad);
		if (!setting_check(type, "#", false, &err))
			assert_int_equal(err.code, ERR_INVALID); /* and not that it has no memory */
		assert_true(
		    strlen(setting_rows[type].sentence) < 120); /* with NAME and file in a line */
	}
}

TEST(what_is_said_has_the_value_and_what_is_expected)
{
	struct err err;

	assert_false(setting_check(SETTING_TYPE_PORT, "x\n\x7f", false, &err));
	assert_string_equal(err.text,
	    "\"x??\" is not a port, 1 to 65535 (there is a character that cannot be seen)");
	assert_false(
	    setting_check(SETTING_TYPE_IDS, "1, x", false, &err)); /* the part that is wrong */
	assert_string_equal(err.text,
	    "\"x\" is not the Telegram id of a person (/whoami shows yours); commas between "
	    "several");
	assert_false(setting_check(SETTING_TYPE_WORD, sized("", 64, ""), false, &err));
	assert_string_equal(err.text, "is 64 bytes long, and may be 63");
	assert_false(setting_check(SETTING_TYPE_PATH, sized("", 999, ""), false, &err));
	assert_true(text_ends(err.text, "10101\" is not an absolute path"));
	assert_int_equal(strlen(err.text), 60 + strlen("\"\" is not an absolute path"));
}

/* A terminal obeys U+009B, U+202E turns what follows around, a token with U+200B is no token. */
TEST(what_cannot_be_seen_is_neither_taken_nor_shown)
{
	static const char *const unseen[] = { "/a\xc2\x9b"
					      "31m",
		"/a\xe2\x80\xae"
		"b",
		"/0123456789abcdef\xe2\x80\x8b", "\xef\xbb\xbf/a", "/a\xe2\x80\xa9", "/\xff" };
	static const enum setting_type types[] = { SETTING_TYPE_PATH, SETTING_TYPE_TEXT,
		SETTING_TYPE_PASSWORD, SETTING_TYPE_TOKEN };
	struct err err;

	for (size_t t = 0; t < COUNT(types); t++)
		for (size_t i = 0; i < COUNT(unseen); i++) {
			assert_false(setting_check(types[t], unseen[i], false, &err));
			assert_true(clean_is_utf8(err.text, strlen(err.text)));
			assert_non_null(
			    strstr(err.text, "(there is a character that cannot be seen)"));
			assert_null(strstr(err.text, "\xc2\x9b"));
			assert_null(strstr(err.text, "\xe2\x80"));
		}
	assert_false(setting_check(SETTING_TYPE_PORT, unseen[1], false, &err));
	assert_true(text_starts(err.text, "\"/a???b\" is not a port"));
	assert_true(setting_check(SETTING_TYPE_PATH, "/schl\xc3\xbcssel", false, &err));
}

/* Whoever draws a forge's token by chance has one that no forge knows. */
TEST(a_forges_token_is_not_drawn_by_chance)
{
	struct err err;

	assert_false(setting_check(SETTING_TYPE_FORGE_TOKEN, "short", true, &err));
	assert_null(strstr(err.text, "openssl"));
	assert_non_null(strstr(err.text, "as the repository's host makes it"));
	assert_false(setting_check(SETTING_TYPE_S3_SECRET, "short", true, &err));
	assert_true(strstr(err.text, "openssl") == NULL &&
	    strstr(err.text, "the secret half of that access key") != NULL);
}

/* What is refused may be the real one with a slip: it stays out of logs and terminals. */
TEST(no_secret_stands_in_what_is_said_of_it)
{
	static const enum setting_type types[] = { SETTING_TYPE_TOKEN, SETTING_TYPE_BOT_TOKEN,
		SETTING_TYPE_LONG_TOKEN, SETTING_TYPE_FORGE_TOKEN, SETTING_TYPE_WEBHOOK_SECRET,
		SETTING_TYPE_S3_SECRET, SETTING_TYPE_VAULT_TOKEN, SETTING_TYPE_BEARER_TOKEN,
		SETTING_TYPE_SIGNING_KEY, SETTING_TYPE_PROXY, SETTING_TYPE_REMOTE };
	static const char *const secrets[] = { "s3cr3t", "s3cr3t-change-me-s3cr3t",
		"s3cr3ts3cr3ts3cr3t\x7f", "123456:s3cr3t" };
	struct err err;

	for (size_t c = 0; c < COUNT(types); c++)
		for (size_t i = 0; i < COUNT(secrets); i++) {
			assert_false(setting_check(types[c], secrets[i], false, &err));
			assert_null(strstr(err.text, "s3cr3t"));
		}
	assert_false(setting_check(SETTING_TYPE_PASSWORD, "s3cr3t\n", false, &err));
	assert_null(strstr(err.text, "s3cr3t"));
	assert_false(setting_check(SETTING_TYPE_TEXT, "s3cr3t\n", true, &err)); /* the setting's */
	assert_null(strstr(err.text, "s3cr3t"));
}

static bool memory_is_short;
static bool memory_was_short; /* for one call */

int __real_regcomp(regex_t *expression, const char *text, int flags);
int __wrap_regcomp(regex_t *expression, const char *text, int flags);
int
__wrap_regcomp(regex_t *expression, const char *text, int flags)
{
	return memory_is_short ? REG_ESPACE : __real_regcomp(expression, text, flags);
}

int
__real_regexec(const regex_t *expression, const char *text, size_t n, regmatch_t at[], int flags);
int
__wrap_regexec(const regex_t *expression, const char *text, size_t n, regmatch_t at[], int flags);
int
__wrap_regexec(const regex_t *expression, const char *text, size_t n, regmatch_t at[], int flags)
{
	if (memory_was_short) {
		memory_was_short = false;
		return REG_NOMATCH; /* as glibc says it */
	}
	return memory_is_short ? REG_ESPACE : __real_regexec(expression, text, n, at, flags);
}

TEST(a_value_is_not_wrong_because_memory_was_short_for_a_moment)
{
	memory_was_short = true;
	assert_true(setting_check(SETTING_TYPE_PORT, "80", false, NULL) && !memory_was_short);
	assert_false(setting_check(SETTING_TYPE_PORT, "x", false, NULL));
}

/* It is neither taken nor called wrong: whoever asks ends, and asks again when it is started. */
TEST(what_cannot_be_checked_for_want_of_memory_ends_the_program)
{
	for (int i = 0; i < 2; i++) { /* not compiled yet (it is the first test), and compiled */
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			memory_is_short = true;
			_exit(setting_check(SETTING_TYPE_PORT, "80", false, NULL));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		assert_true(setting_check(SETTING_TYPE_PORT, "80", false, NULL));
	}
}

TEST(a_duration_is_minutes_hours_or_days)
{
	static const struct {
		const char *text;
		int64_t minutes;
	} times[] = { { "1m", 1 }, { "9999m", 9999 }, { "8h", 480 }, { "7d", 10080 }, { NULL, 0 } };

	for (size_t i = 0; i < COUNT(times); i++) {
		assert_int_equal(setting_duration_ms(times[i].text), 60000 * times[i].minutes);
		if (times[i].text != NULL)
			assert_true(setting_check(S(DURATION), times[i].text, false, NULL));
	}
}
