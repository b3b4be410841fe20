"""Goal: where CI pushes, a question names the image that the registry has, and one pushed later is asked about anew."""
# SPDX-License-Identifier: ISC
import hashlib
import http.server
import threading

import pytest

from flow_aid import Scene, ended_well

MANIFEST = '{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "of": "{}"}}'


class Registry:
    """A registry on loopback, without a login; of tags that nobody has pushed it says so."""

    def __init__(self):
        self.tags = {}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                manifest = registry.tags.get(self.path.removeprefix("/v2/team/shop/manifests/"), "").encode()
                self.send_response(200 if manifest else 404)
                self.send_header("Content-Length", str(len(manifest)))
                self.end_headers()
                self.wfile.write(manifest)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def push(self, commit, of):
        """CI's image of it; its digest, by which it stays there when another one has its tag."""
        self.tags[commit] = MANIFEST.format(of)
        digest = "sha256:" + hashlib.sha256(self.tags[commit].encode()).hexdigest()
        self.tags[digest] = self.tags[commit]
        return digest

    def done(self):
        self.server.shutdown()
        self.thread.join()


@pytest.fixture(scope="module", name="scene")
def fixture_scene(tmp_path_factory):
    registry = Registry()
    made = Scene(tmp_path_factory.mktemp("image"), settings={
        "DEPLOY_TRANSPORT": "ssh", "STAGING_HOST": "nowhere.invalid", "PRODUCTION_HOST": "no.invalid",
        "IMAGE_SOURCE": "registry", "REGISTRY_URL": registry.url, "REGISTRY_IMAGE": "team/shop",
        "STAGING_CONFIRM": "true", "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None})
    made.registry = registry
    yield made
    ended_well(made)
    registry.done()


def shown(scene):
    return scene.bot_rows("SELECT shown_image FROM question ORDER BY work DESC LIMIT 1")[0][0]


def test_the_image_that_was_shown_is_bound_and_another_is_asked_about(scene):
    scene.commit()
    commit, who = scene.head("develop"), scene.admin()
    first = scene.registry.push(commit, "ci")
    who.say("/deploy staging")
    question = who.hear("Deploy to staging?", f"image {first[7:14]}…", buttons=("Deploy to",))
    assert shown(scene) == first
    second = scene.registry.push(commit, "somebody else")
    who.press(question, "Deploy to")
    anew = who.hear(f"the registry has {second[:19]} of this commit now, not {first[:19]}", buttons=("Deploy to",))
    assert shown(scene) == second
    who.press(anew, "Not now")


def test_where_ci_has_pushed_none_the_question_says_so(scene):
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    question = who.hear("Deploy to staging?", "CI has pushed no image of this commit yet", buttons=("Deploy to",))
    who.press(question, "Not now")
