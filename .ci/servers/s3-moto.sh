#!/usr/bin/env bash
# S3 and DynamoDB from moto, in memory, one request at a time (see moto_serial.py).
# Any credentials are accepted; signatures are not checked.
source "$(dirname "$0")/common.sh"

version=${MOTO_VERSION:-5.2.1}
venv=$home/moto-$version

do_install() {
    need python3
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "moto[s3,dynamodb]==$version" flask flask-cors
}

do_start() {
    [ -x "$venv/bin/python" ] || die "run: $name.sh install"
    spawn moto "$venv/bin/python" "$here/moto_serial.py" "$1"
    await moto listening "$1"
    python3 "$here/provision.py" s3 "http://127.0.0.1:$1" test test tfstate
    python3 "$here/provision.py" s3 "http://127.0.0.1:$1" test test tfstate-versioned versioned
    python3 "$here/provision.py" dynamodb "http://127.0.0.1:$1" tflocks
    echo "endpoint=http://127.0.0.1:$1"
    echo "pid_file=$run/moto.pid"
    echo "access_key=test"
    echo "secret_key=test"
    echo "region=us-east-1"
    echo "bucket=tfstate"
    echo "table=tflocks"
    echo "versioned_bucket=tfstate-versioned"
}

main "$@"
