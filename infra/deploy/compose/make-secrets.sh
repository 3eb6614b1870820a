#!/bin/sh
# sudo ./make-secrets.sh    makes the files in secrets/ that compose.yaml names, those that are not there. What is made for the try:
# a certificate of the proxy (replace it), and an issuer with a certificate for deliveries (replace secrets/issuers with
# the issuers of OCES3). Needs root, since the containers read them as another user, and openssl.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

# The content of a new file comes from a command; one that is there stays.
make() {
  name=$1
  shift
  [ -e "$name" ] || { "$@" >"$name.part" && mv "$name.part" "$name"; }
}
password() { openssl rand -hex 24; }

make postgres-password password
make owner-password password
make service-password password
make redis-password password
make s3-access-key printf indbakke
make s3-secret-key password
make grafana-password password
make database-owner-url printf 'postgres://indbakke_owner:%s@postgres/indbakke' "$(cat owner-password)"
make database-url printf 'postgres://indbakke_service:%s@postgres/indbakke' "$(cat service-password)"
make queue-url printf 'redis://:%s@redis:6379' "$(cat redis-password)"
make redis-conf printf 'appendonly yes\nmaxmemory-policy noeviction\nrequirepass %s\n' "$(cat redis-password)"
make s3-users printf '{"identities":[{"name":"indbakke","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":["Admin"]}]}\n' "$(cat s3-access-key)" "$(cat s3-secret-key)"
make keys printf '{"current":"first","keys":{"first":"%s"},"digestKey":"%s"}\n' "$(openssl rand -base64 32)" "$(openssl rand -base64 32)"

# A certificate for a name, which is its own issuer.
self_signed() {
  [ -e "$1-certificate" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$3" -subj "/CN=$2" \
    -addext "subjectAltName=DNS:$2" -keyout "$1-key" -out "$1-certificate" 2>/dev/null
}
self_signed receiver receiver 3650
self_signed proxy localhost 365

# Who delivers in the try: CVR 19435075, and the UUID of SF1606_TLS_CLIENTS.
if [ ! -e issuers ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=Issuer of the try" \
    -keyout issuer-key -out issuers 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj "/C=DK/organizationIdentifier=NTRDK-19435075/O=Try/serialNumber=UI:DK-O:G:11111111-2222-4333-8444-555555555555/CN=Caller of the try" \
    -keyout caller-key -out caller-request 2>/dev/null
  openssl x509 -req -in caller-request -CA issuers -CAkey issuer-key -days 365 -out caller-certificate 2>/dev/null
  rm caller-request
fi

# Other users of the machine cannot enter the folder; in the containers each file is mounted by itself.
chmod 644 ./*
chmod 600 issuer-key caller-key 2>/dev/null || true
# The user of the image reads the master keys by its group, and nobody else.
chown 0:10001 keys receiver-key
chmod 640 keys receiver-key
