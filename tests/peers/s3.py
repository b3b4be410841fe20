# SPDX-License-Identifier: ISC
"""s3.py - a stand-in for S3: one bucket with versions and Object Lock, as strict as it.

Every request's signature is made anew by botocore's own signer and compared.  Refused as S3 refuses it: no or another
signature, another key, a body that is not x-amz-content-sha256's, a checksum that is not the body's, a PUT to a bucket
with Object Lock without a checksum, a clock that is more than 15 minutes off, another region or bucket, a name that is
there with If-None-Match: *, reading, listing and deleting by a key that may only write.  `troubles` says what goes
wrong with the next PUTs, one each:

    "403", "409", "503"     answered so, and nothing is stored
    "error"                 a 200 whose body is an error; nothing is stored
    "other", "bare"         a 200 with the checksum of other bytes, without checksum; nothing is stored
    "versionless"           a 200 without x-amz-version-id; nothing is stored
    "lost"                  stored, and the connection ends without an answer
    "gone"                  not stored, and the connection ends without an answer
    "held"                  stored, and the answer waits until `release` is set
"""
import base64
import collections
import datetime
import hashlib
import http.server
import itertools
import re
import threading
import time
import urllib.parse
from unittest import mock
from xml.sax.saxutils import escape

BUCKET, REGION = "acme-audit", "eu-central-1"
WRITER = ("AKIAWRITERWRITER0001", "w-secret-half-0123456789abcdefghijklmnop")
READER = ("AKIAREADERREADER0001", "r-secret-half-0123456789abcdefghijklmnop")
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
                           r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")
SKEW_S = 900
LOCKED_S = 365 * 86400

Version = collections.namedtuple("Version", "key id body checksum at mode until")


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


class FixedTime(datetime.datetime):
    """What botocore takes for now: the moment that the request says."""
    moment = None

    @classmethod
    def utcnow(cls):
        return cls.moment


def signature_of(key, request, signed, moment, region):
    """The Authorization that botocore makes for this request, with exactly those headers."""
    # Here, for each worker collects this file: a second of a core.
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    token = request.headers.get("x-amz-security-token")
    made = AWSRequest(method=request.command, url=f"http://{request.headers['Host']}{request.path}",
                      headers={name: request.headers[name] for name in signed
                               if name not in ("x-amz-date", "x-amz-security-token", "host")},
                      data=request.body)
    made.context["payload_signing_enabled"] = True
    FixedTime.moment = FixedTime(*moment.timetuple()[:6])
    with mock.patch.object(botocore.auth.datetime, "datetime", FixedTime):
        signer = botocore.auth.S3SigV4Auth(Credentials(*key, token), "s3", region)
        signer.add_auth(made)
    return made.headers["Authorization"]


class S3:
    """`versions` is what is stored, oldest first; `calls` what was asked: (method, key, status)."""

    def __init__(self, keys=None, is_locked=True, port=0):
        self.keys = dict([WRITER, READER]) if keys is None else dict(keys)
        self.may_read = {READER[0]}
        self.tokens = {}            # the session token that a key needs
        self.is_locked = is_locked
        self.versions = []
        self.calls = []
        self.troubles = []
        self.release = threading.Event()
        self.lock = threading.Lock()
        self.ids = itertools.count(1)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            body = b""

            def do_GET(self):
                outer.answer(self)

            do_PUT = do_DELETE = do_HEAD = do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def settings(self):
        """What a server needs to write here."""
        return {"AUDIT_S3_BUCKET": BUCKET, "AUDIT_S3_REGION": REGION, "AUDIT_S3_ENDPOINT": self.base,
                "AUDIT_S3_ACCESS_KEY_ID": WRITER[0], "AUDIT_S3_SECRET_ACCESS_KEY": WRITER[1]}

    def lines(self):
        """Of the oldest version of each object, in the order of their first entries."""
        oldest = {}
        for version in self.versions:
            oldest.setdefault(version.key, version)
        found = sorted(oldest.values(), key=lambda version: int(version.key.rsplit("/", 1)[1].split("-")[0]))
        return b"".join(version.body for version in found).splitlines(keepends=True)

    # --- a request ---

    def answer(self, request):
        request.body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        trouble, key = None, None
        try:
            with self.lock:
                if request.command == "PUT" and self.troubles:
                    trouble = self.troubles.pop(0)
                key, query = self.path_of(request)
                who = self.authenticate(request)
                status, headers, body = self.carry_out(request, who, key, query, trouble)
        except Refused as refused:
            status, headers = refused.status, {"Content-Type": "application/xml"}
            body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refused.code}</Code>'
                    f"<Message>{escape(str(refused))}</Message></Error>").encode()
        self.calls.append((request.command, key, status))
        if trouble == "held":
            self.release.wait()
        if trouble in ("lost", "gone"):
            request.close_connection = True
            request.connection.close()
            return
        self.send(request, status, headers, body)

    @staticmethod
    def send(request, status, headers, body):
        try:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if request.command != "HEAD":
                request.wfile.write(body)
        except OSError:
            request.close_connection = True     # whoever asked is no more

    @staticmethod
    def path_of(request):
        parts = urllib.parse.urlsplit(request.path)
        names = urllib.parse.unquote(parts.path).split("/", 2)
        if names[1] != BUCKET:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        return names[2] if len(names) > 2 else "", dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))

    def authenticate(self, request):
        """Whose key signed it; Refused, as S3 does."""
        match = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if not match:
            raise Refused(403, "AccessDenied", "Access Denied")
        key, day, region, signed, _ = match.groups()
        signed = signed.split(";")
        if region != REGION:
            raise Refused(400, "AuthorizationHeaderMalformed",
                          f"The authorization header is malformed; the region '{region}' is wrong; "
                          f"expecting '{REGION}'")
        if key not in self.keys:
            raise Refused(403, "InvalidAccessKeyId",
                          "The AWS Access Key Id you provided does not exist in our records.")
        if request.headers.get("x-amz-security-token") != self.tokens.get(key):
            raise Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        needed = {"host"} | {name.lower() for name in request.headers if name.lower().startswith("x-amz-")}
        if not needed <= set(signed):
            raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed")
        moment = self.moment_of(request, day)
        made = signature_of((key, self.keys[key]), request, signed, moment, region)
        if AUTHORIZATION.fullmatch(made).groups() != match.groups():
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the "
                          "signature you provided. Check your key and signing method.")
        if hashlib.sha256(request.body).hexdigest() != request.headers.get("x-amz-content-sha256"):
            raise Refused(400, "XAmzContentSHA256Mismatch",
                          "The provided 'x-amz-content-sha256' header does not match what was computed.")
        return key

    @staticmethod
    def moment_of(request, day):
        text = request.headers.get("x-amz-date", "")
        try:
            moment = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
        except ValueError:
            raise Refused(403, "AccessDenied",
                          "AWS authentication requires a valid Date or x-amz-date header") from None
        if not text.startswith(day):
            raise Refused(403, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from "
                          "ISO-8601 version of date from HTTP")
        if abs(moment.replace(tzinfo=datetime.timezone.utc).timestamp() - time.time()) > SKEW_S:
            raise Refused(403, "RequestTimeTooSkewed",
                          "The difference between the request time and the current time is too large.")
        return moment

    # --- what is done ---

    def carry_out(self, request, who, key, query, trouble):
        if request.command == "PUT" and key:
            return self.put(request, who, key, trouble)
        if who not in self.may_read:
            raise Refused(403, "AccessDenied", f"User is not authorized to perform: s3 {request.command} on resource: "
                          f'"arn:aws:s3:::{BUCKET}/{key}" because no identity-based policy allows it')
        if request.command in ("GET", "HEAD") and key:
            return self.get(key, query)
        if request.command == "GET" and "versions" in query:
            return self.list_versions(query)
        if request.command == "DELETE" and query.get("versionId"):
            raise Refused(403, "AccessDenied", "Access Denied because object protected by object lock.")
        raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")

    def put(self, request, who, key, trouble):
        if who != WRITER[0] and who not in self.tokens:
            raise Refused(403, "AccessDenied", "Access Denied")
        given = request.headers.get("x-amz-checksum-sha256")
        checksum = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        if self.is_locked and given is None and request.headers.get("Content-MD5") is None:
            raise Refused(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put "
                          "Object requests with Object Lock parameters")
        if given is not None and given != checksum:
            raise Refused(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
        if trouble == "403":
            raise Refused(403, "AccessDenied", "Access Denied")
        if trouble == "409":
            raise Refused(409, "ConditionalRequestConflict", "The conditional request cannot succeed due to a "
                          "conflicting operation against this resource.")
        if trouble == "503":
            raise Refused(503, "SlowDown", "Please reduce your request rate.")
        if request.headers.get("If-None-Match") not in (None, "*"):
            raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if request.headers.get("If-None-Match") == "*" and any(version.key == key for version in self.versions):
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        return self.store(key, request.body, checksum, given is not None, trouble)

    def store(self, key, body, checksum, is_checked, trouble):
        headers = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        if trouble == "error":
            return 200, {"Content-Type": "application/xml"}, \
                b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
        if is_checked and trouble != "bare":
            headers["x-amz-checksum-sha256"] = checksum
        if trouble == "other":
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes(32)).decode()
        version = f"v{next(self.ids):08d}"
        if self.is_locked and trouble != "versionless":
            headers["x-amz-version-id"] = version
        if trouble not in ("gone", "other", "bare", "versionless"):
            self.keep(key, body, version)
        return 200, headers, b""

    def keep(self, key, body, version=None):
        """Stores a version, as whoever may."""
        now = time.time()
        self.versions.append(Version(key, version or f"v{next(self.ids):08d}", body,
                                     base64.b64encode(hashlib.sha256(body).digest()).decode(), now,
                                     "GOVERNANCE" if self.is_locked else None, now + LOCKED_S))

    def get(self, key, query):
        found = [version for version in self.versions
                 if version.key == key and query.get("versionId", version.id) == version.id]
        if not found:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        version = found[-1]
        headers = {"x-amz-version-id": version.id, "x-amz-checksum-sha256": version.checksum}
        if version.mode:
            headers["x-amz-object-lock-mode"] = version.mode
            headers["x-amz-object-lock-retain-until-date"] = stamp(version.until)
        return 200, headers, version.body

    def list_versions(self, query):
        """A page, newest version of each name first, as S3 lists them."""
        found = sorted((version for version in self.versions if version.key.startswith(query.get("prefix", ""))),
                       key=lambda version: (version.key, [-ord(c) for c in version.id]))
        after = (query.get("key-marker"), query.get("version-id-marker"))
        if after[0]:
            places = [n for n, version in enumerate(found)
                      if version.key <= after[0]
                      and not (version.key == after[0] and after[1] and version.id < after[1])]
            found = found[places[-1] + 1:] if places else found
        most = min(int(query.get("max-keys", 1000)), 1000)
        page, rest = found[:most], found[most:]
        newest = {}
        for version in self.versions:
            newest[version.key] = version.id
        items = "".join(
            f"<Version><Key>{escape(v.key)}</Key><VersionId>{v.id}</VersionId>"
            f"<IsLatest>{str(newest[v.key] == v.id).lower()}</IsLatest><LastModified>{stamp(v.at)}</LastModified>"
            f"<Size>{len(v.body)}</Size></Version>" for v in page)
        markers = (f"<NextKeyMarker>{escape(page[-1].key)}</NextKeyMarker>"
                   f"<NextVersionIdMarker>{page[-1].id}</NextVersionIdMarker>" if rest and page else "")
        return 200, {"Content-Type": "application/xml"}, (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><IsTruncated>{str(bool(rest)).lower()}</IsTruncated>{markers}{items}"
            "</ListVersionsResult>").encode()


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
