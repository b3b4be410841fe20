/* Goal: doctor says what of link's certificates, its socket and the playbooks is wrong.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_agents.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/link_aid.h"
#include "types/settings.h"
#include "unit.h"

#define SAID(level, text) assert_true(has(level, text))

static struct link_aid aid;
static struct doctor *doctor;
static char folder[] = "/tmp/test_doctor_link.XXXXXX";

/* Was that said, which begins so? */
static bool
has(enum doctor_level level, const char *text)
{
	for (size_t i = 0; i < doctor->count; i++)
		if (doctor->findings[i].level == level &&
		    strncmp(doctor->findings[i].text, text, strlen(text)) == 0)
			return true;
	for (size_t i = 0; i < doctor->count; i++)
		print_message("%d %s\n", doctor->findings[i].level, doctor->findings[i].text);
	return false;
}

/* With the settings that every server has, the authority's and these three. */
static void
look(void (*at)(struct doctor *doctor), const char *first, const char *second, const char *third)
{
	char *const list[] = {
		(char *)"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
		(char *)"ADMIN_TELEGRAM_IDS=11", (char *)"GITHUB_REPOSITORY=acme/shop",
		(char *)"TELEGRAM_MODE=polling", LINK_AID_LINES(&aid), (char *)first,
		(char *)second, (char *)third, NULL
	};
	struct settings_report report = { .count = 0 };
	struct settings *s = NULL;

	memset(doctor, 0, sizeof(*doctor));
	assert_true(settings_load(NULL, list, &s, &report));
	doctor->settings = s;
	at(doctor);
	doctor->settings = NULL;
	settings_unref(s);
}

static const char *
path_of(const char *before, const char *name)
{
	static char paths[4][128];
	static unsigned n;

	n = (n + 1) % COUNT(paths);
	(void)snprintf(paths[n], sizeof(paths[n]), "%s%s/%s", before, folder, name);
	return paths[n];
}

static void
look_at_link(void)
{
	look(doctor_link, path_of("LINK_SOCKET=", "server.sock"), NULL, NULL);
}

static void
sign(const struct crypto_ca_pair *ca, const char *identity)
{
	struct crypto_ca_order order = { .key = ca->key,
		.certificate = ca->text,
		.identity = identity,
		.from = clock_wall_ms(),
		.until = clock_wall_ms() + LINK_AID_DAY_MS };
	char text[CRYPTO_CA_PEM];

	assert_true(crypto_ca_sign(&order, aid.link.text, text, NULL));
	assert_true(file_write(aid.cert_file, text, strlen(text), 0600, NULL));
}

TEST(what_a_host_would_refuse_is_an_error)
{
	struct crypto_ca_pair other;

	link_aid_make(&aid, clock_wall_ms());
	look_at_link();
	SAID(DOCTOR_OK, "LINK_CA_FILE: until 20");
	SAID(DOCTOR_OK, "LINK_CERTIFICATE_FILE: until 20");
	sign(&aid.ca, "agent/acme");
	look_at_link();
	SAID(DOCTOR_ERROR,
	    "LINK_CERTIFICATE_FILE: a certificate for URI:deploybot:agent/acme, so no host connects");
	assert_true(
	    crypto_ca_make(clock_wall_ms(), clock_wall_ms() + LINK_AID_DAY_MS, &other, NULL));
	sign(&other, "server");
	look_at_link();
	SAID(DOCTOR_ERROR, "LINK_CERTIFICATE_FILE: a certificate that LINK_CA_FILE has not signed");
	link_aid_remove(&aid);
}

TEST(ends_are_said_from_half_of_the_time_on)
{
	link_aid_make(&aid, clock_wall_ms() - 1900 * LINK_AID_DAY_MS);
	look_at_link();
	SAID(DOCTOR_WARNING, "LINK_CA_FILE: more than half of its time is over, it ends on 20");
	SAID(DOCTOR_WARNING,
	    "LINK_CERTIFICATE_FILE: more than half of its time is over, it ends on 20");
	link_aid_remove(&aid);
	/* Hosts do not look at the dates of link's own. */
	link_aid_make(&aid, clock_wall_ms() - 3651 * LINK_AID_DAY_MS);
	look_at_link();
	SAID(DOCTOR_ERROR, "LINK_CA_FILE: its certificate ended on 20");
	SAID(DOCTOR_WARNING, "LINK_CERTIFICATE_FILE: its certificate ended on 20");
	link_aid_remove(&aid);
}

TEST(its_socket_is_looked_at_and_not_connected_to)
{
	const char *path = path_of("", "server.sock");
	int fd;

	link_aid_make(&aid, clock_wall_ms());
	look_at_link();
	SAID(DOCTOR_WARNING, "LINK_SOCKET: ");
	assert_true(file_write(path, "x", 1, 0600, NULL));
	look_at_link();
	SAID(DOCTOR_ERROR, "LINK_SOCKET: ");
	assert_int_equal(unlink(path), 0);
	fd = packet_socket(path, true);
	assert_int_equal(listen(fd, 1), 0);
	look_at_link();
	SAID(DOCTOR_OK, "LINK_SOCKET: ");
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	link_aid_remove(&aid);
}

TEST(a_playbook_that_is_not_there_is_named)
{
	static const char playbook[] = "PLAYBOOK_RESTART=site.yml tags=restart";
	char setting[128];

	(void)snprintf(setting, sizeof(setting), "ANSIBLE_FOLDER=%s", folder);
	link_aid_make(&aid, clock_wall_ms());
	look(doctor_ansible, NULL, NULL, NULL);
	assert_int_equal(doctor->count, 0);
	look(doctor_ansible, setting, playbook, NULL);
	SAID(DOCTOR_ERROR, "ANSIBLE_FOLDER: ");
	SAID(DOCTOR_ERROR, "playbook restart: ");
	/* A runner that is a service sees more than we do. */
	look(doctor_ansible, setting, playbook, "RUNNER_SOCKET=/run/x/runner.sock");
	SAID(DOCTOR_NOTE, "playbook restart: ");
	assert_true(file_write(path_of("", "inventory"), "a", 1, 0600, NULL));
	assert_true(file_write(path_of("", "site.yml"), "a", 1, 0600, NULL));
	look(doctor_ansible, setting, playbook, NULL);
	SAID(DOCTOR_OK, "ANSIBLE_FOLDER: ");
	assert_int_equal(doctor->count, 1);
	assert_int_equal(unlink(path_of("", "inventory")), 0);
	assert_int_equal(unlink(path_of("", "site.yml")), 0);
	link_aid_remove(&aid);
}

/* --- agents and runners --- */

static void
judge(const char *state, const char *ends, bool releases)
{
	char text[256];
	struct json *peer;

	(void)snprintf(text, sizeof(text),
	    "{\"name\":\"web1\",\"state\":\"%s\",\"said\":\"so\",\"certificate_ends_at\":%s,"
	    "\"capabilities\":[{\"name\":\"%s\"}]}",
	    state, ends, releases ? "release" : "restart-web");
	peer = json_decode(text, strlen(text), NULL);
	assert_non_null(peer);
	memset(doctor, 0, sizeof(*doctor));
	doctor_judge_peer(doctor, "agent", peer, true, 1767225600000); /* 2026-01-01 */
	json_free(peer);
}

TEST(of_a_peer_its_end_is_warned_of_a_week_before)
{
	judge("connected", "null", true);
	SAID(DOCTOR_OK, "web1: so, may release");
	judge("connected", "\"2026-01-08T00:00:00.001Z\"", true);
	SAID(DOCTOR_OK, "web1: so, may release");
	judge("connected", "\"2026-01-07T23:59:59.000Z\"", true);
	SAID(DOCTOR_WARNING,
	    "web1: its certificate ends within a week, and does not renew: deploybot agent move web1 (so)");
	judge("connected", "\"2025-12-31T23:59:59.000Z\"", true);
	SAID(DOCTOR_ERROR, "web1: its certificate has ended: deploybot agent move web1 (so)");
	judge("connected", "null", false);
	SAID(DOCTOR_ERROR, "web1: nothing can be released there");
	judge("disconnected", "\"2026-01-07T23:59:59.000Z\"", true);
	SAID(DOCTOR_ERROR, "web1: so");
}

static int
begin(UNUSED void **state)
{
	doctor = mem_new(1, sizeof(*doctor));
	return mkdtemp(folder) == NULL;
}

static int
finish(UNUSED void **state)
{
	free(doctor);
	return rmdir(folder);
}

TEST_GROUP(begin, finish)
