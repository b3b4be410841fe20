"""s3_read.py - a stand-in for the reading side of an S3 bucket with versions and Object Lock, as strict as it.

ListObjectVersions with pages, GetObject with versionId, GetObjectRetention; whatever else is asked is refused, as it
would be to an auditor who has s3:ListBucketVersions, s3:GetObjectVersion and s3:GetObjectRetention alone.  Signatures
are those that botocore makes of the same request.  `troubles` says what goes wrong with the next calls, one each:

    "503"   SlowDown
    "gone"  the connection ends without an answer
"""
# SPDX-License-Identifier: ISC
import datetime
import http.server
import threading
import urllib.parse
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.credentials

REGION = "eu-central-1"
ACCESS, SECRET = "auditor-reads-only", "auditor/secret+0 of nobody"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SKEW_S = 900


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Version:
    def __init__(self, key, version, at, body, lock):
        self.key, self.version, self.at, self.body, self.lock = key, version, at, body, lock


class S3:
    """`versions`: in the order in which they came; a body of None is a delete marker.  lock: (mode, until) or None."""

    def __init__(self, bucket="audit-witness", page=1000, token=None):
        self.bucket, self.page, self.token = bucket, page, token
        self.versions, self.calls, self.troubles = [], [], []
        self.shows_locks = True     # s3:GetObjectRetention is granted
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.serve(self)

            do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL": self.endpoint}

    def put(self, key, body, at, lock=None):
        """What the bucket holds from then on; body None: a delete marker."""
        self.versions.append(Version(key, f"v{len(self.versions):04}.x/+", at, body, lock))

    # --- what is asked ---

    def serve(self, handler):
        with self.lock:
            trouble = self.troubles.pop(0) if self.troubles else None
            self.calls.append(handler.path)
        if trouble == "gone":
            handler.close_connection = True
            return
        try:
            if trouble == "503":
                raise Refused(503, "SlowDown", "Please reduce your request rate.")
            self.check_signature(handler)
            headers, body = self.answer(handler)
            self.send(handler, 200, headers, body)
        except Refused as e:
            body = (f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{e.code}</Code><Message>"
                    f"{escape(e.message)}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>")
            self.send(handler, e.status, {"Content-Type": "application/xml"}, body.encode())

    @staticmethod
    def send(handler, status, headers, body):
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def check_signature(self, handler):
        sent = handler.headers
        given = sent.get("Authorization", "").removeprefix("AWS4-HMAC-SHA256 ")
        words = dict(part.strip().split("=", 1) for part in given.split(",") if "=" in part)
        if not words:
            raise Refused(403, "AccessDenied", "Access Denied")
        date = sent.get("x-amz-date", "")
        if words.get("Credential") != f"{ACCESS}/{date[:8]}/{REGION}/s3/aws4_request":
            raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.")
        at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
        if abs((datetime.datetime.utcnow() - at).total_seconds()) > SKEW_S:
            raise Refused(403, "RequestTimeTooSkewed", "The difference between the two times is too large.")
        signed = words["SignedHeaders"].split(";")
        must = {"host"} | {name.lower() for name in sent if name.lower().startswith("x-amz-")}
        if not must <= set(signed) or signed != sorted(signed) or sent.get("x-amz-content-sha256") != EMPTY:
            raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed")
        if sent.get("x-amz-security-token") != self.token:
            raise Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(ACCESS, SECRET), "s3", REGION)
        request = botocore.awsrequest.AWSRequest(
            method=handler.command, url=f"http://{sent['Host']}{handler.path}",
            headers={name: sent[name] for name in signed})
        request.context["timestamp"] = date
        if words["Signature"] != auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request):
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match yours.")

    def answer(self, handler):
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        _, bucket, *rest = urllib.parse.unquote(parts.path).split("/", 2)
        key = rest[0] if rest else ""
        if bucket != self.bucket:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        if handler.command != "GET":
            raise Refused(403, "AccessDenied", "Access Denied")
        if not key and "versions" in query:
            return {"Content-Type": "application/xml"}, self.list(query).encode()
        if not key or "versionId" not in query:
            raise Refused(403, "AccessDenied", "Access Denied")
        found = [v for v in self.versions if v.key == key and v.version == query["versionId"]]
        if not found:
            raise Refused(404, "NoSuchVersion", "The specified version does not exist.")
        return self.retention(found[0]) if "retention" in query else self.get(found[0])

    def get(self, version):
        if version.body is None:
            raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        headers = {"x-amz-version-id": version.version, "Content-Type": "application/x-ndjson"}
        if version.lock and self.shows_locks:
            headers["x-amz-object-lock-mode"] = version.lock[0]
            headers["x-amz-object-lock-retain-until-date"] = stamp(version.lock[1])
        return headers, version.body

    def retention(self, version):
        if not self.shows_locks:
            raise Refused(403, "AccessDenied", "Access Denied")
        if not version.lock:
            raise Refused(404, "NoSuchObjectLockConfiguration",
                          "The specified object does not have a ObjectLock configuration")
        return {}, (f"<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{version.lock[0]}</Mode>"
                    f"<RetainUntilDate>{stamp(version.lock[1])}</RetainUntilDate></Retention>").encode()

    def list(self, query):
        """By key, of each the newest first; a page begins behind its markers."""
        if "version-id-marker" in query and "key-marker" not in query:
            raise Refused(400, "InvalidArgument", "A version-id marker cannot be specified without a key marker.")
        found = [(v.key, -i, v) for i, v in enumerate(self.versions) if v.key.startswith(query.get("prefix", ""))]
        newest = {key: max(-order for k, order, _ in found if k == key) for key, _, _ in found}
        found = sorted(found, key=lambda x: x[:2])
        if "key-marker" in query:
            at = [i for i, (key, _, v) in enumerate(found)
                  if (key, v.version) == (query["key-marker"], query.get("version-id-marker"))]
            if not at:
                raise Refused(400, "InvalidArgument", "Invalid version id specified")
            found = found[at[0] + 1:]
        page, more = found[:self.page], found[self.page:]
        text = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                f"<Name>{self.bucket}</Name><Prefix>{escape(query.get('prefix', ''))}</Prefix><KeyMarker/>"
                f"<MaxKeys>{self.page}</MaxKeys><IsTruncated>{'true' if more else 'false'}</IsTruncated>"]
        if more:
            text.append(f"<NextKeyMarker>{escape(page[-1][0])}</NextKeyMarker>"
                        f"<NextVersionIdMarker>{escape(page[-1][2].version)}</NextVersionIdMarker>")
        for key, order, v in page:
            kind = "DeleteMarker" if v.body is None else "Version"
            size = "" if v.body is None else f"<ETag>&quot;0&quot;</ETag><Size>{len(v.body)}</Size>"
            text.append(f"<{kind}><Key>{escape(key)}</Key><VersionId>{escape(v.version)}</VersionId>"
                        f"<IsLatest>{'true' if -order == newest[key] else 'false'}</IsLatest>"
                        f"<LastModified>{stamp(v.at)}</LastModified>{size}"
                        f"<Owner><ID>0</ID></Owner></{kind}>")
        return "".join(text) + "</ListVersionsResult>"
