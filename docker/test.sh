#!/usr/bin/env bash
# Builds the image where there is no container engine, and checks what docs/docker.md says of it. Needs root, and of Debian
# buildah and debootstrap: the base image is made here, so no registry of images is asked.
#   docker/test.sh [--train] [--hep] [RESIM]
# RESIM is the command whose digest outside of the image is compared, default .venv/bin/resim. --train also builds the target
# `train`, --hep also hep.Dockerfile, without a program and with a stand-in for one.
set -euo pipefail
cd "$(dirname "$0")/.."
resim=.venv/bin/resim train='' hep=''
for argument; do
  case $argument in
    --train) train=yes ;;
    --hep) hep=yes ;;
    *) resim=$argument ;;
  esac
done
python=$(dirname "$resim")/python
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" resim-image.XXXXXX)
export TMPDIR=$work CONTAINERS_STORAGE_CONF=$work/storage.conf
driver=vfs # copies every layer; overlay does not, where the kernel has it
if grep -qw overlay /proc/filesystems; then driver=overlay; fi
printf '[storage]\ndriver = "%s"\ngraphroot = "%s/images"\nrunroot = "%s/run"\n' "$driver" "$work" "$work" >"$CONTAINERS_STORAGE_CONF"
clean() {
  buildah rm --all >/dev/null 2>&1 || true
  umount "$work/images/overlay" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
say() { printf '== %s (%d s)\n' "$1" "$SECONDS"; }

say "the base image: bookworm, stripped as bookworm-slim is"
cannot() { # the machine, not the image: another status, so that CI can say so
  tail "$work/log"
  echo "$1 does not work on this machine: the image was NOT built"
  exit 77
}
debootstrap --variant=minbase --include=ca-certificates bookworm "$work/bookworm" >"$work/log" 2>&1 || cannot debootstrap
rm -rf "$work"/bookworm/{var/cache/apt,var/lib/apt/lists,usr/share/{doc,man,locale}}/*
base=$(buildah from scratch 2>"$work/log") || cannot buildah
buildah copy -q "$base" "$work/bookworm" / >/dev/null
buildah commit -q --rm "$base" localhost/bookworm >/dev/null
rm -rf "$work/bookworm"

say "the image"
# How this machine reaches the index of pip is its own matter: certificates and pip.conf are there during the build only.
build=(--isolation=chroot --layers --build-arg BASE=localhost/bookworm --volume /etc/ssl/certs:/etc/ssl/certs:ro)
cat /etc/pip.conf >"$work/pip.conf" 2>/dev/null || true
if [ -d "${PIP_FIND_LINKS:-}" ]; then
  printf '[install]\nfind-links = %s\n' "$PIP_FIND_LINKS" >>"$work/pip.conf"
  build+=(--volume "$PIP_FIND_LINKS:$PIP_FIND_LINKS:ro")
fi
build+=(--secret "id=pip,src=$work/pip.conf")
version=$("$python" -m hatchling version)
commit=$(git describe --always --abbrev=40 --exclude='*' --dirty)
bud() { # arguments of buildah
  buildah bud "${build[@]}" "$@" . >"$work/log" 2>&1
}
of_resim=(-f docker/Dockerfile --build-arg VERSION="$version" --build-arg COMMIT="$commit")
bud "${of_resim[@]}" --target generate -t resim || { tail -30 "$work/log"; exit 1; }

say "what is in it"
mkdir "$work/data"
chown 12345:12345 "$work/data"
open_image() { # its name
  root=$(buildah mount "$(buildah from "localhost/$1")")
  mkdir -p "$root/data"
  buildah inspect --type image "localhost/$1" >"$work/image.json"
  mapfile -t environment < <(of_image "*config['Env'], sep='\n'")
}
of_image() { "$python" -c "import json, sys; config = json.load(sys.stdin)['OCIv1']['config']; print($1)" <"$work/image.json"; }
expect() { # what, wanted, found
  if [ "$2" != "$3" ]; then printf '%s: want %s, found %s\n' "$@"; exit 1; fi
}
open_image resim
expect "entry point" resim "$(of_image "*config['Entrypoint']")"
expect "user" 1000:1000 "$(of_image "config['User']")"
expect "label version" "$version" "$(of_image "config['Labels']['org.opencontainers.image.version']")"
expect "label revision" "$commit" "$(of_image "config['Labels']['org.opencontainers.image.revision']")"
megabytes=$(du -sm "$root" | cut -f 1)
printf 'size: %s MB\n' "$megabytes"
if [ "$megabytes" -gt 900 ]; then echo "want 900 MB at most"; exit 1; fi

# docker run --read-only --network none --tmpfs /tmp --user 12345:12345 -v DATA:/data resim ...: the root of the image is
# read-only, there is no network, and the program is process 1, which signals do not end unless it attends to them.
cat >"$work/inside" <<'EOF'
root=$1 data=$2; shift 2
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$data" "$root/data"
mount -o remount,bind,ro "$root"
exec chroot --userspec=12345:12345 --groups= "$root" env -i -C /resim "$@"
EOF
inside() {
  unshare --mount --net --pid --fork --kill-child bash "$work/inside" "$root" "$work/data" "${environment[@]}" "$@"
}
expect "root of the image" ro "$(inside sed -n 's,.* / / \(r[ow]\).*,\1,p' /proc/self/mountinfo)"
for program in cc gcc g++ make pip git; do
  if inside sh -c "command -v $program"; then echo "$program is left in the image"; exit 1; fi
done
expect "version" "resim, version $version" "$(inside resim --version)"
inside python -c "$(cat docker/check_lock.py)" generate cluster <docker/generate.lock

run=(generate cards/generate/demo.yaml -n 24 --chunk-size 4 --quiet -j 2)
say "a run inside, by a user who has no name, without network; SIGTERM, --resume"
inside resim "${run[@]}" -o /data/pairs.h5 2>"$work/log" &
until compgen -G "$work/data/pairs.h5.chunks/*.npz" >/dev/null; do kill -0 $!; sleep 0.1; done
kill -TERM "$(pgrep -P "$(pgrep -P $!)")" # process 1 inside; its parent is unshare, whose parent is this function
status=0; wait $! || status=$?
expect "exit status after SIGTERM" 130 "$status"
grep "finished chunks are kept" "$work/log"
if [ -e "$work/data/pairs.h5" ]; then echo "an output that is not complete has its final name"; exit 1; fi
inside resim "${run[@]}" -o /data/pairs.h5 --resume
expect "owner" "12345:12345 644" "$(stat -c '%u:%g %a' "$work/data/pairs.h5")"
inside resim validate /data/pairs.h5
inside resim inspect --json /data/pairs.h5 >"$work/about.json"
expect "commit in the file" "${commit%-dirty}" "$("$python" -c "import json, sys
print(json.load(sys.stdin)['provenance']['commit'])" <"$work/about.json")"

say "the same outside, in one go"
"$resim" "${run[@]}" -o "$work/outside.h5"
here=$(inside resim digest /data/pairs.h5)
expect "digest inside and outside" "$("$resim" digest "$work/outside.h5")" "$here"
if [ "$(uname -m)" = x86_64 ] && grep -qw fma /proc/cpuinfo; then
  expect "digest recorded in docker/demo.digest" "$(cat docker/demo.digest)" "$here"
fi

if [ "$train" ]; then
  say "the image with the trainer"
  bud "${of_resim[@]}" --target train -t train || { tail -30 "$work/log"; exit 1; }
  open_image train
  expect "entry point" jetssl "$(of_image "*config['Entrypoint']")"
  expect "user" 1000:1000 "$(of_image "config['User']")"
  printf 'size: %s MB\n' "$(du -sm "$root" | cut -f 1)"
  inside python -c "import torch; print('torch', torch.__version__)"
  inside python -c "from pathlib import Path; from resim.pairfile.mock import write_mock; write_mock(Path('/data/mock.h5'), 200)"
  inside jetssl train cards/train/demo.yaml 'data.files=[/data/mock.h5]' data.batch_size=16 training.epochs=1 -o /data/run
fi

if [ "$hep" ]; then
  say "the image for MadGraph, Herwig and Delphes: none of them; a stand-in for one, with its SHA-256 and with another"
  of_hep=(-f docker/hep.Dockerfile --build-arg BASE=localhost/resim)
  bud "${of_hep[@]}" -t hep || { tail -30 "$work/log"; exit 1; }
  open_image hep
  printf 'size: %s MB\n' "$(du -sm "$root" | cut -f 1)"
  expect "programs" "none of mg5_aMC, Herwig and DelphesHepMC3 is on PATH" "$(inside hep_check.sh | tail -n 1 || true)"
  mkdir -p "$work/archives" "$work/program/input" "$work/program/bin"
  printf '#!/bin/sh\necho a stand-in\n' >"$work/program/bin/mg5_aMC"
  chmod 755 "$work/program/bin/mg5_aMC"
  tar -czf "$work/archives/program.tar.gz" -C "$work" program
  read -r sha256 _ < <(sha256sum "$work/archives/program.tar.gz")
  of_hep+=(--build-context "archives=$work/archives" --build-arg MADGRAPH=program.tar.gz)
  if bud "${of_hep[@]}" --build-arg MADGRAPH_SHA256="${sha256//[a-f]/0}"; then echo "an archive with another hash was taken"; exit 1; fi
  grep "program.tar.gz: FAILED" "$work/log"
  bud "${of_hep[@]}" --build-arg MADGRAPH_SHA256="$sha256" -t hep || { tail -30 "$work/log"; exit 1; }
  open_image hep
  expect "program" "a stand-in" "$(inside mg5_aMC)"
fi

say "the image is what docs/docker.md says"
