#!/usr/bin/env bash
# Makes the certificates of clients, and of the server that takes the first one's place, anew in this
# folder; they last for a hundred years. The keys of the CAs are not kept.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ca() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 \
        -keyout "$work/$1.key" -out "$1.pem" -subj "/CN=rolling-upgrade-exporter test $1"
}

signed() { # NAME CA EXTENSIONS KEY-OPTIONS…
    local name=$1 ca=$2 extensions=$3
    shift 3
    openssl req -new -nodes "$@" -keyout "$name.key" -out "$work/$name.csr" -subj "/CN=$name"
    openssl x509 -req -in "$work/$name.csr" -CA "$ca.pem" -CAkey "$work/$ca.key" -CAcreateserial \
        -CAserial "$work/serial" -days 36500 -out "$name.pem" \
        -extfile <(printf 'basicConstraints=CA:FALSE\n%b' "$extensions")
}

readonly EC=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)

ca client-ca
ca second-ca
signed client client-ca 'extendedKeyUsage=clientAuth\nsubjectAltName=DNS:scraper.example,email:ops@example.com,IP:192.0.2.7,URI:spiffe://example.com/prometheus\n' "${EC[@]}"
signed second second-ca 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n' -newkey rsa:2048
# As people make them with openssl alone: it is a CA, signed by itself.
openssl req -x509 "${EC[@]}" -nodes -days 36500 -keyout stranger.key -out stranger.pem \
    -subj "/CN=stranger" -addext 'subjectAltName=DNS:stranger.example'
# The same for a server, valid and expired, with one key.
names='subjectAltName=DNS:localhost,IP:127.0.0.1'
openssl req -x509 "${EC[@]}" -nodes -days 36500 -keyout self-signed.key -out self-signed.pem \
    -subj "/CN=localhost" -addext "$names"
openssl req -new -key self-signed.key -out "$work/expired.csr" -subj "/CN=localhost"
: >"$work/index"
cat >"$work/ca.cnf" <<END
[ca]
default_ca = here
[here]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
basicConstraints = critical,CA:TRUE
$names
END
openssl ca -batch -notext -selfsign -config "$work/ca.cnf" -keyfile self-signed.key \
    -in "$work/expired.csr" -out self-signed-expired.pem \
    -startdate 20200101000000Z -enddate 20210101000000Z
