#!/usr/bin/env python3
"""In-memory fake of Google Cloud Storage, standard library only.

No emulator of GCS that can be installed as a package enforces generation
preconditions on both of the APIs we need, so this one exists:

* the XML API, which the Rust `object_store` crate speaks (put, get, head, delete,
  copy, list-type=2, multipart), with x-goog-if-generation-match;
* the part of the JSON API that terraform's `gcs` backend and google-cloud-storage
  speak (insert: media, multipart, resumable; get; list; patch; delete; rewrite),
  with ifGenerationMatch / ifGenerationNotMatch / ifMetagenerationMatch.

One lock covers every operation, so a conditional write is atomic. Credentials are
accepted and ignored. Object versioning is per bucket and off by default.

usage: fake_gcs.py --port N [--bucket NAME]... [--versioned-bucket NAME]...

Control (not part of GCS):
  POST /_fake/reset            forget every object and fault
  POST /_fake/faults           JSON list of faults, each used `times` times (default 1):
      {"method": "PUT", "path": "regex", "status": 503}        refuse, do nothing
      {"method": "PUT", "path": "regex", "status": 503, "after": true}
                                                                do it, then answer 503
      {"method": "PUT", "path": "regex", "drop": true}          close without answering
      {"method": "PUT", "path": "regex", "drop": true, "after": true}
      {"method": "GET", "path": "regex", "delay": 2.0}          answer late
  GET  /_fake/requests         JSON list of "METHOD path" seen so far
"""
import argparse
import base64
import email.utils
import hashlib
import json
import re
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

LOCK = threading.RLock()
BUCKETS = {}  # name -> Bucket
UPLOADS = {}  # id -> dict
FAULTS = []
REQUESTS = []


class Failure(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def not_found(what):
    return Failure(404, "NoSuchKey", f"{what} does not exist")


def precondition(message):
    return Failure(412, "PreconditionFailed", message)


class Blob:
    clock = 0

    def __init__(self, name, data, content_type, metadata):
        # Generations are microsecond time stamps, strictly increasing, as on GCS.
        Blob.clock = max(Blob.clock + 1, int(time.time() * 1e6))
        self.name, self.data = name, data
        self.generation, self.metageneration = Blob.clock, 1
        self.content_type = content_type or "application/octet-stream"
        self.metadata = dict(metadata or {})
        self.created = self.updated = time.time()
        self.deleted = None
        self.md5 = hashlib.md5(data).digest()

    @property
    def etag(self):
        return f'"{self.md5.hex()}"'

    def resource(self, bucket):
        stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + f".{int(t % 1 * 1000):03d}Z"
        out = {
            "kind": "storage#object",
            "id": f"{bucket}/{self.name}/{self.generation}",
            "name": self.name,
            "bucket": bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "contentType": self.content_type,
            "size": str(len(self.data)),
            "md5Hash": base64.b64encode(self.md5).decode(),
            "etag": base64.b64encode(str(self.generation).encode()).decode(),
            "storageClass": "STANDARD",
            "timeCreated": stamp(self.created),
            "updated": stamp(self.updated),
        }
        if self.metadata:
            out["metadata"] = self.metadata
        if self.deleted:
            out["timeDeleted"] = stamp(self.deleted)
        return out


class Bucket:
    def __init__(self, name, versioned=False):
        self.name, self.versioned = name, versioned
        self.live, self.old = {}, {}

    def get(self, name, generation=None):
        live = self.live.get(name)
        if generation is None or generation == "":
            if live is None:
                raise not_found(name)
            return live
        for blob in [live] + self.old.get(name, []):
            if blob and str(blob.generation) == str(generation):
                return blob
        raise not_found(f"{name}#{generation}")

    def check(self, name, conditions):
        live = self.live.get(name)
        generation = live.generation if live else 0
        want = conditions.get("match")
        if want is not None and int(want) != generation:
            raise precondition(f"generation is {generation}, not {want}")
        avoid = conditions.get("not_match")
        if avoid is not None and int(avoid) == generation:
            raise precondition(f"generation is {generation}")
        meta = conditions.get("meta_match")
        if meta is not None and (live is None or int(meta) != live.metageneration):
            raise precondition("metageneration differs")

    def retire(self, name):
        blob = self.live.pop(name, None)
        if blob and self.versioned:
            blob.deleted = time.time()
            self.old.setdefault(name, []).insert(0, blob)

    def put(self, name, data, content_type, metadata, conditions):
        self.check(name, conditions)
        blob = Blob(name, data, content_type, metadata)
        self.retire(name)
        self.live[name] = blob
        return blob

    def delete(self, name, generation, conditions):
        if generation:
            self.get(name, generation)
            self.check(name, conditions)
            if self.live.get(name) and str(self.live[name].generation) == str(generation):
                del self.live[name]
            else:
                self.old[name] = [b for b in self.old[name] if str(b.generation) != str(generation)]
            return
        if name not in self.live:
            raise not_found(name)
        self.check(name, conditions)
        self.retire(name)

    def list(self, prefix, delimiter, after, limit, versions=False):
        """Names after `after`; returns (blobs, prefixes, the token to go on with)."""
        blobs, prefixes, last = [], [], None
        pool = [(n, b) for n, b in self.live.items()]
        if versions:
            pool += [(n, b) for n, olds in self.old.items() for b in olds]
        for name, blob in sorted(pool, key=lambda p: (p[0].encode(), p[1].generation)):
            if not name.startswith(prefix) or (after and name.encode() <= after.encode()):
                continue
            rest = name[len(prefix):]
            common = prefix + rest[: rest.index(delimiter) + len(delimiter)] if delimiter and delimiter in rest else None
            if common and (common in prefixes or (after and after.startswith(common))):
                continue
            if len(blobs) + len(prefixes) >= limit and not (versions and name == last):
                return blobs, prefixes, last
            if common:
                prefixes.append(common)
                last = common + "\U0010ffff"
            else:
                blobs.append(blob)
                last = name
        return blobs, prefixes, None


def bucket(name):
    if name not in BUCKETS:
        raise Failure(404, "NoSuchBucket", f"bucket {name} does not exist")
    return BUCKETS[name]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake-gcs"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    # ---- transport -------------------------------------------------------------
    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            out = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                chunk = self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return out
                out += chunk
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, data=b"", headers=None):
        if isinstance(data, (dict, list)):
            data, headers = json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})}
        elif isinstance(data, str):
            data = data.encode()
        headers = dict(headers or {})
        self.send_response(status)
        # A HEAD answer names the size of the body that it does not send.
        headers.setdefault("Content-Length", str(len(data)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(data)

    def handle_any(self):
        body = self.body()
        url = urlsplit(self.path)
        # keep_blank_values: `?uploads` is a key without a value
        query = {k: v[-1] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        with LOCK:
            if not url.path.startswith("/_fake/"):
                REQUESTS.append(f"{self.command} {self.path}")
            fault = next((f for f in FAULTS if f.get("times", 1) > 0 and f.get("method", self.command) == self.command
                          and re.search(f.get("path", ""), self.path)), None)
            if fault:
                fault["times"] = fault.get("times", 1) - 1
        if fault and not fault.get("after"):
            if fault.get("delay"):
                time.sleep(fault["delay"])
            if self.fail(fault):
                return
        json_api = url.path.startswith(("/storage/v1/", "/upload/", "/resumable/", "/download/", "/b/")) or url.path == "/b"
        try:
            with LOCK:
                if url.path.startswith("/_fake/"):
                    result = self.control(url.path, body)
                elif json_api:
                    result = self.json_api(url.path, query, body)
                else:
                    result = self.xml_api(url.path, query, body)
        except Failure as e:
            if json_api:
                data = {"error": {"code": e.status, "message": e.message, "errors": [{"reason": e.code, "message": e.message}]}}
            else:
                data = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{e.code}</Code><Message>{escape(e.message)}</Message></Error>"
            result = (e.status, data, {} if json_api else {"Content-Type": "application/xml; charset=UTF-8"})
        if fault and fault.get("after") and self.fail(fault):
            return
        self.answer(*result)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any

    def fail(self, fault):
        if fault.get("drop"):
            self.close_connection = True
            self.connection.close()
            return True
        if fault.get("status"):
            self.answer(fault["status"], "injected fault")
            return True
        return False

    def control(self, path, body):
        if path == "/_fake/reset":
            for b in BUCKETS.values():
                b.live, b.old = {}, {}
            UPLOADS.clear(), FAULTS.clear(), REQUESTS.clear()
        elif path == "/_fake/faults":
            FAULTS[:] = json.loads(body or b"[]")
        elif path == "/_fake/requests":
            return 200, list(REQUESTS)
        else:
            raise not_found(path)
        return 200, {}

    # ---- reading, shared by both APIs ------------------------------------------
    def media(self, blob):
        headers = {
            "Content-Type": blob.content_type,
            "ETag": blob.etag,
            "Last-Modified": email.utils.formatdate(blob.updated, usegmt=True),
            "Accept-Ranges": "bytes",
            "x-goog-generation": str(blob.generation),
            "x-goog-metageneration": str(blob.metageneration),
            "x-goog-stored-content-length": str(len(blob.data)),
            **{f"x-goog-meta-{k}": v for k, v in blob.metadata.items()},
        }
        match, none_match = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if match and match != "*" and match != blob.etag:
            raise precondition("If-Match")
        if none_match and none_match in ("*", blob.etag):
            return 304, b"", headers
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or "")
        if span and (span[1] or span[2]):
            size = len(blob.data)
            first = int(span[1]) if span[1] else max(0, size - int(span[2]))
            end = min(size, int(span[2]) + 1) if span[1] and span[2] else size
            if first >= size:
                raise Failure(416, "InvalidRange", "the range starts past the end")
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
            return self.sized(206, blob.data[first:end], headers)
        return self.sized(200, blob.data, headers)

    @staticmethod
    def sized(status, data, headers):
        return status, data, {**headers, "Content-Length": str(len(data))}

    # ---- XML API ---------------------------------------------------------------
    def xml_api(self, path, query, body):
        name, _, key = path.lstrip("/").partition("/")
        name, key = unquote(name), unquote(key)
        if not name:
            return 200, "fake-gcs\n"
        here, xml = bucket(name), {"Content-Type": "application/xml; charset=UTF-8"}
        if not key:
            if self.command != "GET":
                raise Failure(405, "MethodNotAllowed", self.command)
            return 200, self.xml_list(here, query), xml
        conditions = {
            "match": self.headers.get("x-goog-if-generation-match"),
            "meta_match": self.headers.get("x-goog-if-metageneration-match"),
        }
        metadata = {k[len("x-goog-meta-"):]: v for k, v in self.headers.items() if k.lower().startswith("x-goog-meta-")}
        content_type = self.headers.get("Content-Type")
        made = lambda blob: {"ETag": blob.etag, "x-goog-generation": str(blob.generation),
                             "x-goog-metageneration": str(blob.metageneration)}
        if self.command in ("GET", "HEAD"):
            return self.media(here.get(key, query.get("generation")))
        if self.command == "DELETE":
            if "uploadId" in query:
                UPLOADS.pop(query["uploadId"], None)
            else:
                here.delete(key, query.get("generation"), conditions)
            return 204, b""
        if self.command == "POST" and "uploads" in query:
            upload = uuid.uuid4().hex
            UPLOADS[upload] = {"parts": {}, "type": content_type, "metadata": metadata}
            return 200, ("<InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId>"
                         "</InitiateMultipartUploadResult>" % (escape(name), escape(key), upload)), xml
        if "uploadId" in query:
            upload = UPLOADS.get(query["uploadId"])
            if upload is None:
                raise Failure(404, "NoSuchUpload", "no such upload")
            if self.command == "PUT":
                upload["parts"][int(query["partNumber"])] = body
                return 200, b"", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
            wanted = [int(e.text) for e in ElementTree.fromstring(body).iter() if e.tag.endswith("PartNumber")]
            if any(n not in upload["parts"] for n in wanted):
                raise Failure(400, "InvalidPart", "a part is missing")
            data = b"".join(upload["parts"][n] for n in sorted(wanted))
            blob = here.put(key, data, upload["type"], upload["metadata"], conditions)
            del UPLOADS[query["uploadId"]]
            return 200, ("<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><ETag>%s</ETag>"
                         "</CompleteMultipartUploadResult>" % (escape(name), escape(key), escape(blob.etag))), {**xml, **made(blob)}
        if self.command == "PUT":
            source = self.headers.get("x-goog-copy-source")
            if source:
                from_bucket, _, from_key = unquote(source).lstrip("/").partition("/")
                old = bucket(from_bucket).get(from_key)
                blob = here.put(key, old.data, old.content_type, old.metadata, conditions)
                return 200, f"<CopyObjectResult><ETag>{escape(blob.etag)}</ETag></CopyObjectResult>", {**xml, **made(blob)}
            digest = self.headers.get("Content-MD5")
            if digest and base64.b64decode(digest) != hashlib.md5(body).digest():
                raise Failure(400, "BadDigest", "Content-MD5 differs")
            return 200, b"", made(here.put(key, body, content_type, metadata, conditions))
        raise Failure(405, "MethodNotAllowed", self.command)

    @staticmethod
    def xml_list(here, query):
        limit = min(int(query.get("max-keys") or 1000), 1000)
        token = query.get("continuation-token")
        after = base64.urlsafe_b64decode(token).decode() if token else query.get("start-after")
        blobs, prefixes, more = here.list(query.get("prefix", ""), query.get("delimiter"), after, limit)
        out = ["<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>",
               f"<Name>{escape(here.name)}</Name><Prefix>{escape(query.get('prefix', ''))}</Prefix>",
               f"<KeyCount>{len(blobs) + len(prefixes)}</KeyCount><IsTruncated>{'true' if more else 'false'}</IsTruncated>"]
        if more:
            out.append(f"<NextContinuationToken>{base64.urlsafe_b64encode(more.encode()).decode()}</NextContinuationToken>")
        for b in blobs:
            when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(b.updated)) + f".{int(b.updated % 1 * 1000):03d}Z"
            out.append(f"<Contents><Key>{escape(b.name)}</Key><Generation>{b.generation}</Generation>"
                       f"<MetaGeneration>{b.metageneration}</MetaGeneration><LastModified>{when}</LastModified>"
                       f"<ETag>{escape(b.etag)}</ETag><Size>{len(b.data)}</Size></Contents>")
        out += [f"<CommonPrefixes><Prefix>{escape(p)}</Prefix></CommonPrefixes>" for p in prefixes]
        return "".join(out) + "</ListBucketResult>"

    # ---- JSON API --------------------------------------------------------------
    def json_api(self, path, query, body):
        conditions = {"match": query.get("ifGenerationMatch"), "not_match": query.get("ifGenerationNotMatch"),
                      "meta_match": query.get("ifMetagenerationMatch")}
        upload = re.fullmatch(r"/(?:upload|resumable/upload)/storage/v1/b/([^/]+)/o", path)
        if upload:
            return self.json_upload(bucket(unquote(upload[1])), query, body, conditions)
        path = re.sub(r"^(/download)?/storage/v1", "", path)
        if path == "/b":
            if self.command == "POST":
                wanted = json.loads(body)
                if wanted["name"] in BUCKETS:
                    raise Failure(409, "conflict", "the bucket exists")
                BUCKETS[wanted["name"]] = Bucket(wanted["name"], wanted.get("versioning", {}).get("enabled", False))
                return 200, self.bucket_resource(BUCKETS[wanted["name"]])
            return 200, {"kind": "storage#buckets", "items": [self.bucket_resource(b) for b in BUCKETS.values()]}
        m = re.fullmatch(r"/b/([^/]+)", path)
        if m:
            here = bucket(unquote(m[1]))
            if self.command == "DELETE":
                if here.live:
                    raise Failure(409, "conflict", "the bucket is not empty")
                del BUCKETS[here.name]
                return 204, b""
            if self.command == "PATCH":
                here.versioned = json.loads(body).get("versioning", {}).get("enabled", here.versioned)
            return 200, self.bucket_resource(here)
        m = re.fullmatch(r"/b/([^/]+)/o", path)
        if m:
            return 200, self.json_list(bucket(unquote(m[1])), query)
        m = re.fullmatch(r"/b/([^/]+)/o/([^/]+)/(?:rewriteTo|copyTo)/b/([^/]+)/o/([^/]+)", path)
        if m:
            old = bucket(unquote(m[1])).get(unquote(m[2]), query.get("sourceGeneration"))
            new = bucket(unquote(m[3])).put(unquote(m[4]), old.data, old.content_type, old.metadata, conditions)
            resource = new.resource(unquote(m[3]))
            if "/copyTo/" in path:
                return 200, resource
            size = str(len(new.data))
            return 200, {"kind": "storage#rewriteResponse", "done": True, "objectSize": size,
                         "totalBytesRewritten": size, "resource": resource}
        m = re.fullmatch(r"/b/([^/]+)/o/([^/]+)", path)
        if not m:
            raise Failure(404, "notFound", f"no such method: {self.command} {path}")
        here, key = bucket(unquote(m[1])), unquote(m[2])
        if self.command == "DELETE":
            here.delete(key, query.get("generation"), conditions)
            return 204, b""
        blob = here.get(key, query.get("generation"))
        here.check(key, conditions)
        if query.get("alt") == "media":
            return self.media(blob)
        if self.command == "PATCH":
            change = json.loads(body)
            blob.metadata.update(change.get("metadata") or {})
            blob.content_type = change.get("contentType", blob.content_type)
            blob.metageneration += 1
            blob.updated = time.time()
        return 200, blob.resource(here.name)

    @staticmethod
    def bucket_resource(b):
        return {"kind": "storage#bucket", "id": b.name, "name": b.name, "location": "US", "storageClass": "STANDARD",
                "metageneration": "1", "versioning": {"enabled": b.versioned}}

    @staticmethod
    def json_list(here, query):
        limit = min(int(query.get("maxResults") or 1000), 1000)
        token = query.get("pageToken")
        after = base64.urlsafe_b64decode(token).decode() if token else None
        blobs, prefixes, more = here.list(query.get("prefix", ""), query.get("delimiter"), after, limit,
                                          query.get("versions", "").lower() == "true")
        start, end = query.get("startOffset") or "", query.get("endOffset") or None
        out = {"kind": "storage#objects",
               "items": [b.resource(here.name) for b in blobs if b.name >= start and (end is None or b.name < end)],
               "prefixes": prefixes}
        if more:
            out["nextPageToken"] = base64.urlsafe_b64encode(more.encode()).decode()
        return out

    def json_upload(self, here, query, body, conditions):
        kind = query.get("uploadType")
        if self.command == "PUT" or "upload_id" in query:
            return self.json_resume(query, body)
        if kind == "media":
            blob = here.put(query["name"], body, self.headers.get("Content-Type"), {}, conditions)
            return 200, blob.resource(here.name)
        if kind == "resumable":
            wanted = json.loads(body or b"{}")
            name = query.get("name") or wanted["name"]
            here.check(name, conditions)
            upload = uuid.uuid4().hex
            UPLOADS[upload] = {"bucket": here, "name": name, "type": wanted.get("contentType")
                               or self.headers.get("X-Upload-Content-Type"),
                               "metadata": wanted.get("metadata"), "data": b"", "conditions": conditions}
            where = f"http://{self.headers['Host']}/upload/storage/v1/b/{quote(here.name)}/o?uploadType=resumable&upload_id={upload}"
            return 200, b"", {"Location": where, "X-GUploader-UploadID": upload}
        if kind != "multipart":
            raise Failure(400, "invalid", f"uploadType {kind}")
        boundary = re.search(r'boundary="?([^";]+)"?', self.headers["Content-Type"])[1].encode()
        parts = []
        for part in body.split(b"--" + boundary)[1:3]:
            head, _, data = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
            found = re.search(rb"(?im)^content-type:\s*(.+?)\s*$", head)
            parts.append((found[1].decode() if found else None, data[:-2]))  # without the CRLF before the boundary
        wanted = json.loads(parts[0][1])
        name = query.get("name") or wanted["name"]
        if wanted.get("md5Hash") and base64.b64decode(wanted["md5Hash"]) != hashlib.md5(parts[1][1]).digest():
            raise Failure(400, "invalid", "md5Hash differs")
        blob = here.put(name, parts[1][1], wanted.get("contentType") or parts[1][0], wanted.get("metadata"), conditions)
        return 200, blob.resource(here.name)

    def json_resume(self, query, body):
        upload = UPLOADS.get(query.get("upload_id"))
        if upload is None:
            raise Failure(404, "notFound", "no such upload")
        span = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers.get("Content-Range") or "bytes */*")
        if span[1]:
            upload["data"] = upload["data"][: int(span[1])] + body
        elif body:
            upload["data"] += body
        total = None if span[3] == "*" else int(span[3])
        if not self.headers.get("Content-Range"):
            total = len(upload["data"])
        if total is None or len(upload["data"]) < total:
            done = len(upload["data"])
            headers = {"Range": f"bytes=0-{done - 1}"} if done else {}
            if self.headers.get("X-GUploader-No-308") == "yes":  # what Go clients ask for
                return 200, b"", {**headers, "X-Http-Status-Code-Override": "308"}
            return 308, b"", headers
        blob = upload["bucket"].put(upload["name"], upload["data"], upload["type"], upload["metadata"], upload["conditions"])
        del UPLOADS[query["upload_id"]]
        return 200, blob.resource(upload["bucket"].name)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--port", type=int, required=True)
    args.add_argument("--bucket", action="append", default=[])
    args.add_argument("--versioned-bucket", action="append", default=[])
    args = args.parse_args()
    for name in args.bucket:
        BUCKETS[name] = Bucket(name)
    for name in args.versioned_bucket:
        BUCKETS[name] = Bucket(name, versioned=True)
    Server(("127.0.0.1", args.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
