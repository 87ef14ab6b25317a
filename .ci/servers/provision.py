#!/usr/bin/env python3
"""Creates a bucket, a table or a container, standard library only.

usage: provision.py s3 ENDPOINT ACCESS_KEY SECRET_KEY BUCKET [versioned]
       provision.py dynamodb ENDPOINT TABLE
       provision.py azure ENDPOINT ACCOUNT KEY CONTAINER [CA_FILE PROXY]
"""
import base64
import email.utils
import hashlib
import hmac
import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit


def send(request, context=None, proxy=None):
    handlers = [urllib.request.ProxyHandler({"https": proxy} if proxy else {})]
    if context:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        urllib.request.build_opener(*handlers).open(request).read()
    except urllib.error.HTTPError as e:
        sys.exit(f"{request.method} {request.full_url}: {e.code} {e.read().decode(errors='replace')}")


def s3(endpoint, access, secret, path, query="", body=b""):
    """A PUT signed with AWS Signature Version 4."""
    now, host = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), urlsplit(endpoint).netloc
    digest = hashlib.sha256(body).hexdigest()
    names = "content-md5;host;x-amz-content-sha256;x-amz-date"
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    canonical = "\n".join(["PUT", path, f"{query}=" if query else "", f"content-md5:{md5}", f"host:{host}",
                           f"x-amz-content-sha256:{digest}", f"x-amz-date:{now}", "", names, digest])
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers = {
        # urllib would say it is a form
        "Content-Type": "application/xml", "Content-MD5": md5, "x-amz-content-sha256": digest, "x-amz-date": now,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={key.hex()}",
    }
    url = endpoint + path + (f"?{query}" if query else "")
    send(urllib.request.Request(url, data=body, headers=headers, method="PUT"))


def azure(endpoint, account, key, container, ca_file=None, proxy=None):
    """A container, with a Shared Key signature."""
    now, version = email.utils.formatdate(usegmt=True), "2021-12-02"
    path = urlsplit(endpoint).path + "/" + container
    text = "\n".join(["PUT"] + [""] * 11 + [f"x-ms-date:{now}", f"x-ms-version:{version}",
                                            f"/{account}{path}", "restype:container"])
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": now, "x-ms-version": version, "Authorization": f"SharedKey {account}:{signature}", "Content-Length": "0",
               # urllib would set a form type, which is signed
               "Content-Type": ""}
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    request = urllib.request.Request(f"{endpoint}/{container}?restype=container", headers=headers, method="PUT")
    send(request, context, proxy)


def dynamodb(endpoint, table):
    """A table of locks on a server that does not check signatures."""
    body = {
        "TableName": table,
        "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    headers = {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.CreateTable",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00",
    }
    send(urllib.request.Request(endpoint + "/", data=json.dumps(body).encode(), headers=headers, method="POST"))


def main():
    kind, rest = sys.argv[1], sys.argv[2:]
    if kind == "dynamodb":
        return dynamodb(*rest)
    if kind == "azure":
        return azure(*rest)
    endpoint, access, secret, bucket = rest[:4]
    s3(endpoint, access, secret, f"/{bucket}")
    if rest[4:] == ["versioned"]:
        body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        s3(endpoint, access, secret, f"/{bucket}", "versioning", body)


if __name__ == "__main__":
    main()
