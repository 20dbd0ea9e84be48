#!/usr/bin/env bash
# An authority of the household's own, and the certificate of its broker.
#   sudo bash deploy/broker/make-certificates.sh broker.local 192.168.1.5     every name and address it is reached by
# Where: --folder DIR (default /etc/mosquitto/somnisphere). The authority (ca.crt, ca.key) is made once, for ten years, and
# kept; the broker's certificate (server.crt, server.key) is made anew each time, for two years (--days N). So renewing is
# the same command again, then: sudo systemctl reload mosquitto. Boxes hold ca.crt alone and notice nothing.
# Whoever has ca.key can play any broker to your boxes: once all is running, move it to a stick in a drawer.
set -euo pipefail
umask 077

folder=/etc/mosquitto/somnisphere days=730 names=()
fail() { echo "make-certificates.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --folder | --days)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case "$1" in --folder) folder=$2 ;; *) days=$2 ;; esac
      shift ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) fail "$1 is no option; see --help" ;;
    *) [[ $1 =~ ^[A-Za-z0-9.:-]+$ ]] || fail "$1 is no name and no address of a machine"; names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || fail "say the names and addresses that boxes reach the broker by, such as: broker.local 192.168.1.5"
[[ $days =~ ^[0-9]+$ ]] || fail "--days $days: a number of days is needed"
command -v openssl >/dev/null || fail "openssl is missing; mend: sudo apt install openssl"

alternatives=""
for name in "${names[@]}"; do
  if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then alternatives+=",IP:$name"; else alternatives+=",DNS:$name"; fi
done

mkdir -p "$folder"
work=$(mktemp -d "$folder/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

cat >"$work/conf" <<END
[req]
distinguished_name = name
prompt = no
[name]
O = Somnisphere of this household
CN = Authority of this household
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = ${alternatives#,}
END

if [ ! -e "$folder/ca.crt" ]; then
  key "$work/ca.key"
  openssl req -x509 -new -config "$work/conf" -extensions authority -key "$work/ca.key" -sha256 -days 3650 -out "$work/ca.crt"
  chmod 0644 "$work/ca.crt"
  mv "$work/ca.key" "$work/ca.crt" "$folder/"
fi
[ -e "$folder/ca.key" ] || fail "$folder/ca.key is not there: bring it back from where you keep it, then try again"

key "$work/server.key"
openssl req -new -config "$work/conf" -subj "/O=Somnisphere of this household/CN=${names[0]}" -key "$work/server.key" -out "$work/request"
openssl x509 -req -in "$work/request" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
  -sha256 -days "$days" -extfile "$work/conf" -extensions server -out "$work/server.crt" 2>/dev/null
chmod 0644 "$work/server.crt"
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then # it reads the key after it has become a user of its own
  chown root:mosquitto "$folder"
  chmod 0750 "$folder"
  chown mosquitto: "$work/server.key" "$work/server.crt"
fi
mv "$work/server.key" "$work/server.crt" "$folder/"
echo "The broker's certificate is good for ${names[*]}, until$(openssl x509 -in "$folder/server.crt" -noout -enddate | sed 's/.*=/ /')."
echo "Each box wants $folder/ca.crt (as /etc/somnisphere/ca.crt: mqtt.tls = true, mqtt.ca_file, mqtt.port = 8883)."
echo "Let mosquitto know: sudo systemctl reload mosquitto"
